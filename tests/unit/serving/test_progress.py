import threading

import pytest

from olvdm.serving.progress import Report, with_progress


def count_to(steps: int, report: Report) -> str:
    for step in range(1, steps + 1):
        report(step, steps, 1 / step)
    return "result"


def test_every_report_comes_through_in_order() -> None:
    reports = list(with_progress(lambda report: count_to(3, report)))
    assert reports == [(1, 3, 1.0), (2, 3, 0.5), (3, 3, 1 / 3)]


def test_result_is_what_the_work_returned() -> None:
    results: list[str] = []

    def follow() -> object:
        results.append((yield from with_progress(lambda report: count_to(2, report))))

    list(follow())
    assert results == ["result"]


def test_failure_of_the_work_is_raised_where_it_was_asked_for() -> None:
    def fail(_: Report) -> None:
        raise LookupError("lost")

    with pytest.raises(LookupError, match="lost"):
        list(with_progress(fail))


def test_closing_ends_the_work_at_its_next_report() -> None:
    reached: list[int] = []
    go_on = threading.Event()

    def work(report: Report) -> None:
        for step in range(1_000):
            report(step, 1_000, 0.0)
            reached.append(step)
            go_on.wait(10)

    reports = with_progress(work)
    next(reports)
    go_on.set()
    reports.close()
    assert len(reached) < 1_000
    assert not any(thread.name == "worker" for thread in threading.enumerate())
