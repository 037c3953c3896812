"""The first signal is a wish, the second one ends the process."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from olvdm.training.stop_signal import StopSignal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_first_signal_is_a_wish(number: signal.Signals) -> None:
    with StopSignal() as stop:
        assert not stop.is_set
        os.kill(os.getpid(), number)
        assert stop.is_set


def test_who_asks_to_stop_is_heard_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    with StopSignal():
        os.kill(os.getpid(), signal.SIGINT)
    assert "this step is finished and saved; a second Ctrl-C loses" in capfd.readouterr().err


def test_second_signal_ends_the_process() -> None:
    program = (
        "import os, signal\n"
        "from olvdm.training.stop_signal import StopSignal\n"
        "with StopSignal():\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == -signal.SIGTERM


def test_whoever_listened_before_listens_again() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with StopSignal():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_another_thread_may_train_too() -> None:
    seen: list[bool] = []

    def listen() -> None:
        with StopSignal() as stop:
            seen.append(stop.is_set)

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert seen == [False]
