"""What can be typed after ``olvdm``: commands and their options."""

import argparse
import difflib
import re
from collections.abc import Sequence
from dataclasses import Field, fields
from typing import Any, NoReturn

from olvdm.commands import experiment_arguments
from olvdm.commands.help_texts import (
    DATA_EPILOG,
    DESCRIPTION,
    DOCTOR_EPILOG,
    EPILOG,
    EVALUATE_EPILOG,
    EXAMPLES_EPILOG,
    GENERATE_EPILOG,
    INSPECT_EPILOG,
    PACKAGE_EPILOG,
    REPORT_EPILOG,
    STAGE_EPILOG,
    STAGE_HELP,
    STAGE_PARTS,
    STAGE_VIDEOS,
    TRAIN_EPILOG,
)
from olvdm.errors import InputError
from olvdm.limits import (
    ADAPT_STEPS,
    CANDIDATES,
    GUIDANCE,
    INSPECT_FRAMES,
    LONG_FRAMES,
    NUM_SLOTS,
    SEED,
    SIDES,
    SLOT_GUIDANCE,
    STEPS,
)
from olvdm.training.config import CONFIGS, PRESETS

SETTING = "setting."  # prefix of the parsed options that are settings of a training
CHECKPOINT = "checkpoints/olvdm"
PROMPTS = ("prompt", "negative_prompt")  # may be empty
MESSAGE_CHARS = 240  # of argparse, which repeats what was typed


class Parser(argparse.ArgumentParser):
    """A parser that refuses in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Refuse what was typed.

        Args:
            message: The reason, as argparse words it.

        Raises:
            InputError: Always.
        """
        shown = message if len(message) <= MESSAGE_CHARS else f"{message[:MESSAGE_CHARS]} and so on"
        raise InputError(f"{shown}; {self.prog} --help shows what is possible")

    def options(self) -> list[str]:
        """Return every option of this command."""
        return [name for name in self._option_string_actions if name.startswith("--")]


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read a command line.

    Args:
        argv: The words after ``olvdm``; none for those of this process.

    Returns:
        The command, in ``command``, and its options.

    Raises:
        InputError: If a word or an option is unknown, with the nearest known one, or is empty.
    """
    arguments, unknown = build_parser().parse_known_args(argv)
    if unknown:
        shown = unknown[0].split("=")[0][:64]
        parser: Parser = arguments.parser
        if arguments.command == "generate" and not shown.startswith("-"):
            raise InputError(f"the prompt is one text, but {shown!r} follows it; put it in quotes")
        near = difflib.get_close_matches(shown, parser.options(), n=1, cutoff=0.5)
        remedy = f"the nearest is {near[0]}" if near else f"{parser.prog} --help lists all"
        raise InputError(f"{parser.prog} does not know {shown!r}; {remedy}")
    _refuse_empty(arguments)
    return arguments


def _refuse_empty(arguments: argparse.Namespace) -> None:
    """Refuse words without a letter but for prompts: a path would be that of the own folder."""
    for name, value in vars(arguments).items():
        if name not in PROMPTS and (value == "" or (isinstance(value, list) and "" in value)):
            raise InputError(
                f"{name.removeprefix(SETTING)} is empty; name something, or leave it out"
            )


def build_parser() -> Parser:
    """Return the parser of the whole command line."""
    parser = Parser(
        prog="olvdm",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_generate(commands)
    _add_inspect(commands)
    _add_train(commands)
    _add_package(commands)
    _add_examples(commands)
    _add_evaluate(commands)
    _add_experiment(commands)
    _add_report(commands)
    _add_data(commands)
    _add_command(
        commands, "doctor", "show versions, speed and space of this machine", DOCTOR_EPILOG
    )
    return parser


def number(text: str) -> int | float | str:
    """Read a number, or leave the text for the check that refuses it in its own words.

    Args:
        text: What was typed.

    Returns:
        A whole number, another number, or the text.
    """
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _add_command(commands: Any, name: str, summary: str, epilog: str) -> Parser:  # noqa: ANN401
    parser: Parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,  # a longer option may come, and must not change what is meant
    )
    parser.set_defaults(parser=parser)
    return parser


def _add_number(parser: Parser, option: str, summary: str, default: int | None = None) -> None:
    shown = summary if default is None else f"{summary} (default: {default})"
    parser.add_argument(option, type=number, default=default, metavar="N", help=shown)


def _add_checkpoint(parser: Parser) -> None:
    parser.add_argument(
        "--checkpoint",
        default=CHECKPOINT,
        metavar="DIR",
        help=f"folder of the model (default: {CHECKPOINT})",
    )


def _add_generate(commands: Any) -> None:  # noqa: ANN401
    parser = _add_command(commands, "generate", "draw a clip from a prompt", GENERATE_EPILOG)
    parser.add_argument("prompt", nargs="?", metavar="PROMPT", help="what the clip shows")
    parser.add_argument("--checkpoint", metavar="DIR", help=f"of the model (default: {CHECKPOINT})")
    parser.add_argument("--output", required=True, metavar="CLIP.mp4", help="where to write")
    parser.add_argument("--negative-prompt", metavar="TEXT", help="what it should not show")
    _add_number(parser, "--seed", f"where the noise starts, {SEED}")
    frames = f"even number of frames, {LONG_FRAMES}"
    _add_number(parser, "--num-frames", frames)
    sides = f"{SIDES[0]} to {SIDES[-1]} in steps of {SIDES[1] - SIDES[0]}"
    _add_number(parser, "--height", f"pixels, {sides}; without it that of the training")
    _add_number(parser, "--width", "likewise")
    _add_number(parser, "--num-inference-steps", f"denoising steps, {STEPS}")
    _add_number(parser, "--guidance-scale", f"strength of the prompt, {GUIDANCE}; 1 is as trained")
    _add_slot_options(parser)
    parser.add_argument(
        "--given",
        nargs="+",
        metavar="FILE",
        help="frames that are known: pictures (PNG, WebP, JPEG), or one video to continue",
    )
    parser.add_argument(
        "--places",
        nargs="+",
        type=number,
        metavar="N",
        help="place of each given frame in the clip, from 0; without it the first ones",
    )
    _add_number(parser, "--last", "give the last N frames of a given video alone, to go on from")
    _add_number(parser, "--fps", "frames a second of the file")
    parser.add_argument(
        "--dtype", choices=("bf16", "fp32"), help="of the weights; without it the faster one"
    )
    again = "take all settings from the record of a clip or of a comparison"
    parser.add_argument("--from", "--repeat", dest="repeat", metavar="RECORD.json", help=again)


def _add_slot_options(parser: Parser) -> None:
    summary = (
        f"how far slots that lose their object are brought back, {SLOT_GUIDANCE}; 0 not at all"
    )
    _add_number(parser, "--slot-guidance-scale", summary)
    candidates = (
        f"noises that a clip may begin from, {CANDIDATES}: where slots of the first are unsteady,"
        " the steadiest of those that show the prompt is kept (default: the model's own)"
    )
    _add_number(parser, "--num-candidates", candidates)


def _add_inspect(commands: Any) -> None:  # noqa: ANN401
    parser = _add_command(commands, "inspect", "find the objects of a video", INSPECT_EPILOG)
    parser.add_argument("video", metavar="VIDEO", help="mp4, webm, mkv, avi, gif or apng")
    _add_checkpoint(parser)
    parser.add_argument("--output", required=True, metavar="DIR", help="folder to write into")
    _add_number(parser, "--num-slots", f"slots a frame, {NUM_SLOTS}; without it as trained")
    _add_number(parser, "--adapt-steps", f"steps of fitting the slots to this video, {ADAPT_STEPS}")
    _add_number(parser, "--max-frames", f"frames to use, {INSPECT_FRAMES}")


def _add_train(commands: Any) -> None:  # noqa: ANN401
    parser = _add_command(commands, "train", "train one stage of a model", TRAIN_EPILOG)
    stages = parser.add_subparsers(dest="stage", metavar="STAGE", required=True)
    for stage, summary in STAGE_HELP.items():
        videos = "" if stage == "judge" else STAGE_VIDEOS
        epilog = STAGE_EPILOG.format(stage=stage, parts=STAGE_PARTS[stage], videos=videos)
        _add_stage(_add_command(stages, stage, summary, epilog), stage)


def _add_stage(parser: Parser, stage: str) -> None:
    presets = f"{', '.join(PRESETS)}, or a TOML file with a table [{stage}]"
    parser.add_argument("--preset", metavar="NAME", help=presets)
    parser.add_argument("--output", required=True, metavar="DIR", help="folder of the training")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on from the newest whole state in that folder, by its own settings",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        dest="changes",
        help="change a setting, such as --set max_steps=2000; may be repeated",
    )
    group = parser.add_argument_group("settings, each of which a preset has")
    meanings = _meanings(CONFIGS[stage])
    for declared in fields(CONFIGS[stage]):
        group.add_argument(
            f"--{declared.name.replace('_', '-')}",
            dest=f"{SETTING}{declared.name}",
            default=argparse.SUPPRESS,
            metavar=_metavar(declared),
            help=meanings.get(declared.name, "").replace("%", "%%"),
        )


def _meanings(config: type) -> dict[str, str]:
    """Read what each setting means from the docstrings, the one place where that is written."""
    found: dict[str, str] = {}
    for kind in reversed(config.__mro__):
        attributes = (kind.__doc__ or "").partition("Attributes:\n")[2].partition("\n\n")[0]
        for name, text in re.findall(r"^ {8}(\w+): (.+(?:\n {12}.+)*)", attributes, re.MULTILINE):
            found[name] = " ".join(text.split()).replace("``", "")
    return found


def _metavar(declared: Field[Any]) -> str:
    """Say what kind of value a setting takes."""
    metadata = declared.metadata
    if metadata.get("words"):
        return "|".join(sorted(metadata["words"]))
    if "noun" in metadata:
        return str(metadata["noun"]).upper()
    return {bool: "true|false", int: "N", float: "X", tuple: "N,N", str: "DIR"}[metadata["kind"]]


def _add_package(commands: Any) -> None:  # noqa: ANN401
    summary = "put trained parts together into a checkpoint"
    parser = _add_command(commands, "package", summary, PACKAGE_EPILOG)
    for part, content in (
        ("autoencoder", "the autoencoder"),
        ("slots", "slot encoder and slot decoder"),
        ("denoiser", "denoiser and text encoder"),
        ("judge", "the judge's attribute network"),
    ):
        held = f"training, or its folder 'final', that holds {content}"
        parser.add_argument(f"--{part}", metavar="DIR", help=held)
    parser.add_argument("--output", required=True, metavar="DIR", help="the new checkpoint")
    parser.add_argument(
        "--scores", metavar="SCORES.json", help="scores of an evaluation to keep with it"
    )
    candidates = f"noises that a clip may begin from, {CANDIDATES}; slots choose between them"
    _add_number(parser, "--num-candidates", candidates, 1)


def _add_examples(commands: Any) -> None:  # noqa: ANN401
    summary = "choose comparisons to store with the models"
    parser = _add_command(commands, "examples", summary, EXAMPLES_EPILOG)
    held = "folder that holds lvdm and olvdm (default: checkpoints)"
    parser.add_argument("--checkpoints", default="checkpoints", metavar="DIR", help=held)
    level = "level of the prompts: simple, full or ood (default: simple)"
    parser.add_argument("--level", default="simple", metavar="LEVEL", help=level)
    _add_number(parser, "--num-seeds", "seeds of a prompt", 4)


def _add_evaluate(commands: Any) -> None:  # noqa: ANN401
    summary = "score a model on clips it never saw"
    parser = _add_command(commands, "evaluate", summary, EVALUATE_EPILOG)
    _add_checkpoint(parser)
    parser.add_argument("--output", required=True, metavar="DIR", help="folder to write into")
    parser.add_argument("--level", metavar="LEVEL", help="simple, full or ood (default: simple)")
    _add_number(parser, "--num-clips", "test clips to reconstruct and to segment")
    _add_number(parser, "--num-prompts", "test prompts to draw clips from")
    _add_number(parser, "--seed", "noise of the first prompt; each next one is one more")
    _add_number(parser, "--num-inference-steps", f"denoising steps, {STEPS}")
    _add_number(parser, "--guidance-scale", f"strength of the prompt, {GUIDANCE}")
    _add_slot_options(parser)
    beside = "folder of judges that no model was trained against (default: judge beside the model)"
    parser.add_argument("--judges", metavar="DIR", help=beside)
    _add_number(parser, "--num-training-clips", "training clips among which the nearest is sought")
    parser.add_argument(
        "--parts",
        nargs="+",
        metavar="PART",
        help="some of reconstruction, slots, judge, generation; without it all",
    )
    parser.add_argument(
        "--compare",
        metavar="DIR",
        help="output of another evaluation, to compare with prompt by prompt",
    )


def _add_experiment(commands: Any) -> None:  # noqa: ANN401
    summary, epilog = experiment_arguments.SUMMARY, experiment_arguments.EPILOG
    parser = _add_command(commands, "experiment", summary, epilog)
    experiment_arguments.add_options(parser, number)


def _add_report(commands: Any) -> None:  # noqa: ANN401
    summary = "write the page of results of an experiment"
    parser = _add_command(commands, "report", summary, REPORT_EPILOG)
    parser.add_argument("results", metavar="RESULTS.json", help="what olvdm experiment wrote")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder of the page")


def _add_data(commands: Any) -> None:  # noqa: ANN401
    parser = _add_command(commands, "data", "look at the data of a training", DATA_EPILOG)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary, output in (
        ("show", "draw clips of the synthetic world on one picture", "SHEET.png"),
        ("export", "write clips of the synthetic world as videos with their truth", "DIR"),
    ):
        action = _add_command(actions, name, summary, DATA_EPILOG)
        action.add_argument("--level", default="full", metavar="LEVEL", help="simple, full or ood")
        action.add_argument("--split", default="test", metavar="SPLIT", help="train, val or test")
        _add_number(action, "--num-clips", "how many clips", 8)
        _add_number(action, "--seed", "another seed is another world", 0)
        action.add_argument("--output", required=True, metavar=output, help="where to write")
    scan = _add_command(
        actions, "scan", "say which videos of a folder can be trained on", DATA_EPILOG
    )
    scan.add_argument("folder", metavar="FOLDER", help="your videos, at any depth")
    for option, summary, default in (
        ("--num-frames", "frames of a clip", 16),
        ("--height", "pixels", 64),
        ("--width", "pixels", 64),
    ):
        _add_number(scan, option, summary, default)
