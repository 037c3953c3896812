import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.contract.project import ROOT, tracked_files

BUILD = "from setuptools.build_meta import build_wheel; import sys; build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Return the names in a wheel that is built from a copy of the tracked files."""
    copy = tmp_path_factory.mktemp("project")
    for path in tracked_files():
        name = path.relative_to(ROOT)
        if name.parts[0] in ("olvdm", "visualize") or len(name.parts) == 1:
            (copy / name.parent).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy / name)
    command = [sys.executable, "-c", BUILD, str(copy)]
    subprocess.run(command, cwd=copy, capture_output=True, check=True)
    (built,) = copy.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def shipped(*suffixes: str) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for path in tracked_files()
        if path.suffix in suffixes and path.relative_to(ROOT).parts[0] in ("olvdm", "visualize")
    }


def test_wheel_holds_all_code(wheel) -> None:
    assert shipped(".py") <= wheel


def test_wheel_holds_presets_and_assets_of_the_screen(wheel) -> None:
    assert shipped(".toml", ".html", ".css", ".js") <= wheel


def test_wheel_holds_nothing_else(wheel) -> None:
    assert {Path(name).parts[0].split("-")[0] for name in wheel} == {"olvdm", "visualize"}


def test_wheel_carries_the_licence(wheel) -> None:
    assert {Path(name).name for name in wheel} >= {"LICENSE", "NOTICE"}
