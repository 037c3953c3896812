from dataclasses import asdict, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from olvdm.evaluation import feature_distance, object_quality, video_quality

seeds = st.integers(0, 2**31)
few = settings(max_examples=15, deadline=None)


def make_masks(seed: int, num_ids: int = 4) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, num_ids, (3, 4, 4))
    return coarse.repeat(3, axis=1).repeat(3, axis=2).astype(np.uint8)


def make_labels(seed: int) -> np.ndarray:
    return make_masks(seed + 1, num_ids=5).astype(np.int64)


def make_frames(seed: int, num_frames: int = 4, side: int = 16) -> np.ndarray:
    shape = (num_frames, side, side, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@given(seed=seeds, order=st.permutations(range(5)))
@few
def test_renumbering_the_slots_changes_no_score(seed: int, order: list[int]) -> None:
    truth, labels = make_masks(seed), make_labels(seed)
    scores = object_quality.score_objects(truth, labels)
    renumbered = object_quality.score_objects(truth, np.array(order)[labels])
    # Two slots with equal parts of an object are told apart by their number alone.
    assert_scores_equal(renumbered, replace(scores, identity_switches=renumbered.identity_switches))


@given(seed=seeds, order=st.permutations(range(4)))
@few
def test_renumbering_the_slots_changes_no_identity(seed: int, order: list[int]) -> None:
    truth = make_masks(seed)
    labels = np.array([3, 1, 2, 0])[truth]
    labels[1] = np.array([1, 0, 2, 3])[truth[1]]
    switches = object_quality.identity_switches(truth, labels)
    assert object_quality.identity_switches(truth, np.array(order)[labels]) == switches


def assert_scores_equal(
    first: object_quality.ObjectScores, second: object_quality.ObjectScores
) -> None:
    np.testing.assert_allclose(list(asdict(first).values()), list(asdict(second).values()))


@given(seed=seeds)
@few
def test_the_truth_is_perfect(seed: int) -> None:
    truth = make_masks(seed)
    scores = object_quality.score_objects(truth, truth.astype(np.int64))
    assert (scores.ari, scores.foreground_miou, scores.identity_switches) == (1, 1, 0)


@given(seed=seeds)
@few
def test_no_score_exceeds_the_truth(seed: int) -> None:
    scores = object_quality.score_objects(make_masks(seed), make_labels(seed))
    assert max(scores.ari, scores.foreground_ari, scores.mean_best_overlap) <= 1


@given(seed=seeds)
@few
def test_one_slot_an_object_never_beats_the_best_slot(seed: int) -> None:
    scores = object_quality.score_objects(make_masks(seed), make_labels(seed))
    assert 0 <= scores.foreground_miou <= scores.mean_best_overlap + 1e-12


@given(seed=seeds)
@few
def test_likeness_is_symmetric(seed: int) -> None:
    first, second = make_frames(seed), make_frames(seed + 1)
    assert video_quality.psnr(first, second) == video_quality.psnr(second, first)
    np.testing.assert_allclose(video_quality.ssim(first, second), video_quality.ssim(second, first))


@given(seed=seeds)
@few
def test_a_clip_played_backwards_flickers_as_much(seed: int) -> None:
    frames = make_frames(seed)
    maps = video_quality.difference_map, video_quality.high_frequency_map
    forwards = [one(frames).mean() for one in maps]
    np.testing.assert_allclose(forwards, [one(frames[::-1]).mean() for one in maps], rtol=1e-4)


@given(seed=seeds)
@few
def test_slots_that_share_all_pixels_evenly_share_the_score(seed: int) -> None:
    values = video_quality.difference_map(make_frames(seed))
    masks = np.full((3, 2, 16, 16), 0.5, np.float32)
    shares = video_quality.average_by_slot(values, masks)
    np.testing.assert_allclose(
        shares, np.repeat(values.mean(axis=(1, 2))[:, None], 2, 1), rtol=1e-4
    )


@given(seed=seeds)
@few
def test_shares_of_the_slots_add_up_to_the_whole(seed: int) -> None:
    values = video_quality.high_frequency_map(make_frames(seed))
    masks = np.random.default_rng(seed).random((4, 3, 16, 16)).astype(np.float32)
    masks /= masks.sum(axis=1, keepdims=True)
    weights = masks.mean(axis=(2, 3))
    total = (video_quality.average_by_slot(values, masks) * weights).sum(axis=1)
    np.testing.assert_allclose(total, values.mean(axis=(1, 2)), rtol=1e-3)


@given(seed=seeds)
@few
def test_distances_of_sets_are_symmetric(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(20, 4)), rng.normal(1, 2, size=(15, 4))
    for measure in (feature_distance.frechet_distance, feature_distance.kernel_distance):
        np.testing.assert_allclose(measure(first, second), measure(second, first), rtol=1e-6)


@given(seed=seeds)
@few
def test_turning_all_features_changes_no_distance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(20, 4)), rng.normal(1, 2, size=(15, 4))
    turn, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    for measure in (feature_distance.frechet_distance, feature_distance.kernel_distance):
        np.testing.assert_allclose(
            measure(first, second), measure(first @ turn, second @ turn), rtol=1e-6
        )
