import threading
from contextlib import closing

import pytest

from olvdm.serving.progress import FollowedWork, Report


def count_to(steps: int, report: Report) -> str:
    for step in range(1, steps + 1):
        report(step, steps, 1 / step)
    return "result"


def test_every_report_comes_through_in_order() -> None:
    work = FollowedWork(lambda report: count_to(3, report))
    assert list(work.reports()) == [(1, 3, 1.0), (2, 3, 0.5), (3, 3, 1 / 3)]


def test_result_is_what_the_work_returned() -> None:
    assert FollowedWork(lambda report: count_to(2, report)).result() == "result"


def test_failure_of_the_work_is_raised_where_the_result_is_asked_for() -> None:
    def fail(_: Report) -> None:
        raise LookupError("lost")

    with pytest.raises(LookupError, match="lost"):
        FollowedWork(fail).result()


def test_closing_ends_the_work_at_its_next_report() -> None:
    reached: list[int] = []
    go_on = threading.Event()

    def work(report: Report) -> None:
        for step in range(1_000):
            report(step, 1_000, 0.0)
            reached.append(step)
            go_on.wait(10)

    with closing(FollowedWork(work)) as followed:
        next(iter(followed.reports()))
        go_on.set()
    assert len(reached) <= 1_000
    assert not any(thread.name == "worker" for thread in threading.enumerate())


def test_closed_work_reports_to_nobody() -> None:
    is_closed = threading.Event()
    outcome: list[str] = []

    def work(report: Report) -> None:
        is_closed.wait(10)
        report(1, 2, 0.0)
        outcome.append("went on")

    followed = FollowedWork(work)
    stopper = threading.Thread(target=followed.close)
    stopper.start()
    is_closed.set()
    stopper.join()
    assert outcome == []
