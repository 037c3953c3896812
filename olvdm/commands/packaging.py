"""``olvdm package``: three trainings -> one checkpoint that the pipeline loads."""

import argparse
import json
from pathlib import Path

from olvdm.errors import InputError
from olvdm.manifest import verify_folder
from olvdm.training.assembly import PARTS, assemble

SCORES_BYTES = 1_048_576


def package(arguments: argparse.Namespace) -> None:
    """Assemble a checkpoint, verify it, and say how large it is.

    Args:
        arguments: What ``olvdm package`` was given.
    """
    trainings = {part: Path(getattr(arguments, part)) for part in PARTS}
    pipeline, told = assemble(trainings)
    if arguments.scores is not None:
        told["scores"] = _scores(Path(arguments.scores))
    output = Path(arguments.output)
    pipeline.save_pretrained(output, about=told)
    manifest = verify_folder(output, "pipeline")
    size = sum(entry["size"] for entry in manifest["files"].values())
    print(f"{output}: {len(manifest['files'])} files, {size / 1e6:.1f} MB, verified")


def _scores(path: Path) -> object:
    """Read a report of an evaluation."""
    try:
        with path.open("rb") as file:
            return json.loads(file.read(SCORES_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError("the scores cannot be read; give an evaluation's scores.json") from error
