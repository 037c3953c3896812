import math

import numpy as np
import pytest

from olvdm.data.moving_shapes import MovingShapes
from olvdm.evaluation.slot_judge import (
    NEEDED,
    SlotJudge,
    matched_cosine,
    overlap_switches,
    validate_slot_judge,
)
from tests.tiny_networks import tiny_pipeline, tiny_slot_decoder, tiny_slot_encoder

MEASURES = {"slot_consistency", "slot_switches", "slot_flicker"}


def correlation_of(identities: np.ndarray) -> np.ndarray:
    """Cosines of all slots of all frames, from unit vectors ``t k d``."""
    return np.einsum("tid,ujd->tuij", identities, identities)


def steady(num_frames: int = 4, num_slots: int = 2) -> np.ndarray:
    return np.broadcast_to(np.eye(num_slots), (num_frames, num_slots, num_slots)).copy()


def everywhere(num_frames: int = 4, num_slots: int = 2) -> np.ndarray:
    return np.ones((num_frames, num_slots), dtype=bool)


def halves(*owners: tuple[int, int]) -> np.ndarray:
    """Frames whose left and right squares belong to the named slots, on slot 0."""
    labels = np.zeros((len(owners), 16, 16), dtype=np.int64)
    for frame, (left, right) in enumerate(owners):
        labels[frame, 4:12, 1:7], labels[frame, 4:12, 9:15] = left, right
    return labels


@pytest.fixture(scope="module")
def judge() -> SlotJudge:
    return SlotJudge(tiny_pipeline(), tiny_slot_encoder(1), tiny_slot_decoder(1))


def test_slots_that_stay_themselves_agree_fully() -> None:
    assert matched_cosine(correlation_of(steady()), everywhere()) == pytest.approx(1)


def test_slots_that_trade_places_agree_as_well() -> None:
    identities = steady()
    identities[2] = identities[2, ::-1]
    assert matched_cosine(correlation_of(identities), everywhere()) == pytest.approx(1)


def test_an_object_that_becomes_another_lowers_the_agreement() -> None:
    identities = np.broadcast_to(np.eye(3)[:2], (4, 2, 3)).copy()
    identities[2:, 1] = np.eye(3)[2]
    found = matched_cosine(correlation_of(identities), everywhere())
    assert found == pytest.approx((1 + 0.5 + 1) / 3)


def test_an_object_that_is_suddenly_gone_lowers_the_agreement() -> None:
    is_object = everywhere()
    is_object[2:, 1] = False
    assert matched_cosine(correlation_of(steady()), is_object) == pytest.approx((1 + 0.5 + 1) / 3)


def test_agreement_of_nothing_is_not_known() -> None:
    assert math.isnan(matched_cosine(correlation_of(steady()), ~everywhere()))


@pytest.mark.parametrize(
    ("owners", "wanted"),
    [
        ([(1, 2), (1, 2), (1, 2)], 0),
        ([(1, 2), (2, 1), (2, 1)], 2),
        ([(1, 2), (1, 3), (1, 2)], 2),
        ([(1, 2), (1, 0), (1, 0)], 0),  # one that is gone has not switched
    ],
)
def test_switches_are_counted_by_place(owners: list[tuple[int, int]], wanted: int) -> None:
    labels = halves(*owners)
    is_object = np.array([[slot > 0 and slot in one for slot in range(4)] for one in owners])
    assert overlap_switches(labels, is_object) == wanted


def test_a_thing_that_jumps_far_is_not_followed() -> None:
    is_object = np.array([[False, True, False], [False, False, True]])
    assert overlap_switches(halves((1, 0), (0, 2)), is_object) == 0


def test_every_clip_gets_every_measure(judge: SlotJudge) -> None:
    frames = MovingShapes("simple", "test", 1, num_frames=4, height=16, width=16)[0].frames
    assert judge.measure(frames).keys() == MEASURES


def test_a_clip_is_judged_the_same_every_time(judge: SlotJudge) -> None:
    frames = MovingShapes("simple", "test", 1, num_frames=4, height=16, width=16)[0].frames
    np.testing.assert_equal(judge.measure(frames), judge.measure(frames))


def test_slots_that_never_learned_may_not_judge(judge: SlotJudge) -> None:
    clips = MovingShapes("simple", "test", 3, num_frames=4, height=16, width=16)
    done: list[int] = []
    found = validate_slot_judge(judge, clips, lambda: done.append(1))
    assert found["agreement"]["foreground_miou"]["mean"] < NEEDED["foreground_miou"]
    assert found["may_judge"] == dict.fromkeys(MEASURES, False)
    assert len(done) == found["num_clips"] == 3
