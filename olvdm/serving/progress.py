"""Turn a call that reports its progress to a function into an iterator that can be closed."""

import queue
import threading
from collections.abc import Callable, Generator
from typing import Generic, TypeVar

Result = TypeVar("Result")
Report = Callable[[int, int, float], None]


class _Stopped(Exception):  # noqa: N818 - nothing went wrong
    """Nobody listens any more."""


class _Worker(Generic[Result]):
    """One call in a thread of its own."""

    def __init__(self, work: Callable[[Report], Result]) -> None:
        self.reports: queue.SimpleQueue[tuple[int, int, float] | None] = queue.SimpleQueue()
        self.is_stopped = threading.Event()
        self.results: list[Result] = []
        self.failures: list[BaseException] = []
        self._work = work
        self.thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def report(self, step: int, num_steps: int, loss: float) -> None:
        """Pass a report on, and end the work where nobody listens."""
        if self.is_stopped.is_set():
            raise _Stopped
        self.reports.put((step, num_steps, loss))

    def _run(self) -> None:
        try:
            self.results.append(self._work(self.report))
        except _Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again where the work was asked for
            self.failures.append(error)
        finally:
            self.reports.put(None)


def with_progress(
    work: Callable[[Report], Result],
) -> Generator[tuple[int, int, float], None, Result]:
    """Run work in a thread and hand over its reports as they come.

    Args:
        work: Called with a function ``report(step, num_steps, loss)``, which it calls after each
            step.

    Yields:
        What was reported.

    Returns:
        What the work returned; read it with ``yield from``.

    Ours: closing the iterator ends the work at its next report, and waits for that.
    """
    worker = _Worker(work)
    worker.thread.start()
    try:
        while (reported := worker.reports.get()) is not None:
            yield reported
    finally:
        worker.is_stopped.set()
        worker.thread.join()
    if worker.failures:
        raise worker.failures[0]
    return worker.results[0]
