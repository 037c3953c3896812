"""Follow a call that reports its progress to a function, and end it before it ends by itself."""

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Generic, TypeVar

Result = TypeVar("Result")
Report = Callable[[int, int, float], None]


class _Stopped(Exception):  # noqa: N818 - nothing went wrong
    """Nobody listens any more."""


class FollowedWork(Generic[Result]):
    """Work in a thread of its own, whose reports can be iterated over.

    Args:
        work: Called with a function ``report(step, num_steps, loss)``, which it calls after each
            step.

    Ours: a handler of the page must yield at every step, and a training calls back instead.
    """

    def __init__(self, work: Callable[[Report], Result]) -> None:
        self._work = work
        self._reports: queue.SimpleQueue[tuple[int, int, float] | None] = queue.SimpleQueue()
        self._is_stopped = threading.Event()
        self._outcome: Future[Result] = Future()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._thread.start()

    def reports(self) -> Iterator[tuple[int, int, float]]:
        """Hand over every report as it comes.

        Yields:
            Step, steps in all, and loss.
        """
        while (reported := self._reports.get()) is not None:
            yield reported

    def result(self) -> Result:
        """Wait for the end of the work and return what it returned.

        Returns:
            The result; a failure of the work is raised instead.
        """
        return self._outcome.result()

    def close(self) -> None:
        """End the work at its next report, and wait for that."""
        self._is_stopped.set()
        self._thread.join()

    def _report(self, step: int, num_steps: int, loss: float) -> None:
        if self._is_stopped.is_set():
            raise _Stopped
        self._reports.put((step, num_steps, loss))

    def _run(self) -> None:
        try:
            self._outcome.set_result(self._work(self._report))
        except _Stopped:
            self._outcome.cancel()
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            self._outcome.set_exception(error)
        finally:
            self._reports.put(None)
