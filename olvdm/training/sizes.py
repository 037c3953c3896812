"""Sizes that fit: clips that an autoencoder can divide, fresh networks that memory can hold."""

from typing import TypeVar

import torch

from olvdm.diffusers_api import ModelMixin
from olvdm.errors import InputError
from olvdm.limits import MODEL_PARAMETERS
from olvdm.training.config import TrainingConfig

Network = TypeVar("Network", bound=ModelMixin)


def check_clip_size(config: TrainingConfig, temporal_factor: int, spatial_factor: int) -> None:
    """Refuse clips that an autoencoder cannot divide into latents.

    Args:
        config: Settings of the training.
        temporal_factor: Frames that a latent stands for.
        spatial_factor: Pixels that it stands for, along each side.

    Raises:
        InputError: If a length is not a multiple of its factor.
    """
    for name, factor in (
        ("num_frames", temporal_factor),
        ("height", spatial_factor),
        ("width", spatial_factor),
    ):
        value = getattr(config, name)
        if value % factor:
            raise InputError(f"{name} must be a multiple of {factor}, got {value}")


def fresh_network(kind: type[Network], noun: str, sizes: str, **settings: object) -> Network:
    """Build a network with random weights, once it is known how many these are.

    Args:
        kind: Its class.
        noun: What a message calls it.
        sizes: The settings of the training that make it large or small.
        **settings: What the class is called with.

    Returns:
        The network, on the CPU.

    Raises:
        InputError: If the settings do not fit together, or describe a network that is too large.

    Ours: counted on the device ``meta``, which takes no memory and draws no random number.
    """
    try:
        with torch.device("meta"):
            counted = kind(**settings)
    except ValueError as error:
        raise InputError(f"the {noun}'s settings do not fit together: {error}") from error
    size = sum(weight.numel() for weight in counted.parameters())
    if size > MODEL_PARAMETERS:
        raise InputError(
            f"the {noun} would have {size:,} weights, at most {MODEL_PARAMETERS:,} are allowed; "
            f"lower {sizes}"
        )
    return kind(**settings)
