"""What both tabs do with a job of the model: lock the buttons, show each step, unlock."""

import html
import secrets
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, Final

import gradio as gr

from visualize.screen import texts
from visualize.screen.inspector_value import finished_value, restored_value, running_value
from visualize.screen.shown import Finished, Progress
from visualize.screen.status_line import status

# One group for every handler that touches the model: Gradio's own default is one a handler.
MODEL: Final[dict[str, Any]] = {
    "concurrency_id": "model",
    "concurrency_limit": 1,
    "show_progress": "minimal",
    "api_visibility": "private",
}
LIGHT: Final[dict[str, Any]] = {
    "concurrency_id": "light",
    "concurrency_limit": 2,
    "show_progress": "hidden",
    "api_visibility": "private",
}
AT_ONCE: Final[dict[str, Any]] = {  # for what touches neither a model nor a file
    "queue": False,
    "show_progress": "hidden",
    "api_visibility": "private",
}
# For handlers behind which one full check stands. The components' own checks turn numbers into
# text, stumble over None, tell nobody why, and leave an empty file behind for every upload.
AS_SENT: Final[dict[str, Any]] = {"preprocess": False}

Job = Generator[Progress | Finished, None, None]


def run_name(finished: Finished | None) -> tuple[Any, ...]:
    """Return the name under which a result is shown; without one the last name stays."""
    return (finished.run_id if finished else gr.skip(),)


def show_job(
    job: Job, filed: Callable[[Finished | None], tuple[Any, ...]] = run_name
) -> Iterator[tuple[Any, ...]]:
    """Turn what a job reports into values of the inspector, the status line and what is filed.

    Args:
        job: Reports progress, and last its result.
        filed: Returns what else belongs to a result, or to a step without one.

    Yields:
        All of these, once a step: a generator that yields often can be closed often.

    Raises:
        Exception: What the job raised, once the last result is back on the stage.
    """
    is_whole = False
    job_id = secrets.token_hex(8)
    yield running_value((), job_id), status(texts.STARTING, 0, job_id=job_id), *filed(None)
    try:
        for reached in job:
            if isinstance(reached, Finished):
                # what comes after the first result only adds to it
                value = finished_value(reached, plays=not is_whole)
                yield value, status(reached.text), *filed(reached)
                is_whole = True
            else:
                stage = running_value(reached.previews, job_id) if reached.previews else gr.skip()
                line = status(reached.text, reached.share, job_id="" if is_whole else job_id)
                yield stage, line, *filed(None)
    except Exception as error:
        if not is_whole:
            yield restored_value(), status(said_of(error)), *filed(None)
        raise
    finally:
        job.close()


def said_of(error: Exception) -> str:
    """Return what a person is told of a failure.

    Args:
        error: What happened.

    Returns:
        The sentence; nothing where nobody has put it into words.
    """
    return html.unescape(error.message) if isinstance(error, gr.Error) else ""


def path_of(file: object) -> object:
    """Return where an uploaded file lies.

    Args:
        file: As it was sent.

    Returns:
        Its path, or what was sent in the place of a file.
    """
    return file.get("path") if isinstance(file, dict) else file


def on_cancel() -> tuple[Any, ...]:
    """Put the last result back, and say so."""
    return restored_value(), status(texts.CANCELLED), *unlock()


def begin() -> tuple[Any, ...]:
    """Return the two buttons as they are while a job runs, and the line without its last words."""
    return gr.Button(interactive=False), gr.Button(interactive=True), status("")


def unlock() -> tuple[Any, ...]:
    """Return the two buttons as they are while nothing runs."""
    return gr.Button(interactive=True), gr.Button(interactive=False)


def unlock_after(job: Any, buttons: Sequence[gr.Button]) -> None:  # noqa: ANN401 - a Dependency
    """Unlock the buttons however a job ends.

    Args:
        job: What Gradio returned when the handler was connected.
        buttons: Start and cancel.

    Ours: `then` alone does not follow a failure, whatever the documentation says.
    """
    for after in (job.then, job.failure):
        after(unlock, outputs=buttons, **AT_ONCE)
