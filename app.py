"""The entry of the app: prepares the process, builds the screen around the models, launches it."""

import argparse
import functools
import importlib.util
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from olvdm import limits
from olvdm.data.captions import example_prompts
from olvdm.decoding import decode_video
from olvdm.errors import InputError, OlvdmError
from olvdm.request import InspectionRequest, Request, check_inspection, check_request
from olvdm.serving.clip_shelf import ClipShelf, ShelvedClip
from olvdm.serving.loaded_models import LoadedModels
from olvdm.serving.middleware import guards, log_stack
from olvdm.serving.progress import with_progress
from olvdm.serving.stored_runs import (
    StoredRun,
    list_stored_runs,
    load_stored_run,
    save_stored_run,
)
from olvdm.serving.temp_files import TempFiles
from visualize.screen import texts
from visualize.screen.shown import Choice, Finished, Progress, ReadClip, ShownClip

if TYPE_CHECKING:
    import gradio as gr
    import numpy as np

    from olvdm.evaluation.inspection import Inspection
    from olvdm.pipeline import OLVDMPipeline
    from olvdm.sampling import DenoisingStep

P = ParamSpec("P")
T = TypeVar("T")
Job = Generator[Progress | Finished, None, None]

ROOT = Path(__file__).resolve().parent
PORT = 7860
MODELS = ("lvdm", "olvdm")  # A and B, from left to right
INSPECTING_MODEL = "olvdm"
SWITCHES = ("SHARE", "MCP_SERVER", "ALLOWED_PATHS", "VIBE_MODE", "DEBUG", "RUN_HISTORY")
PREVIEW_SECONDS = 0.2  # at most five previews a second,
PREVIEW_COST = 4  # and at most a fifth of the time
CLOSING_SECONDS = 4
USUAL_SLOTS = 6
LEVEL = "simple"
EXAMPLES = (  # key, title, prompt, seed
    ("1-behind", "passing behind", 0, 3),
    ("2-same-colour", "two of one colour", 4, 3),
    ("3-up-and-down", "up and down", 7, 3),
)
FAILURE = "9-failure"
FAILURE_TITLE = "where OLVDM is worse"
FAILURE_SEEDS = range(4)
SHAPES = {  # key: label, level and place of a clip of the test split
    "shapes": ("Simple shapes", "simple", 4),
    "textures": ("Textured shapes", "full", 7),
}
REAL_CLIP = "earth"
REAL_LABEL = "Real video: the Earth"
REAL_FILE = ("media_assets", "videos", "world.mp4")  # of the installed gradio


class Workshop:
    """What the handlers of the page call; it holds the models and knows no gradio.

    Args:
        models: Loaded in the background.
        examples: Folder of the stored comparisons.
        uploads: Folder in which uploads arrive; a file from elsewhere is refused.
    """

    def __init__(
        self, models: "LoadedModels[OLVDMPipeline]", examples: Path, uploads: Path
    ) -> None:
        self.models = models
        self.examples = examples
        self.uploads = uploads
        self.shelf = ClipShelf()
        self.is_closing = threading.Event()

    def compare(self, prompt: object, seed: object, steps: object, guidance: object) -> Job:
        """Check what a person asked for, then draw it with both models, step by step."""
        request = check_request(
            prompt=prompt, seed=seed, num_inference_steps=steps, guidance_scale=guidance
        )
        begun = time.monotonic()
        found = yield from self.draw(request)
        clips = tuple(shown_clip(name.upper(), texts.WHAT[name], found[name]) for name in found)
        seconds = time.monotonic() - begun
        yield Finished(
            clips,
            badge=f"{texts.BADGE_NEW}, seed {request.seed}",
            caption=request.prompt,
            text=texts.DONE.format(seconds=seconds),
        )

    def draw(self, request: Request) -> "Generator[Progress, None, dict[str, Inspection]]":
        """Draw one clip a model from the same noise, and find their slots."""
        with self.models.turn():
            yield from self._wait_for_models()
            from olvdm.evaluation.inspection import inspection_of
            from olvdm.evaluation.paired import draw_together
            from olvdm.generation import OLVDMPipelineOutput

            models = self.models.get()
            pipelines = {name: models[name] for name in MODELS}
            previews = Previews(pipelines)
            begun, outputs = time.monotonic(), {}
            with closing(draw_together(pipelines, request)) as drawing:
                for reached in drawing:
                    self._check_time(begun)
                    outputs = reached
                    if not isinstance(reached[MODELS[0]], OLVDMPipelineOutput):
                        yield previews.progress(reached, time.monotonic() - begun)
            return {name: inspection_of(output) for name, output in outputs.items()}

    def stored(self) -> list[Choice]:
        """Return the stored comparisons to choose from."""
        return [Choice(key, title) for key, title in list_stored_runs(self.examples).items()]

    def load_stored(self, key: object) -> Finished:
        """Return one of the stored comparisons."""
        if not isinstance(key, str) or key not in list_stored_runs(self.examples):
            raise InputError("There is no such stored comparison; choose one of the list.")
        run = load_stored_run(self.examples / key)
        settings = run.settings
        clips = tuple(
            shown_clip(name.upper(), texts.WHAT[name], clip) for name, clip in run.clips.items()
        )
        badge = f"{texts.BADGE_STORED}, seed {settings['seed']}"
        return Finished(clips, badge=badge, caption=str(settings["prompt"]))

    def read_upload(self, path: object) -> ReadClip:
        """Decode an uploaded file and delete it."""
        if not isinstance(path, str):
            raise InputError(texts.FIRST_A_CLIP)
        file = Path(path).resolve()
        if not file.is_relative_to(self.uploads.resolve()) or not file.is_file():
            raise InputError("The upload is gone; choose the file again.")
        try:
            return self._read(file, texts.BADGE_UPLOAD, is_upload=True)
        finally:
            file.unlink(missing_ok=True)

    def read_test_clip(self, key: object) -> ReadClip:
        """Take one of the test clips."""
        if key == REAL_CLIP and (file := real_clip()) is not None:
            return self._read(file, REAL_LABEL, is_upload=False)
        if not isinstance(key, str) or key not in SHAPES:
            raise InputError("There is no such test clip; choose one of the buttons.")
        from olvdm.data.moving_shapes import MovingShapes

        label, level, place = SHAPES[key]
        clip = MovingShapes(level=level, split="test")[place]
        return ReadClip(self.shelf.put(ShelvedClip(label, clip.frames, 8.0, is_upload=False)))

    def inspect(self, clip_id: object, slots: object, frames: object, adapt: object) -> Job:
        """Find the objects of a clip that was read, after fitting the slots to it if asked."""
        clip = self.shelf.get(clip_id)
        request = check_inspection(num_slots=slots, max_frames=frames, adapt_steps=adapt)
        begun = time.monotonic()
        with self.models.turn():
            yield from self._wait_for_models()
            yield Progress(texts.LOOKING, 0.0)
            before = self._inspect_once(clip, request)
            after = (yield from self._adapt(clip, request, begun)) if request.adapt_steps else None
        found = after or before
        count, height, width = found.frames.shape[:3]
        notes = []
        if after is not None:
            notes.append(
                texts.GAIN.format(
                    before=f"{before.explained:.0%}", after=f"{after.explained:.0%}"
                )
            )
        what = texts.WHAT_INSPECTED.format(frames=count, width=width, height=height)
        scores = {texts.EXPLAINED: found.explained, texts.PSNR: found.reconstruction_psnr}
        yield Finished(
            (shown_clip(clip.name, what, found, scores),),
            badge=texts.BADGE_UPLOAD if clip.is_upload else texts.BADGE_TEST,
            text=texts.DONE.format(seconds=time.monotonic() - begun),
            notes=tuple(notes),
            warning="" if found.is_familiar else texts.UNFAMILIAR,
        )

    def _read(self, file: Path, name: str, *, is_upload: bool) -> ReadClip:
        video = decode_video(file, max_frames=limits.INSPECT_FRAMES.high)
        clip = ShelvedClip(name, video.frames, video.fps, is_upload)
        return ReadClip(self.shelf.put(clip), video.notes)

    def _inspect_once(
        self,
        clip: ShelvedClip,
        request: InspectionRequest,
        adapt_steps: int = 0,
        progress: Callable[[int, int, float], None] | None = None,
    ) -> "Inspection":
        from olvdm.evaluation.inspection import inspect_clip

        frames = clip.frames[: request.max_frames]
        pipeline = self.models.get()[INSPECTING_MODEL]
        return inspect_clip(pipeline, frames, clip.fps, request.num_slots, adapt_steps, progress)

    def _adapt(
        self, clip: ShelvedClip, request: InspectionRequest, begun: float
    ) -> "Generator[Progress, None, Inspection]":
        """Fit the slots to a clip; every step is a chance to stop."""
        fitting = with_progress(
            lambda report: self._inspect_once(clip, request, request.adapt_steps, report)
        )
        with closing(fitting):
            while True:
                try:
                    step, num_steps, loss = next(fitting)
                except StopIteration as end:
                    return end.value
                self._check_time(begun)
                text = texts.FITTING.format(step=step, num_steps=num_steps, loss=loss)
                yield Progress(text, step / num_steps)

    def _wait_for_models(self) -> Iterator[Progress]:
        while not self.models.wait(0.5):
            self._check_time(time.monotonic())
            yield Progress(texts.LOADING)

    def _check_time(self, begun: float) -> None:
        """End a job that takes too long, or whose server is about to end."""
        if self.is_closing.is_set():
            raise InputError("The server is closing; try again later.")
        if time.monotonic() - begun > limits.JOB_SECONDS:
            raise InputError(
                f"The job took longer than {limits.JOB_SECONDS} s; use fewer steps or frames."
            )


class Previews:
    """Pictures of clips on their way, not too many and not too dear.

    Args:
        pipelines: Decode them.
    """

    def __init__(self, pipelines: "Mapping[str, OLVDMPipeline]") -> None:
        self._pipelines = pipelines
        self._due = 0.0

    def progress(self, reached: "Mapping[str, DenoisingStep]", seconds: float) -> Progress:
        """Return what to show after a step."""
        first = next(iter(reached.values()))
        text = texts.STEP.format(step=first.step, num_steps=first.num_steps, seconds=seconds)
        if first.step == first.num_steps:
            return Progress(texts.LOOKING, 1.0)
        return Progress(text, first.step / first.num_steps, self._pictures(reached))

    def _pictures(
        self, reached: "Mapping[str, DenoisingStep]"
    ) -> "tuple[np.ndarray, ...]":
        begun = time.monotonic()
        if begun < self._due:
            return ()
        pictures = tuple(
            self._pipelines[name].decode_latents(step.predicted)[0]
            for name, step in reached.items()
        )
        ended = time.monotonic()
        self._due = ended + max(PREVIEW_SECONDS, PREVIEW_COST * (ended - begun))
        return pictures


def shown_clip(
    name: str, what: str, found: object, scores: Mapping[str, float] | None = None
) -> ShownClip:
    """Return what the page shows of an inspection, or of one that was stored."""
    values = found if isinstance(found, Mapping) else fields_of(found)
    names = {field.name for field in fields(ShownClip)} & set(values)
    return ShownClip(
        name=name, what=what, scores=scores or {}, **{each: values[each] for each in names}
    )


def fields_of(found: Any) -> dict[str, Any]:  # noqa: ANN401 - any dataclass
    """Return the fields of a dataclass by name, not copied."""
    return {field.name: getattr(found, field.name) for field in fields(found)}


def real_clip() -> Path | None:
    """Return a real video that an installed package carries, if it does."""
    found = importlib.util.find_spec("gradio")
    file = Path(found.origin).parent.joinpath(*REAL_FILE) if found and found.origin else None
    return file if file is not None and file.is_file() else None


def store_examples(workshop: Workshop) -> None:
    """Draw the comparisons that the page shows before any click, and write them."""
    prompts = example_prompts(LEVEL)
    for key, title, place, seed in EXAMPLES:
        store_one(workshop, key, title, Request(prompt=prompts[place], seed=seed))
    gaps = {}
    for place in range(len(prompts)):
        for seed in FAILURE_SEEDS:
            request = Request(prompt=prompts[place], seed=seed)
            gaps[flicker_gap(drawn(workshop, request))] = request
    store_one(workshop, FAILURE, FAILURE_TITLE, gaps[max(gaps)])


def store_one(workshop: Workshop, key: str, title: str, request: Request) -> None:
    """Draw and write one comparison."""
    clips = {name: fields_of(found) for name, found in drawn(workshop, request).items()}
    run = StoredRun(title, fields_of(request), clips)
    save_stored_run(workshop.examples / key, run)
    sys.stdout.write(f"stored {key}: {request.prompt}, seed {request.seed}\n")


def drawn(workshop: Workshop, request: Request) -> "dict[str, Inspection]":
    """Draw a comparison to its end."""
    drawing = workshop.draw(request)
    while True:
        try:
            next(drawing)
        except StopIteration as end:
            return end.value


def flicker_gap(found: "Mapping[str, Inspection]") -> float:
    """Return by how much OLVDM flickers more than LVDM."""
    from visualize.screen.stage_value import object_flicker

    flicker = [object_flicker(shown_clip(name, "", found[name])) for name in MODELS]
    return flicker[1] - flicker[0] if all(value == value for value in flicker) else -1.0
