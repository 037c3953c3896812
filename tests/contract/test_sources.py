import ast
from pathlib import Path

import pytest

from tests.contract.project import ROOT, python_files

SHIPPED = python_files("olvdm", "visualize", "benchmarks", "app.py")
BANNED_IMPORTS = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "yaml"}
BANNED_CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "torch.load",
    "torch.save",
    "torch.hub.load",
    "gr.load",
    "gradio.load",
}


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SHIPPED, ids=named)
def test_nothing_that_executes_data_is_used(path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    used = {name for node in ast.walk(tree) for name in _risks(node)}
    assert used == set()


def _risks(node: ast.AST) -> set[str]:
    """Return what of a node could run code that comes as data."""
    if isinstance(node, ast.Import):
        return {one.name.split(".")[0] for one in node.names} & BANNED_IMPORTS
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").split(".")[0]} & BANNED_IMPORTS
    if isinstance(node, ast.Call):
        given = {str(one.arg) for one in node.keywords if not _is_false(one.value)}
        return ({ast.unparse(node.func)} & BANNED_CALLS) | (given & {"shell", "allow_pickle"})
    return set()


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from yaml import load",
        "torch.load(path)",
        "eval(text)",
        "subprocess.run(command, shell=True)",
        "np.load(path, allow_pickle=True)",
    ],
)
def test_each_risk_would_be_seen(line) -> None:
    assert {name for node in ast.walk(ast.parse(line)) for name in _risks(node)}


@pytest.mark.parametrize("line", ["network.eval()", "np.load(path, allow_pickle=False)"])
def test_harmless_lines_pass(line) -> None:
    assert not {name for node in ast.walk(ast.parse(line)) for name in _risks(node)}
