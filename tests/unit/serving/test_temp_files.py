import os
import subprocess
import sys
import tempfile
import time

import pytest

from olvdm.serving.temp_files import TempFiles


@pytest.fixture
def temp_files(tmp_path):
    files = TempFiles(tmp_path)
    yield files
    files.wipe()


def age(path, seconds=7_200):
    then = time.time() - seconds
    os.utime(path, (then, then), follow_symlinks=False)


def test_folder_is_closed_to_others(temp_files):
    assert temp_files.folder.stat().st_mode & 0o777 == 0o700


def test_python_and_gradio_write_into_it(temp_files, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", "/nowhere")
    monkeypatch.setenv("GRADIO_TEMP_DIR", "/nowhere")
    temp_files.use()
    assert tempfile.gettempdir() == str(temp_files.folder)
    assert os.environ["GRADIO_TEMP_DIR"] == os.environ["TMPDIR"] == str(temp_files.folder)


def test_sweep_takes_old_files_and_leaves_new_ones(temp_files):
    old, new = temp_files.folder / "tmpold", temp_files.folder / "tmpnew"
    old.write_text("a")
    new.write_text("b")
    age(old)
    assert temp_files.sweep() == 1
    assert list(temp_files.folder.iterdir()) == [new]


def test_sweep_takes_old_folders_once_they_are_empty(temp_files):
    folder = temp_files.folder / "deep" / "deeper"
    folder.mkdir(parents=True)
    (folder / "file").write_text("a")
    age(folder / "file")
    temp_files.sweep()
    assert folder.exists()
    age(folder)
    age(folder.parent)
    temp_files.sweep()
    assert not folder.exists()


def test_sweep_leaves_what_is_to_last_as_long_as_the_process(temp_files):
    run = temp_files.lasting / "runs" / "0123456789abcdef"
    run.mkdir(parents=True)
    (run / "olvdm.json").write_text("{}")
    for path in (run / "olvdm.json", run, run.parent, temp_files.lasting):
        age(path)
    assert temp_files.sweep() == 0
    assert (run / "olvdm.json").exists()
    temp_files.wipe()
    assert not temp_files.lasting.exists()


def test_sweep_follows_no_link(temp_files, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("a")
    age(precious / "file")
    link = temp_files.folder / "link"
    link.symlink_to(precious)
    age(link)
    temp_files.sweep()
    assert (precious / "file").exists()
    assert not link.is_symlink()


def test_janitor_sweeps_until_the_folder_is_wiped(temp_files):
    (temp_files.folder / "old").write_text("a")
    age(temp_files.folder / "old")
    janitor = temp_files.start_janitor(every=0.01)
    deadline = time.monotonic() + 30
    while (temp_files.folder / "old").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not (temp_files.folder / "old").exists()
    temp_files.wipe()
    janitor.join(timeout=30)
    assert not janitor.is_alive()


def test_wiping_twice_does_no_harm(temp_files):
    temp_files.wipe()
    temp_files.wipe()
    assert not temp_files.folder.exists()


def test_folder_goes_with_its_process(tmp_path):
    code = "import sys; from olvdm.serving.temp_files import TempFiles; TempFiles(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert list(tmp_path.iterdir()) == []


def test_folder_of_a_killed_process_is_removed_at_the_next_start(tmp_path):
    code = (
        "import os, sys; from olvdm.serving.temp_files import TempFiles;"
        "TempFiles(sys.argv[1]); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    (orphan,) = tmp_path.iterdir()
    files = TempFiles(tmp_path)
    assert list(tmp_path.iterdir()) == [files.folder]
    assert orphan != files.folder
    files.wipe()


def test_folder_of_a_living_process_stays(tmp_path):
    living = tmp_path / f"olvdm-temp-{os.getppid()}-abc"
    living.mkdir()
    TempFiles(tmp_path).wipe()
    assert living.exists()


def test_foreign_names_stay(tmp_path):
    (tmp_path / "olvdm-temp-x-y").mkdir()
    (tmp_path / "olvdm-temp-99999999-y").symlink_to(tmp_path)
    TempFiles(tmp_path).wipe()
    assert len(list(tmp_path.iterdir())) == 2
