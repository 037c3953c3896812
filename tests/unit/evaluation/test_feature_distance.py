import numpy as np
import pytest
from scipy.linalg import sqrtm

from olvdm.evaluation import feature_distance as distance


def features(seed: int, num_clips: int = 200, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1, (num_clips, 6))


def pair_kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.array([[(sum(a * b) / 6 + 1) ** 3 for b in second] for a in first])


def test_frechet_distance_equals_the_formula() -> None:
    first, second = features(0), features(1) @ np.diag([1, 2, 1, 0.5, 1, 3]) + 0.3
    a, b = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    gap = first.mean(0) - second.mean(0)
    expected = gap @ gap + np.trace(a + b - 2 * np.real(np.asarray(sqrtm(a @ b))))
    assert distance.frechet_distance(first, second) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_of_equal_sets_is_zero() -> None:
    assert distance.frechet_distance(features(0), features(0)) == pytest.approx(0, abs=1e-6)


def test_kernel_distance_equals_a_sum_over_pairs() -> None:
    first, second = features(0, 5), features(1, 4)
    own = pair_kernel(first, first)[~np.eye(5, dtype=bool)].mean()
    their = pair_kernel(second, second)[~np.eye(4, dtype=bool)].mean()
    expected = own + their - 2 * pair_kernel(first, second).mean()
    assert distance.kernel_distance(first, second) == pytest.approx(expected)


def test_kernel_distance_of_one_source_is_about_zero() -> None:
    assert distance.kernel_distance(features(0), features(1)) == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize("measure", [distance.frechet_distance, distance.kernel_distance])
def test_another_source_is_farther_away(measure) -> None:
    assert measure(features(0), features(1, shift=1)) > measure(features(0), features(1)) + 0.5


def test_copies_of_one_clip_are_not_diverse() -> None:
    assert distance.diversity(np.ones((5, 3))) == 0


def test_diversity_is_the_mean_distance_of_pairs() -> None:
    assert distance.diversity(np.array([[0.0], [1.0], [3.0]])) == pytest.approx((1 + 3 + 2) / 3)


def test_a_copied_training_clip_is_found() -> None:
    training = features(0)
    places, distances = distance.nearest_clips(training[[7, 3]], training)
    assert (places.tolist(), distances.tolist()) == ([7, 3], [0, 0])


@pytest.mark.parametrize("measure", [distance.frechet_distance, distance.kernel_distance])
def test_one_clip_is_no_set(measure) -> None:
    with pytest.raises(ValueError, match="got 1"):
        measure(features(0, 1), features(1))


def test_one_clip_is_not_diverse_nor_alike() -> None:
    with pytest.raises(ValueError, match="got 1"):
        distance.diversity(features(0, 1))
