"""The tab that leads back to earlier runs, pairs any two of them, shows how to do it by code."""

import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr

from visualize.screen import texts
from visualize.screen.blind import Trials
from visualize.screen.compare import CompareParts
from visualize.screen.jobs import AT_ONCE, LIGHT
from visualize.screen.pins import PinServices
from visualize.screen.shown import Choice, Finished
from visualize.screen.staging import TO_COMPARE, stage_result


@dataclass(frozen=True)
class RunsServices:
    """What the tab needs from the program.

    Attributes:
        find_run: Returns a run by its name.
        pair_clips: Returns one clip of each of two runs, side by side.
        stored: Runs that are always there.
        models: Names of the models whose clips a run holds.
        address: Of this server, as a program would write it.
        pins: What pinned runs need.
    """

    find_run: Callable[[object], Finished]
    pair_clips: Callable[[object, object, object, object], Finished]
    stored: Sequence[Choice]
    models: Sequence[str]
    address: str
    pins: PinServices


def build_runs(
    services: RunsServices, parts: CompareParts, tab: gr.Tab, explained: Callable[..., Any]
) -> None:
    """Lay the tab out and connect it.

    Args:
        services: What finds runs.
        parts: Of the first tab, on whose inspector runs are shown.
        tab: This tab.
        explained: Wraps a handler so that its failures are told in words.
    """
    stored = [
        (texts.STORED_RUN.format(title=each.label, detail=each.detail), each.key)
        for each in services.stored
    ]
    with gr.Column(elem_classes="card"):
        gr.Markdown(texts.RUNS_HINT, elem_classes="hint")
        runs = gr.Radio(stored, label=texts.RUNS, elem_id="runs")
        gr.Markdown(texts.PAIR_HINT, elem_classes="hint")
        chosen, pair = _pair_row(services, stored)
    gr.Markdown(texts.API_HINT, elem_classes="hint")
    codes = _code_boxes()

    def on_open(session: Sequence[tuple[str, str]], *settings: object) -> tuple[Any, ...]:
        choices = [*session, *stored]
        lists = [gr.Radio(choices=choices), gr.Dropdown(choices=choices)]
        return lists[0], lists[1], lists[1], *snippets(services.address, *settings)

    @explained
    def on_run(run_id: object, is_blind: object, trials: Trials) -> Iterator[tuple[Any, ...]]:
        yield stage_result(services.find_run(run_id), is_blind, trials)

    @explained
    def on_pair(
        run: object,
        model: object,
        other: object,
        other_model: object,
        is_blind: object,
        trials: Trials,
    ) -> Iterator[tuple[Any, ...]]:
        pair = services.pair_clips(run, model, other, other_model)
        yield stage_result(pair, is_blind, trials)

    listed = [runs, chosen[0], chosen[2]]
    tab.select(on_open, [parts.session, *parts.settings], [*listed, *codes], **AT_ONCE)
    for event in (
        runs.input(on_run, [runs, *parts.blind_inputs], parts.outputs, **LIGHT),
        pair.click(on_pair, [*chosen, *parts.blind_inputs], parts.outputs, **LIGHT),
    ):
        event.success(None, js=TO_COMPARE, outputs=parts.stored, api_visibility="private")


def _pair_row(
    services: RunsServices, stored: Sequence[tuple[str, str]]
) -> tuple[list[gr.Dropdown], gr.Button]:
    """Lay out the choice of a run and a model for each side, and the button that shows them."""
    chosen: list[gr.Dropdown] = []
    with gr.Row(equal_height=True):
        for side, model in zip("AB", services.models, strict=False):
            label = texts.PAIR_RUN.format(side=side)
            chosen.append(gr.Dropdown(stored, label=label, elem_id=f"pair-{side.lower()}"))
            chosen.append(
                gr.Dropdown(
                    [(each.upper(), each) for each in services.models],
                    value=model,
                    label=texts.PAIR_MODEL,
                    min_width=110,
                    elem_id=f"pair-model-{side.lower()}",
                )
            )
        return chosen, gr.Button(texts.PAIR, min_width=140, elem_id="pair")


def snippets(
    address: str, prompt: object, seed: object, steps: object, guidance: object
) -> tuple[str, str, str]:
    """Return the same comparison as code.

    Args:
        address: Of the server.
        prompt: As the form has it now.
        seed: Likewise.
        steps: Likewise.
        guidance: Likewise.

    Returns:
        For the shell, for Python and for an MCP client.
    """
    given = [prompt, seed, steps, guidance]
    body = shlex.quote(json.dumps({"data": given}))
    call = f"{address}/gradio_api/call/compare"
    shell = (
        f"id=$(curl -s {call} -H 'Content-Type: application/json' -d {body} | cut -d'\"' -f4)\n"
        f'curl -sN "{call}/$id"'
    )
    arguments = ", ".join(repr(each) for each in given)
    python = (
        "from gradio_client import Client\n\n"
        f'client = Client("{address}")\n'
        f'for report in client.submit({arguments}, api_name="/compare"):\n'
        "    print(report)  # one a step, the result last"
    )
    mcp = json.dumps({"mcpServers": {"olvdm": {"url": f"{address}/gradio_api/mcp/"}}}, indent=2)
    return shell, python, mcp


def _code_boxes() -> list[gr.Code]:
    names: dict[Literal["shell", "python", "json"], str] = {
        "shell": texts.SHELL,
        "python": texts.PYTHON,
        "json": texts.MCP,
    }
    return [
        gr.Code(language=language, label=label, interactive=False, elem_id=f"code-{language}")
        for language, label in names.items()
    ]
