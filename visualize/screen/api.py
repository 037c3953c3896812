"""Five endpoints for programs: the same services as the page's, plain arguments, plain answers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from visualize.screen import texts
from visualize.screen.jobs import AS_SENT, path_of

Answers = Iterator[tuple[dict[str, Any], list[Path]]]

PUBLIC: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1}
LIGHT_PUBLIC: dict[str, Any] = {"concurrency_id": "light", "concurrency_limit": 2}


@dataclass(frozen=True)
class ApiServices:
    """What the endpoints need from the program; all arguments come unchecked.

    Attributes:
        generate: Called with prompt, seed, checkpoint, steps and guidance.
        compare: Called with prompt, seed, steps and guidance.
        inspect: Called with a file's path, slots, frames and adaptation steps.
        metrics: Called with the name of a run.
        list_checkpoints: Called with nothing.
        steps: The usual number of steps.
        guidance: The usual guidance.
        num_slots: The usual number of slots.
    """

    generate: Callable[[object, object, object, object, object], Answers]
    compare: Callable[[object, object, object, object], Answers]
    inspect: Callable[[object, object, object, object], Answers]
    metrics: Callable[[object], dict[str, Any]]
    list_checkpoints: Callable[[], list[dict[str, Any]]]
    steps: int
    guidance: float
    num_slots: int


def build_api(services: ApiServices, explained: Callable[..., Any]) -> None:
    """Add the endpoints to the page, on components that nobody sees.

    Args:
        services: What computes.
        explained: Wraps a handler so that its failures are told in words.

    Programs call arguments by the names that the handlers give them.

    Ours: a file comes through a listener on a file component, which refuses every path that was not
    uploaded; a bare endpoint would read any file of the machine.
    """
    with gr.Row(visible=False):
        prompt = gr.Textbox("a red circle moves right", label="prompt")
        seed = gr.Number(3, precision=0, label="seed")
        checkpoint = gr.Textbox("olvdm", label="checkpoint")
        steps = gr.Number(services.steps, precision=0, label="num_inference_steps")
        guidance = gr.Number(services.guidance, label="guidance_scale")
        clip = gr.File(label="clip")
        slots = gr.Number(services.num_slots, precision=0, label="num_slots")
        frames = gr.Number(16, precision=0, label="max_frames")
        adapt = gr.Number(0, precision=0, label="adapt_steps")
        report = gr.JSON(label="report")
        files = gr.File(label="files", file_count="multiple")
        run_id = gr.Textbox(label="run_id")
        buttons = [gr.Button() for _ in range(5)]
    connected = {
        "generate": ([prompt, seed, checkpoint, steps, guidance], [report, files], PUBLIC),
        "compare": ([prompt, seed, steps, guidance], [report, files], PUBLIC),
        "inspect": ([clip, slots, frames, adapt], [report, files], PUBLIC),
        "metrics": ([run_id], report, LIGHT_PUBLIC),
        "list_checkpoints": ([], report, LIGHT_PUBLIC),
    }
    handlers = _handlers(services, explained)
    for button, (name, (inputs, outputs, group)) in zip(buttons, connected.items(), strict=True):
        button.click(
            handlers[name],
            inputs,
            outputs,
            api_name=name,
            api_description=texts.ENDPOINTS[name],
            show_progress="hidden",
            **AS_SENT,
            **group,
        )


def _handlers(
    services: ApiServices, explained: Callable[..., Any]
) -> dict[str, Callable[..., Any]]:
    """Return what answers, by endpoint; a client reads the names of the arguments."""

    def generate(
        prompt: object,
        seed: object,
        checkpoint: object,
        num_inference_steps: object,
        guidance_scale: object,
    ) -> Iterator[tuple[Any, Any]]:
        answers = services.generate(prompt, seed, checkpoint, num_inference_steps, guidance_scale)
        yield from _sent(answers)

    def compare(
        prompt: object, seed: object, num_inference_steps: object, guidance_scale: object
    ) -> Iterator[tuple[Any, Any]]:
        yield from _sent(services.compare(prompt, seed, num_inference_steps, guidance_scale))

    def inspect(
        clip: object, num_slots: object, max_frames: object, adapt_steps: object
    ) -> Iterator[tuple[Any, Any]]:
        yield from _sent(services.inspect(path_of(clip), num_slots, max_frames, adapt_steps))

    def metrics(run_id: object) -> Iterator[dict[str, Any]]:
        yield services.metrics(run_id)

    def list_checkpoints() -> Iterator[list[dict[str, Any]]]:
        yield services.list_checkpoints()

    handlers: dict[str, Callable[..., Any]] = {}
    for handler in (generate, compare, inspect, metrics, list_checkpoints):
        handler.__doc__ = texts.ENDPOINTS[handler.__name__]  # what an MCP client is told
        handlers[handler.__name__] = explained(handler)
    return handlers


def _sent(answers: Answers) -> Iterator[tuple[Any, Any]]:
    """Hand answers on as the components want them."""
    for answer, files in answers:
        yield answer, [str(file) for file in files] or None
