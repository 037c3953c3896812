from typing import Any

import numpy as np
import pytest

from olvdm.errors import CheckpointError
from olvdm.serving.stored_runs import (
    ListedRun,
    StoredRun,
    list_stored_runs,
    load_stored_run,
    save_stored_run,
)
from tests.app_server import stored_clip

SETTINGS: dict[str, Any] = {"prompt": "a red circle moves right", "seed": 3}


@pytest.fixture
def run() -> StoredRun:
    return StoredRun("behind", SETTINGS, {"lvdm": stored_clip(), "olvdm": stored_clip(0.1)})


def test_title_and_settings_come_back(tmp_path, run) -> None:
    save_stored_run(tmp_path / "one", run)
    loaded = load_stored_run(tmp_path / "one")
    assert (loaded.title, loaded.settings) == ("behind", SETTINGS)


@pytest.mark.parametrize("field", ["frames", "correlation", "flicker", "assignment", "presence"])
def test_arrays_come_back_exactly(tmp_path, run, field) -> None:
    save_stored_run(tmp_path / "one", run)
    loaded = load_stored_run(tmp_path / "one").clips["olvdm"]
    np.testing.assert_array_equal(loaded[field], run.clips["olvdm"][field])


@pytest.mark.parametrize(("field", "kind"), [("switches", int), ("fps", float)])
def test_numbers_come_back_as_numbers(tmp_path, run, field, kind) -> None:
    save_stored_run(tmp_path / "one", run)
    assert type(load_stored_run(tmp_path / "one").clips["lvdm"][field]) is kind


def test_soft_masks_come_back_to_one_level_in_255(tmp_path, run, rng) -> None:
    masks = rng.dirichlet([1.0] * 2, size=(16, 64, 64)).transpose(0, 3, 1, 2).astype(np.float32)
    soft = {**run.clips["lvdm"], "alpha_masks": masks}
    save_stored_run(tmp_path / "one", StoredRun("soft", SETTINGS, {"lvdm": soft}))
    loaded = load_stored_run(tmp_path / "one").clips["lvdm"]["alpha_masks"]
    np.testing.assert_allclose(loaded, masks, atol=1.5 / 255)
    np.testing.assert_allclose(loaded.sum(axis=1), 1, atol=1e-5)


def test_runs_are_listed_by_name_with_what_was_drawn(tmp_path, run) -> None:
    for name in ("2-b", "1-a"):
        save_stored_run(tmp_path / name, run)
    listed = list_stored_runs(tmp_path)
    assert list(listed) == ["1-a", "2-b"]
    assert listed["1-a"] == ListedRun("behind", SETTINGS["prompt"], "3")


@pytest.mark.parametrize("text", ["", "[]", '{"about": 3}', '{"about": {"title": "a"}}'])
def test_run_whose_manifest_cannot_be_read_is_left_out(tmp_path, text) -> None:
    (tmp_path / "1-a").mkdir()
    (tmp_path / "1-a" / "olvdm.json").write_text(text)
    assert list_stored_runs(tmp_path) == {}


def test_folder_without_runs_lists_none(tmp_path) -> None:
    assert list_stored_runs(tmp_path / "nothing") == {}


def test_altered_run_is_refused(tmp_path, run) -> None:
    save_stored_run(tmp_path / "one", run)
    archive = tmp_path / "one" / "lvdm.npz"
    data = bytearray(archive.read_bytes())
    data[100] ^= 1
    archive.write_bytes(data)
    with pytest.raises(CheckpointError):
        load_stored_run(tmp_path / "one")


def test_run_is_small_enough_for_a_repository(tmp_path, run) -> None:
    save_stored_run(tmp_path / "one", run)
    assert sum(path.stat().st_size for path in (tmp_path / "one").iterdir()) < 500_000
