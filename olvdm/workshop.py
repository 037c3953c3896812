"""What the handlers of the page call: it holds models, clips and runs, and knows no gradio."""

import dataclasses
import secrets
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from olvdm import limits
from olvdm.decoding import decode_video
from olvdm.errors import InputError
from olvdm.request import InspectionRequest, Request, check_inspection, check_request
from olvdm.serving.clip_shelf import ClipShelf, ShelvedClip
from olvdm.serving.loaded_models import LoadedModels
from olvdm.serving.progress import FollowedWork
from olvdm.serving.sample_clips import read_sample
from visualize.screen import texts
from visualize.screen.shown import Choice, Finished, Progress, ReadClip

if TYPE_CHECKING:
    import numpy as np

    from olvdm.evaluation.inspection import Inspection
    from olvdm.pipeline import OLVDMPipeline
    from olvdm.sampling import DenoisingStep
    from olvdm.serving.run_store import RunStore
    from olvdm.serving.stored_runs import StoredRun
    from visualize.payload import DenoisingView, Metric, Spread

Job = Generator[Progress | Finished, None, None]

MODELS = ("lvdm", "olvdm")  # A and B, from left to right
INSPECTING_MODEL = "olvdm"
MOST_INSPECTED = 8  # results of uploads, kept in memory for their downloads


class Workshop:
    """Draw, inspect, keep and find again.

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
        self.models = models
        self.checkpoints = checkpoints
        self.examples = checkpoints / "examples"
        self.uploads = uploads
        self.runs = runs
        self.shelf = ClipShelf()
        self.is_closing = threading.Event()
        self._inspected: OrderedDict[str, StoredRun] = OrderedDict()
        self._store: RunStore | None = None
        self._spreads: Mapping[str, Spread] | None = None

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
        from olvdm.evaluation.inspection import inspection_of
        from olvdm.evaluation.paired import draw_together
        from olvdm.serving.denoising_views import DenoisingViews
        from olvdm.serving.stored_runs import StoredRun, about_run, write_run

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
        found = {name: inspection_of(output) for name, output in reached.outputs.items()}
        clips = {name: _arrays(one) for name, one in found.items()}
        run = StoredRun(request.prompt, settings, clips)
        text = texts.DONE.format(seconds=time.monotonic() - begun)
        finished = self._finished(run, run_id, texts.BADGE_NEW, text)
        yield finished
        denoising: list[DenoisingView] = []
        for view in views.views():  # the clips are on the screen: leaving loses these alone
            self._check_time(begun)
            denoising.append(view)
            yield Progress(text)
        run = dataclasses.replace(run, denoising=tuple(denoising))
        with self.store.save(about_run(run), run_id) as folder:
            write_run(folder, run)
        yield dataclasses.replace(finished, denoising=tuple(denoising))

    def stored(self) -> list[Choice]:
        """Return the stored comparisons to choose from."""
        from olvdm.serving.stored_runs import list_stored_runs

        return [Choice(key, title) for key, title in list_stored_runs(self.examples).items()]

    def load_stored(self, key: object) -> Finished:
        """Return one of the stored comparisons."""
        from olvdm.serving.stored_runs import list_stored_runs, load_stored_run

        if not isinstance(key, str) or key not in list_stored_runs(self.examples):
            raise InputError("There is no such stored comparison; choose one of the list.")
        return self._finished(load_stored_run(self.examples / key), key, texts.BADGE_STORED)

    def find_run(self, run_id: object, text: str = "") -> Finished:
        """Return a run that was drawn before, by whomever."""
        is_stored = run_id in {choice.key for choice in self.stored()}
        badge = texts.BADGE_STORED if is_stored else texts.BADGE_FOUND
        return self._finished(self.run(run_id), str(run_id), badge, text)

    def run(self, run_id: object) -> "StoredRun":
        """Return all that is known of a run, whether drawn, inspected or stored."""
        from olvdm.serving.stored_runs import load_stored_run

        if not isinstance(run_id, str):
            raise InputError(texts.NO_SUCH_RUN)
        if run_id in self._inspected:
            return self._inspected[run_id]
        if run_id in {choice.key for choice in self.stored()}:
            return load_stored_run(self.examples / run_id)
        folder = self.store.find(run_id)
        if folder is None:
            raise InputError(texts.NO_SUCH_RUN)
        return load_stored_run(folder, kind="run")

    def export(self, run_id: object, kind: object) -> Path:
        """Write one file of a run, where the page may fetch it."""
        from olvdm.commands.exports import export

        run = self.run(run_id)
        folder = Path(tempfile.mkdtemp(prefix="export-", dir=self.uploads))
        return export(run, kind, folder)

    @property
    def store(self) -> "RunStore":
        """The runs on the disk."""
        if self._store is None:
            from olvdm.serving.run_store import RunStore

            self._store = RunStore(self.runs)
        return self._store

    def read_upload(self, path: object) -> ReadClip:
        """Decode an uploaded file and delete it."""
        if not isinstance(path, str):
            raise InputError(texts.FIRST_A_CLIP)
        file = Path(path).resolve()
        if not file.is_relative_to(self.uploads.resolve()) or not file.is_file():
            raise InputError("The upload is gone; choose the file again.")
        try:
            video = decode_video(file, max_frames=limits.INSPECT_FRAMES.high)
        finally:
            file.unlink(missing_ok=True)
        clip = ShelvedClip(texts.YOUR_CLIP, video.frames, video.fps, is_upload=True)
        return ReadClip(self.shelf.put(clip), video.notes)

    def read_sample(self, key: object) -> ReadClip:
        """Take one of the clips that are always there."""
        clip, notes = read_sample(key)
        return ReadClip(self.shelf.put(clip), notes)

    def pair_clips(
        self, run: object, model: object, other: object, other_model: object
    ) -> Finished:
        """Put one clip of each of two runs side by side."""
        from olvdm.serving.stored_runs import StoredRun

        chosen = [(self.run(run), model), (self.run(other), other_model)]
        if not all(isinstance(name, str) and name in found.clips for found, name in chosen):
            raise InputError("This run has no clip of that model; choose another pair.")
        first, second = (found.settings for found, _ in chosen)
        names = [f"{name}, seed {found.settings['seed']}" for found, name in chosen]
        if names[0] == names[1]:
            names = [f"{name} {letter}" for name, letter in zip(names, "AB", strict=True)]
        prompts = dict.fromkeys(str(settings["prompt"]) for settings in (first, second))
        clips = {
            name: found.clips[str(model)]
            for name, (found, model) in zip(names, chosen, strict=True)
        }
        pair = StoredRun(" and ".join(prompts), {**first, "prompt": " | ".join(prompts)}, clips)
        run_id = self._keep_in_memory(pair)
        finished = self._finished(pair, run_id, texts.PAIR_BADGE)
        return dataclasses.replace(finished, badge=texts.PAIR_BADGE)

    def take_run(self, run_id: object) -> tuple[ReadClip, ReadClip]:
        """Take both clips of a comparison, to inspect them like clips from elsewhere."""
        run = self.run(run_id)
        clips = [
            ShelvedClip(name.upper(), clip["frames"], float(clip["fps"]), is_upload=False)
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
        finished = self._finished_inspection(clips, found, request)
        text = texts.DONE.format(seconds=time.monotonic() - begun)
        yield dataclasses.replace(finished, notes=tuple(notes), text=text)

    def _finished_inspection(
        self, clips: list[ShelvedClip], found: "list[Inspection]", request: InspectionRequest
    ) -> Finished:
        """Show clips from any source, and keep what was found for their downloads."""
        from olvdm.serving.stored_runs import StoredRun
        from olvdm.verdict import slot_rows
        from visualize.inspected import InspectedClip

        names = [clip.name for clip in clips]
        if len(set(names)) < len(names):
            names = [f"{name} {letter}" for name, letter in zip(names, "AB", strict=False)]
        what = [
            texts.WHAT_INSPECTED.format(
                frames=len(one.frames), width=one.frames.shape[2], height=one.frames.shape[1]
            )
            for one in found
        ]
        scores = {
            texts.EXPLAINED: [100 * one.explained for one in found],
            texts.PSNR: [one.reconstruction_psnr for one in found],
        }
        metrics = slot_rows(
            [one.flicker for one in found],
            [one.background for one in found],
            [one.motion for one in found],
            scores,
        )
        settings = dataclasses.asdict(request)
        keys = [f"clip-{letter}" for letter in "ab"]
        arrays = {key: _arrays(one) for key, one in zip(keys, found, strict=False)}
        run_id = self._keep_in_memory(StoredRun(" and ".join(names), settings, arrays))
        is_upload = any(clip.is_upload for clip in clips)
        return Finished(
            tuple(
                InspectedClip.of(name, line, vars(one))
                for name, line, one in zip(names, what, found, strict=True)
            ),
            run_id=run_id,
            badge=texts.BADGE_UPLOAD if is_upload else texts.BADGE_TEST,
            metrics=tuple(metrics),
            warning="" if all(one.is_familiar for one in found) else texts.UNFAMILIAR,
            settings=_as_texts(settings),
        )

    def _keep_in_memory(self, run: "StoredRun") -> str:
        """Keep a run that has no place on the disk, for its downloads, under a random name."""
        run_id = secrets.token_hex(8)
        self._inspected[run_id] = run
        while len(self._inspected) > MOST_INSPECTED:
            self._inspected.popitem(last=False)
        return run_id

    def _finished(self, run: "StoredRun", run_id: str, badge: str, text: str = "") -> Finished:
        """Show a comparison, measured by judges that no model was trained against."""
        from olvdm.verdict import read_spreads
        from visualize.inspected import InspectedClip

        if self._spreads is None:
            self._spreads = read_spreads(self.checkpoints)
        clips = tuple(
            InspectedClip.of(name.upper(), texts.WHAT.get(name, ""), clip)
            for name, clip in run.clips.items()
        )
        return Finished(
            clips,
            run_id=run_id,
            badge=f"{badge}, seed {run.settings['seed']}",
            caption=str(run.settings["prompt"]),
            text=text,
            metrics=self._metrics(clips),
            denoising=tuple(run.denoising),
            settings=_as_texts(run.settings),
        )

    def _metrics(self, clips: tuple[Any, ...]) -> "tuple[Metric, ...]":
        from olvdm.verdict import verdict_rows

        return tuple(verdict_rows([clip.frames for clip in clips], self._spreads or {}))

    def _settings(self, request: Request) -> dict[str, object]:
        """Return all that a comparison follows from."""
        from olvdm.commands.record import checkpoint_sha256, environment

        dtype = self.models.get()[MODELS[0]].dtype
        return {
            **dataclasses.asdict(request),
            "checkpoints_sha256": {n: checkpoint_sha256(self.checkpoints / n) for n in MODELS},
            **environment(dtype),
        }

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

    def _check_time(self, begun: float) -> None:
        """End a job that takes too long, or whose server is about to end."""
        if self.is_closing.is_set():
            raise InputError("The server is closing; try again later.")
        if time.monotonic() - begun > limits.JOB_SECONDS:
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


def _arrays(found: "Inspection") -> dict[str, Any]:
    return {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}


def _as_texts(settings: Mapping[str, object]) -> dict[str, str]:
    """Return settings as a person reads them."""
    shown = {name: value for name, value in settings.items() if value not in (None, "", ())}
    return {name.replace("_", " "): str(value) for name, value in shown.items()}
