"""``olvdm train``: settings -> the stage, with the trained parts that it builds on -> the loop."""

import argparse
import logging
import os
import shlex
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

NEXT_COMMANDS = {
    "autoencoder": "olvdm train slots --preset {preset}{clips} --autoencoder {autoencoder}",
    "slots": "olvdm train denoiser --preset {preset}{clips} --autoencoder {autoencoder} "
    "--slots {slots} --slot-loss corr",
    "denoiser": "olvdm package --autoencoder {autoencoder} --slots {slots} --denoiser {denoiser}",
    "judge": "olvdm package --judge {judge} --slots DIR",
}
CLIPS = ("videos", "num_frames", "height", "width")  # settings in which all stages are alike
CHOSEN_FROM = 4  # noises, of which slots choose one: as the OLVDM that ships

log = logging.getLogger(__name__)


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
    _tell_idle_slots(config)
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
        _say_what_is_next(arguments, config, is_done=scores["progress"] >= 1)


def _tell_idle_slots(config: TrainingConfig) -> None:
    """Say so where slots are named and nothing looks at them: whoever names them wants OLVDM."""
    if isinstance(config, DenoiserConfig) and config.slots is not None and not config.needs_slots:
        log.warning("no loss looks at the slots, so this trains LVDM; --slot-loss corr is OLVDM")


def _say_what_is_next(arguments: argparse.Namespace, config: TrainingConfig, is_done: bool) -> None:
    output = Path(arguments.output)
    final = output / "final"
    if is_done:
        print(f"the networks are in {final}; next:")
        print(_next_command(arguments.stage, config, final, arguments.preset or "NAME"))
    else:
        print(f"stopped before the end; the networks as they are so far are in {final}; to go on:")
        print(f"olvdm train {arguments.stage} --resume --output {shlex.quote(str(output))}")


def _next_command(stage: str, config: TrainingConfig, final: Path, preset: str) -> str:
    """Return the command that goes on from a finished stage, on the same clips and parts."""
    parts = {name: getattr(config, name, None) or "DIR" for name in ("autoencoder", "slots")}
    words = {"preset": preset, **parts, stage: str(final)}
    clips = ""
    for name in CLIPS:
        value = getattr(config, name)
        if value != getattr(TrainingConfig, name):
            clips += f" --{name.replace('_', '-')} {shlex.quote(str(value))}"
    quoted = {name: shlex.quote(word) for name, word in words.items()}
    has_slots = getattr(config, "slots", None) is not None
    candidates = f" --num-candidates {CHOSEN_FROM}" if has_slots else ""
    return NEXT_COMMANDS[stage].format(clips=clips, **quoted) + f"{candidates} --output DIR"


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
