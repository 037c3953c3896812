"""Slot Attention: let a few slots compete for the positions of one frame."""

from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor, nn


class SlotAttention(nn.Module):
    """Turn the features of one frame into slots, by rounds of competition and update.

    The projections of keys and values are folded into the slots' side of both products: there are
    a few slots and hundreds of positions, and the result is the same.

    Args:
        feature_dim: Width of the features.
        slot_dim: Width of a slot, the paper's D.

    Source: Locatello et al. 2020, Algorithm 1. Ours: the folded form; and each slot's scores are
    centred over the frame, for else one slot soon wins every position and the others learn nothing.
    """

    def __init__(self, feature_dim: int, slot_dim: int) -> None:
        super().__init__()
        self.norm_features = nn.LayerNorm(feature_dim)
        self.norm_slots = nn.LayerNorm(slot_dim)
        self.to_query = nn.Linear(slot_dim, slot_dim, bias=False)
        self.to_key = nn.Linear(feature_dim, slot_dim, bias=False)
        self.to_value = nn.Linear(feature_dim, slot_dim, bias=False)
        self.update = nn.GRUCell(slot_dim, slot_dim)
        self.refine = nn.Sequential(
            nn.LayerNorm(slot_dim),
            nn.Linear(slot_dim, 2 * slot_dim),
            nn.ReLU(),
            nn.Linear(2 * slot_dim, slot_dim),
        )
        self.scale = slot_dim**-0.5
        for project in (self.to_query, self.to_key, self.to_value):
            # sharp enough that slots differ from the first step on: symmetry is slow to break
            nn.init.orthogonal_(project.weight)

    def forward(
        self,
        features: Float[Tensor, "b n f"],
        slots: Float[Tensor, "b k d"],
        num_iterations: int,
    ) -> tuple[Float[Tensor, "b k d"], Float[Tensor, "b k n"]]:
        """Return slots and attention masks after some rounds.

        Args:
            features: Of the positions of one frame.
            slots: Where the slots begin; permuting them permutes the result.
            num_iterations: Rounds, at least 1.

        Returns:
            The slots, and each slot's share of every position (sum 1 over the slots).
        """
        positions = self.norm_features(features)
        attention_masks = positions.new_zeros(0)
        for _ in range(num_iterations):
            slots, attention_masks = self.compete(slots, positions)
        return slots, attention_masks

    def compete(
        self, slots: Float[Tensor, "b k d"], positions: Float[Tensor, "b n f"]
    ) -> tuple[Float[Tensor, "b k d"], Float[Tensor, "b k n"]]:
        """Run one round: return the updated slots and each slot's share of every position."""
        queries = self.to_query(self.norm_slots(slots)) @ self.to_key.weight
        scores = einsum(queries, positions, "b k f, b n f -> b k n") * self.scale
        scores = scores - scores.mean(dim=2, keepdim=True)  # else one slot can win the whole frame
        attention_masks = scores.float().softmax(dim=1)  # over slots: this makes them compete
        weights = attention_masks / (attention_masks.sum(dim=2, keepdim=True) + 1e-8)
        gathered = einsum(weights.to(positions.dtype), positions, "b k n, b n f -> b k f")
        updates = rearrange(self.to_value(gathered), "b k d -> (b k) d")
        updated = self.update(updates, rearrange(slots, "b k d -> (b k) d").to(updates.dtype))
        updated_slots = rearrange(updated, "(b k) d -> b k d", k=slots.shape[1])
        return updated_slots + self.refine(updated_slots), attention_masks
