import subprocess
import sys
from collections.abc import Generator
from threading import Thread

import pytest
import torch

from olvdm import cli
from olvdm.threads import CHOICES, draw_on_one_thread, one_thread


@pytest.fixture(autouse=True)
def two_threads(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Begin with two threads that nobody chose, and put the number back."""
    for name in CHOICES:
        monkeypatch.delenv(name, raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_block_has_one_thread_and_leaves_the_number_as_it_was() -> None:
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_number_is_put_back_after_a_failure() -> None:
    with pytest.raises(ValueError, match="x"), one_thread():
        raise ValueError("x")
    assert torch.get_num_threads() == 2


def test_threads_that_are_begun_later_compute_on_one_too() -> None:
    seen: list[int] = []
    draw_on_one_thread()
    worker = Thread(target=lambda: seen.append(torch.get_num_threads()))
    worker.start()
    worker.join()
    assert seen == [1]


@pytest.mark.parametrize("name", CHOICES)
def test_number_that_the_user_chose_wins(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "2")
    draw_on_one_thread()
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["generate", "a", "--output", "a.mp4"], 1),
        (["inspect", "a.mp4", "--output", "a"], 1),
        (["evaluate", "--output", "a"], 1),
        (["doctor"], 2),
    ],
)
def test_commands_that_draw_do_so_on_one_thread(
    monkeypatch: pytest.MonkeyPatch, words: list[str], expected: int
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(cli, "_command", lambda _: lambda _: seen.append(torch.get_num_threads()))
    assert cli.main(words) == 0
    assert seen == [expected]


def test_importing_the_library_leaves_the_threads_alone() -> None:
    program = (
        "import torch; torch.set_num_threads(2); from olvdm import OLVDMPipeline; "
        "print(torch.get_num_threads())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "2\n"
