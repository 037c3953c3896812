"""How a result comes on the stage of the first tab: with its names, or as a blind trial."""

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from visualize.payload import Start
from visualize.screen import texts
from visualize.screen.blind import Trials, blinded, blinded_job
from visualize.screen.inspector_value import finished_value
from visualize.screen.jobs import Job, show_job
from visualize.screen.shown import Finished
from visualize.screen.status_line import status

# Leads to the first tab; what stands there now is none of its stored comparisons.
TO_COMPARE = "() => { document.querySelector('[role=tab]').click(); return null; }"


def stage_result(
    finished: Finished, is_blind: object, trials: Trials, place: Start | None = None
) -> tuple[Any, ...]:
    """Return what the stage is given to show a result.

    Args:
        finished: The result.
        is_blind: Whether blind trials are wanted, unchecked; a single clip is shown as it is.
        trials: Of the visit.
        place: Where to open, if a link says so.

    Returns:
        Values of the inspector, the status line, the run's name, the trials and what is said of
        them. A blind run has no name, so that nothing can be made of it.
    """
    hides = is_blind is True and len(finished.clips) == 2
    shown = blinded(finished) if hides else finished
    value = finished_value(shown, plays=False, place=None if hides else place)
    return value, status(""), *_filed(trials)(shown)


def stage_job(job: Job, is_blind: object, trials: Trials) -> Iterator[tuple[Any, ...]]:
    """Show a job that draws two clips, step by step.

    Args:
        job: Reports progress, and last its result.
        is_blind: As it was when the job began, unchecked.
        trials: Likewise.

    Yields:
        What `stage_result` returns, once a step.
    """
    yield from show_job(blinded_job(job) if is_blind is True else job, _filed(trials))


def _filed(trials: Trials) -> Callable[[Finished | None], tuple[Any, ...]]:
    """Return what says under which name a result is on the stage, and what its trial is."""

    def filed(shown: Finished | None) -> tuple[Any, ...]:
        if shown is None:
            return gr.skip(), gr.skip(), gr.skip()
        after = trials.shown(shown)
        is_practice = shown.is_blind and not after.counts
        name = "" if shown.is_blind else shown.run_id
        return name, after, status(texts.PRACTICE if is_practice else "")

    return filed
