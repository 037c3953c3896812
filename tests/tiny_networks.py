"""The real networks at the smallest size that keeps every path alive."""

from typing import TypeVar

import torch
from torch import nn

from olvdm.autoencoder import VideoAutoencoder
from olvdm.denoiser import VideoDenoiser
from olvdm.noise_schedule import SCHEDULES
from olvdm.pipeline import OLVDMPipeline
from olvdm.slot_decoder import SlotDecoder
from olvdm.slot_encoder import SlotEncoder
from olvdm.text_encoder import TextEncoder

PROMPTS = ("a red circle moves right", "a blue square moves left")
CHANNELS, SLOT_DIM, PROMPT_DIM = 4, 16, 12

Network = TypeVar("Network", bound=nn.Module)


def shaken(network: Network, seed: int = 0, scale: float = 0.1) -> Network:
    """Add noise to every weight: fresh networks begin with zeros that hide what lies behind."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(scale * torch.randn(weight.shape, generator=generator))
    return network.eval()


def seeded(seed: int) -> None:
    """Decide what the next fresh network looks like."""
    torch.manual_seed(seed)


def tiny_autoencoder(seed: int = 0) -> VideoAutoencoder:
    seeded(seed)
    autoencoder = VideoAutoencoder(
        latent_channels=CHANNELS,
        widths=(8, 12),
        num_blocks=1,
        latents_mean=[0.1, -0.2, 0.3, 0.0],
        latents_std=[0.5, 1.5, 1.0, 2.0],
    )
    return shaken(autoencoder, seed)


def tiny_slot_encoder(seed: int = 0) -> SlotEncoder:
    seeded(seed)
    encoder = SlotEncoder(
        latent_channels=CHANNELS,
        feature_dim=12,
        slot_dim=SLOT_DIM,
        num_slots=4,
        num_iterations=2,
        num_later_iterations=1,
        identity_dim=8,
    )
    return shaken(encoder, seed)


def tiny_slot_decoder(seed: int = 0) -> SlotDecoder:
    seeded(seed)
    return shaken(SlotDecoder(latent_channels=CHANNELS, slot_dim=SLOT_DIM, hidden_dim=8), seed)


def tiny_denoiser(seed: int = 0, *, num_frames: int = 4) -> VideoDenoiser:
    seeded(seed)
    denoiser = VideoDenoiser(
        latent_channels=CHANNELS,
        local_dim=8,
        dim=16,
        num_local_blocks=1,
        num_blocks=2,
        num_heads=2,
        prompt_dim=PROMPT_DIM,
        attention_blocks=(1,),
        num_frames=num_frames,
        height=8,
        width=8,
    )
    return shaken(denoiser, seed)


def tiny_text_encoder(seed: int = 0) -> TextEncoder:
    seeded(seed)
    encoder = TextEncoder(
        vocabulary=TextEncoder.vocabulary_of(PROMPTS),
        width=16,
        layers=1,
        heads=2,
        context_length=12,
        output_dim=PROMPT_DIM,
    )
    return encoder.eval()


def tiny_pipeline(seed: int = 0) -> OLVDMPipeline:
    """Return a model of a few thousand numbers: 32x32 clips, 4 latent frames at once."""
    return OLVDMPipeline(
        autoencoder=tiny_autoencoder(seed),
        text_encoder=tiny_text_encoder(seed),
        slot_encoder=tiny_slot_encoder(seed),
        slot_decoder=tiny_slot_decoder(seed),
        denoiser=tiny_denoiser(seed),
        scheduler=SCHEDULES["flow_prediction"].scheduler(),
    )
