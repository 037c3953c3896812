import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from olvdm.evaluation.identity_score import score_identity


def clip_of(*tracks: list[int], size: int = 6) -> np.ndarray:
    """Return ids of pixels: track i moves through these columns, a row of its own each."""
    frames = np.zeros((len(tracks[0]), 2 * len(tracks), size), dtype=np.uint8)
    for index, columns in enumerate(tracks):
        for frame, column in enumerate(columns):
            frames[frame, 2 * index, column] = index + 1
    return frames


def correlation_of(vectors: np.ndarray) -> np.ndarray:
    """Return the cosines of ``t k d`` vectors of length 1."""
    return np.einsum("tid,ujd->tuij", vectors, vectors)


TWO = clip_of([0, 1, 2, 3], [5, 4, 3, 2])


def steady() -> np.ndarray:
    """Return vectors of a background and two objects that never change."""
    return np.broadcast_to(np.eye(3), (4, 3, 3)).copy()


def test_objects_that_never_change_are_known_again_and_told_apart() -> None:
    found = score_identity(correlation_of(steady()), TWO.astype(np.int64), TWO)
    assert (found.kept, found.other, found.told_apart) == (1, 0, 1)


def test_slots_that_are_all_alike_tell_nothing_apart() -> None:
    found = score_identity(np.ones((4, 4, 3, 3)), TWO.astype(np.int64), TWO)
    assert (found.kept, found.other, found.told_apart) == (1, 1, 0.5)


def test_a_correlation_that_fades_with_the_way_is_not_kept() -> None:
    vectors = steady()
    angles = np.linspace(0, np.pi / 2, 4)
    vectors[:, 1] = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    one = clip_of([0, 1, 2, 3])
    found = score_identity(correlation_of(vectors), one.astype(np.int64), one)
    assert found.kept < 0.5


def test_slots_without_an_object_do_not_count() -> None:
    labels = TWO.astype(np.int64)
    wanted = score_identity(correlation_of(steady()), labels, TWO)
    noisy = np.concatenate([steady(), np.full((4, 1, 3), 3**-0.5)], axis=1)
    assert score_identity(correlation_of(noisy), labels, TWO) == wanted


def test_a_lone_object_has_nobody_to_be_told_from() -> None:
    one = clip_of([0, 1, 2, 3])
    found = score_identity(correlation_of(steady()), one.astype(np.int64), one)
    assert found.kept == 1
    assert math.isnan(found.other)
    assert math.isnan(found.told_apart)


def test_nothing_found_is_not_a_number() -> None:
    found = score_identity(np.ones((4, 4, 3, 3)), np.zeros(TWO.shape, dtype=np.int64), TWO)
    assert math.isnan(found.kept)


def test_telling_apart_is_the_area_under_the_curve_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(4, 3, 5))
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    correlation = correlation_of(vectors)
    kept = [correlation[t, u, k, k] for k in (1, 2) for t in range(4) for u in range(t + 2, 4)]
    other = [correlation[t, u, 1, 2] for t in range(4) for u in range(4)]
    truth = [1] * len(kept) + [0] * len(other)
    found = score_identity(correlation, TWO.astype(np.int64), TWO)
    assert found.told_apart == pytest.approx(roc_auc_score(truth, kept + other))
