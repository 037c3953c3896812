"""Compares sets of clips by features that somebody else computed."""

import numpy as np
from jaxtyping import Float, Float64, Int64
from scipy.spatial.distance import cdist

from olvdm.evaluation.bootstrap import as_number


def frechet_distance(features: Float[np.ndarray, "n d"], others: Float[np.ndarray, "m d"]) -> float:
    """Compare two sets of clips by mean and covariance of their features.

    Args:
        features: One row for each clip of one set; at least two.
        others: The same for the other set.

    Returns:
        Squared distance, 0 for equal statistics. Name it after the features, never "FVD".

    Raises:
        ValueError: If a set has fewer than two clips.

    Source: Dowson & Landau 1982; Heusel et al. 2017.
    """
    if min(len(features), len(others)) < 2:
        raise ValueError(f"need at least 2 clips in a set, got {min(len(features), len(others))}")
    gap = features.mean(axis=0) - others.mean(axis=0)
    first = np.atleast_2d(np.cov(features.astype(np.float64), rowvar=False))
    second = np.atleast_2d(np.cov(others.astype(np.float64), rowvar=False))
    # The trace of the root of a product needs eigenvalues of one symmetric matrix alone.
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0)).sum()
    return float(max(0.0, gap @ gap + np.trace(first) + np.trace(second) - 2 * shared))


def kernel_distance(features: Float[np.ndarray, "n d"], others: Float[np.ndarray, "m d"]) -> float:
    """Compare two sets of clips by a polynomial kernel of their features.

    Args:
        features: One row for each clip of one set; at least two.
        others: The same for the other set.

    Returns:
        Squared distance without bias, so about 0, either side, for two samples of one source.

    Raises:
        ValueError: If a set has fewer than two clips.

    Source: Binkowski et al. 2018, equation 4, kernel (x y / d + 1)^3.
    """
    sizes = len(features), len(others)
    if min(sizes) < 2:
        raise ValueError(f"need at least 2 clips in a set, got {min(sizes)}")

    def kernel(a: Float64[np.ndarray, "a d"], b: Float64[np.ndarray, "b d"]) -> np.ndarray:
        return (a @ b.T / a.shape[1] + 1) ** 3

    first, second = features.astype(np.float64), others.astype(np.float64)
    own = [
        (similar.sum() - np.trace(similar)) / (size * (size - 1))
        for similar, size in zip((kernel(first, first), kernel(second, second)), sizes, strict=True)
    ]
    return float(sum(own) - 2 * kernel(first, second).mean())


DISTANCES = {"frechet_distance": frechet_distance, "kernel_distance": kernel_distance}


def compare_sets(
    drawn: Float[np.ndarray, "n d"],
    real: Float[np.ndarray, "m d"],
    others: Float[np.ndarray, "k d"],
) -> dict[str, dict[str, float | int | None]]:
    """Measure how far drawn clips are from real ones, by both distances.

    Args:
        drawn: Features of the drawn clips, at least two.
        real: Those of the real clips of the same prompts, at least two.
        others: Those of as many other real clips.

    Returns:
        ``frechet_distance`` and ``kernel_distance``, each of the drawn clips under ``generated``,
        and of the other real clips under ``real``: the least that a perfect model could reach.
    """
    return {
        name: {
            "generated": as_number(distance(drawn, real)),
            "real": as_number(distance(others, real)),
        }
        for name, distance in DISTANCES.items()
    }


def diversity(features: Float[np.ndarray, "n d"]) -> float:
    """Measure how different the clips of one set are from each other.

    Args:
        features: One row for each clip; at least two.

    Returns:
        Mean Euclidean distance over all pairs; 0 if all are one clip.

    Raises:
        ValueError: If there are fewer than two clips.

    Ours: shows a model that always makes the same clip, which a distance of means may not.
    """
    if len(features) < 2:
        raise ValueError(f"need at least 2 clips, got {len(features)}")
    return float(_distances(features, features).sum() / (len(features) * (len(features) - 1)))


def nearest_clips(
    features: Float[np.ndarray, "n d"], training_features: Float[np.ndarray, "m d"]
) -> tuple[Int64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Find for each clip the training clip that is most like it, to show copying where it is.

    Args:
        features: One row for each generated clip.
        training_features: One row for each training clip.

    Returns:
        Place of the nearest training clip, and how far it is.

    Ours: method.md section 7, memorisation.
    """
    distances = _distances(features, training_features)
    nearest = distances.argmin(axis=1)
    return nearest, distances[np.arange(len(nearest)), nearest]


def _distances(
    features: Float[np.ndarray, "n d"], others: Float[np.ndarray, "m d"]
) -> Float64[np.ndarray, "n m"]:
    return cdist(features.astype(np.float64), others.astype(np.float64))
