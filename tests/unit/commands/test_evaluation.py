import json
from pathlib import Path

import pytest

from olvdm.cli import main

QUICK = ["--num-clips", "1", "--num-prompts", "1", "--num-inference-steps", "1"]


@pytest.fixture(scope="module")
def scored(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the output of an evaluation."""
    output = tmp_path_factory.mktemp("scored") / "scores"
    words = ["--checkpoint", str(checkpoint), "--output", str(output), *QUICK]
    assert main(["evaluate", *words]) == 0
    return output


def test_scores_are_written_for_programs_and_for_people(scored) -> None:
    assert {"scores.json", "scores.md"} <= {one.name for one in scored.iterdir()}


def test_settings_reach_the_evaluation(scored) -> None:
    protocol = json.loads((scored / "scores.json").read_text())["protocol"]
    asked = {"level": "simple", "num_clips": 1, "num_prompts": 1, "num_inference_steps": 1}
    assert asked.items() <= protocol.items()


def test_recorded_command_can_be_typed(scored) -> None:
    from olvdm.commands.arguments import parse

    protocol = json.loads((scored / "scores.json").read_text())["protocol"]
    assert parse(protocol["command"].split()[1:]).num_clips == 1


def test_two_evaluations_are_compared(checkpoint, scored, capsys) -> None:
    words = ["--checkpoint", str(checkpoint), "--output", str(scored), *QUICK]
    assert main(["evaluate", *words, "--compare", str(scored)]) == 0
    assert (scored / "comparison.md").read_text().strip() in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (["--level", "hard"], "level must be one of"),
        (["--num-prompts", "0"], "num_prompts must be"),
        (["--guidance-scale", "nan"], "guidance_scale must be"),
        (["--parts", "poetry"], "parts must be some of"),
        (["--checkpoint", "nowhere"], "checkpoint"),
        (["--compare", "nowhere"], "scores.json of 'nowhere' cannot be read"),
    ],
)
def test_illegal_value_is_refused_and_nothing_is_written(
    checkpoint, tmp_path, capsys, changes, reason
) -> None:
    words = ["--checkpoint", str(checkpoint), "--output", str(tmp_path / "scores"), *changes]
    assert main(["evaluate", *words]) == 2
    assert reason in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
