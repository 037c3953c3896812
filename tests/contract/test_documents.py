import ast
import re
import tomllib
from importlib import metadata
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import olvdm
from olvdm import limits
from olvdm.commands.arguments import parse
from tests.contract.project import ROOT, code_blocks, commands, text_of, tracked_files
from tests.contract.tree import BLOCK, tree
from tests.tiny_networks import tiny_pipeline

PAGES = ("README.md", "CONTRIBUTING.md")
PROJECT = tomllib.loads(text_of("pyproject.toml"))
READ = [limits.DECODE_PAYLOAD // (3 * (2 * side) ** 2) for side in (64, 128, 256)]  # at twice that
LIMITS = {
    "prompt": f"{limits.PROMPT_CHARS} characters",
    "frames of a clip that the page or its API draws": f"{limits.NUM_FRAMES}, even",
    "frames of a clip that `olvdm generate` draws": f"{limits.LONG_FRAMES}, even",
    "frames of a clip that the pipeline draws": f"{limits.PIPELINE_FRAMES}",
    "width and height of a generated clip": (
        f"{limits.SIDES[0]} to {limits.SIDES[-1]} pixels, in steps of "
        f"{limits.SIDES[1] - limits.SIDES[0]}"
    ),
    "denoising steps": f"{limits.STEPS}",
    "guidance scale": f"{limits.GUIDANCE}",
    "seed": f"{limits.SEED}",
    "slots in an inspection": f"{limits.NUM_SLOTS}",
    "steps of fitting in an inspection": f"{limits.ADAPT_STEPS}",
    "frames used in an inspection": f"{limits.INSPECT_FRAMES}",
    "frames read of a video to train on, at 64, 128 and 256 pixels": (
        f"{READ[0]:,}, {READ[1]:,} and {READ[2]:,}"
    ),
    "uploaded file": f"{limits.UPLOAD_BYTES:,} bytes",
    "side of an uploaded video": f"{limits.FRAME_SIDE} pixels",
}


def front_matter() -> dict[str, str]:
    block = text_of("README.md").split("---\n")[1]
    return dict(re.findall(r"^(\w+): (.+)$", block, re.MULTILINE))


def test_quoted_limits_are_those_of_the_code() -> None:
    table = text_of("README.md").split("| limit | value |\n|---|---|\n")[1].split("\n\n")[0]
    assert dict(re.findall(r"^\| (.+?) \| (.+?) \|$", table, re.MULTILINE)) == LIMITS


@pytest.mark.parametrize("words", commands("README.md", "olvdm"), ids=" ".join)
def test_command_of_the_readme_can_be_typed(words) -> None:
    assert parse(words[1:]).command == words[1]


def test_readme_shows_every_command() -> None:
    shown = {words[1] for words in commands("README.md", "olvdm")}
    assert shown == {"generate", "inspect", "evaluate", "data", "doctor", "train", "package"}


@pytest.mark.parametrize("page", PAGES)
def test_make_knows_every_target_that_is_named(page) -> None:
    targets = set(re.findall(r"^([\w-]+):", text_of("Makefile"), re.MULTILINE))
    assert {words[1] for words in commands(page, "make")} <= targets


def test_python_of_the_readme_uses_public_names() -> None:
    imported = {
        name.name
        for block in code_blocks("README.md", "python")
        for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.ImportFrom) and node.module == "olvdm"
        for name in node.names
    }
    assert imported
    assert imported <= set(olvdm.__all__)


def test_frames_are_given_as_the_readme_shows() -> None:
    block = next(one for one in code_blocks("README.md", "python") if "given_frames" in one)
    clip = SimpleNamespace(uint8_frames=np.zeros((1, 16, 32, 32, 3), np.uint8))
    names: dict[str, Any] = {"pipe": tiny_pipeline(), "clip": clip}
    exec(block, names)  # noqa: S102 - our own page
    lengths = {name: names[name].uint8_frames.shape[1] for name in ("alive", "longer", "between")}
    assert lengths == {"alive": 16, "longer": 24, "between": 16}


@pytest.mark.parametrize("page", PAGES)
def test_linked_files_exist(page) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", text_of(page))
    expected = {"checkpoints/README.md"} if not (ROOT / "checkpoints" / "olvdm").exists() else set()
    assert {link for link in links if not (ROOT / link).exists()} <= expected


def test_every_folder_is_explained() -> None:
    explained = set(re.findall(r"^\| `([\w/]+/)` \|", text_of("README.md"), re.MULTILINE))
    folders = {
        f"{path.relative_to(ROOT).parts[0]}/"
        for path in tracked_files()
        if len(path.relative_to(ROOT).parts) > 1 and path.relative_to(ROOT).parts[0][0] != "."
    }
    assert folders <= explained
    assert [folder for folder in explained if not (ROOT / folder).is_dir()] == []


def test_tree_is_that_of_the_files() -> None:
    found = BLOCK.search(text_of("CONTRIBUTING.md"))
    assert found is not None
    assert found[2] == tree(), "run `make tree`"


def test_latest_change_is_of_this_version() -> None:
    first = re.search(r"^## (\S+)", text_of("CHANGELOG.md"), re.MULTILINE)
    assert first is not None
    assert first[1] == PROJECT["project"]["version"]


def test_space_runs_the_gradio_that_is_pinned() -> None:
    assert front_matter()["sdk_version"] == metadata.version("gradio")


def test_space_names_its_python_as_a_text() -> None:
    assert re.fullmatch(r'"3\.\d\d"', front_matter()["python_version"])


def test_space_is_complete() -> None:
    wanted = {"title", "emoji", "colorFrom", "colorTo", "sdk", "app_file", "license"}
    assert wanted <= front_matter().keys()
    assert len(front_matter()["short_description"]) <= 60


def test_every_check_is_also_made_before_a_commit() -> None:
    recipe = text_of("Makefile").split("check: .venv/ready\n")[1].split("\n\n")[0]
    tools = set(re.findall(r"\.venv/bin/([\w-]+)", recipe))
    hooks = set(re.findall(r"entry: \.venv/bin/([\w-]+)", text_of(".pre-commit-config.yaml")))
    assert tools == hooks


def test_continuous_integration_can_be_run() -> None:
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
