"""Compare slots: how alike they are within and across frames, and which continues which."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

PRESENCE_SHARE = 0.005  # of a frame's pixels; a slot that holds fewer is empty
OWN_INDEX = 1e-6  # likeness; breaks ties, and nothing but ties
FOUND_AGAIN = 0.15  # likeness from which a slot is what its track lost; other objects are near 0


def slot_correlation(identities: Float[Tensor, "b t k d"]) -> Float[Tensor, "b t t k k"]:
    """Return the correlation of the slots of every frame with those of every frame.

    Args:
        identities: Identity vectors of the slots, the running mean removed.

    Returns:
        ``[:, t, u, i, j]`` is the cosine of slot i in frame t and slot j in frame u, in [-1, 1].

    Source: OLVDM section 1, "the correlation between the slots of each frame".
    """
    unit = F.normalize(identities.float(), dim=-1)
    return einsum(unit, unit, "b t i d, b u j d -> b t u i j").clamp(-1, 1)


def slot_constancy(
    correlation: Float[Tensor, "b t t k k"], presence: Bool[Tensor, "b t k"]
) -> Float[Tensor, " b"]:
    """Return how alike the slots of a clip are to themselves over all of its frames.

    Args:
        correlation: Of the slots of every frame with those of every frame.
        presence: Which slots are there.

    Returns:
        Mean over the slots of each one's mean cosine over all pairs of frames that it is in, in
        [-1, 1]; 1 for a clip none of whose slots is in two frames.

    Ours: what stands on the diagonals of the paper's correlation, as one number by which clips of
    the same prompt can be compared. A slot that hides is not blamed for it.
    """
    frames = presence.shape[1]
    apart = ~torch.eye(frames, dtype=torch.bool, device=presence.device)[..., None]
    both = (presence[:, :, None] & presence[:, None] & apart).float()
    own = (correlation.diagonal(dim1=-2, dim2=-1) * both).sum(dim=(1, 2))
    pairs = both.sum(dim=(1, 2))
    counted = pairs > 0
    means = (own / pairs.clamp(min=1)).sum(dim=-1) / counted.sum(dim=-1).clamp(min=1)
    return torch.where(counted.any(dim=-1), means, 1.0)


def slot_presence(
    masks: Float[Tensor, "b t k h w"], share: float = PRESENCE_SHARE
) -> Bool[Tensor, "b t k"]:
    """Return which slots hold more than a share of a frame's pixels; no gradient.

    Args:
        masks: Shares of each pixel over the slots, sum 1.
        share: In [0, 1].

    Returns:
        Whether each slot is there.
    """
    winners = masks.detach().max(dim=2).indices  # six times faster on a CPU than argmax
    won = F.one_hot(rearrange(winners, "b t h w -> b t (h w)"), masks.shape[2])
    return won.float().mean(dim=2) > share


def shuffle_slots(
    identities: Float[Tensor, "b t k d"],
    presence: Bool[Tensor, "b t k"],
    generators: Sequence[torch.Generator],
) -> Float[Tensor, "b t k d"]:
    """Permute the slots that are there, in every frame of every clip on its own.

    A denoiser that is trained on shuffled slots is the control of one that is trained on slots. It
    feels a pull of the same length (the weight follows from the gradients), from the same encoder,
    through the same slots, at the same noise levels; only *which* slot of a frame continues which
    of another is gone. What it gains, smoothing gains; what it does not gain, the correlation does.

    For that to hold, the predicted slots and those of the clean clip must be shuffled by two draws.
    One draw for both would hide nothing from ``anchored``: it compares the correlation of the same
    two places in both clips, and a sum over all places does not change when both are permuted
    alike. Under two draws the wanted correlation of a pair is, on average, that of all pairs of
    its frames: it still says how alike slots are, but no longer which. Slots that are absent stay
    where they are, so that a slot that is there never answers for one that is not.

    Args:
        identities: Identity vectors of the slots.
        presence: Which slots are there; their places keep holding slots that are there.
        generators: One CPU generator a clip.

    Returns:
        The same vectors, those of each frame in an order of its own; gradients flow through.

    Source: method.md section 7, shuffled control. Ours: two draws, and among present slots.
    """
    order = torch.arange(identities.shape[2]).repeat(*presence.shape[:2], 1)
    for clip, generator in enumerate(generators):
        for frame, is_there in enumerate(presence[clip].cpu()):
            places = is_there.nonzero().flatten()
            drawn = torch.randperm(len(places), generator=generator)
            order[clip, frame, places] = places[drawn]
    return identities.gather(2, order.to(identities.device)[..., None].expand_as(identities))


def align_slots(
    correlation: Float[Tensor, "b t t k k"], presence: Bool[Tensor, "b t k"]
) -> Int[Tensor, "b t k"]:
    """Return which slot of each frame continues slot k of frame 0.

    Each frame is matched to the frames before it: a slot is compared with where its track was last
    present, so that an object which hides for some frames is found again. A slot that is unlike all
    that is hidden begins a track of its own, while there is one that nobody has begun. Slots that
    are absent are matched to nothing; an object that comes late begins the track of its slot, where
    that is free.

    Args:
        correlation: Of the slots of every frame with those of every frame.
        presence: Which slots are there.

    Returns:
        Index of the slot in each frame, -1 where it is absent; frame 0 reads 0, 1, ..., k - 1 but
        for absences.

    Source: Kuhn 1955, by scipy. Ours: matching to the last presence, and the likeness without
    which nothing is found again.
    """
    rows = [
        _align_clip(one.cpu().numpy(), there.cpu().numpy())
        for one, there in zip(correlation.float(), presence, strict=True)
    ]
    return torch.from_numpy(np.stack(rows)).to(presence.device)


def _align_clip(
    correlation: Float[np.ndarray, "t t k k"], presence: Bool[np.ndarray, "t k"]
) -> Int[np.ndarray, "t k"]:
    from scipy.optimize import linear_sum_assignment  # heavy, and not needed to make a clip

    num_frames, num_slots = presence.shape
    assignment = np.full((num_frames, num_slots), -1, dtype=np.int64)
    last_frame, last_slot = np.zeros(num_slots, dtype=int), np.arange(num_slots)
    is_started = presence[0].copy()
    assignment[0, is_started] = np.flatnonzero(is_started)
    for frame in range(1, num_frames):
        likeness = correlation[last_frame, frame, last_slot]  # track, slot of this frame
        # tracks that have not begun take what the others leave, the slot of their own index first
        likeness = np.where(is_started[:, None], likeness, -2.0 + OWN_INDEX * np.eye(num_slots))
        likeness[:, ~presence[frame]] = -4.0
        slot_of = np.full(num_slots, -1)
        for track, slot in zip(*linear_sum_assignment(-likeness), strict=True):
            slot_of[track] = slot if presence[frame, slot] else -1
        is_hidden = is_started & (last_frame < frame - 1)
        _begin_anew(slot_of, likeness, is_hidden, is_started)
        is_seen = slot_of >= 0
        assignment[frame] = slot_of
        last_frame[is_seen], last_slot[is_seen] = frame, slot_of[is_seen]
        is_started |= is_seen
    return assignment


def _begin_anew(
    slot_of: Int[np.ndarray, " k"],
    likeness: Float[np.ndarray, "k k"],
    is_hidden: Bool[np.ndarray, " k"],
    is_started: Bool[np.ndarray, " k"],
) -> None:
    """Move slots that hidden tracks took for want of a better one to tracks that nobody has begun.

    Done after the matching and not by its weights, so that no other slot changes its track.
    """
    for track in np.flatnonzero(is_hidden & (slot_of >= 0)):
        slot = slot_of[track]
        free = np.flatnonzero(~is_started & (slot_of < 0))
        if likeness[track, slot] < FOUND_AGAIN and len(free):
            slot_of[slot if slot in free else free[0]] = slot
            slot_of[track] = -1
