import gradio as gr
import pytest

from tests.app_server import stored_clip
from visualize.screen import texts
from visualize.screen.jobs import Job, as_sent, on_cancel, show_job
from visualize.screen.shown import Finished, Progress, ShownClip


def job(closed: list[bool], *, fails: bool = False) -> Job:
    try:
        yield Progress("one", 0.5)
        if fails:
            raise KeyError("lost")
        yield Finished((ShownClip.of("A", "what", stored_clip()),), text="over")
    finally:
        closed.append(True)


def test_job_begins_by_dimming_the_old_result() -> None:
    stage, line = next(show_job(job([])))
    assert stage["phase"] == "running"
    assert line["text"] == texts.STARTING


def test_job_ends_with_its_result_and_its_words() -> None:
    *_, (stage, line) = show_job(job([]))
    assert stage["phase"] == "done"
    assert line == {"text": "over", "share": None, "tone": "idle"}


def test_step_without_a_preview_leaves_the_stage_alone() -> None:
    _, (stage, line), _ = show_job(job([]))
    assert "phase" not in stage
    assert line["share"] == 0.5


def test_failed_job_puts_the_old_result_back() -> None:
    shown = []
    with pytest.raises(KeyError):
        shown.extend(show_job(job([], fails=True)))
    reached = show_job(job([], fails=True))
    phases = [next(reached)[0] for _ in range(3)]
    assert phases[-1]["phase"] == "restore"


def test_leaving_closes_the_job() -> None:
    closed: list[bool] = []
    reached = show_job(job(closed))
    next(reached)
    next(reached)
    reached.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert closed == [True]


def test_cancelling_says_so_and_frees_the_button() -> None:
    stage, line, start, cancel = on_cancel()
    assert stage["phase"] == "restore"
    assert line["text"] == texts.CANCELLED
    assert start.interactive
    assert not cancel.interactive


@pytest.mark.parametrize("sent", [None, "10", float("inf"), ["a"]])
def test_handlers_see_what_was_sent(sent) -> None:
    slider = gr.Slider(1, 10)
    as_sent([slider])
    assert slider.preprocess(sent) is sent
