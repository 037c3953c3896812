import os
from pathlib import Path

import pytest

from olvdm.commands.output import check_ending, written_together
from olvdm.errors import InputError


def fail_to_write(output: Path) -> None:
    with written_together(output) as folder:
        (folder / "a.txt").write_text("later")
        raise OSError("the disk is full")


def test_files_appear_together(tmp_path) -> None:
    with written_together(tmp_path / "new" / "folder") as folder:
        (folder / "a.txt").write_text("a")
        assert not (tmp_path / "new" / "folder" / "a.txt").exists()
    assert [one.name for one in (tmp_path / "new" / "folder").iterdir()] == ["a.txt"]


def test_failure_leaves_nothing_behind(tmp_path) -> None:
    with pytest.raises(OSError, match="full"):
        fail_to_write(tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == []


def test_other_files_of_the_folder_stay(tmp_path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with written_together(tmp_path) as folder:
        (folder / "a.txt").write_text("a")
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_failure_keeps_an_earlier_file(tmp_path) -> None:
    (tmp_path / "a.txt").write_text("earlier")
    with pytest.raises(OSError, match="full"):
        fail_to_write(tmp_path)
    assert (tmp_path / "a.txt").read_text() == "earlier"


def write_three(output: Path) -> None:
    with written_together(output) as folder:
        for name in "abc":
            (folder / name).write_text("new")


def test_folder_in_the_place_of_a_file_is_told_before_anything_moves(tmp_path) -> None:
    (tmp_path / "a").write_text("earlier")
    (tmp_path / "c").mkdir()
    with pytest.raises(InputError, match="'c' is a folder, where a file is to be written"):
        write_three(tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a", "c"]
    assert (tmp_path / "a").read_text() == "earlier"


@pytest.mark.parametrize("call", range(4))
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_failure_while_files_move_puts_everything_back(tmp_path, monkeypatch, call, error) -> None:
    (tmp_path / "b").write_text("earlier")
    original, calls = os.rename, iter(range(1000))

    def fail_once(*places: Path) -> None:
        if next(calls) == call:
            raise error
        original(*places)

    monkeypatch.setattr(os, "rename", fail_once)
    with pytest.raises(error):
        write_three(tmp_path)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("b", "earlier")]


def test_file_of_the_same_name_is_replaced(tmp_path) -> None:
    (tmp_path / "b").write_text("earlier")
    write_three(tmp_path)
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == dict.fromkeys("abc", "new")


@pytest.mark.parametrize("name", ["file.txt", "file.txt/below"])
def test_file_is_no_folder(tmp_path, name) -> None:
    (tmp_path / "file.txt").write_text("mine")
    with pytest.raises(InputError, match="no folder"), written_together(tmp_path / name):
        pass
    assert (tmp_path / "file.txt").read_text() == "mine"


def test_folder_that_cannot_be_made_is_told_with_the_remedy() -> None:
    sentence = "nothing can be written into 'deep' .*; give another output"
    with pytest.raises(InputError, match=sentence), written_together(Path("/proc/olvdm/deep")):
        pass


@pytest.mark.parametrize("name", ["clip", "clip.txt", "clip.mp4.exe", ".mp4"])
def test_name_must_say_what_the_file_is(tmp_path, name) -> None:
    with pytest.raises(InputError, match=r"must end in \.mp4"):
        check_ending(tmp_path / name, ".mp4")


@pytest.mark.parametrize("stem", ["x" * 197, "ä" * 99, "x" * 5_000])
def test_name_must_leave_room_for_the_names_beside_it(tmp_path, stem) -> None:
    with pytest.raises(InputError, match=r"may have 200 bytes, '.{40}\.\.\..{16}\.mp4' has \d+"):
        check_ending(tmp_path / f"{stem}.mp4", ".mp4")
