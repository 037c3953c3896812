"""A folder appears whole or not at all, and any altered byte of it is noticed."""

import errno
import json
import multiprocessing
import os
import random
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from olvdm.errors import CheckpointError, InputError
from olvdm.manifest import (
    file_sha256,
    manifest_bytes,
    remove_stale,
    verify_folder,
    write_folder,
)

NAMES = ("part/weights.safetensors", "config.json")


def write(folder: Path, content: bytes = b"0123456789", kind: str = "pipeline") -> Path:
    with write_folder(folder, kind, {"steps": 3}) as temporary:
        (temporary / "part").mkdir()
        for name in NAMES:
            (temporary / name).write_bytes(content)
    return folder


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((folder / "olvdm.json").read_text())
    change(manifest)
    (folder / "olvdm.json").write_text(json.dumps(manifest))


def test_written_folder_verifies_and_says_what_it_is(tmp_path: Path) -> None:
    manifest = verify_folder(write(tmp_path / "checkpoint"), "pipeline")
    assert (manifest["format"], manifest["kind"]) == (1, "pipeline")
    assert manifest["about"] == {"steps": 3}
    assert manifest["files"]["config.json"] == {
        "size": 10,
        "sha256": "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882",
    }
    assert sorted(manifest["files"]) == sorted(NAMES)


def test_failure_while_writing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError), write_folder(tmp_path / "checkpoint", "pipeline"):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_failure_while_replacing_leaves_what_was_there(tmp_path: Path) -> None:
    folder = write(tmp_path / "checkpoint", b"old")
    with pytest.raises(KeyError), write_folder(folder, "pipeline"):
        raise KeyError
    verify_folder(folder)
    assert (folder / "config.json").read_bytes() == b"old"


def test_second_writing_replaces_the_first(tmp_path: Path) -> None:
    write(tmp_path / "checkpoint", b"old")
    folder = write(tmp_path / "checkpoint", b"new")
    verify_folder(folder)
    assert (folder / "config.json").read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "config.json").unlink(),
        lambda folder: (folder / "olvdm.json").write_text("{"),
        lambda folder: edit(folder, lambda manifest: manifest.update(format=0, kind="other")),
        lambda folder: [shutil.rmtree(folder), folder.mkdir()],
    ],
    ids=["damaged", "manifest damaged", "earlier format", "empty"],
)
def test_folder_of_ours_is_replaced_in_any_state(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    change(write(tmp_path / "checkpoint", b"old"))
    verify_folder(write(tmp_path / "checkpoint", b"new"))
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


@pytest.mark.parametrize("name", ["homework", ".old-homework"])
def test_folder_of_somebody_else_is_never_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "thesis.txt").write_text("years")
    with pytest.raises(InputError, match=f"'{name}' holds what olvdm did not write.*new or empty"):
        write(tmp_path / "homework")
    assert [path.name for path in tmp_path.rglob("*")] == [name, "thesis.txt"]


def test_file_is_never_replaced_by_a_folder(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years")
    with pytest.raises(InputError, match=r"'thesis\.txt' is a file; give a folder"):
        write(tmp_path / "thesis.txt")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["years"]


@pytest.mark.parametrize("name", [".", "..", "../here"])
def test_folder_that_somebody_works_in_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(InputError, match="is the folder you are in, or around it"):
        write(Path(name))
    assert [path.name for path in tmp_path.rglob("*")] == ["here"]


def test_link_to_a_folder_of_ours_stays_a_link(tmp_path: Path) -> None:
    write(tmp_path / "real", b"old")
    (tmp_path / "link").symlink_to("real")
    write(tmp_path / "link", b"new")
    assert (tmp_path / "real" / "config.json").read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


@pytest.mark.parametrize("name", ["file/below", "x" * 300, "/proc/below"])
def test_place_where_no_folder_can_be_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        InputError, match=r"no folder can be made at '(below|x+\.\.\.x+)' \(.*; give"
    ):
        write(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@settings(max_examples=30, deadline=None)
@given(name=st.sampled_from(NAMES), place=st.integers(0, 9), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed_by_name(
    tmp_path_factory: pytest.TempPathFactory, name: str, place: int, bit: int
) -> None:
    folder = write(tmp_path_factory.mktemp("flip") / "checkpoint")
    content = bytearray((folder / name).read_bytes())
    content[place] ^= 1 << bit
    (folder / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=f"{name}.*sha256"):
        verify_folder(folder)


def test_cut_file_is_noticed_by_its_size(tmp_path: Path) -> None:
    folder = write(tmp_path / "checkpoint")
    (folder / "config.json").write_bytes(b"012")
    with pytest.raises(CheckpointError, match=r"config\.json.*3 bytes instead of 10"):
        verify_folder(folder)


def test_missing_file_is_noticed(tmp_path: Path) -> None:
    folder = write(tmp_path / "checkpoint")
    (folder / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"config\.json.*is missing"):
        verify_folder(folder)


def test_added_file_is_noticed(tmp_path: Path) -> None:
    folder = write(tmp_path / "checkpoint")
    (folder / "part" / "weights.safetensors.index.json").write_text("{}")
    with pytest.raises(CheckpointError, match="not listed"):
        verify_folder(folder)


@pytest.mark.parametrize("name", ["README.md", ".gitattributes", ".cache/note"])
def test_added_notes_are_no_damage(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path / "checkpoint")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("a note")
    verify_folder(folder)


def test_other_kind_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "checkpoint", kind="training")
    with pytest.raises(CheckpointError, match="'training', but 'pipeline' is needed"):
        verify_folder(folder, "pipeline")


@pytest.mark.parametrize("number", [0, 2, "1", None, [1]])
def test_unknown_format_is_refused_with_the_remedy(tmp_path: Path, number: object) -> None:
    folder = write(tmp_path / "checkpoint")
    edit(folder, lambda manifest: manifest.update(format=number))
    with pytest.raises(CheckpointError, match="install the olvdm that wrote it"):
        verify_folder(folder)


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "part//x", "part/./x", "part/../../x", "a\\b", "a\0b", ""]
)
def test_listed_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path / "checkpoint")
    edit(folder, lambda manifest: manifest["files"].update({name: {"size": 1, "sha256": ""}}))
    with pytest.raises(CheckpointError, match="wrongly"):
        verify_folder(folder)


def test_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "checkpoint")
    (folder / "config.json").rename(tmp_path / "outside.json")
    (folder / "config.json").symlink_to(tmp_path / "outside.json")
    with pytest.raises(CheckpointError, match="leads out"):
        verify_folder(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"format": 1}', "\udcff"])
def test_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    folder = write(tmp_path / "checkpoint")
    (folder / "olvdm.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CheckpointError):
        verify_folder(folder)


def test_endless_manifest_is_refused_before_it_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "checkpoint")
    os.truncate(folder / "olvdm.json", 2**40)
    with pytest.raises(CheckpointError, match="larger than"):
        verify_folder(folder)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (Path.exists, "there is no such folder"),
        (Path.touch, "it is a file"),
        (Path.mkdir, r"the checkpoint has no olvdm\.json"),
    ],
)
@pytest.mark.parametrize("read", [verify_folder, manifest_bytes])
def test_what_is_no_checkpoint_folder_is_refused_by_its_name(
    tmp_path: Path, make: Callable[[Path], object], reason: str, read: Callable[[Path], object]
) -> None:
    make(tmp_path / "mine")
    with pytest.raises(
        CheckpointError, match=f"^checkpoint 'mine': {reason}; give a whole checkpoint folder$"
    ):
        read(tmp_path / "mine")


@pytest.mark.parametrize("call", range(8))
@pytest.mark.parametrize("name", ["fsync", "rename", "open"])
def test_full_disk_at_any_moment_leaves_a_whole_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, call: int
) -> None:
    folder = write(tmp_path / "checkpoint", b"old")
    original, calls = getattr(os, name), iter(range(1000))

    def fail_once(*args: Any, **keywords: Any) -> Any:
        if next(calls) == call:
            raise OSError(errno.ENOSPC, "no space")
        return original(*args, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(os, name, fail_once)
        with suppress(OSError):
            write(folder, b"new")
    remove_stale(tmp_path)
    verify_folder(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_stale_folders_of_processes_that_are_gone_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".tmp-step-00000001-4194305").mkdir()
    (tmp_path / f".tmp-step-00000001-{os.getppid()}").mkdir()
    remove_stale(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f".tmp-step-00000001-{os.getppid()}"]


def test_folder_that_a_killed_writer_had_set_aside_comes_back(tmp_path: Path) -> None:
    write(tmp_path / "final").rename(tmp_path / ".old-final")
    remove_stale(tmp_path)
    verify_folder(tmp_path / "final")


def test_folder_that_was_set_aside_goes_once_the_new_one_is_there(tmp_path: Path) -> None:
    write(tmp_path / "final", b"old").rename(tmp_path / ".old-final")
    write(tmp_path / "final", b"new")
    remove_stale(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["final"]


def test_hidden_folder_of_somebody_else_is_not_cleared_up(tmp_path: Path) -> None:
    for name in ("thesis", ".old-thesis", ".old-notes"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page.txt").touch()
    remove_stale(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"thesis", ".old-thesis", ".old-notes"}


def test_checksum_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert file_sha256(tmp_path / "empty") == expected


def write_for_ever(folder: Path) -> None:
    for count in range(10**9):
        write(folder, str(count).encode())


def test_kill_at_any_moment_leaves_a_whole_folder(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    for seed in range(15):
        process = multiprocessing.get_context("fork").Process(target=write_for_ever, args=(folder,))
        process.start()
        while not folder.exists() and not list(tmp_path.glob(".old-*")):
            time.sleep(0.001)
        time.sleep(random.Random(seed).uniform(0, 0.05))  # noqa: S311
        process.kill()
        process.join()
        remove_stale(tmp_path)
        verify_folder(folder)
        assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]
