"""``olvdm package``: three trainings -> one checkpoint that the pipeline loads."""

import argparse
import json
from pathlib import Path
from typing import Any

from olvdm.autoencoder import VideoAutoencoder
from olvdm.checkpoint import SHARED_SETTINGS
from olvdm.commands.training import find_part, load_part
from olvdm.data.moving_shapes import LEVELS, example_prompts
from olvdm.denoiser import VideoDenoiser
from olvdm.diffusers_api import ModelMixin
from olvdm.errors import InputError
from olvdm.manifest import MANIFEST_NAME, verify_folder
from olvdm.pipeline import OLVDMPipeline
from olvdm.slot_decoder import SlotDecoder
from olvdm.slot_encoder import SlotEncoder
from olvdm.text_encoder import TextEncoder
from olvdm.training.state import DTYPES

SCORES_BYTES = 1_048_576


def package(arguments: argparse.Namespace) -> None:
    """Assemble a checkpoint, verify it, and say how large it is.

    Args:
        arguments: What ``olvdm package`` was given.
    """
    trainings = {
        part: Path(getattr(arguments, part)) for part in ("autoencoder", "slots", "denoiser")
    }
    denoiser = load_part(trainings["denoiser"], "denoiser", VideoDenoiser)
    pipeline = OLVDMPipeline(
        autoencoder=load_part(trainings["autoencoder"], "autoencoder", VideoAutoencoder),
        text_encoder=load_part(trainings["denoiser"], "text_encoder", TextEncoder),
        slot_encoder=load_part(trainings["slots"], "slot_encoder", SlotEncoder),
        slot_decoder=load_part(trainings["slots"], "slot_decoder", SlotDecoder),
        denoiser=denoiser,
        scheduler=denoiser.schedule.scheduler(),
    )
    _check_fit(pipeline)
    about = {name: _about(folder, name) for name, folder in trainings.items()}
    level = about["denoiser"].get("config", {}).get("level")
    if level in LEVELS and not about["denoiser"]["config"].get("videos"):
        pipeline.store_prompts(example_prompts(level))
    for name, part in (
        ("autoencoder", "autoencoder"),
        ("slot_encoder", "slots"),
        ("slot_decoder", "slots"),
        ("denoiser", "denoiser"),
        ("text_encoder", "denoiser"),
    ):
        dtype_name = about[part].get("config", {}).get("weights_dtype", "fp32")
        _convert(getattr(pipeline, name), dtype_name)
    told: dict[str, object] = {"data": f"moving shapes, level {level}", "trainings": about}
    if arguments.scores is not None:
        told["scores"] = _scores(Path(arguments.scores))
    output = Path(arguments.output)
    pipeline.save_pretrained(output, about=told)
    manifest = verify_folder(output, "pipeline")
    size = sum(entry["size"] for entry in manifest["files"].values())
    print(f"{output}: {len(manifest['files'])} files, {size / 1e6:.1f} MB, verified")


def _check_fit(pipeline: OLVDMPipeline) -> None:
    """Refuse parts that were not trained on each other, before anything is written."""
    for one, its_setting, other, other_setting in SHARED_SETTINGS:
        needed = getattr(pipeline, one).config[its_setting]
        found = getattr(pipeline, other).config[other_setting]
        if found != needed:
            raise InputError(
                f"the {other} was made for {other_setting} {found}, but the {one} has {needed}; "
                "give parts that were trained on each other"
            )


def _about(folder: Path, part: str) -> dict[str, Any]:
    """Return what the manifest of a training says of it: step, versions, settings."""
    names = {"autoencoder": "autoencoder", "slots": "slot_encoder", "denoiser": "denoiser"}
    place = find_part(folder, names[part])
    assert place is not None  # it was loaded from there
    if not (place.parent / MANIFEST_NAME).is_file():
        return {}
    about = verify_folder(place.parent)["about"]
    return about.get("trainings", {}).get(part, about) if isinstance(about, dict) else {}


def _convert(network: ModelMixin, dtype_name: str) -> None:
    """Give weights the dtype in which they are shipped; buffers keep their own."""
    for weight in network.parameters():
        weight.data = weight.data.to(DTYPES[dtype_name])


def _scores(path: Path) -> object:
    """Read a report of an evaluation."""
    try:
        with path.open("rb") as file:
            return json.loads(file.read(SCORES_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError("the scores cannot be read; give an evaluation's scores.json") from error
