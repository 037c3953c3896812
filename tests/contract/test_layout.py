import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.project import ROOT, python_files, tracked_files

BANNED_NAMES = {"utils", "helpers", "common", "misc", "core", "base", "models", "modules"}
CODE = ("olvdm", "visualize", "benchmarks", "app.py")
MOST_LINES, MOST_FUNCTION_LINES = 400, 50
LARGEST_FILE, LARGEST_CHECKPOINTS = 10_000_000, 40_000_000


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_file_has_a_name_that_says_nothing() -> None:
    parts = {
        part.removesuffix(".py")
        for path in python_files(*CODE, "tests")
        for part in path.relative_to(ROOT).parts
    }
    assert not parts & BANNED_NAMES


@pytest.mark.parametrize("path", python_files(*CODE), ids=named)
def test_file_is_short_enough_to_be_read(path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_functions_are_short_enough_to_be_seen_at_once() -> None:
    lengths = {
        f"{named(path)}: {node.name}": node.end_lineno - _first_line(node) + 1
        for path in python_files(*CODE)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    }
    too_long = {name: length for name, length in lengths.items() if length > MOST_FUNCTION_LINES}
    assert too_long == {}


def _first_line(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the first line of a function's body, after its docstring."""
    has_text = ast.get_docstring(node) is not None and len(node.body) > 1
    return node.body[1 if has_text else 0].lineno


def test_imports_point_one_way() -> None:
    program = "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports())"
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-3_000:]


def test_no_tracked_file_is_too_large_for_a_space() -> None:
    sizes = {named(path): path.stat().st_size for path in tracked_files()}
    assert {name: size for name, size in sizes.items() if size >= LARGEST_FILE} == {}


def test_all_weights_together_stay_small() -> None:
    checkpoints = ROOT / "checkpoints"
    sizes = [path.stat().st_size for path in tracked_files() if path.is_relative_to(checkpoints)]
    assert sum(sizes) < LARGEST_CHECKPOINTS


def test_every_unit_test_mirrors_a_source_file() -> None:
    sources = [path.relative_to(ROOT) for path in python_files(*CODE)]
    mirrored = {(_folder(path), path.stem) for path in sources}
    strangers = [
        named(path)
        for path in python_files("tests")
        if (found := re.fullmatch(r"tests/unit/(.*?)test_(\w+)\.py", named(path)))
        and not any((found[1], stem) in mirrored for stem in _beginnings(found[2]))
        and found[2] != "conftest"
    ]
    assert strangers == []


def _folder(source: Path) -> str:
    """Return where the unit test of a source lies: that of ``olvdm/data`` in ``data``."""
    parts = source.parent.parts
    return "".join(f"{part}/" for part in (parts[1:] if parts[:1] == ("olvdm",) else parts))


def _beginnings(name: str) -> list[str]:
    """Return the names that a test may be of: ``report_parts`` tests a part of ``report``."""
    words = name.split("_")
    return ["_".join(words[:count]) for count in range(1, len(words) + 1)]
