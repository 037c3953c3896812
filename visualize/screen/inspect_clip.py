"""The tab on which clips from any source are taken apart into their objects."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from visualize.inspector.component import SlotInspector
from visualize.screen import texts
from visualize.screen.downloads import Exporter, build_downloads, refuse_blind
from visualize.screen.inspector_value import empty_value
from visualize.screen.jobs import (
    AS_SENT,
    AT_ONCE,
    LIGHT,
    MODEL,
    Job,
    begin,
    on_cancel,
    path_of,
    said_of,
    show_job,
    unlock_after,
)
from visualize.screen.pins import pins_panel
from visualize.screen.shown import Choice, ReadClip
from visualize.screen.status_line import status, status_line


@dataclass(frozen=True)
class InspectServices:
    """What the tab needs from the program.

    Attributes:
        read_upload: Reads an uploaded file and forgets it.
        read_test_clip: Reads one of the test clips by its key.
        take_run: Takes both clips of a comparison by its run.
        inspect: Called with the clip's id, slots, frames, adaptation steps, the other clip's id and
            whether to crop, all unchecked.
        export: Writes one file of a result.
        test_clips: To choose from.
        upload_hint: What an upload may be.
        num_slots: Fewest and most slots, and the number of the training.
        max_frames: Fewest and most frames.
        highest_adapt_steps: Most adaptation steps.
    """

    read_upload: Callable[[object], ReadClip]
    read_test_clip: Callable[[object], ReadClip]
    take_run: Callable[[object], tuple[ReadClip, ReadClip]]
    inspect: Callable[[object, object, object, object, object, object], Job]
    export: Exporter
    test_clips: Sequence[Choice]
    upload_hint: str
    num_slots: tuple[int, int, int]
    max_frames: tuple[int, int]
    highest_adapt_steps: int


@dataclass(frozen=True)
class _Parts:
    """The components of the tab."""

    clip_id: gr.State
    other_id: gr.State
    uploads: tuple[gr.File, gr.File]
    test_clips: Sequence[gr.Button]
    take: gr.Button
    settings: Sequence[Any]
    buttons: Sequence[gr.Button]
    line: gr.HTML
    inspector: SlotInspector
    run_id: gr.State
    pins: gr.HTML


def build_inspect(
    services: InspectServices, compared: gr.State, explained: Callable[..., Any]
) -> tuple[SlotInspector, gr.HTML]:
    """Lay the tab out and connect it.

    Args:
        services: What computes.
        compared: The run on the screen of the first tab.
        explained: Wraps a handler so that its failures are told in words.

    Returns:
        The inspector, and the list of the runs that it pins.
    """
    parts = _lay_out(services, explained)
    ids = [parts.clip_id, parts.other_id]
    doors = (("read", texts.CLIP_READ), ("read_other", texts.SECOND_READ))
    for upload, clip_id, (name, said) in zip(parts.uploads, ids, doors, strict=True):
        reader = explained(_upload_reader(services, said, explained))
        outputs = [clip_id, parts.line, upload]
        upload.upload(reader, upload, outputs, api_name=name, **AS_SENT, **LIGHT)
        upload.clear(_forget, None, [clip_id, parts.line], **AT_ONCE)

    @explained
    def on_take(run_id: object) -> Iterator[tuple[Any, ...]]:
        refuse_blind(run_id)
        first, second = services.take_run(run_id)
        yield first.clip_id, second.clip_id, status(texts.CLIP_READ), None, None

    chosen = [*ids, parts.line, *parts.uploads]
    taken = [
        button.click(explained(_sample_reader(services, choice.key)), None, chosen, **LIGHT)
        for choice, button in zip(services.test_clips, parts.test_clips, strict=True)
    ]
    taken.append(parts.take.click(on_take, compared, chosen, **LIGHT))
    begun = [*parts.buttons, parts.line]
    started = [each.success(begin, outputs=begun, **AT_ONCE) for each in taken]
    started.append(parts.buttons[0].click(begin, outputs=begun, **AT_ONCE))
    _connect(parts, services, started, explained)
    return parts.inspector, parts.pins


def _connect(
    parts: _Parts,
    services: InspectServices,
    started: Sequence[Any],
    explained: Callable[..., Any],
) -> None:
    """Let each of these events start the job, which one button cancels."""
    inspect = explained(services.inspect)  # inside the job, so that the line says it too

    @explained
    def on_inspect(
        clip_id: object,
        other_id: object,
        slots: object,
        frames: object,
        adapt: object,
        crop: object,
    ) -> Iterator[tuple[Any, ...]]:
        first, second = (clip_id, other_id) if clip_id is not None else (other_id, None)
        yield from show_job(inspect(first, slots, frames, adapt, second, crop))

    inputs = [parts.clip_id, parts.other_id, *parts.settings]
    outputs = [parts.inspector, parts.line, parts.run_id]
    jobs: list[Any] = [
        start.then(
            on_inspect,
            inputs,
            outputs,
            show_progress_on=parts.line,
            api_name="look",
            **AS_SENT,
            **MODEL,
        )
        for start in started
    ]
    for job in jobs:
        unlock_after(job, parts.buttons)
    parts.buttons[1].click(
        on_cancel,
        outputs=[parts.inspector, parts.line, *parts.buttons],
        cancels=jobs,
        **AT_ONCE,
    )


def _lay_out(services: InspectServices, explained: Callable[..., Any]) -> _Parts:
    with gr.Column(elem_classes="card"):
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=280):
                with gr.Row():
                    uploads = (
                        gr.File(label=texts.UPLOAD, height=120, min_width=150, elem_id="upload"),
                        gr.File(
                            label=texts.SECOND_UPLOAD, height=120, min_width=150, elem_id="upload-b"
                        ),
                    )
                gr.Markdown(services.upload_hint, elem_classes="hint")
                gr.Markdown(texts.TEST_CLIPS, elem_classes="hint")
                with gr.Row():
                    test_clips = [
                        gr.Button(each.label, size="sm", elem_id=f"test-{each.key}", min_width=120)
                        for each in services.test_clips
                    ]
                    take = gr.Button(texts.TAKE, size="sm", elem_id="take", min_width=160)
            with gr.Column(scale=2, min_width=260):
                settings = _settings(services)
        with gr.Row():
            start = gr.Button(texts.INSPECT, variant="primary", scale=3, elem_id="inspect")
            cancel = gr.Button(texts.CANCEL, interactive=False, scale=1, elem_id="cancel-inspect")
        line = status_line("inspect-status")
    pins = pins_panel("inspect-pins")
    inspector = SlotInspector(
        empty_value(texts.NO_CLIP_YET), can_pin=True, elem_id="clip-inspector"
    )
    run_id = gr.State("")
    build_downloads(services.export, run_id, "inspect", explained)
    return _Parts(
        clip_id=gr.State(None),
        other_id=gr.State(None),
        uploads=uploads,
        test_clips=test_clips,
        take=take,
        settings=settings,
        buttons=[start, cancel],
        line=line,
        inspector=inspector,
        run_id=run_id,
        pins=pins,
    )


def _settings(services: InspectServices) -> tuple[Any, ...]:
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
    crop = gr.Checkbox(False, label=texts.CROP, info=texts.CROP_INFO, elem_id="crop")
    return slots, frames, adapt, crop


def _upload_reader(
    services: InspectServices, said: str, explained: Callable[..., Any]
) -> Callable[[object], Iterator[tuple[Any, ...]]]:
    """Return the handler of one upload; a refused file leaves its field, and its words the line.

    Ours: an error's own words soon vanish, and a file that stays looks as if it had been read.
    """

    @explained
    def read(file: object) -> Iterator[ReadClip]:
        yield services.read_upload(path_of(file))

    def on_upload(file: object) -> Iterator[tuple[Any, ...]]:
        yield gr.skip(), status(texts.READING), gr.skip()
        try:
            (clip,) = read(file)
        except Exception as error:
            yield None, status(said_of(error)), None
            raise
        yield *_was_read(clip, said), gr.skip()

    return on_upload


def _sample_reader(services: InspectServices, key: str) -> Callable[[], Iterator[tuple[Any, ...]]]:
    """Return the handler of one test clip's button."""

    def on_test_clip() -> Iterator[tuple[Any, ...]]:
        clip_id, line = _was_read(services.read_test_clip(key))
        yield clip_id, None, line, None, None

    return on_test_clip


def _forget() -> tuple[None, dict[str, Any]]:
    return None, status("")


def _was_read(clip: ReadClip, said: str = texts.CLIP_READ) -> tuple[Any, ...]:
    return clip.clip_id, status(" ".join((said, *clip.notes)))
