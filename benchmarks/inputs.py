"""What networks are called with: the shipped model, and random latents of its shape."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.settings import Settings
from olvdm.denoiser import VideoDenoiser
from olvdm.pipeline import OLVDMPipeline

DTYPES = (torch.bfloat16, torch.float32)
Shape = tuple[int, int, int, int]  # channels, frames, rows, columns


def load_pipeline(settings: Settings, dtype: torch.dtype | None = None) -> OLVDMPipeline:
    """Return the model that is ours.

    Args:
        settings: Say where it lies.
        dtype: Of the weights; none for the one that it is used in here.

    Returns:
        The pipeline.
    """
    return OLVDMPipeline.from_pretrained(settings.checkpoint, torch_dtype=dtype)


def latent_shape(denoiser: VideoDenoiser) -> Shape:
    """Return channels, frames, rows and columns of the latents that a denoiser was trained on."""
    config = denoiser.config
    names = ("latent_channels", "num_frames", "height", "width")
    channels, num_frames, height, width = (int(config[name]) for name in names)
    return channels, num_frames, height, width


def shape_text(shape: Shape) -> str:
    """Return ``8x8x16x16``."""
    return "x".join(str(side) for side in shape)


def forward_call(
    network: nn.Module, shape: Shape, prompt_embeds: Tensor, batch: int = 1
) -> Callable[[], object]:
    """Return a function that calls a denoiser once, without gradients.

    Args:
        network: Ours, or a peer that is called alike.
        shape: Of the latents.
        prompt_embeds: Of one prompt.
        batch: Clips; guidance takes two.

    Returns:
        The function.
    """
    inputs = denoiser_inputs(network, shape, prompt_embeds, batch)

    @torch.no_grad()
    def call() -> object:
        return network(*inputs)

    return call


def denoiser_inputs(
    network: nn.Module, shape: Shape, prompt_embeds: Tensor, batch: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return random noisy latents, their noise level, and a prompt, in a network's own dtype."""
    dtype = next(network.parameters()).dtype
    latents = torch.randn(batch, *shape, generator=torch.Generator().manual_seed(0))
    timesteps = torch.full((batch, shape[1]), 500.0)
    return latents.to(dtype), timesteps, prompt_embeds.to(dtype).expand(batch, -1, -1)


def count_flops(call: Callable[[], object]) -> float:
    """Return the operations of products, convolutions and attention in one call."""
    with FlopCounterMode(display=False) as counter:
        call()
    return float(counter.get_total_flops())
