"""What the handlers of the page call: it holds models, clips and runs, and knows no gradio."""

import dataclasses
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from olvdm import limits
from olvdm.decoding import decode_video
from olvdm.errors import InputError
from olvdm.request import InspectionRequest, Request, check_inspection, check_request
from olvdm.results import MODELS, finished_inspection, shown_name
from olvdm.run_library import RunLibrary
from olvdm.serving.clip_shelf import ClipShelf, ShelvedClip
from olvdm.serving.loaded_models import LoadedModels
from olvdm.serving.progress import FollowedWork
from olvdm.serving.sample_clips import read_sample
from visualize.screen import texts
from visualize.screen.shown import Finished, Progress, ReadClip

if TYPE_CHECKING:
    import numpy as np

    from olvdm.evaluation.inspection import Inspection
    from olvdm.pipeline import OLVDMPipeline
    from olvdm.sampling import DenoisingStep
    from olvdm.serving.denoising_views import DenoisingViews
    from olvdm.serving.stored_runs import StoredRun
    from visualize.payload import DenoisingView

Job = Generator[Progress | Finished, None, None]

INSPECTING_MODEL = "olvdm"


class Workshop(RunLibrary):
    """Draw and inspect, keep what came of it and find it again.

    Args:
        models: Loaded in the background.
        checkpoints: Folder of the models, their stored comparisons and their scores.
        uploads: Folder in which uploads arrive; a file from elsewhere is refused.
        runs: Folder in which finished runs are kept.
    """

    def __init__(
        self,
        models: "LoadedModels[OLVDMPipeline]",
        checkpoints: Path,
        uploads: Path,
        runs: Path,
    ) -> None:
        super().__init__(checkpoints, runs)
        self.models = models
        self.uploads = uploads
        self.shelf = ClipShelf()
        self.is_closing = threading.Event()

    def compare(self, prompt: object, seed: object, steps: object, guidance: object) -> Job:
        """Check what a person asked for, then draw it with both models, or find it drawn."""
        request = check_request(
            prompt=prompt, seed=seed, num_inference_steps=steps, guidance_scale=guidance
        )
        begun = time.monotonic()
        from olvdm.serving.run_store import settings_key

        with self.models.turn():
            yield from self._wait_for_models()
            settings = self._settings(request)
            run_id = settings_key(settings)
            kept = self.store.find(run_id)
            if kept is not None:
                yield self.find_run(run_id, text=texts.FOUND)
                return
            yield from self._draw(request, settings, run_id, begun)

    def _draw(
        self, request: Request, settings: Mapping[str, object], run_id: str, begun: float
    ) -> Job:
        """Draw one clip a model from the same noise, show both, then keep the run."""
        from olvdm.commands.source import running_commit
        from olvdm.evaluation.inspection import inspection_of
        from olvdm.evaluation.paired import candidates_of, draw_together
        from olvdm.serving.denoising_views import DenoisingViews
        from olvdm.serving.stored_runs import StoredRun

        models = self.models.get()
        pipelines = {name: models[name] for name in MODELS}
        views, reached = DenoisingViews(pipelines), None
        with closing(draw_together(pipelines, request)) as drawing:
            for reached in drawing:
                self._check_time(begun)
                if reached.steps:
                    pictures = views.pictures(reached.steps)
                    step = reached.steps[MODELS[0]]
                    yield _progress(step, time.monotonic() - begun, pictures)
        assert reached is not None
        clips = {name: vars(inspection_of(output)) for name, output in reached.outputs.items()}
        noted = {"commit": running_commit(), "candidates": candidates_of(reached.outputs)}
        run = StoredRun(request.prompt, {**settings, **noted}, clips)
        text = texts.DONE.format(seconds=time.monotonic() - begun)
        yield from self._shown(run, run_id, text, views, begun)

    def _shown(
        self, run: "StoredRun", run_id: str, text: str, views: "DenoisingViews", begun: float
    ) -> Job:
        """Show a run and keep it, then do both again with what was on the way to it."""
        finished = self._finished(run, run_id, texts.BADGE_NEW, text)
        self.announce(run, run_id)
        try:
            yield finished
        finally:  # it can be downloaded and linked to from now on, even if its maker leaves here
            self._save(run, run_id)
        denoising: list[DenoisingView] = []
        for view in views.views():  # the clips are on the screen: leaving loses these alone
            if self._is_late(begun):
                return
            denoising.append(view)
            yield Progress(text)
        run = dataclasses.replace(run, denoising=tuple(denoising))
        self.announce(run, run_id)
        self._save(run, run_id)
        yield dataclasses.replace(finished, denoising=tuple(denoising))

    def _save(self, run: "StoredRun", run_id: str) -> None:
        """Keep a run on the disk."""
        from olvdm.serving.stored_runs import about_run, write_run

        with self.store.save(about_run(run), run_id) as folder:
            write_run(folder, run)

    def export(self, run_id: object, kind: object) -> Path:
        """Write one file of a run, where the page may fetch it."""
        from olvdm.commands.exports import export
        from visualize.screen.inspector_value import payload_of

        run = self.run(run_id)
        # the report alone shows what the page shows, and measuring takes a second
        payload = payload_of(self.find_run(run_id)) if kind == "report" else None
        folder = Path(tempfile.mkdtemp(prefix="export-", dir=self.uploads))
        try:
            return export(run, kind, folder, payload=payload)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def read_upload(self, path: object) -> ReadClip:
        """Decode an uploaded file and delete it."""
        if not isinstance(path, str):
            raise InputError(texts.FIRST_A_CLIP)
        file = self._uploaded(path)
        try:
            video = decode_video(file, max_frames=limits.INSPECT_FRAMES.high)
        finally:
            file.unlink(missing_ok=True)
        clip = ShelvedClip(texts.YOUR_CLIP, video.frames, video.fps, is_upload=True)
        return ReadClip(self.shelf.put(clip), video.notes)

    def _uploaded(self, path: str) -> Path:
        """Return a file that was uploaded, and no other: it goes once it is read."""
        try:
            file = Path(path).resolve()
            is_inside = file.is_relative_to(self.uploads.resolve())
            is_kept = file.is_relative_to(self.runs.resolve())  # runs may be kept among uploads
            is_there = is_inside and not is_kept and file.is_file()
        except (OSError, ValueError) as error:  # a path that no file can have
            raise InputError(texts.UPLOAD_GONE) from error
        if not is_there:
            raise InputError(texts.UPLOAD_GONE)
        return file

    def read_sample(self, key: object) -> ReadClip:
        """Take one of the clips that are always there; it needs one place, whoever takes it."""
        clip, notes = read_sample(key)
        return ReadClip(self.shelf.put(clip, f"sample-{key}"), notes)

    def take_run(self, run_id: object) -> tuple[ReadClip, ReadClip]:
        """Take both clips of a comparison, to inspect them like clips from elsewhere."""
        run = self.run(run_id)
        clips = [
            ShelvedClip(shown_name(name), clip["frames"], float(clip["fps"]), is_upload=False)
            for name, clip in run.clips.items()
        ]
        if len(clips) != len(MODELS):
            raise InputError(texts.NO_SUCH_RUN)
        first, second = (ReadClip(self.shelf.put(clip)) for clip in clips)
        return first, second

    def inspect(
        self,
        clip_id: object,
        slots: object,
        frames: object,
        adapt: object,
        other_id: object = None,
        crop: object = False,
    ) -> Job:
        """Find the objects of one clip or two, after fitting the slots to each if asked."""
        clips = [self.shelf.get(clip_id)]
        if other_id is not None:
            clips.append(self.shelf.get(other_id))
        request = check_inspection(num_slots=slots, max_frames=frames, adapt_steps=adapt)
        begun = time.monotonic()
        found: list[Inspection] = []
        notes: list[str] = []
        with self.models.turn():
            yield from self._wait_for_models()
            yield Progress(texts.LOOKING, 0.0)
            for clip in (each.cropped() if crop is True else each for each in clips):
                before = self._inspect_once(clip, request)
                after = None
                if request.adapt_steps:
                    after = yield from self._adapt(clip, request, begun)
                    share = (f"{before.explained:.0%}", f"{after.explained:.0%}")
                    notes.append(texts.GAIN.format(before=share[0], after=share[1]))
                found.append(after or before)
                yield Progress(texts.LOOKING, len(found) / len(clips))
        if len({len(one.frames) for one in found}) > 1:
            notes.append(texts.COMMON_FRAMES.format(count=min(len(one.frames) for one in found)))
        run, finished = finished_inspection(clips, found, request, secrets.token_hex(8))
        text = texts.DONE.format(seconds=time.monotonic() - begun)
        finished = dataclasses.replace(finished, notes=tuple(notes), text=text)
        yield self.bring(run, finished)

    def _settings(self, request: Request) -> dict[str, object]:
        """Return all that a comparison follows from."""
        from olvdm.commands.comparison import comparison_settings

        model = self.models.get()[MODELS[0]]
        folders = {name: self.checkpoints / name for name in MODELS}
        return comparison_settings(request, folders, model.dtype, model.device.type)

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
        fitting = FollowedWork(
            lambda report: self._inspect_once(clip, request, request.adapt_steps, report)
        )
        with closing(fitting):
            for step, num_steps, loss in fitting.reports():
                self._check_time(begun)
                text = texts.FITTING.format(step=step, num_steps=num_steps, loss=loss)
                yield Progress(text, step / num_steps)
            return fitting.result()

    def _wait_for_models(self) -> Iterator[Progress]:
        while not self.models.wait(0.5):
            self._check_time(time.monotonic())
            yield Progress(texts.LOADING)

    def _is_late(self, begun: float) -> bool:
        return self.is_closing.is_set() or time.monotonic() - begun > limits.JOB_SECONDS

    def _check_time(self, begun: float) -> None:
        """End a job that takes too long, or whose server is about to end."""
        if self.is_closing.is_set():
            raise InputError("The server is closing; try again later.")
        if self._is_late(begun):
            raise InputError(
                f"The job took longer than {limits.JOB_SECONDS} s; use fewer steps or frames."
            )


def _progress(
    step: "DenoisingStep", seconds: float, pictures: "tuple[np.ndarray, ...]"
) -> Progress:
    """Return what to show after a step; with the last one the search for slots begins."""
    if step.step == step.num_steps:
        return Progress(texts.LOOKING, 1.0)
    text = texts.STEP.format(step=step.step, num_steps=step.num_steps, seconds=seconds)
    return Progress(text, step.step / step.num_steps, pictures)
