"""Compares slots with true masks: which pixels, which object, and whether it stays that object."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Int64, UInt8
from scipy.optimize import linear_sum_assignment

# Pixels of an object in a frame under which nobody can say which slot holds it.
SMALLEST_PART = 12


@dataclass(frozen=True, kw_only=True)
class ObjectScores:
    """What slots get right about the objects of one clip.

    Attributes:
        ari: Adjusted Rand index over all pixels, background included; 1 is perfect, 0 is chance.
        foreground_ari: The same over the pixels of true objects alone; blind to leakage into the
            background, so never read it without the next one. NaN without objects.
        foreground_miou: Mean over true objects of the overlap with their own slot, one slot each;
            leakage lowers it. NaN without objects.
        mean_best_overlap: Mean over true objects of the best overlap of any slot. NaN without
            objects.
        identity_switches: How often the slot that holds most of an object changes.
        num_objects: True objects that are ever seen; with one, foreground ARI is 1 or nearly 0, so
            such clips are reported apart.

    Source: method.md section 7.
    """

    ari: float
    foreground_ari: float
    foreground_miou: float
    mean_best_overlap: float
    identity_switches: int
    num_objects: int


def score_objects(
    true_masks: UInt8[np.ndarray, "t h w"], labels: Int[np.ndarray, "t h w"]
) -> ObjectScores:
    """Score the slots of one whole clip against the truth.

    Args:
        true_masks: Object id of each pixel, 0 for background, the same id in every frame.
        labels: Slot of each pixel, as ``label_pixels`` gives it.

    Returns:
        All scores, over one table of the whole clip, so that objects which trade slots in mid clip
        count as wrong.

    Source: method.md section 7.
    """
    overlap = contingency(true_masks, labels)
    return ObjectScores(
        ari=_adjusted_rand_index(overlap),
        foreground_ari=foreground_ari(true_masks, labels),
        foreground_miou=foreground_miou(true_masks, labels),
        mean_best_overlap=mean_best_overlap(true_masks, labels),
        identity_switches=identity_switches(true_masks, labels),
        num_objects=int((overlap[1:].sum(axis=1) > 0).sum()),
    )


def label_pixels(alpha_masks: Float[np.ndarray, "t k h w"]) -> Int64[np.ndarray, "t h w"]:
    """Give every pixel to the slot that holds most of it.

    Args:
        alpha_masks: Share of each slot in each pixel.

    Returns:
        Index of the slot, the lower one where two are equal.

    Source: Locatello et al. 2020, appendix E.
    """
    return alpha_masks.argmax(axis=1)


def contingency(
    true_masks: UInt8[np.ndarray, "t h w"], labels: Int[np.ndarray, "t h w"]
) -> Int64[np.ndarray, "n k"]:
    """Count the pixels that each true id shares with each slot, over the whole clip.

    Args:
        true_masks: Object id of each pixel, 0 for background.
        labels: Slot of each pixel, 0 or more.

    Returns:
        Rows are true ids from 0 on, columns slots; ids that never occur have rows of zeros.

    Ours: a count by one key, some ten times faster than the sparse table of scikit-learn.
    """
    num_ids, num_labels = int(true_masks.max()) + 1, int(labels.max()) + 1
    keys = true_masks.astype(np.int64) * num_labels + labels
    counts = np.bincount(keys.ravel(), minlength=num_ids * num_labels)
    return counts.reshape(num_ids, num_labels)


def foreground_ari(
    true_masks: UInt8[np.ndarray, "t h w"], labels: Int[np.ndarray, "t h w"]
) -> float:
    """Compare how slots and truth part the pixels of objects, corrected for chance.

    Args:
        true_masks: Object id of each pixel, 0 for background.
        labels: Slot of each pixel.

    Returns:
        At most 1, about 0 for chance; NaN without objects. Background inside a slot costs nothing.

    Source: Hubert & Arabie 1985, on the foreground as in Kipf et al. 2022.
    """
    foreground = contingency(true_masks, labels)[1:]
    return _adjusted_rand_index(foreground) if foreground.sum() else float("nan")


def foreground_miou(
    true_masks: UInt8[np.ndarray, "t h w"], labels: Int[np.ndarray, "t h w"]
) -> float:
    """Average the overlap of each object with its own slot, one slot for one object.

    Args:
        true_masks: Object id of each pixel, 0 for background.
        labels: Slot of each pixel.

    Returns:
        Between 0 and 1, an object without a slot counting 0; NaN without objects. Slots that
        belong to no object, the background's too, are left out.

    Source: method.md section 7; matching by Kuhn 1955.
    """
    overlap = _intersection_over_union(true_masks, labels)
    if not len(overlap):
        return float("nan")
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    return float(overlap[rows, columns].sum() / len(overlap))


def mean_best_overlap(
    true_masks: UInt8[np.ndarray, "t h w"], labels: Int[np.ndarray, "t h w"]
) -> float:
    """Average the best overlap that any slot has with each object; a slot may serve twice.

    Args:
        true_masks: Object id of each pixel, 0 for background.
        labels: Slot of each pixel.

    Returns:
        Between 0 and 1, never under ``foreground_miou``; NaN without objects.

    Source: Pont-Tuset et al. 2017, over tubes of the whole clip.
    """
    overlap = _intersection_over_union(true_masks, labels)
    return float(overlap.max(axis=1).mean()) if len(overlap) else float("nan")


def identity_switches(
    true_masks: UInt8[np.ndarray, "t h w"], labels: Int[np.ndarray, "t h w"]
) -> int:
    """Count how often an object goes over to another slot.

    Args:
        true_masks: Object id of each pixel, 0 for background.
        labels: Slot of each pixel.

    Returns:
        Changes of the slot that holds most of an object, from each frame in which a dozen of its
        pixels are seen to the next such frame, summed over objects. A return after an occlusion
        counts too, for the slot should have waited.

    Source: method.md section 7: on masks, never on slot cosine.
    """
    num_ids = int(true_masks.max()) + 1
    num_labels = int(labels.max()) + 1
    table = np.zeros((len(labels), num_ids, num_labels), dtype=np.int64)
    for frame, (ids, slots) in enumerate(zip(true_masks, labels, strict=True)):
        counts = contingency(ids[None], slots[None])
        table[frame, : counts.shape[0], : counts.shape[1]] = counts
    switches = 0
    for counts in table.transpose(1, 0, 2)[1:]:
        holders = counts[counts.sum(axis=1) >= SMALLEST_PART].argmax(axis=1)
        switches += int((holders[1:] != holders[:-1]).sum())
    return switches


def cluster_pixels(
    frames: UInt8[np.ndarray, "t h w 3"],
    num_clusters: int,
    position_weight: float = 0.5,
    seed: int = 0,
) -> Int64[np.ndarray, "t h w"]:
    """Part a clip by k-means on colour and position: the baseline that slots must clearly beat.

    Args:
        frames: The clip.
        num_clusters: Clusters, as many as there are slots.
        position_weight: Weight of the place, its sides scaled to [0, 1], against colour in [0, 1].
        seed: Seed of the first centres.

    Returns:
        Cluster of each pixel; one clustering for all frames, so labels persist in time.

    Ours: fitted on a quarter of the pixels, which changes no label that matters.
    """
    from sklearn.cluster import KMeans

    num_frames, height, width, _ = frames.shape
    rows, columns = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j] * position_weight
    places = np.broadcast_to(np.stack([rows, columns], axis=-1), (num_frames, height, width, 2))
    features = np.concatenate([frames / 255, places], axis=-1).astype(np.float32)
    sample = features[:, ::2, ::2].reshape(-1, 5)
    clusters = KMeans(num_clusters, n_init="auto", random_state=seed).fit(sample)
    labels = np.asarray(clusters.predict(features.reshape(-1, 5)))
    return labels.reshape(num_frames, height, width).astype(np.int64)


def cluster_latents(
    latents: Float[np.ndarray, "t c h2 w2"],
    num_clusters: int,
    height: int,
    width: int,
    seed: int = 0,
) -> Int64[np.ndarray, "t h w"]:
    """Part a clip by k-means on its latents: what they tell without any slots.

    Args:
        latents: Standardised latents of every video frame.
        num_clusters: Clusters, as many as there are slots.
        height: Rows of the clip, a multiple of those of the latents.
        width: Columns, likewise.
        seed: Seed of the first centres.

    Returns:
        Cluster of each pixel; one clustering for all frames, so labels persist in time.

    Ours: slots see the same latents, so they must be better than this.
    """
    from sklearn.cluster import KMeans

    num_frames, channels, rows, columns = latents.shape
    features = np.moveaxis(latents, 1, -1).reshape(-1, channels).astype(np.float32)
    labels = KMeans(num_clusters, n_init="auto", random_state=seed).fit_predict(features)
    grid = np.asarray(labels).reshape(num_frames, rows, columns).astype(np.int64)
    return grid.repeat(height // rows, axis=1).repeat(width // columns, axis=2)


def _adjusted_rand_index(counts: Int64[np.ndarray, "n k"]) -> float:
    """Compute the index from counts of pairs, in whole numbers of any size."""
    total = int(counts.sum())
    together = int((counts**2).sum())
    same_id = int((counts.sum(axis=1) ** 2).sum())
    same_slot = int((counts.sum(axis=0) ** 2).sum())
    both, only_id, only_slot = together - total, same_id - together, same_slot - together
    neither = total**2 - total - both - only_id - only_slot
    if only_id == 0 and only_slot == 0:
        return 1.0
    numerator = 2 * (both * neither - only_id * only_slot)
    denominator = (both + only_id) * (only_id + neither) + (both + only_slot) * (
        only_slot + neither
    )
    return numerator / denominator


def _intersection_over_union(
    true_masks: UInt8[np.ndarray, "t h w"], labels: Int[np.ndarray, "t h w"]
) -> Float[np.ndarray, "n k"]:
    """Overlap each object that is ever seen with each slot, over all pixels of the clip."""
    counts = contingency(true_masks, labels)
    union = counts.sum(axis=1, keepdims=True) + counts.sum(axis=0, keepdims=True) - counts
    seen = counts[1:].sum(axis=1) > 0
    return (counts[1:] / np.maximum(union[1:], 1))[seen]
