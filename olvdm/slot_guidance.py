"""Steer a clip while it is drawn: where a slot of it loses its object, bring it back."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from olvdm.noise_schedule import NoiseSchedule
from olvdm.slot_decoder import SlotDecoder
from olvdm.slot_encoder import SlotEncoder
from olvdm.slot_networks import SlotNetworks

LARGEST_LEVEL = 700.0  # above it a clip is not recognisable, and its slots mean nothing
FLOOR_QUANTILE = 0.25  # of the steadiness of real clips
# That quantile of the shipped slots on 64 real clips of level simple, which they know best;
# `olvdm evaluate` measures it for any others.
DEFAULT_FLOOR = 0.99


@dataclass(frozen=True, eq=False)
class SlotGuidance:
    """Pull the clean latents that a denoiser expects to where their slots keep their objects.

    It needs no training and no gradient of the denoiser, so it works with any checkpoint that has
    slots, that of LVDM included.

    Attributes:
        networks: Find the slots, in fp32.
        scale: Length of a step; 0 leaves everything as it is.
        floor: Steadiness from which a slot is left alone.

    Source: method.md section 4, last paragraph; the gradient is taken with respect to the expected
    latents alone, as in universal guidance (Bansal et al. 2023). Ours: the length of the step.
    """

    networks: SlotNetworks
    scale: float
    floor: float

    def steer(
        self,
        prediction: Float[Tensor, "b c t h w"],
        expected: Float[Tensor, "b c t h w"],
        timesteps: Float[Tensor, "b t"],
        schedule: NoiseSchedule,
    ) -> Float[Tensor, "b c t h w"]:
        """Return a prediction that amounts to steadier clean latents.

        Args:
            prediction: Of the denoiser.
            expected: The clean latents that it amounts to, given frames in their places.
            timesteps: Noise level of every frame; a given one's is 0, and it stays as it is.
            schedule: How prediction and clean latents belong together.

        Returns:
            The prediction; the same tensor where there is nothing to do.
        """
        if self.scale == 0 or expected.shape[2] < 2 or float(timesteps.max()) > LARGEST_LEVEL:
            return prediction
        move = self.step(expected, timesteps, schedule)
        pull = schedule.pull(timesteps)[:, None, :, None, None]
        return prediction - torch.where(pull > 0, move / pull.clamp(min=1e-6), 0.0)

    def step(
        self,
        expected: Float[Tensor, "b c t h w"],
        timesteps: Float[Tensor, "b t"],
        schedule: NoiseSchedule,
    ) -> Float[Tensor, "b c t h w"]:
        """Return by how much the expected latents are moved.

        Its root mean square is ``scale`` times the mean shortfall, which is at most 2: a clip whose
        slots are steady is not touched, and one that falls apart is moved the most. Latents have a
        standard deviation of 1.

        Args:
            expected: Clean latents.
            timesteps: Noise level of every frame; one of 0 is not moved.
            schedule: Says how much of a frame is known at its level.

        Returns:
            The step, zero where no slot falls short.
        """
        signal, _ = schedule.shares(timesteps)
        with torch.inference_mode(False), torch.enable_grad():
            leaf = expected.detach().float().clone().requires_grad_(True)
            shortfall = self._shortfall(leaf, signal.clone())
            (slope,) = torch.autograd.grad(shortfall, leaf)
        slope = slope * (timesteps > 0)[:, None, :, None, None]
        length = slope.square().mean().sqrt()
        if float(length) == 0:
            return torch.zeros_like(expected)
        return -self.scale * shortfall.detach() * slope / length

    def _shortfall(
        self, latents: Float[Tensor, "b c t h w"], signal: Float[Tensor, "b t"]
    ) -> Float[Tensor, ""]:
        """Return how far slots fall below the floor, the mean over all that are there."""
        found, is_there = steadiness(self.networks, latents)
        weights = is_there * (signal[:, 1:] * signal[:, :-1])[..., None]
        return ((self.floor - found).clamp(min=0) * weights).sum() / is_there.sum().clamp(min=1)


def slot_guidance(
    encoder: SlotEncoder, decoder: SlotDecoder, scale: float | int, floor: float | int | None
) -> SlotGuidance | None:
    """Return the guidance of a model, or none where its scale is 0.

    Args:
        encoder: Of the model; a copy in fp32 is made, since bf16 gradients are coarse.
        decoder: Of the model, likewise.
        scale: Length of a step.
        floor: Steadiness from which a slot is left alone; none for `DEFAULT_FLOOR`.

    Returns:
        The guidance.
    """
    if scale == 0:
        return None
    found = DEFAULT_FLOOR if floor is None else float(floor)
    return SlotGuidance(_in_fp32(encoder, decoder), float(scale), found)


def steadiness(
    networks: SlotNetworks, latents: Float[Tensor, "b c t h w"]
) -> tuple[Float[Tensor, "b t2 k"], Bool[Tensor, "b t2 k"]]:
    """Return how alike each slot is to itself one latent frame on, C_kk of method.md section 3.

    Args:
        networks: Find the slots.
        latents: Of clips.

    Returns:
        Cosines in [-1, 1], and whether the slot is there in both frames.
    """
    encoding, is_there = networks(latents)
    identities = networks.encoder.identities(encoding.slots)
    cosines = F.cosine_similarity(identities[:, 1:], identities[:, :-1], dim=-1)
    return cosines, is_there[:, 1:] & is_there[:, :-1]


@torch.no_grad()
def measure_floor(
    encoder: SlotEncoder, decoder: SlotDecoder, clips: Iterable[Float[Tensor, "b c t h w"]]
) -> float:
    """Return the steadiness that three quarters of the slots of real clips reach.

    Args:
        encoder: Finds the slots.
        decoder: Says which of them are there.
        clips: Latents of real clips of at least two latent frames.

    Returns:
        The 25th percentile of C_kk over the slots that are there.

    Source: method.md section 4, last paragraph.
    """
    found: list[Tensor] = []
    exact = _in_fp32(encoder, decoder)
    for latents in clips:
        cosines, is_there = steadiness(exact, latents.float())
        found.append(cosines[is_there])
    return float(torch.cat(found).quantile(FLOOR_QUANTILE))


def _in_fp32(encoder: SlotEncoder, decoder: SlotDecoder) -> SlotNetworks:
    with torch.inference_mode(False):  # what is made in that mode knows no gradients for ever
        return SlotNetworks(copy.deepcopy(encoder).float(), copy.deepcopy(decoder).float())
