"""``olvdm package``: trainings -> one checkpoint that the pipeline loads, or the judges of it."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from olvdm.attribute_network import AttributeNetwork
from olvdm.commands.record import finite
from olvdm.diffusers_api import ModelMixin
from olvdm.errors import InputError, quoted_name
from olvdm.limits import CANDIDATES
from olvdm.manifest import verify_folder, write_folder
from olvdm.request import check_whole
from olvdm.slot_decoder import SlotDecoder
from olvdm.slot_encoder import SlotEncoder
from olvdm.training.assembly import PARTS, about_training, assemble, convert_weights
from olvdm.training.parts import load_part

SCORES_BYTES = 1_048_576
# Weights of the losses that ask slots to stay alike; whoever judges that was never asked to.
CONSISTENCY_WEIGHTS = ("consistency_weight", "appearance_weight")


def package(arguments: argparse.Namespace) -> None:
    """Assemble a checkpoint or the judges, verify the folder, and say how large it is.

    Args:
        arguments: What ``olvdm package`` was given.

    Raises:
        InputError: If a part is not named.
    """
    if arguments.judge is not None:
        _package_judges(arguments)
        return
    for part in PARTS:
        if getattr(arguments, part) is None:
            raise InputError(f"a checkpoint needs --{part} DIR; olvdm package --help has examples")
    trainings = {part: Path(getattr(arguments, part)) for part in PARTS}
    count = check_whole("num_candidates", arguments.num_candidates, CANDIDATES)
    pipeline, told = assemble(trainings, count)
    if arguments.scores is not None:
        told["scores"] = _scores(Path(arguments.scores))
    output = Path(arguments.output)
    pipeline.save_pretrained(output, about=told)
    _tell_size(output, "pipeline")


def _package_judges(arguments: argparse.Namespace) -> None:
    """Put the attribute network and, where they are given, independent slots into one folder."""
    for part in ("autoencoder", "denoiser"):
        if getattr(arguments, part) is not None:
            raise InputError(f"judges have no {part}; leave out --judge or --{part}")
    folder = Path(arguments.judge)
    networks: dict[str, ModelMixin] = {
        "attribute_network": load_part(folder, "attribute_network", AttributeNetwork)
    }
    about = {"judge": about_training(folder, "judge")}
    if arguments.slots is not None:
        slots = Path(arguments.slots)
        networks["slot_encoder"] = load_part(slots, "slot_encoder", SlotEncoder)
        networks["slot_decoder"] = load_part(slots, "slot_decoder", SlotDecoder)
        about["slots"] = about_training(slots, "slots")
        _check_independent(about["slots"])
    output = Path(arguments.output)
    with write_folder(output, "judge", {"trainings": about}) as partial:
        for name, network in networks.items():
            settings = about["judge" if name == "attribute_network" else "slots"].get("config", {})
            convert_weights(network, settings.get("weights_dtype", "fp32"))
            network.save_pretrained(partial / name)
    _tell_size(output, "judge")


def _check_independent(about: Mapping[str, Any]) -> None:
    """Refuse slots as a judge of consistency that were trained to be consistent."""
    settings = about.get("config", {})
    for name in CONSISTENCY_WEIGHTS:
        if settings.get(name) != 0:
            raise InputError(
                f"slots that judge must be trained with {name} 0, these have "
                f"{settings.get(name, 'no record of it')}; train others"
            )


def _tell_size(output: Path, kind: str) -> None:
    manifest = verify_folder(output, kind)
    size = sum(entry["size"] for entry in manifest["files"].values())
    print(f"{output}: {len(manifest['files'])} files, {size / 1e6:.1f} MB, verified")


def _scores(path: Path) -> Mapping[str, object]:
    """Read a report of an evaluation."""
    try:
        with path.open("rb") as file:
            scores = json.loads(file.read(SCORES_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError("the scores cannot be read; give an evaluation's scores.json") from error
    if not isinstance(scores, dict) or finite(scores) != scores:
        raise InputError(
            f"the scores in {quoted_name(path)} must be a JSON object with finite numbers; give an "
            "evaluation's scores.json"
        )
    return scores
