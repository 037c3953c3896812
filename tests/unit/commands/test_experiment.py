import re

import pytest

from olvdm.cli import main
from olvdm.commands.arguments import parse
from olvdm.commands.experiment import command_of, result_tables
from tests.example_results import example_results

WORDS = ["experiment", "--suite", "smoke", "--output", "out"]


def test_table_shows_every_row_that_was_scored_and_what_is_missing() -> None:
    lines = result_tables(example_results())
    assert lines[0].startswith("Level simple; change against lvdm")
    rows = [line for line in lines if line.startswith("| ") and "---" not in line]
    assert [row.split(" | ")[0] for row in rows] == [
        "| row",
        "| real clips",
        "| LVDM",
        "| OLVDM (corr)",
    ]
    assert "3.25 (-18.8 %)" in rows[3]
    assert "- missing: gram, seed 1; it would take 42 minutes" in lines


def test_every_row_of_the_table_has_as_many_cells() -> None:
    lines = [line for line in result_tables(example_results()) if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1


def test_command_repeats_the_experiment_and_tells_no_folder_of_the_machine() -> None:
    words = ["--base", "/home/me/base3", "--rows", "corr", "gram", "--set", "batch_size=8"]
    words += ["--latents", "/home/me/latents", "--max-minutes", "9", "--levels", "simple"]
    asked = parse([*WORDS, *words])
    command = command_of(asked)
    assert not re.search("home|base3|latents|minutes", command)
    again = parse(command.split()[1:])
    for name in ("suite", "rows", "changes", "levels", "max_steps"):
        assert getattr(again, name) == getattr(asked, name)
    assert again.base == "BASE"


def test_each_folder_of_the_command_is_named_by_what_it_is_for() -> None:
    folders = ["--autoencoder", "runs/ae", "--slots", "/a/v2", "/b/v2", "runs/s3"]
    command = command_of(parse([*WORDS, "--base", "/x/y", *folders]))
    assert "--base BASE --autoencoder runs/ae --slots SLOTS SLOTS-2 runs/s3" in command


def test_clips_that_no_training_saw_are_scored_too() -> None:
    assert parse(WORDS).levels == ["simple", "ood"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--suite", "smoky"], "suite must be ablation, smoke or a path"),
        (["--rows", "shuffle"], "no row 'shuffle'"),
        (["--base", "no"], "'no' holds no denoiser"),
        (["--set", "bach_size=2"], "nearest is 'batch_size'"),
        (["--levels", "hard"], "level must be one of"),
        (["--num-prompts", "0"], "num_prompts must be a whole number"),
        (["--num-seeds", "0"], "num_seeds must be a whole number"),
        (["--max-minutes", "soon"], "max_minutes must be a number"),
        (["--max-steps", "-1"], "max_steps must be"),
        (["--base-steps", "x"], "base_steps must be a whole number"),
        (["--row", "corr"], "does not know '--row'; the nearest is --rows"),
    ],
)
def test_illegal_value_is_refused_and_nothing_is_written(
    checkpoint, tmp_path, monkeypatch, capsys, words, reason
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*WORDS, "--base", str(checkpoint), *words]) == 2
    assert reason in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
