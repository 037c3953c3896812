"""``olvdm train``: settings -> the stage, with the trained parts that it builds on -> the loop."""

import argparse
import logging
import os
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import PartialState

from olvdm.commands.arguments import SETTING
from olvdm.errors import InputError, quoted_name
from olvdm.training.config import DenoiserConfig, TrainingConfig, load_config
from olvdm.training.loop import train
from olvdm.training.parts import build_stage, check_begun
from olvdm.training.state import check_output

NEXT_STEP = {
    "autoencoder": "olvdm train slots --preset NAME --autoencoder {final} --output DIR",
    "slots": "olvdm train denoiser --preset NAME --slots {final} --autoencoder DIR --output DIR",
    "denoiser": "olvdm package --denoiser {final} --autoencoder DIR --slots DIR --output DIR",
    "judge": "olvdm package --judge {final} --slots DIR --output DIR",
}


def train_stage(arguments: argparse.Namespace) -> None:
    """Train one stage to its end, and say what came out and what comes next.

    Args:
        arguments: What ``olvdm train`` was given.
    """
    _start_log()
    output = Path(arguments.output)
    config = load_config(arguments.stage, _preset(arguments, output), _changes(arguments))
    if config.latents is None:
        config = replace(config, latents=str(output.parent / "latents"))  # other trainings' too
    check_output(output, arguments.resume)  # again in the loop, but all clips are encoded before
    if arguments.resume:
        _check_resumed(config, output)
    torch.manual_seed(config.seed)
    stage = build_stage(config)
    if config.init_from is not None and not arguments.resume:
        check_begun(config.init_from, stage)
    scores = train(stage, config, output, arguments.resume)
    if PartialState().is_main_process:
        for name, value in scores.items():
            print(f"{name:24} {value:.6g}")
        _say_what_is_next(arguments.stage, output, is_done=scores["progress"] >= 1)


def _say_what_is_next(stage: str, output: Path, is_done: bool) -> None:
    final = output / "final"
    if is_done:
        print(f"the networks are in {final}; next:")
        print(NEXT_STEP[stage].format(final=final))
    else:
        print(f"stopped before the end; the networks as they are so far are in {final}; to go on:")
        print(f"olvdm train {stage} --resume --output {output}")


def _preset(arguments: argparse.Namespace, output: Path) -> str | Path:
    """Return where the settings come from: a preset, or what is resumed."""
    if arguments.preset is not None:
        return arguments.preset
    if not arguments.resume:
        raise InputError("a new training needs --preset NAME; --resume goes on with an old one")
    if not (output / "config.toml").is_file():
        raise InputError(
            f"the output folder {quoted_name(output)} holds no training to resume; start one with "
            "--preset NAME"
        )
    return output / "config.toml"


def _check_resumed(config: TrainingConfig, output: Path) -> None:
    """Refuse to go on with a network that was taught to predict something else."""
    if not isinstance(config, DenoiserConfig) or not (output / "config.toml").is_file():
        return
    begun = load_config("denoiser", output / "config.toml", {}).prediction_type
    if begun != config.prediction_type:
        raise InputError(
            f"the training to resume predicts {begun}, not {config.prediction_type}; start a new "
            "one in another folder"
        )


def _changes(arguments: argparse.Namespace) -> dict[str, object]:
    """Collect the settings that the command line changes."""
    changes: dict[str, object] = {}
    for text in arguments.changes:
        name, sign, value = text.partition("=")
        if not sign:
            raise InputError(f"--set takes FIELD=VALUE, such as max_steps=2000, got {text[:64]!r}")
        changes[name.strip().replace("-", "_")] = value.strip()
    for name, value in vars(arguments).items():
        if name.startswith(SETTING):
            changes[name.removeprefix(SETTING)] = value
    return changes


def _start_log() -> None:
    """Show what our own code tells; of several processes only the first speaks."""
    is_first = os.environ.get("RANK", "0") == "0"
    logging.basicConfig(format="%(message)s")
    logging.getLogger("olvdm").setLevel(logging.INFO if is_first else logging.ERROR)
