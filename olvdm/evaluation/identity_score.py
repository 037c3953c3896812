"""Scores what the correlation of slots is for: to know an object again, among others."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

SMALLEST_OVERLAP = 0.5  # of a slot with an object, from which the slot holds it in that frame


@dataclass(frozen=True, kw_only=True)
class IdentityScores:
    """How well slots are known again by their correlation, over one clip.

    Attributes:
        kept: Mean correlation of an object's slot with that of the same object half a clip later or
            more, where it has moved and nothing of it has changed; the nearer to 1, the better. NaN
            where no object is seen that long.
        other: Mean correlation of the slots of two different objects, in any two frames. NaN with
            fewer than two objects.
        told_apart: Chance that the same object is more alike to itself, half a clip later or more,
            than two different objects are: the area under the ROC curve; 0.5 is chance. NaN where
            either of the two is missing.

    Ours: a correlation that fades because an object has moved says nothing of its identity.
    """

    kept: float
    other: float
    told_apart: float


def score_identity(
    correlation: Float[np.ndarray, "t t k k"],
    labels: Int[np.ndarray, "t h w"],
    true_masks: UInt8[np.ndarray, "t h w"],
) -> IdentityScores:
    """Score the correlation of the slots of one clip against the truth.

    Args:
        correlation: Of the slots of every frame with those of every frame.
        labels: Slot of each pixel.
        true_masks: Object id of each pixel, 0 for background, the same id in every frame.

    Returns:
        Scores over all slots that hold an object.
    """
    frames, slots, objects = _holders(labels, true_masks, correlation.shape[2])
    values = correlation[frames[:, None], frames[None], slots[:, None], slots[None]]
    is_later = frames[None] - frames[:, None] >= len(labels) // 2
    is_same = objects[:, None] == objects[None]
    is_once = np.triu(np.ones_like(is_same), 1)
    kept, other = values[is_later & is_same], values[is_once & ~is_same]
    return IdentityScores(kept=_mean(kept), other=_mean(other), told_apart=_told_apart(kept, other))


def _holders(
    labels: Int[np.ndarray, "t h w"], true_masks: UInt8[np.ndarray, "t h w"], num_slots: int
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Return frame, slot and object, wherever a slot holds one."""
    found: list[tuple[int, int, int]] = []
    for object_id in range(1, int(true_masks.max()) + 1):
        is_object: Bool[np.ndarray, "t h w"] = true_masks == object_id
        for slot in range(num_slots):
            is_slot = labels == slot
            union = (is_object | is_slot).sum(axis=(1, 2))
            both = (is_object & is_slot).sum(axis=(1, 2))
            places = np.flatnonzero(both > SMALLEST_OVERLAP * np.maximum(union, 1))
            found += [(int(frame), slot, object_id) for frame in places]
    frames, slots, objects = np.array(found, dtype=np.int64).reshape(-1, 3).T
    return frames, slots, objects


def _mean(values: Float[np.ndarray, " n"]) -> float:
    return float(values.mean()) if len(values) else math.nan


def _told_apart(kept: Float[np.ndarray, " n"], other: Float[np.ndarray, " m"]) -> float:
    """Return the share of pairs in which the first is larger, a tie counting half."""
    if not len(kept) or not len(other):
        return math.nan
    order = np.sort(other)
    below = np.searchsorted(order, kept, "left") + np.searchsorted(order, kept, "right")
    return float(below.mean() / (2 * len(other)))
