"""One layer of the denoiser that sees the whole clip: by slots that follow objects, or by time."""

from typing import NamedTuple

import torch
from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor, nn

from olvdm.attention import Attention, PromptAttention, TemporalAttention
from olvdm.embeddings import sinusoids
from olvdm.slot_attention import SlotAttention

NUM_SLOTS = 8  # background, up to six objects, one to spare


class Tracks(NamedTuple):
    """The objects that a `SlotLayer` follows.

    Attributes:
        identities: Which object each slot holds, as a vector.
        attention_masks: Each slot's share of every position, sum 1 over the slots.
    """

    identities: Float[Tensor, "b t k e"]
    attention_masks: Float[Tensor, "b t k h w"]


class SlotLayer(nn.Module):
    """Give each object of a clip a memory: slots of all frames talk to each other and the words.

    In every frame slots compete for the positions, then the slots of all frames read from each
    other and from the prompt, compete once more for the positions that they now expect, and write
    back what they know there. A position so learns of its object wherever that was in other frames,
    where attention along time would look at the same place.

    Args:
        dim: Width of the features, even; slots are half as wide.
        num_heads: Heads of attention between slots; must divide that half.
        prompt_dim: Width of the prompt embeddings.

    Source: OLVDM section 1, "an object-tracking component", in a second reading: Slot Attention
    (Locatello et al. 2020) inside the network that draws. Ours: the layer; slots begin from learned
    vectors, the same ones in every frame, so that a slot is the same one from frame to frame; and a
    quarter of a slot says which object it holds, the rest is free to say where: a loss on the
    slots' correlation reads the former alone.
    """

    def __init__(self, dim: int, num_heads: int, prompt_dim: int) -> None:
        super().__init__()
        slot_dim = dim // 2
        self.initial = nn.Parameter(torch.randn(NUM_SLOTS, slot_dim))
        self.attention = SlotAttention(dim, slot_dim)
        self.norm_clip = nn.LayerNorm(slot_dim)
        self.clip = Attention(slot_dim, num_heads)
        self.norm_prompt = nn.LayerNorm(slot_dim)
        self.prompt = Attention(slot_dim, num_heads, prompt_dim)
        self.think = nn.Sequential(
            nn.LayerNorm(slot_dim),
            nn.Linear(slot_dim, 4 * slot_dim),
            nn.GELU(),
            nn.Linear(4 * slot_dim, slot_dim),
        )
        self.to_features = nn.Sequential(nn.LayerNorm(slot_dim), nn.Linear(slot_dim, dim))
        nn.init.zeros_(self.to_features[1].weight)  # pyright: ignore[reportArgumentType]
        nn.init.zeros_(self.to_features[1].bias)  # pyright: ignore[reportArgumentType]

    def forward(
        self, features: Float[Tensor, "b t h w d"], prompt_embeds: Float[Tensor, "b l e"]
    ) -> tuple[Float[Tensor, "b t h w d"], Tracks]:
        """Return the features plus what the slots know, and the objects that they follow.

        A fresh layer adds nothing.
        """
        batch, num_frames, height, _, _ = features.shape
        positions = rearrange(self.attention.norm_features(features), "b t h w d -> (b t) (h w) d")
        initial = self.initial.to(positions.dtype).expand(len(positions), -1, -1)
        seen, _ = self.attention.compete(initial, positions)
        known = self._relate(rearrange(seen, "(b t) k d -> b t k d", b=batch), prompt_embeds)
        expected = rearrange(known, "b t k d -> (b t) k d")
        slots, masks = self.attention.compete(expected, positions)
        written = self.to_features(slots)
        spread = einsum(masks.to(written.dtype), written, "n k p, n k d -> n p d")
        spread = rearrange(spread, "(b t) (h w) d -> b t h w d", t=num_frames, h=height)
        tracks = Tracks(
            rearrange(slots[..., : slots.shape[-1] // 4], "(b t) k d -> b t k d", b=batch),
            rearrange(masks, "(b t) k (h w) -> b t k h w", b=batch, h=height),
        )
        return features + spread, tracks

    def _relate(
        self, slots: Float[Tensor, "b t k d"], prompt_embeds: Float[Tensor, "b l e"]
    ) -> Float[Tensor, "b t k d"]:
        """Let the slots of all frames read from each other and from the words."""
        _, num_frames, num_slots, dim = slots.shape
        frames = torch.arange(num_frames, device=slots.device).float()
        times = sinusoids(frames, dim, longest=100.0).to(slots.dtype)
        tokens = rearrange(slots + times[:, None], "b t k d -> b (t k) d")
        tokens = tokens + self.clip(self.norm_clip(tokens))
        tokens = tokens + self.prompt(self.norm_prompt(tokens), prompt_embeds)
        tokens = tokens + self.think(tokens)
        return rearrange(tokens, "b (t k) d -> b t k d", k=num_slots)


class TemporalLayer(nn.Module):
    """Relate each position to itself in other frames and to the words: what `SlotLayer` must beat.

    It has the weights of a `SlotLayer` within a tenth, and reads the same.

    Args:
        dim: Width of the features.
        num_heads: Heads of each attention.
        prompt_dim: Width of the prompt embeddings.

    Ours: a control, without slots and with no less to compute.
    """

    def __init__(self, dim: int, num_heads: int, prompt_dim: int) -> None:
        super().__init__()
        self.norm_time = nn.LayerNorm(dim)
        self.time = TemporalAttention(dim, num_heads)
        self.norm_prompt = nn.LayerNorm(dim)
        self.prompt = PromptAttention(dim, num_heads, prompt_dim)

    def forward(
        self, features: Float[Tensor, "b t h w d"], prompt_embeds: Float[Tensor, "b l e"]
    ) -> tuple[Float[Tensor, "b t h w d"], None]:
        """Return the refined features, and that it follows nothing; a fresh layer adds nothing."""
        features = features + self.time(self.norm_time(features))
        return features + self.prompt(self.norm_prompt(features), prompt_embeds), None


CLIP_LAYERS: dict[str, type[SlotLayer | TemporalLayer]] = {
    "slots": SlotLayer,
    "temporal": TemporalLayer,
}
