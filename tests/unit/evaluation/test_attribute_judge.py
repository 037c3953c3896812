import numpy as np
import pytest
import torch

from olvdm.attribute_network import ATTRIBUTES
from olvdm.data.moving_shapes import MovingShapes
from olvdm.evaluation.attribute_judge import AttributeJudge, pack_features, unpack_features
from tests.tiny_judges import tiny_attribute_network


def clips(split: str, num_clips: int) -> MovingShapes:
    return MovingShapes("simple", split, num_clips, num_frames=4, height=16, width=16)


@pytest.fixture(scope="module")
def judge() -> AttributeJudge:
    network = tiny_attribute_network()
    return AttributeJudge(network, clips("train", 11), clips("val", 6), torch.device("cpu"))


def features_of(judge: AttributeJudge, split: str, num_clips: int) -> np.ndarray:
    return judge.features([clip.frames for clip in clips(split, num_clips)])


def test_every_training_clip_has_features(judge: AttributeJudge) -> None:
    assert judge.training_features.shape == (11, 6)


def test_distances_are_in_units_of_the_training_clips_spread(judge: AttributeJudge) -> None:
    np.testing.assert_allclose(judge.training_features.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(judge.training_features.std(axis=0), 1, atol=1e-3)


def test_a_copy_of_a_training_clip_is_found(judge: AttributeJudge) -> None:
    copied = judge.features([clips("train", 11)[9].frames])[0]
    assert judge.measure(copied)["nearest_training"] == pytest.approx(0, abs=1e-2)


def test_a_clip_that_no_training_saw_is_farther(judge: AttributeJudge) -> None:
    new = features_of(judge, "test", 1)[0]
    assert judge.measure(new)["nearest_training"] > 0.1


def test_a_set_is_at_no_distance_from_itself(judge: AttributeJudge) -> None:
    real = features_of(judge, "test", 6)
    found = judge.compare_sets(real, real)
    assert found["frechet_distance"]["generated"] == pytest.approx(0, abs=1e-5)
    assert found["diversity"]["generated"] == found["diversity"]["real"]


def test_one_clip_again_and_again_is_not_diverse(judge: AttributeJudge) -> None:
    real = features_of(judge, "test", 6)
    found = judge.compare_sets(real[:1].repeat(6, axis=0), real)
    assert found["diversity"]["generated"] == 0 < found["diversity"]["real"]


@pytest.mark.parametrize("name", ["frechet_distance", "kernel_distance"])
def test_clips_unlike_any_real_one_are_farther_than_other_real_ones(
    judge: AttributeJudge, name: str
) -> None:
    real = features_of(judge, "test", 6)
    found = judge.compare_sets(real + np.float32(3), real)[name]
    assert found["generated"] > found["real"]


def test_the_features_are_named_wherever_they_are_used(judge: AttributeJudge) -> None:
    real = features_of(judge, "test", 6)
    assert judge.compare_sets(real, real)["features"] == "features of the attribute network"


def test_a_network_that_never_learned_may_not_judge(judge: AttributeJudge) -> None:
    found = judge.validate(clips("test", 5), lambda: None)
    assert found["agreement"].keys() == ATTRIBUTES.keys()
    assert found["may_judge"] == {"nearest_training": False, "distances": False}


def test_features_come_back_from_text_bit_for_bit(judge: AttributeJudge) -> None:
    features = features_of(judge, "test", 3)
    assert np.array_equal(unpack_features([pack_features(one) for one in features]), features)
