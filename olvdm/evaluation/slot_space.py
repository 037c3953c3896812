"""Draws slots as points on a plane and gathers them into clusters, to see what they stand for."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64


@dataclass(frozen=True, kw_only=True, eq=False)
class SlotMap:
    """Slots of one clip on the plane in which they differ most.

    Attributes:
        points: Place of each slot; NaN where it is absent.
        clusters: Which group of like slots each belongs to, the largest first; -1 where absent.
        explained: Share of all variance that each axis of the plane shows.
    """

    points: Float32[np.ndarray, "t k 2"]
    clusters: Int64[np.ndarray, "t k"]
    explained: Float32[np.ndarray, "2"]


def map_slots(
    slots: Float[np.ndarray, "t k d"],
    presence: Bool[np.ndarray, "t k"] | None = None,
    num_clusters: int | None = None,
    seed: int = 0,
) -> SlotMap:
    """Project the slots of a clip to a plane and cluster them.

    Args:
        slots: The slots of each frame, at least two wide.
        presence: Which of them hold anything; all where it is not given.
        num_clusters: Groups to make; as many as there are slots in a frame where it is not given,
            and never more than there are different slots.
        seed: Seed of the first centres.

    Returns:
        Points, clusters and what the plane shows. The sign of each axis is fixed, so the same slots
        give the same picture.

    Source: Pearson 1901 (principal components); Lloyd 1982 (k-means). Ours: clusters are found in
    all dimensions, not on the plane, so that they can tell apart what the picture cannot.
    """
    is_there = np.ones(slots.shape[:2], dtype=bool) if presence is None else presence
    present = slots[is_there].astype(np.float64)
    points = np.full((*slots.shape[:2], 2), np.nan, np.float32)
    clusters = np.full(slots.shape[:2], -1, np.int64)
    explained = np.zeros(2, np.float32)
    if len(present):
        points[is_there], explained = _project(present)
        wanted = num_clusters or slots.shape[1]
        clusters[is_there] = _cluster(present, min(wanted, len(np.unique(present, axis=0))), seed)
    return SlotMap(points=points, clusters=clusters, explained=explained)


def _project(
    slots: Float[np.ndarray, "n d"],
) -> tuple[Float32[np.ndarray, "n 2"], Float32[np.ndarray, "2"]]:
    from sklearn.decomposition import PCA

    if len(np.unique(slots, axis=0)) == 1:
        return np.zeros((len(slots), 2), np.float32), np.zeros(2, np.float32)
    num_axes = min(2, *slots.shape)
    pca = PCA(num_axes, svd_solver="full").fit(slots)
    places = np.asarray(pca.transform(slots))
    # A principal axis has no sign of its own: let its largest weight be positive.
    axes = np.asarray(pca.components_)
    weights = axes[np.arange(num_axes), np.abs(axes).argmax(axis=1)]
    points, explained = np.zeros((len(slots), 2), np.float32), np.zeros(2, np.float32)
    points[:, :num_axes] = places * np.sign(weights)
    explained[:num_axes] = pca.explained_variance_ratio_
    return points, explained


def _cluster(
    slots: Float[np.ndarray, "n d"], num_clusters: int, seed: int
) -> Int64[np.ndarray, " n"]:
    from sklearn.cluster import KMeans

    labels = np.asarray(KMeans(num_clusters, n_init="auto", random_state=seed).fit_predict(slots))
    # Number the groups by size, so that the background, which is in every frame, comes early.
    order = np.argsort(-np.bincount(labels, minlength=num_clusters), kind="stable")
    return np.argsort(order)[labels].astype(np.int64)
