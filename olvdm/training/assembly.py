"""Three trainings -> one model: the parts loaded, checked against each other, ready to be saved."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from olvdm.autoencoder import VideoAutoencoder
from olvdm.checkpoint import SHARED_SETTINGS
from olvdm.data.moving_shapes import LEVELS, example_prompts
from olvdm.denoiser import VideoDenoiser
from olvdm.diffusers_api import ModelMixin
from olvdm.errors import InputError
from olvdm.manifest import MANIFEST_NAME, verify_folder
from olvdm.pipeline import OLVDMPipeline
from olvdm.slot_decoder import SlotDecoder
from olvdm.slot_encoder import SlotEncoder
from olvdm.text_encoder import TextEncoder
from olvdm.training.config import SHAPES
from olvdm.training.parts import find_part, load_part
from olvdm.training.state import DTYPES

PARTS = ("autoencoder", "slots", "denoiser")
FIRST_NETWORKS = {"slots": "slot_encoder", "judge": "attribute_network"}


def assemble(
    trainings: Mapping[str, Path], num_candidates: int = 1
) -> tuple[OLVDMPipeline, dict[str, object]]:
    """Put three trainings together.

    Args:
        trainings: Folder of each of ``PARTS``: a training, its folder ``final``, or a checkpoint.
        num_candidates: Noises that a clip may begin from where nobody says how many.

    Returns:
        The model, its weights in the dtypes in which they are shipped, and what its manifest is to
        say of data and trainings. A part that is missing or damaged is a ``CheckpointError``; parts
        that were not trained on each other are an ``InputError``.
    """
    denoiser = load_part(trainings["denoiser"], "denoiser", VideoDenoiser)
    pipeline = OLVDMPipeline(
        autoencoder=load_part(trainings["autoencoder"], "autoencoder", VideoAutoencoder),
        text_encoder=load_part(trainings["denoiser"], "text_encoder", TextEncoder),
        slot_encoder=load_part(trainings["slots"], "slot_encoder", SlotEncoder),
        slot_decoder=load_part(trainings["slots"], "slot_decoder", SlotDecoder),
        denoiser=denoiser,
        scheduler=denoiser.schedule.scheduler(),
        num_candidates=num_candidates,
    )
    _check_fit(pipeline)
    about = {name: about_training(folder, name) for name, folder in trainings.items()}
    level = about["denoiser"].get("config", {}).get("level")
    data = about["denoiser"].get("data", SHAPES.format(level))  # those of before do not say it
    if level in LEVELS and data == SHAPES.format(level):
        pipeline.store_prompts(example_prompts(level))
    for name, part in (
        ("autoencoder", "autoencoder"),
        ("slot_encoder", "slots"),
        ("slot_decoder", "slots"),
        ("denoiser", "denoiser"),
        ("text_encoder", "denoiser"),
    ):
        dtype_name = about[part].get("config", {}).get("weights_dtype", "fp32")
        convert_weights(getattr(pipeline, name), dtype_name)
    return pipeline, {"data": data, "trainings": about}


def about_training(folder: Path, part: str) -> dict[str, Any]:
    """Return what the manifest of a training says of it: step, versions, settings.

    Args:
        folder: Of a training, or of a checkpoint, which knows its trainings.
        part: One of ``PARTS``, or ``judge``; its networks must be there.

    Returns:
        What is known; nothing where there is no manifest.
    """
    place = find_part(folder, FIRST_NETWORKS.get(part, part))
    assert place is not None  # it was loaded from there
    if not (place.parent / MANIFEST_NAME).is_file():
        return {}
    about = verify_folder(place.parent)["about"]
    return about.get("trainings", {}).get(part, about) if isinstance(about, dict) else {}


def convert_weights(network: ModelMixin, dtype_name: str) -> None:
    """Give weights the dtype in which they are shipped; buffers keep their own."""
    for weight in network.parameters():
        weight.data = weight.data.to(DTYPES[dtype_name])


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
