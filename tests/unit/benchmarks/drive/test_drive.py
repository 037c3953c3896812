"""What a drive keeps of its steps and measures, without any browser."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from benchmarks.drive.compare_tab import weigh
from benchmarks.drive.drive import Drive, Measure, table_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture
def drive(tmp_path: Path) -> Drive:
    return Drive(cast("Browser", None), "http://127.0.0.1:1", tmp_path)


def test_step_that_cannot_be_done_is_noted_and_the_next_one_is_done(drive) -> None:
    with drive.step("press a button"):
        raise LookupError("there is\n   none")
    with drive.step("press another"):
        pass
    assert drive.failed == {"press a button": "there is none"}


@pytest.mark.parametrize(("value", "said"), [(50.0, "| met |"), (50.1, "| NOT MET |")])
def test_table_says_whether_the_goal_was_met(value, said) -> None:
    assert table_of([Measure("highlight", value, "ms", 50)]).endswith(f"| 50 | {said[2:]}")


def test_files_are_weighed_at_any_depth(tmp_path) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "deep" / "deeper" / "one").write_bytes(b"123")
    (tmp_path / "two").write_bytes(b"45")
    assert weigh(tmp_path) == (2, 5)
