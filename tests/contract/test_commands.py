import argparse

import pytest

from olvdm.commands.arguments import SETTING, build_parser

FROZEN = {
    "generate": {
        "--checkpoint",
        "--dtype",
        "--fps",
        "--from",
        "--given",
        "--guidance-scale",
        "--height",
        "--negative-prompt",
        "--num-frames",
        "--num-inference-steps",
        "--output",
        "--places",
        "--repeat",
        "--seed",
        "--slot-guidance-scale",
        "--width",
    },
    "inspect": {"--adapt-steps", "--checkpoint", "--max-frames", "--num-slots", "--output"},
    "train autoencoder": {"--output", "--preset", "--resume", "--set"},
    "train slots": {"--output", "--preset", "--resume", "--set"},
    "train denoiser": {"--output", "--preset", "--resume", "--set"},
    "package": {"--autoencoder", "--denoiser", "--output", "--scores", "--slots"},
    "evaluate": {
        "--checkpoint",
        "--compare",
        "--guidance-scale",
        "--level",
        "--num-clips",
        "--num-inference-steps",
        "--num-prompts",
        "--output",
        "--parts",
        "--seed",
    },
    "experiment": {
        "--autoencoder",
        "--base",
        "--base-steps",
        "--judges",
        "--latents",
        "--levels",
        "--max-minutes",
        "--max-steps",
        "--num-prompts",
        "--num-seeds",
        "--output",
        "--rows",
        "--set",
        "--slots",
        "--suite",
    },
    "data show": {"--level", "--num-clips", "--output", "--seed", "--split"},
    "data export": {"--level", "--num-clips", "--output", "--seed", "--split"},
    "data scan": {"--height", "--num-frames", "--width"},
    "doctor": set(),
}


def leaves(parser: argparse.ArgumentParser, name: str = "") -> dict[str, argparse.ArgumentParser]:
    """Return the parser of every command that can be run, by its words."""
    found: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, below in action.choices.items():
                found |= leaves(below, f"{name} {word}".strip())
    return found or {name: parser}


def test_no_command_is_lost() -> None:
    assert leaves(build_parser()).keys() >= FROZEN.keys()


@pytest.mark.parametrize("command", FROZEN)
def test_no_option_is_lost(command) -> None:
    parser = leaves(build_parser())[command]
    options = {
        option
        for action in parser._actions
        if not action.dest.startswith(SETTING)
        for option in action.option_strings
    }
    assert options >= FROZEN[command]
