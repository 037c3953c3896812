"""How a training is asked to stop: the first signal is a wish, the second one a command."""

import os
import signal
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

HEARD = b"\nstopping: this step is finished and saved; a second Ctrl-C loses what is not saved\n"


class StopSignal:
    """Turn the first SIGTERM or SIGINT into a wish to stop; the second one ends the process.

    Ours: a training that is stopped finishes its step, saves and leaves with exit code 0.
    """

    def __init__(self) -> None:
        self.is_set = False
        self.previous: dict[int, Any] = {}

    def __enter__(self) -> "StopSignal":
        """Listen, where signals reach us: in the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                self.previous[number] = signal.signal(number, self._on_signal)
            except ValueError:
                break
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        stack: TracebackType | None,
    ) -> None:
        """Put back who listened before."""
        for number, handler in self.previous.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.is_set = True
        if os.environ.get("RANK", "0") == "0":
            with suppress(OSError):
                os.write(2, HEARD)  # print may be what the signal interrupts
        for each in self.previous:
            signal.signal(each, signal.SIG_DFL)
