import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from olvdm.evaluation import object_quality as judge
from olvdm.evaluation.object_quality import score_objects


def two_squares(num_frames: int = 1) -> np.ndarray:
    """Two 6x6 objects, one in the left and one in the right half of 32x32 frames."""
    masks = np.zeros((num_frames, 32, 32), dtype=np.uint8)
    masks[:, 13:19, 5:11] = 1
    masks[:, 13:19, 21:27] = 2
    return masks


def left_and_right(num_frames: int = 1) -> np.ndarray:
    return np.broadcast_to((np.arange(32) >= 16).astype(np.int64), (num_frames, 32, 32))


def random_case(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, (3, 9, 8)).astype(np.uint8)
    return truth, np.where(rng.random(truth.shape) < 0.7, truth, rng.integers(0, 5, truth.shape))


@pytest.mark.parametrize("seed", range(5))
def test_ari_equals_scikit_learn(seed: int) -> None:
    truth, labels = random_case(seed)
    expected = adjusted_rand_score(truth.ravel(), labels.ravel())
    assert score_objects(truth, labels).ari == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_foreground_ari_equals_scikit_learn_on_the_foreground(seed: int) -> None:
    truth, labels = random_case(seed)
    expected = adjusted_rand_score(truth[truth > 0], labels[truth > 0])
    assert judge.foreground_ari(truth, labels) == pytest.approx(expected, abs=1e-12)


def test_whole_numbers_do_not_overflow_on_a_long_clip() -> None:
    truth = np.repeat(two_squares(), 3000, axis=0)
    labels = np.repeat(left_and_right(), 3000, axis=0)
    once = score_objects(two_squares(), left_and_right()).ari
    assert score_objects(truth, labels).ari == pytest.approx(once, abs=1e-3)


def test_leakage_into_the_background_is_free_for_foreground_ari() -> None:
    assert judge.foreground_ari(two_squares(), left_and_right()) == 1.0


def test_leakage_into_the_background_costs_full_ari() -> None:
    assert score_objects(two_squares(), left_and_right()).ari == pytest.approx(0.005, abs=0.001)


def test_leakage_into_the_background_costs_overlap() -> None:
    assert judge.foreground_miou(two_squares(), left_and_right()) == pytest.approx(36 / 512)


def test_objects_that_trade_slots_in_mid_clip_lose_foreground_ari() -> None:
    truth = two_squares(8)
    labels = truth.astype(np.int64)
    labels[4:] = np.array([0, 2, 1])[truth[4:]]
    assert judge.foreground_ari(truth, labels) == pytest.approx(0, abs=0.01)


def test_objects_that_trade_slots_switch_once_each() -> None:
    truth = two_squares(8)
    labels = truth.astype(np.int64)
    labels[4:] = np.array([0, 2, 1])[truth[4:]]
    assert judge.identity_switches(truth, labels) == 2


def test_a_slot_that_is_lost_for_one_frame_switches_there_and_back() -> None:
    truth = two_squares(8)
    labels = truth.astype(np.int64)
    labels[3][truth[3] == 1] = 5
    assert judge.identity_switches(truth, labels) == 2


def test_a_hidden_object_that_returns_to_its_slot_does_not_switch() -> None:
    truth = two_squares(8)
    truth[3:5][truth[3:5] == 1] = 0
    assert judge.identity_switches(truth, truth.astype(np.int64)) == 0


def test_a_sliver_of_an_object_does_not_switch() -> None:
    truth = two_squares(4)
    truth[2][truth[2] == 1] = 0
    truth[2, 13, 5:10] = 1
    labels = truth.astype(np.int64)
    labels[2, 13, 5:10] = 7
    assert judge.identity_switches(truth, labels) == 0


def test_the_truth_scores_full_marks() -> None:
    truth = two_squares(3)
    scores = score_objects(truth, truth.astype(np.int64))
    assert scores == judge.ObjectScores(
        ari=1.0,
        foreground_ari=1.0,
        foreground_miou=1.0,
        mean_best_overlap=1.0,
        identity_switches=0,
        num_objects=2,
    )


def test_one_slot_serves_one_object_in_miou() -> None:
    truth = two_squares()
    labels = (truth > 0).astype(np.int64)
    assert judge.foreground_miou(truth, labels) == pytest.approx(0.25)


def test_one_slot_may_serve_two_objects_in_best_overlap() -> None:
    labels = (two_squares() > 0).astype(np.int64)
    assert judge.mean_best_overlap(two_squares(), labels) == pytest.approx(0.5)


def test_a_split_object_gets_the_overlap_of_its_larger_part() -> None:
    truth = two_squares()
    labels = truth.astype(np.int64)
    labels[:, 17:, 5:11][truth[:, 17:, 5:11] == 1] = 3
    assert judge.foreground_miou(truth, labels) == pytest.approx((4 / 6 + 1) / 2)


def test_a_clip_without_objects_has_no_foreground_scores() -> None:
    scores = score_objects(np.zeros((2, 4, 4), np.uint8), np.zeros((2, 4, 4), np.int64))
    assert np.isnan([scores.foreground_ari, scores.foreground_miou]).all()


def test_an_id_that_never_shows_is_no_object() -> None:
    truth = two_squares()
    truth[truth == 1] = 0
    scores = score_objects(truth, truth.astype(np.int64))
    assert (scores.num_objects, scores.foreground_miou) == (1, 1.0)


def test_every_pixel_goes_to_the_slot_that_holds_most_of_it() -> None:
    shares = np.array([[0.2, 0.5], [0.8, 0.5]])[None, :, None]
    assert judge.label_pixels(shares).tolist() == [[[1, 0]]]


def test_kmeans_finds_flat_objects_of_different_colours() -> None:
    truth = two_squares(3)
    colours = np.array([[30, 30, 30], [250, 20, 20], [20, 250, 20]], dtype=np.uint8)
    labels = judge.cluster_pixels(colours[truth], num_clusters=3, position_weight=0.1)
    assert judge.foreground_miou(truth, labels) == 1.0


def test_latents_that_differ_are_parted_and_come_back_at_the_size_of_the_clip() -> None:
    latents = np.zeros((2, 3, 8, 8), np.float32)
    latents[:, :, :, 4:] = 5
    labels = judge.cluster_latents(latents, 2, 32, 32)
    assert adjusted_rand_score(left_and_right(2).ravel(), labels.ravel()) == 1
