"""The slot term of a denoiser: on what it predicts, or on what it knows half way; its control."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from olvdm.alignment import shuffle_slots, slot_presence
from olvdm.denoiser import MidTrunk
from olvdm.losses import slot_loss
from olvdm.slot_networks import SlotNetworks
from olvdm.training.config import DenoiserConfig


def slot_term(
    config: DenoiserConfig,
    slot_networks: SlotNetworks,
    predicted: Float[Tensor, "b c t h w"],
    latents: Float[Tensor, "b c t h w"],
    frame_weights: Float[Tensor, "b t"],
    generators: Sequence[torch.Generator],
) -> Float[Tensor, ""]:
    """Return the loss on the slots of predicted clean latents.

    Args:
        config: Says which loss of the family, and whether slots are shuffled.
        slot_networks: Trained and frozen.
        predicted: Clean latents as the denoiser expects them.
        latents: The clean ones.
        frame_weights: How much each frame counts, >= 0.
        generators: One CPU generator a clip; only a shuffle draws from them.

    Returns:
        A number.

    Source: method.md section 4, denoiser stage.
    """
    slot_encoder = slot_networks.encoder
    slots = slot_encoder(predicted).slots
    with torch.no_grad():
        clean, presence = slot_networks(latents)
    both = [slot_encoder.identities(one) for one in (slots, clean.slots)]
    known, wanted = _as_asked(config, both, presence, generators)
    return slot_loss(config.slot_loss, known, presence, frame_weights, wanted)


def track_term(
    config: DenoiserConfig,
    slot_networks: SlotNetworks | None,
    mid_trunk: MidTrunk,
    latents: Float[Tensor, "b c t h w"],
    generators: Sequence[torch.Generator],
) -> Float[Tensor, ""]:
    """Return the loss on the objects that a denoiser knows half way, at any noise level.

    Args:
        config: Says which loss of the family, and whether slots are shuffled.
        slot_networks: Trained and frozen; a denoiser with slots of its own needs none.
        mid_trunk: What the denoiser knows half way.
        latents: The clean ones.
        generators: One CPU generator a clip; only a shuffle draws from them.

    Returns:
        A number.

    Ours: predicted clean latents show objects only at low noise, after it has been decided what is
    where; what the network knows half way can be held to the clean clip's objects from the first
    step on. Representations of a trained encoder as a target: Yu et al. 2025 (REPA).
    """
    if mid_trunk.tracks is not None:
        tracks = mid_trunk.tracks
        there = slot_presence(tracks.attention_masks)
        return slot_loss(config.track_loss, tracks.identities, there)
    assert slot_networks is not None  # the stage has seen to it
    with torch.no_grad():
        clean, there = slot_networks(latents)
        wanted = slot_networks.encoder.identities(clean.slots)
    features = pool_features(mid_trunk.features, clean.attention_masks, there)
    known, wanted = _as_asked(config, [features, wanted], there, generators)
    return slot_loss(config.track_loss, known, there, reference=wanted)


def pool_features(
    features: Float[Tensor, "b t h2 w2 d"],
    masks: Float[Tensor, "b t k h w"],
    presence: Bool[Tensor, "b t k"],
) -> Float[Tensor, "b t k e"]:
    """Return what features say of each slot, less what they say of all slots.

    Args:
        features: Of a network.
        masks: Each slot's share of every position, at a multiple of the features' resolution.
        presence: Which slots are there.

    Returns:
        Identity vectors, a quarter as wide as the features: that quarter says which object it is,
        and the rest stays free to say where.

    Ours: no weights of its own, so that a denoiser with the loss is the same network as without.
    """
    batch, height, width = len(features), *features.shape[2:4]
    shares = F.adaptive_avg_pool2d(
        rearrange(masks.float(), "b t k h w -> (b t) k h w"), (height, width)
    )
    shares = rearrange(shares, "(b t) k h w -> b t k h w", b=batch)
    which = features[..., : features.shape[-1] // 4].float()
    sums = einsum(shares, which, "b t k h w, b t h w e -> b t k e")
    pooled = sums / shares.sum(dim=(-1, -2))[..., None].clamp(min=1e-6)
    there = presence[..., None].to(pooled.dtype)
    return pooled - (pooled * there).sum(dim=(0, 1, 2)) / there.sum().clamp(min=1)


def _as_asked(
    config: DenoiserConfig,
    identities: Sequence[Float[Tensor, "b t k _"]],
    presence: Bool[Tensor, "b t k"],
    generators: Sequence[torch.Generator],
) -> Sequence[Float[Tensor, "b t k _"]]:
    """Return identities as they are, or shuffled each by a draw of its own for the control."""
    if not config.shuffles_slots:
        return identities
    return [shuffle_slots(one, presence, generators) for one in identities]
