"""The tab on which a clip from any source is taken apart into its objects."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from visualize.screen import texts
from visualize.screen.jobs import (
    AT_ONCE,
    LIGHT,
    MODEL,
    Job,
    as_sent,
    lock,
    on_cancel,
    show_job,
    unlock_after,
)
from visualize.screen.shown import Choice, ReadClip
from visualize.screen.stage import clip_stage, status, status_line
from visualize.screen.stage_value import empty_value


@dataclass(frozen=True)
class InspectServices:
    """What the tab needs from the program.

    Attributes:
        read_upload: Reads an uploaded file and forgets it.
        read_test_clip: Reads one of the test clips by its key.
        inspect: Called with the clip's id, slots, frames and adaptation steps, all unchecked.
        test_clips: To choose from.
        upload_hint: What an upload may be.
        num_slots: Fewest and most slots, and the number of the training.
        max_frames: Fewest and most frames.
        highest_adapt_steps: Most adaptation steps.
    """

    read_upload: Callable[[object], ReadClip]
    read_test_clip: Callable[[object], ReadClip]
    inspect: Callable[[object, object, object, object], Job]
    test_clips: Sequence[Choice]
    upload_hint: str
    num_slots: tuple[int, int, int]
    max_frames: tuple[int, int]
    highest_adapt_steps: int


@dataclass(frozen=True)
class _Parts:
    """The components of the tab."""

    clip_id: gr.State
    upload: gr.File
    test_clips: Sequence[gr.Button]
    settings: Sequence[gr.Slider]
    buttons: Sequence[gr.Button]
    line: gr.HTML
    stage: gr.HTML


def build_inspect(services: InspectServices, explained: Callable[..., Any]) -> None:
    """Lay the tab out and connect it.

    Args:
        services: What computes.
        explained: Wraps a handler so that its failures are told in words.
    """
    parts = _lay_out(services)

    @explained
    def on_upload(path: object) -> Iterator[tuple[Any, ...]]:
        yield gr.skip(), status(texts.READING, is_busy=True)
        yield _was_read(services.read_upload(path))

    @explained
    def on_inspect(
        clip_id: object, slots: object, frames: object, adapt: object
    ) -> Iterator[tuple[Any, ...]]:
        yield from show_job(services.inspect(clip_id, slots, frames, adapt))

    parts.upload.upload(
        on_upload, parts.upload, [parts.clip_id, parts.line], api_name="read", **LIGHT
    )
    as_sent(parts.settings)
    inputs, outputs = [parts.clip_id, *parts.settings], [parts.stage, parts.line]
    started = [parts.buttons[0].click(lock, outputs=parts.buttons, **AT_ONCE)]
    for button, choice in zip(parts.test_clips, services.test_clips, strict=True):
        on_choice = _reader(services, choice.key, explained)
        chosen = button.click(on_choice, outputs=[parts.clip_id, parts.line, parts.upload], **LIGHT)
        started.append(chosen.success(lock, outputs=parts.buttons, **AT_ONCE))
    jobs: list[Any] = [
        start.then(
            on_inspect, inputs, outputs, show_progress_on=parts.line, api_name="inspect", **MODEL
        )
        for start in started
    ]
    for job in jobs:
        unlock_after(job, parts.buttons)
    parts.buttons[1].click(on_cancel, outputs=[*outputs, *parts.buttons], cancels=jobs, **AT_ONCE)


def _lay_out(services: InspectServices) -> _Parts:
    clip_id = gr.State(None)
    with gr.Column(elem_classes="card"):
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=280):
                upload = gr.File(label=texts.UPLOAD, height=132, elem_id="upload")
                gr.Markdown(services.upload_hint, elem_classes="hint")
                gr.Markdown(texts.TEST_CLIPS, elem_classes="hint")
                with gr.Row():
                    test_clips = [
                        gr.Button(each.label, size="sm", elem_id=f"test-{each.key}", min_width=120)
                        for each in services.test_clips
                    ]
            with gr.Column(scale=2, min_width=260):
                settings = _settings(services)
        with gr.Row():
            start = gr.Button(texts.INSPECT, variant="primary", scale=3, elem_id="inspect")
            cancel = gr.Button(texts.CANCEL, interactive=False, scale=1, elem_id="cancel-inspect")
        line = status_line("inspect-status")
    stage = clip_stage(empty_value(texts.NO_CLIP_YET), "inspect-stage")
    return _Parts(clip_id, upload, test_clips, settings, [start, cancel], line, stage)


def _settings(services: InspectServices) -> tuple[gr.Slider, gr.Slider, gr.Slider]:
    fewest, most, usual = services.num_slots
    slots = gr.Slider(
        fewest,
        most,
        usual,
        step=1,
        label=texts.NUM_SLOTS,
        info=texts.NUM_SLOTS_INFO,
        elem_id="slots",
    )
    shortest, longest = services.max_frames
    frames = gr.Slider(
        shortest,
        longest,
        16,
        step=1,
        label=texts.MAX_FRAMES,
        info=texts.MAX_FRAMES_INFO,
        elem_id="frames",
    )
    adapt = gr.Slider(
        0,
        services.highest_adapt_steps,
        0,
        step=10,
        label=texts.ADAPT_STEPS,
        info=texts.ADAPT_STEPS_INFO,
        elem_id="adapt",
    )
    return slots, frames, adapt


def _reader(
    services: InspectServices, key: str, explained: Callable[..., Any]
) -> Callable[[], Iterator[tuple[Any, ...]]]:
    """Return the handler of one test clip's button."""

    @explained
    def on_test_clip() -> Iterator[tuple[Any, ...]]:
        yield *_was_read(services.read_test_clip(key)), None

    return on_test_clip


def _was_read(clip: ReadClip) -> tuple[Any, ...]:
    return clip.clip_id, status(" ".join((texts.CLIP_READ, *clip.notes)))
