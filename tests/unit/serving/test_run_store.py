import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from olvdm.errors import CheckpointError
from olvdm.manifest import MANIFEST_NAME
from olvdm.serving import run_store
from olvdm.serving.run_store import RunStore, settings_key

SETTINGS = {"prompt": "a red circle", "seed": 3, "guidance_scale": 4.0}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3),
)


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "runs")


def keep(store: RunStore, seed: int, size: int = 100, age: int = 0) -> str:
    """Save a run of some bytes, as if it had been made some seconds ago."""
    run = SETTINGS | {"seed": seed}
    with store.save(run) as folder:
        (folder / "frames.bin").write_bytes(bytes(size))
    manifest = store.folder / settings_key(run) / "olvdm.json"
    then = manifest.stat().st_mtime - age
    os.utime(manifest, (then, then))
    return settings_key(run)


@settings(max_examples=50, deadline=None)
@given(values=st.dictionaries(st.text(max_size=5), JSON, max_size=5))
def test_order_of_settings_does_not_name_another_run(values):
    assert settings_key(values) == settings_key(dict(reversed(values.items())))


def test_every_setting_counts():
    keys = {settings_key(SETTINGS | change) for change in ({}, {"seed": 4}, {"prompt": "b"})}
    assert len(keys) == 3


def test_run_is_found_by_its_settings(store):
    with store.save(SETTINGS) as folder:
        (folder / "clip.mp4").write_bytes(b"frames")
    found = store.find(settings_key(SETTINGS))
    assert found is not None
    assert (found / "clip.mp4").read_bytes() == b"frames"
    assert store.settings(found.name) == SETTINGS


def test_run_of_an_upload_has_a_name_of_its_own(store):
    with store.save({"max_frames": 8}, run_id="0123456789abcdef"):
        pass
    assert store.find("0123456789abcdef") is not None


@pytest.mark.parametrize("run_id", ["../../etc", "", ".", "0123456789ABCDEF", "0123456789abcdef\n"])
def test_strange_name_is_not_found(store, run_id):
    assert store.find(run_id) is None


def test_strange_name_is_not_written(store):
    with pytest.raises(ValueError, match="16 hexadecimal digits"):
        store.save(SETTINGS, run_id="../evil")


def test_unknown_run_has_no_settings(store):
    assert store.settings("0" * 16) is None


def test_run_that_fails_leaves_nothing(store):
    with suppress(KeyboardInterrupt), store.save(SETTINGS) as folder:
        (folder / "half").write_bytes(b"half")
        raise KeyboardInterrupt
    assert list(store.folder.iterdir()) == []


def test_damaged_run_is_not_given_and_removed(store):
    run_id = keep(store, 1)
    (store.folder / run_id / "frames.bin").write_bytes(bytes(99) + b"\1")
    assert store.find(run_id) is None
    assert store.run_ids() == []


def test_run_that_is_saved_anew_while_it_is_read_stays(store, monkeypatch):
    run_id = keep(store, 1)
    writer = threading.Thread(target=keep, args=(store, 1, 200))

    def slowly(folder: Path, kind: str) -> dict[str, Any]:
        """Read the list of files, and the files after somebody had time to replace them all."""
        listed = json.loads((folder / MANIFEST_NAME).read_bytes())
        writer.start()
        writer.join(0.2)
        sizes = {path.name: path.stat().st_size for path in folder.glob("*.bin")}
        if {name: entry["size"] for name, entry in listed["files"].items()} != sizes:
            raise CheckpointError(f"a file of the {kind} is damaged")
        return listed

    monkeypatch.setattr(run_store, "verify_folder", slowly)
    found = store.find(run_id)
    writer.join()
    assert found is not None
    assert store.run_ids() == [run_id]


def test_oldest_runs_leave_first(tmp_path):
    store = RunStore(tmp_path, max_bytes=40_000)
    old, middle = keep(store, 1, 15_000, age=20), keep(store, 2, 15_000, age=10)
    new = keep(store, 3, 15_000)
    assert store.run_ids() == [new, middle]
    assert store.find(old) is None


def test_newest_run_stays_even_if_it_is_too_large(tmp_path):
    store = RunStore(tmp_path, max_bytes=1_000)
    keep(store, 1, 100, age=10)
    large = keep(store, 2, 5_000)
    assert store.run_ids() == [large]


def test_runs_survive_a_restart(store):
    run_id = keep(store, 1)
    assert RunStore(store.folder).run_ids() == [run_id]


def test_saving_a_run_again_replaces_it(store):
    keep(store, 1, 10)
    run_id = keep(store, 1, 20)
    assert (store.folder / run_id / "frames.bin").stat().st_size == 20


def test_other_users_cannot_read_the_runs(store):
    assert store.folder.stat().st_mode & 0o077 == 0
