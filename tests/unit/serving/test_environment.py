import os
import tempfile

import pytest

from olvdm.serving.environment import FIXED, SWITCHES, prepare_environment


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    for name in (*FIXED, "GRADIO_TEMP_DIR", "TMPDIR"):
        monkeypatch.setenv(name, "before")
    for name in SWITCHES:
        monkeypatch.setenv(f"GRADIO_{name}", "True")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    temp = prepare_environment()
    yield temp
    temp.wipe()


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize(("name", "value"), FIXED.items())
def test_nobody_is_called(name, value) -> None:
    assert os.environ[name] == value


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("name", SWITCHES)
def test_app_cannot_be_changed_from_outside(name) -> None:
    assert f"GRADIO_{name}" not in os.environ


@pytest.mark.parametrize("name", ["GRADIO_TEMP_DIR", "TMPDIR"])
def test_files_go_to_the_private_folder(prepared, name) -> None:
    assert os.environ[name] == str(prepared.folder)
