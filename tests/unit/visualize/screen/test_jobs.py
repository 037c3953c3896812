from typing import Any

import gradio as gr
import pytest

from tests.app_server import stored_clip
from visualize.inspected import InspectedClip
from visualize.screen import texts
from visualize.screen.jobs import Job, begin, on_cancel, path_of, show_job, unlock
from visualize.screen.shown import Finished, Progress

RUN = "0123456789abcdef"


def result(**changes: Any) -> Finished:
    clip = InspectedClip.of("A", "what", stored_clip())
    given: dict[str, Any] = {"text": "over", "run_id": RUN} | changes
    return Finished((clip,), **given)


def job(closed: list[bool], *, fails: bool = False, fails_late: bool = False) -> Job:
    try:
        yield Progress("one", 0.5)
        if fails:
            raise KeyError("lost")
        yield result()
        yield Progress("more", None)
        if fails_late:
            raise KeyError("lost")
        yield result(text="all of it")
    finally:
        closed.append(True)


def phases(reached) -> list[str]:
    return [stage.get("phase", "-") for stage, _, _ in reached]


def test_begins_by_dimming_the_old_result() -> None:
    stage, line, run_id = next(show_job(job([])))
    assert stage["phase"] == "running"
    assert line["text"] == texts.STARTING
    assert "value" not in run_id  # the name of the run stays


def test_shows_result_what_comes_after_it_and_the_whole() -> None:
    assert phases(show_job(job([]))) == ["running", "-", "done", "-", "done"]


def test_ends_with_its_words_and_its_run() -> None:
    *_, (stage, line, run_id) = show_job(job([]))
    assert line == {"text": "all of it", "share": None, "tone": "idle", "job": ""}
    assert run_id == stage["run_id"] == RUN


def test_only_the_first_result_begins_to_play() -> None:
    shown = [stage["plays"] for stage, _, _ in show_job(job([])) if stage.get("phase") == "done"]
    assert shown == [True, False]


def test_line_is_idle_once_the_result_is_there() -> None:
    tones = [line["tone"] for _, line, _ in show_job(job([]))]
    assert tones == ["busy", "busy", "idle", "idle", "idle"]


def test_step_without_a_preview_leaves_the_inspector_alone() -> None:
    _, (stage, line, _), *_ = show_job(job([]))
    assert "phase" not in stage
    assert line["share"] == 0.5


def test_step_with_previews_shows_them() -> None:
    def previewing() -> Job:
        yield Progress("one", 0.5, (stored_clip()["frames"],) * 2)

    _, (stage, _, _) = show_job(previewing())
    assert stage["phase"] == "running"
    assert len(stage["previews"]) == 2


def test_failed_job_puts_the_old_result_back() -> None:
    reached = []
    with pytest.raises(KeyError):
        reached.extend(each for each in show_job(job([], fails=True)))
    shown = show_job(job([], fails=True))
    assert phases(next(shown) for _ in range(3))[-1] == "restore"


def test_what_is_said_of_a_failure_stands_in_the_line_without_markup() -> None:
    def refused() -> Job:
        yield Progress("one")
        raise gr.Error("at most 3 &lt; 4")

    shown = show_job(refused())
    lines = [next(shown)[1]["text"] for _ in range(3)]
    assert lines == [texts.STARTING, "one", "at most 3 < 4"]


def test_beginning_takes_the_last_words_from_the_line() -> None:
    *_, line = begin()
    assert line["text"] == ""


def test_failure_after_the_result_leaves_the_result() -> None:
    shown = show_job(job([], fails_late=True))
    assert phases(next(shown) for _ in range(4))[-2:] == ["done", "-"]
    with pytest.raises(KeyError):
        next(shown)


@pytest.mark.parametrize("steps", [2, 3, 4])
def test_leaving_closes_the_job(steps) -> None:
    closed: list[bool] = []
    reached = show_job(job(closed))
    for _ in range(steps):
        next(reached)
    reached.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert closed == [True]


def test_cancelling_says_so_and_frees_the_button() -> None:
    stage, line, start, cancel = on_cancel()
    assert stage["phase"] == "restore"
    assert line["text"] == texts.CANCELLED
    assert start.interactive
    assert not cancel.interactive


def test_either_button_can_be_pressed_never_both() -> None:
    *locked, _ = begin()
    assert [button.interactive for button in locked] == [False, True]
    assert [button.interactive for button in unlock()] == [True, False]


@pytest.mark.parametrize(
    ("sent", "path"), [({"path": "a.mp4", "size": 3}, "a.mp4"), ({}, None), (None, None), (7, 7)]
)
def test_path_of_a_file_is_found_in_what_was_sent(sent, path) -> None:
    assert path_of(sent) == path


def test_every_step_of_a_job_carries_its_name() -> None:
    reports = [(value, line) for value, line, _ in show_job(job([])) if line["job"]]
    names = {line["job"] for _, line in reports}
    assert len(names) == 1
    assert {value["run_id"] for value, _ in reports if "run_id" in value} == names
