"""torchvision imports beside any torch; every case is a fresh interpreter, since order is all."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

GUARD = "from olvdm.torchvision_guard import ensure_torchvision as ensure\n"
HAS_SCHEMA = "import torch; has = hasattr(torch.ops.torchvision, 'nms')\n"


def run(program: str, *paths: Path) -> str:
    start = f"import sys; sys.path[:0] = {[str(path) for path in paths]!r}\n"
    done = subprocess.run(
        [sys.executable, "-c", start + program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def fake_package(root: Path) -> Path:
    """Make a torchvision whose library is not there yet."""
    package = root / "torchvision"
    package.mkdir()
    (package / "__init__.py").touch()
    return package


def test_torchvision_that_is_not_installed_is_left_alone() -> None:
    program = "import importlib.util; importlib.util.find_spec = lambda name: None\n"
    assert run(program + GUARD + HAS_SCHEMA + "print(ensure(), has)") == "absent False"


def test_torchvision_that_is_imported_already_is_left_alone(tmp_path: Path) -> None:
    fake_package(tmp_path)
    program = "import torchvision\n" + GUARD + "print(ensure());" + HAS_SCHEMA + "print(has)"
    assert run(program, tmp_path) == "loaded\nFalse"


@pytest.mark.parametrize("content", [None, b"no library at all"])
def test_library_that_cannot_load_is_stood_in_for(tmp_path: Path, content: bytes | None) -> None:
    package = fake_package(tmp_path)
    if content is not None:
        (package / "_C.so").write_bytes(content)
    program = GUARD + "print(ensure());" + HAS_SCHEMA + "print(has)"
    assert run(program, tmp_path) == "schema-only\nTrue"


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_library_that_loads_is_used_and_nothing_is_defined_in_its_place(tmp_path: Path) -> None:
    library = fake_package(tmp_path) / "_C.so"
    source = tmp_path / "stub.c"
    source.write_text("int stub(void) { return 1; }\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)  # noqa: S607
    program = GUARD + "print(ensure());" + HAS_SCHEMA + "print(has)"
    assert run(program, tmp_path) == "native\nFalse"


def test_second_call_defines_nothing_twice(tmp_path: Path) -> None:
    fake_package(tmp_path)
    assert run(GUARD + "print(ensure(), ensure())", tmp_path) == "schema-only schema-only"


def test_all_that_needs_torchvision_imports_after_the_guard() -> None:
    program = (
        "import olvdm.diffusers_api as api, torchvision, open_clip\n"
        "from diffusers.models import UNet3DConditionModel\n"
        "print(all(hasattr(api, name) for name in api.__all__))"
    )
    assert run(program) == "True"


def test_guard_runs_before_the_first_import_of_diffusers() -> None:
    program = (
        "import olvdm.torchvision_guard as guard, sys\n"
        "def stop():\n    print('diffusers' in sys.modules)\n    sys.exit()\n"
        "guard.ensure_torchvision = stop\n"
        "import olvdm.diffusers_api"
    )
    assert run(program) == "False"
