"""The entry of the app: prepares the process, builds the screen around the models, launches it."""

import argparse
import errno
import functools
import html
import importlib.util
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from olvdm import limits
from olvdm.data.captions import example_prompts
from olvdm.decoding import decode_video
from olvdm.errors import InputError, OlvdmError
from olvdm.request import InspectionRequest, Request, check_inspection, check_request
from olvdm.serving.clip_shelf import ClipShelf, ShelvedClip
from olvdm.serving.environment import prepare_environment
from olvdm.serving.loaded_models import LoadedModels
from olvdm.serving.middleware import guards, log_stack
from olvdm.serving.progress import FollowedWork
from olvdm.serving.sample_clips import read_sample, sample_labels
from olvdm.serving.stored_runs import list_stored_runs, load_stored_run
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
Shown = TypeVar("Shown")
Job = Generator[Progress | Finished, None, None]

ROOT = Path(__file__).resolve().parent
PORT = 7860
MODELS = ("lvdm", "olvdm")  # A and B, from left to right
INSPECTING_MODEL = "olvdm"
CLOSING_SECONDS = 4
IS_SPACE = "SPACE_ID" in os.environ
NO_MEMORY = "The machine is out of memory; use fewer frames or slots."
NO_SPACE = "The machine's disk is full; try again later."
USUAL_SLOTS = 6
LEVEL = "simple"


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
        clips = tuple(
            ShownClip.of(name.upper(), texts.WHAT[name], vars(found[name])) for name in found
        )
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
            from olvdm.serving.previews import Previews

            models = self.models.get()
            pipelines = {name: models[name] for name in MODELS}
            previews = Previews(pipelines)
            begun, reached = time.monotonic(), None
            with closing(draw_together(pipelines, request)) as drawing:
                for reached in drawing:
                    self._check_time(begun)
                    if reached.steps:
                        pictures = previews.pictures(reached.steps)
                        step = reached.steps[MODELS[0]]
                        yield _progress(step, time.monotonic() - begun, pictures)
            assert reached is not None
            return {name: inspection_of(output) for name, output in reached.outputs.items()}

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
            ShownClip.of(name.upper(), texts.WHAT[name], clip) for name, clip in run.clips.items()
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
            video = decode_video(file, max_frames=limits.INSPECT_FRAMES.high)
        finally:
            file.unlink(missing_ok=True)
        clip = ShelvedClip(texts.YOUR_CLIP, video.frames, video.fps, is_upload=True)
        return ReadClip(self.shelf.put(clip), video.notes)

    def read_sample(self, key: object) -> ReadClip:
        """Take one of the clips that are always there."""
        clip, notes = read_sample(key)
        return ReadClip(self.shelf.put(clip), notes)

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
                texts.GAIN.format(before=f"{before.explained:.0%}", after=f"{after.explained:.0%}")
            )
        what = texts.WHAT_INSPECTED.format(frames=count, width=width, height=height)
        scores = {texts.EXPLAINED: 100 * found.explained, texts.PSNR: found.reconstruction_psnr}
        yield Finished(
            (ShownClip.of(clip.name, what, vars(found), scores),),
            badge=texts.BADGE_UPLOAD if clip.is_upload else texts.BADGE_TEST,
            text=texts.DONE.format(seconds=time.monotonic() - begun),
            notes=tuple(notes),
            warning="" if found.is_familiar else texts.UNFAMILIAR,
        )

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


def explained(handler: Callable[P, Iterator[Shown]]) -> Callable[P, Iterator[Shown]]:
    """Show a failure that we can explain in its own words, any other under an incident number."""

    @functools.wraps(handler)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Iterator[Shown]:
        import gradio as gr

        try:
            yield from handler(*args, **kwargs)
        except OlvdmError as error:
            words = html.escape(error.user_message, quote=False)
            raise gr.Error(words, print_exception=False) from error
        except MemoryError as error:
            raise gr.Error(NO_MEMORY, print_exception=False) from error
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise gr.Error(NO_SPACE, print_exception=False) from error
            incident = secrets.token_hex(3)
            log_stack(incident, error)
            raise gr.Error(f"Internal error, id {incident}", print_exception=False) from error

    return guarded


def on_gpu(function: Callable[P, T]) -> Callable[P, T]:
    """Let a Space with shared GPUs lend one for the time of a call; elsewhere change nothing."""
    if not IS_SPACE or importlib.util.find_spec("spaces") is None:
        return function
    import spaces  # pyright: ignore[reportMissingImports]

    return spaces.GPU(duration=limits.JOB_SECONDS)(function)


def load_pipeline(folder: Path) -> "OLVDMPipeline":
    """Load a model, onto a GPU where there is one."""
    import torch

    from olvdm.pipeline import OLVDMPipeline

    pipeline = OLVDMPipeline.from_pretrained(folder)
    return pipeline.to("cuda") if torch.cuda.is_available() else pipeline


def build(workshop: Workshop) -> "gr.Blocks":
    """Build the page around the models; none is loaded yet."""
    from visualize.screen.compare import CompareServices
    from visualize.screen.inspect_clip import InspectServices
    from visualize.screen.page import build_page

    hint = texts.UPLOAD_HINT.format(
        formats=limits.VIDEO_FORMATS,
        megabytes=limits.UPLOAD_BYTES // 2**20,
        sides=limits.FRAME_SIDE,
        frames=limits.INSPECT_FRAMES.high,
    )
    compare = CompareServices(
        compare=on_gpu(workshop.compare),
        stored=workshop.stored(),
        load_stored=workshop.load_stored,
        prompts=example_prompts(LEVEL),
        steps=(limits.STEPS.high, limits.DEFAULT_STEPS),
        guidance=(limits.GUIDANCE.high, limits.DEFAULT_GUIDANCE),
        highest_seed=limits.SEED.high,
    )
    inspect = InspectServices(
        read_upload=workshop.read_upload,
        read_test_clip=workshop.read_sample,
        inspect=on_gpu(workshop.inspect),
        test_clips=[Choice(key, label) for key, label in sample_labels().items()],
        upload_hint=hint,
        num_slots=(limits.NUM_SLOTS.low, limits.NUM_SLOTS.high, USUAL_SLOTS),
        max_frames=(limits.INSPECT_FRAMES.low, limits.INSPECT_FRAMES.high),
        highest_adapt_steps=limits.ADAPT_STEPS.high,
    )
    page = build_page(compare, inspect, workshop.models.missing(), explained, limits.CACHE_SWEEP)
    return page.queue(
        api_open=False,
        max_size=limits.QUEUE_SIZE,
        default_concurrency_limit=limits.CONCURRENCY,
    )


def launch(page: "gr.Blocks", port: int) -> None:
    """Open the page to requests; raises OSError where the port is taken."""
    from visualize.screen.theme import STYLE, theme

    page.launch(
        server_name="0.0.0.0" if IS_SPACE else "127.0.0.1",  # noqa: S104 - a Space is a container
        server_port=port,
        share=False,
        show_error=False,
        mcp_server=False,
        run_history=False,
        enable_monitoring=False,
        allowed_paths=[],
        max_file_size=limits.UPLOAD_BYTES,
        state_session_capacity=limits.SESSION_CAPACITY,
        footer_links=["settings"],
        ssr_mode=False,
        prevent_thread_lock=True,
        quiet=True,
        theme=theme(),
        css=STYLE,
        app_kwargs={
            "middleware": guards(is_local=not IS_SPACE),
            "openapi_url": None,
            "docs_url": None,
            "redoc_url": None,
        },
    )


def serve(workshop: Workshop, temp: TempFiles, port: int) -> int:
    """Serve until somebody ends the process; return its exit code."""
    page = build(workshop)
    try:
        launch(page, port)
    except OSError:
        sys.stderr.write(f"Port {port} is taken; choose another one with --port.\n")
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    temp.start_janitor()
    if not workshop.models.missing():
        workshop.models.start_loading()
    sys.stdout.write(f"OLVDM is at http://127.0.0.1:{port}\n")
    sys.stdout.flush()
    stop.wait()
    workshop.is_closing.set()
    threading.Timer(CLOSING_SECONDS, _leave, [temp]).start()  # threads of others may hang
    page.close(verbose=False)
    _leave(temp)
    return 0


def _leave(temp: TempFiles) -> None:
    temp.wipe()
    os._exit(0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the app."""
    parser = argparse.ArgumentParser(description="Compare two video models, and inspect clips.")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", PORT)))
    if not IS_SPACE:  # a Space takes no paths
        parser.add_argument("--checkpoints", type=Path, default=ROOT / "checkpoints")
    options = parser.parse_args(arguments)
    checkpoints = getattr(options, "checkpoints", ROOT / "checkpoints")
    temp = prepare_environment()
    models = LoadedModels(checkpoints, load_pipeline, MODELS)
    workshop = Workshop(models, checkpoints / "examples", temp.folder)
    try:
        return serve(workshop, temp, options.port)
    finally:
        temp.wipe()


if __name__ == "__main__":
    sys.exit(main())
