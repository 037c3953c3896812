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
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from olvdm import limits
from olvdm.data.captions import example_prompts
from olvdm.endpoints import Endpoints, read_link
from olvdm.errors import CheckpointError, OlvdmError, quoted_name, shown_value
from olvdm.manifest import MANIFEST_NAME
from olvdm.results import MODELS
from olvdm.serving.environment import prepare_environment
from olvdm.serving.loaded_models import LoadedModels
from olvdm.serving.middleware import guards, log_stack
from olvdm.serving.sample_clips import sample_labels
from olvdm.serving.temp_files import TempFiles
from olvdm.threads import draw_on_one_thread
from olvdm.workshop import Workshop
from visualize.screen import texts
from visualize.screen.shown import Choice

if TYPE_CHECKING:
    import gradio as gr

    from olvdm.pipeline import OLVDMPipeline
    from visualize.screen.api import ApiServices
    from visualize.screen.compare import CompareServices
    from visualize.screen.inspect_clip import InspectServices
    from visualize.screen.runs import RunsServices

P = ParamSpec("P")
T = TypeVar("T")
Shown = TypeVar("Shown")

ROOT = Path(__file__).resolve().parent
PORT = 7860
PORTS = limits.WholeRange(1, 65_535)
PORT_DIGITS = 5
CLOSING_SECONDS = 4
IS_SPACE = "SPACE_ID" in os.environ
NO_MEMORY = "The machine is out of memory; use fewer frames or slots."
NO_SPACE = "The machine's disk is full; try again later."
NO_MCP = "MCP needs one more package: pip install 'gradio[mcp]'"
NO_WEIGHTS = (
    "The weights of {name} are missing; restore them with "
    f"'{texts.MISSING_COMMAND}', and start again."
)
NO_RUNS = "Runs cannot be kept in {name} ({reason}); give another folder with --runs."
LEFT_OUT = "A stored comparison is left out"
USUAL_SLOTS = 4
LEVEL = "simple"


def explained(handler: Callable[P, Iterator[Shown]]) -> Callable[P, Iterator[Shown]]:
    """Show a failure that we can explain in its own words, any other under an incident number."""

    @functools.wraps(handler)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Iterator[Shown]:
        import gradio as gr

        try:
            yield from handler(*args, **kwargs)
        except gr.Error:
            raise
        except Exception as error:
            raise gr.Error(words_of(error), print_exception=False) from error

    return guarded


def words_of(error: Exception) -> str:
    """Return what a person is told of a failure; the log has where it arose.

    Args:
        error: What happened.

    Returns:
        One sentence, which is no markup.
    """
    if isinstance(error, OlvdmError):
        return html.escape(error.user_message, quote=False)
    if isinstance(error, MemoryError):
        return NO_MEMORY
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return NO_SPACE
    incident = secrets.token_hex(3)
    log_stack(incident, error)
    return f"Internal error, id {incident}"


def on_gpu(function: Callable[P, T]) -> Callable[P, T]:
    """Let a Space with shared GPUs lend one for the time of a call; elsewhere change nothing."""
    if not IS_SPACE or importlib.util.find_spec("spaces") is None:
        return function
    import spaces  # pyright: ignore[reportMissingImports]

    return spaces.GPU(duration=limits.JOB_SECONDS)(function)


def load_pipeline(folder: Path) -> "OLVDMPipeline":
    """Load a model, onto a GPU where there is one; what the CPU computes, one thread does."""
    if not (folder / MANIFEST_NAME).is_file():
        raise CheckpointError(NO_WEIGHTS.format(name=quoted_name(folder)))
    import torch

    from olvdm.pipeline import OLVDMPipeline

    draw_on_one_thread()
    pipeline = OLVDMPipeline.from_pretrained(folder)
    return pipeline.to("cuda") if torch.cuda.is_available() else pipeline


def build(workshop: Workshop, port: int = PORT) -> "gr.Blocks":
    """Build the page around the models; none is loaded yet."""
    from visualize.screen.page import build_page

    stored, damaged = workshop.whole_stored()
    for sentence in damaged:
        sys.stderr.write(f"{LEFT_OUT}: {sentence}\n")
    page = build_page(
        _compare_services(workshop, stored),
        _inspect_services(workshop),
        _runs_services(workshop, stored, port),
        _api_services(workshop),
        missing=workshop.models.missing(),
        explained=explained,
        words_of=words_of,
        cache_sweep=limits.CACHE_SWEEP,
    )
    return page.queue(
        api_open=False,
        max_size=limits.QUEUE_SIZE,
        default_concurrency_limit=limits.CONCURRENCY,
    )


def _compare_services(workshop: Workshop, stored: Sequence[Choice]) -> "CompareServices":
    from visualize.screen.compare import CompareServices

    return CompareServices(
        compare=on_gpu(workshop.compare),
        stored=stored,
        load_stored=workshop.load_stored,
        find_run=workshop.find_run,
        read_link=read_link,
        export=workshop.export,
        prompts=example_prompts(LEVEL),
        longest_prompt=(limits.PROMPT_CHARS.high, limits.PROMPT_RAW_MAX),
        steps=(limits.STEPS.high, limits.DEFAULT_STEPS),
        guidance=(limits.GUIDANCE.high, limits.DEFAULT_GUIDANCE),
        highest_seed=limits.SEED.high,
    )


def _inspect_services(workshop: Workshop) -> "InspectServices":
    from visualize.screen.inspect_clip import InspectServices

    hint = texts.UPLOAD_HINT.format(
        formats=limits.VIDEO_FORMATS,
        megabytes=limits.UPLOAD_BYTES // 2**20,
        sides=limits.FRAME_SIDE,
        frames=limits.INSPECT_FRAMES.high,
    )
    return InspectServices(
        read_upload=workshop.read_upload,
        read_test_clip=workshop.read_sample,
        take_run=workshop.take_run,
        inspect=on_gpu(workshop.inspect),
        export=workshop.export,
        test_clips=[Choice(key, label) for key, label in sample_labels().items()],
        upload_hint=hint,
        num_slots=(limits.NUM_SLOTS.low, limits.NUM_SLOTS.high, USUAL_SLOTS),
        max_frames=(limits.INSPECT_FRAMES.low, limits.INSPECT_FRAMES.high),
        highest_adapt_steps=limits.ADAPT_STEPS.high,
    )


def _runs_services(workshop: Workshop, stored: Sequence[Choice], port: int) -> "RunsServices":
    from visualize.screen.pins import PinServices
    from visualize.screen.runs import RunsServices

    host = os.environ.get("SPACE_HOST")
    return RunsServices(
        find_run=workshop.find_run,
        pair_clips=workshop.pair_clips,
        stored=stored,
        models=MODELS,
        address=f"https://{host}" if host else f"http://127.0.0.1:{port}",
        pins=PinServices(workshop.pinned, workshop.pair_clips, limits.PINNED_RUNS),
    )


def _api_services(workshop: Workshop) -> "ApiServices":
    from visualize.screen.api import ApiServices

    endpoints = Endpoints(workshop)
    return ApiServices(
        generate=on_gpu(endpoints.generate),
        compare=on_gpu(endpoints.compare),
        inspect=on_gpu(endpoints.inspect),
        metrics=endpoints.metrics,
        list_checkpoints=endpoints.list_checkpoints,
        steps=limits.DEFAULT_STEPS,
        guidance=limits.DEFAULT_GUIDANCE,
        num_slots=USUAL_SLOTS,
    )


def launch(page: "gr.Blocks", port: int, *, is_mcp: bool = False) -> None:
    """Open the page to requests; raises OSError where the port is taken."""
    from visualize.screen.theme import STYLE, theme

    page.launch(
        server_name="0.0.0.0" if IS_SPACE else "127.0.0.1",  # noqa: S104 - a Space is a container
        server_port=port,
        share=False,
        show_error=False,
        mcp_server=is_mcp,
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


def serve(workshop: Workshop, temp: TempFiles, port: int, *, is_mcp: bool = False) -> int:
    """Serve until somebody ends the process; return its exit code."""
    page = build(workshop, port)
    try:
        launch(page, port, is_mcp=is_mcp)
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
    options = _read_options(arguments)
    if options.mcp and importlib.util.find_spec("mcp") is None:
        sys.stderr.write(f"{NO_MCP}\n")
        return 2
    temp = prepare_environment()
    models = LoadedModels(options.checkpoints, load_pipeline, MODELS)
    runs = options.runs or temp.lasting / "runs"
    workshop = Workshop(models, options.checkpoints, temp.folder, runs)
    try:
        reason = _no_place(runs)
        if reason:
            sys.stderr.write(f"{NO_RUNS.format(name=quoted_name(runs), reason=reason)}\n")
            return 2
        return serve(workshop, temp, options.port, is_mcp=options.mcp)
    finally:
        temp.wipe()


def _no_place(runs: Path) -> str:
    """Make the folder of the runs before anybody draws one; return why it cannot be used."""
    try:
        runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return os.strerror(error.errno or errno.EIO)
    return "" if os.access(runs, os.W_OK | os.X_OK) else os.strerror(errno.EACCES)


def _read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; a Space takes no paths."""
    parser = argparse.ArgumentParser(description="Compare two video models, and inspect clips.")
    parser.set_defaults(checkpoints=ROOT / "checkpoints", runs=None)
    default = os.environ.get("PORT") or PORT
    parser.add_argument("--port", type=_port, default=default, help="where to listen, or PORT")
    parser.add_argument("--mcp", action="store_true", help="also offer the endpoints as MCP tools")
    if not IS_SPACE:
        parser.add_argument("--checkpoints", type=Path, help="folder of the models")
        parser.add_argument(
            "--runs",
            type=Path,
            help="folder that keeps finished runs, so that links outlive a restart",
        )
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    """Read the number of a port; the parser asks this of the environment's too."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= PORT_DIGITS else 0
    if number not in PORTS:
        raise argparse.ArgumentTypeError(
            f"{shown_value(text)} is no port; give a whole number from {PORTS}"
        )
    return number


if __name__ == "__main__":
    sys.exit(main())
