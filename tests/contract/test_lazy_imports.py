import json
import subprocess
import sys

import pytest

from tests.contract.project import ROOT

SCREEN_AND_PLOTS = {"gradio", "matplotlib", "open_clip", "sklearn"}
HEAVY = {*SCREEN_AND_PLOTS, "torch", "numpy", "diffusers", "av", "jaxtyping"}
TELL = "import json, sys; print(json.dumps(sorted(sys.modules)))"


def modules_after(program: str) -> set[str]:
    """Return what a fresh interpreter has imported at the end of a program."""
    command = [sys.executable, "-c", f"{program}\n{TELL}"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return set(json.loads(ended.stdout.splitlines()[-1]))


def test_importing_the_library_costs_nothing() -> None:
    assert not HEAVY & modules_after("import olvdm")


def test_pipeline_brings_no_screen_and_no_plots() -> None:
    assert not SCREEN_AND_PLOTS & modules_after("from olvdm import OLVDMPipeline")


@pytest.mark.parametrize(
    "words", [["--help"], ["generate", "--help"], ["train", "denoiser", "--help"], ["nonsense"]]
)
def test_help_and_refusals_bring_no_torch(words) -> None:
    program = f"""
from olvdm.cli import main
try:
    main({words!r})
except SystemExit:
    pass
"""
    assert not HEAVY & modules_after(program)
