import threading
from pathlib import Path

import pytest

from olvdm.errors import CheckpointError
from olvdm.manifest import MANIFEST_NAME
from olvdm.serving.loaded_models import LoadedModels

NAMES = ("first", "second")


def test_every_model_is_loaded_from_its_folder(tmp_path) -> None:
    models = LoadedModels(tmp_path, lambda folder: folder, NAMES)
    assert models.get() == {name: tmp_path / name for name in NAMES}


def test_models_are_loaded_once(tmp_path) -> None:
    loaded: list[Path] = []
    models = LoadedModels(tmp_path, loaded.append, NAMES)
    models.get()
    models.get()
    assert len(loaded) == 2


def test_nothing_is_loaded_before_it_is_asked_for(tmp_path) -> None:
    loaded: list[Path] = []
    LoadedModels(tmp_path, loaded.append, NAMES)
    assert loaded == []


def test_waiting_ends_before_slow_loading_does(tmp_path) -> None:
    go_on = threading.Event()
    models = LoadedModels(tmp_path, lambda _: go_on.wait(10), NAMES)
    assert not models.wait(0.01)
    go_on.set()
    assert models.wait(10)


def test_missing_are_the_folders_without_a_manifest(tmp_path) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / MANIFEST_NAME).touch()
    assert LoadedModels(tmp_path, str, NAMES).missing() == ("second",)


def test_damaged_model_is_refused_with_its_reason_every_time(tmp_path) -> None:
    def refuse(_: Path) -> None:
        raise CheckpointError("a byte was altered")

    models = LoadedModels(tmp_path, refuse, NAMES)
    for _ in range(2):
        with pytest.raises(CheckpointError, match="a byte was altered"):
            models.get()


def test_bug_while_loading_tells_nothing_of_itself(tmp_path) -> None:
    def fail(_: Path) -> None:
        raise RuntimeError("/secret/path")

    with pytest.raises(CheckpointError) as caught:
        LoadedModels(tmp_path, fail, NAMES).get()
    assert "secret" not in caught.value.user_message


def test_second_job_waits_for_the_first(tmp_path) -> None:
    models = LoadedModels(tmp_path, str, NAMES)
    entered = threading.Event()

    def second_job() -> None:
        with models.turn():
            entered.set()

    worker = threading.Thread(target=second_job)
    with models.turn():
        worker.start()
        assert not entered.wait(0.1)
    assert entered.wait(10)
    worker.join()


def test_failed_job_gives_its_turn_back(tmp_path) -> None:
    models = LoadedModels(tmp_path, str, NAMES)
    with pytest.raises(KeyError), models.turn():
        raise KeyError
    with models.turn():
        pass
