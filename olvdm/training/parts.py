"""Trained parts: found in trainings and checkpoints, and built into the stage that needs them."""

import logging
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from accelerate import PartialState

from olvdm.attribute_network import AttributeNetwork
from olvdm.autoencoder import VideoAutoencoder
from olvdm.checkpoint import load_network
from olvdm.denoiser import VideoDenoiser
from olvdm.diffusers_api import ModelMixin
from olvdm.errors import CheckpointError, InputError, named, quoted_name
from olvdm.slot_decoder import SlotDecoder
from olvdm.slot_encoder import SlotEncoder
from olvdm.slot_networks import SlotNetworks
from olvdm.text_encoder import TextEncoder, load_named_tower
from olvdm.training.autoencoder import AutoencoderStage
from olvdm.training.config import (
    AutoencoderConfig,
    DenoiserConfig,
    JudgeConfig,
    SlotsConfig,
    TrainingConfig,
)
from olvdm.training.denoiser import DenoiserStage
from olvdm.training.judge import JudgeStage
from olvdm.training.slots import SlotsStage
from olvdm.training.stage import Stage

Network = TypeVar("Network", bound=ModelMixin)

logger = logging.getLogger(__name__)


def build_stage(config: TrainingConfig) -> Stage:
    """Build a stage with the trained parts that its settings name.

    Args:
        config: Settings of any stage.

    Returns:
        The stage, on the CPU but for a frozen autoencoder, which is on the device of the training.
        A part that is needed and not named is an ``InputError``.
    """
    begun = config.init_from
    if isinstance(config, AutoencoderConfig):
        return AutoencoderStage(config, _begun(begun, "autoencoder", VideoAutoencoder))
    if isinstance(config, SlotsConfig):
        return SlotsStage(
            config,
            _frozen_autoencoder(config.autoencoder),
            _begun(begun, "slot_encoder", SlotEncoder),
            _begun(begun, "slot_decoder", SlotDecoder),
        )
    if isinstance(config, JudgeConfig):
        return JudgeStage(config, _begun(begun, "attribute_network", AttributeNetwork))
    assert isinstance(config, DenoiserConfig)
    return DenoiserStage(
        config,
        _frozen_autoencoder(config.autoencoder),
        _text_encoder(config),
        _slot_networks(config),
        _denoiser(config),
    )


def check_begun(folder: str, stage: Stage) -> None:
    """Say which networks a new training goes on with.

    Args:
        folder: Where the weights to begin from lie.
        stage: Built from them.

    Raises:
        CheckpointError: If the folder holds none of the stage's networks.
    """
    found = [name for name in stage.networks() if find_part(folder, name) is not None]
    if not found:
        raise CheckpointError(
            f"the folder {quoted_name(folder)} to begin from holds none of "
            f"{', '.join(stage.networks())}; give a finished training or a checkpoint"
        )
    logger.info("began from %s, whose own sizes stay as they are", ", ".join(found))


def find_part(folder: str | Path, name: str) -> Path | None:
    """Find a network in a training, in its folder ``final``, or in a checkpoint.

    Args:
        folder: Any of the three.
        name: The network's own folder.

    Returns:
        Where it is, or nothing where it is not.
    """
    places = (Path(folder) / name, Path(folder) / "final" / name)
    return next((place for place in places if (place / "config.json").is_file()), None)


def load_part(folder: str | Path, name: str, kind: type[Network]) -> Network:
    """Load a network from a training, from its folder ``final``, or from a checkpoint.

    Args:
        folder: Any of the three.
        name: The network's own folder.
        kind: Its class.

    Returns:
        The network, its weights fp32.

    Raises:
        CheckpointError: If the folder has no such network.
    """
    place = find_part(folder, name)
    if place is None:
        raise CheckpointError(
            f"the folder {quoted_name(folder)} holds no {name}; give a finished training or a "
            "checkpoint"
        )
    with named("folder", folder):
        return load_network(place, kind, torch.float32)


def _begun(folder: str | None, name: str, kind: type[Network]) -> Network | None:
    """Load a network to go on with, settings and all, where there is one."""
    if folder is None or find_part(folder, name) is None:
        return None
    return load_part(folder, name, kind)


def _denoiser(config: DenoiserConfig) -> VideoDenoiser | None:
    """Return the denoiser to go on with, given the layer that the settings name and it lacks."""
    begun = _begun(config.init_from, "denoiser", VideoDenoiser)
    if begun is None or begun.whole_clip is not None or config.clip_layer == "none":
        return begun
    return begun.with_clip_layer(config.clip_layer)


def _text_encoder(config: DenoiserConfig) -> TextEncoder | None:
    """Return the encoder to go on with or the one that is named, if there is either."""
    name, tag = config.text_tower, config.text_pretrained
    if name is None and tag is not None:
        raise InputError("text_pretrained needs text_tower, the name of a model of open_clip")
    begun = _begun(config.init_from, "text_encoder", TextEncoder)
    if begun is None and name is not None:
        return load_named_tower(name, tag, config.prompt_dim)
    if begun and name is not None and (begun.frozen_name, begun.frozen_weights) != (name, tag):
        found = begun.frozen_name or "our own small tower"
        raise InputError(
            f"the denoiser to begin from reads {found!r} and not {name!r} of {tag!r}; leave out "
            "text_tower and text_pretrained, or begin from another one"
        )
    return begun


def _slot_networks(config: DenoiserConfig) -> SlotNetworks | None:
    """Return what a loss looks at clips with, where there is such a loss."""
    if not config.needs_slots:
        return None
    return SlotNetworks(
        _part(config.slots, "slot_encoder", SlotEncoder, "slots"),
        _part(config.slots, "slot_decoder", SlotDecoder, "slots"),
    )


def _part(folder: str | None, name: str, kind: type[Network], option: str = "") -> Network:
    """Load a part that the settings must name."""
    if folder is None:
        option = option or name
        raise InputError(f"this stage needs a trained {name}; give its folder with --{option} DIR")
    return load_part(folder, name, kind)


def _frozen_autoencoder(folder: str | None) -> VideoAutoencoder:
    """Load the autoencoder that encodes the clips, where encoding is fast."""
    autoencoder = _part(folder, "autoencoder", VideoAutoencoder)
    cast("Any", autoencoder).to(PartialState().device)  # diffusers hides its signature from types
    return autoencoder
