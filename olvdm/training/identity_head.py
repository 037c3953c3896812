"""Solve for the directions of a slot that tell objects apart and stay with each of them."""

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from jaxtyping import Bool, Float
from torch import Tensor

from olvdm.alignment import PRESENCE_SHARE
from olvdm.slot_encoder import SlotEncoder

SEPARATION = 9.0  # variance between objects over that of one object, from which a direction counts
RIDGE = 1e-3  # of the mean variance of one object, so that few clips do not invent a direction
MIN_DIRECTIONS = 2  # of fewer, a cosine would be 1 or -1


def solve_identity(
    slots: Float[Tensor, "b t k d"], shares: Float[Tensor, "b t k"], identity_dim: int
) -> tuple[Float[Tensor, "e d"], Float[Tensor, " d"]] | None:
    """Find what objects differ in and what one object keeps over its clip, in closed form.

    A slot knows where its object is as well as what it is. Successive frames cannot part the two,
    since an object hardly moves between them; whole clips can. So the variance of slots is split
    into that of one object over its clip and that between objects, and the directions are kept in
    which the second is large beside the first, each scaled to the same variance between objects.
    Cosines along them stay near 1 while an object stays what it is, wherever it goes, and are 0 on
    average between two objects.

    Args:
        slots: Of many clips, slot k of a clip the same object in each frame.
        shares: Of the pixels of its frame that each slot holds; the slot with the largest share of
            a clip is its background, which is no object.
        identity_dim: Most directions.

    Returns:
        The directions, zero where there are no more, and the middle of all objects; nothing where
        fewer than three objects were seen.

    Source: linear discriminant analysis (Fisher 1936; Rao 1948). Ours: to take it for the identity
    head; a head that learns by contrast of successive frames tells places instead.
    """
    values = rearrange(slots.double(), "b t k d -> (b k) t d")
    there = rearrange(_is_object(shares), "b t k -> (b k) t")
    is_track = there.sum(dim=1) >= 2
    values, weights = values[is_track], there[is_track].double()[..., None]
    if len(values) < 3:
        return None
    means = (values * weights).sum(dim=1) / weights.sum(dim=1)
    offsets = rearrange((values - means[:, None]) * weights, "n t d -> (n t) d")
    within = offsets.T @ offsets / weights.sum()
    within += RIDGE * within.diagonal().mean().clamp(min=1e-12) * torch.eye(len(within))
    between = torch.cov(means.T)
    # directions in which one object has the same variance everywhere, then those of most spread
    whitening = torch.linalg.inv(torch.linalg.cholesky(within))
    spread, axes = torch.linalg.eigh(whitening @ between @ whitening.T)
    spread, axes = spread.flip(0), axes.flip(1)
    count = min(max(int((spread >= SEPARATION).sum()), MIN_DIRECTIONS), identity_dim, len(spread))
    scales = spread[:count].clamp(min=1.0).sqrt()  # 1 is the variance of one object
    directions = axes[:, :count].T @ whitening / scales[:, None]
    directions = F.pad(directions, (0, 0, 0, identity_dim - count))
    return directions.to(slots.dtype), means.mean(dim=0).to(slots.dtype)


@torch.no_grad()
def set_identity(
    encoder: SlotEncoder, slots: Float[Tensor, "b t k d"], shares: Float[Tensor, "b t k"]
) -> None:
    """Give an encoder the identity head that its own slots ask for; its running mean stays.

    Args:
        encoder: Whose slots they are.
        slots: Of many clips.
        shares: Of the pixels of its frame that each slot holds.
    """
    solved = solve_identity(slots, shares, encoder.to_identity.out_features)
    if solved is None:
        return
    directions, middle = solved
    encoder.to_identity.weight.copy_(directions)
    # identities are what the head says less the running mean, so they are 0 in the middle
    mean = encoder.get_buffer("identity_mean").cpu()
    encoder.to_identity.bias.copy_(mean - directions @ middle)


def _is_object(shares: Float[Tensor, "b t k"]) -> Bool[Tensor, "b t k"]:
    """Return which slots hold something that is not the background."""
    background = shares.mean(dim=1).argmax(dim=1)
    places = repeat(torch.arange(shares.shape[2], device=shares.device), "k -> 1 1 k")
    return (shares > PRESENCE_SHARE) & (places != background[:, None, None])
