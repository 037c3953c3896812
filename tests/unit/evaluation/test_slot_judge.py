import math

import numpy as np
import pytest

from olvdm.data.moving_shapes import MovingShapes
from olvdm.evaluation.slot_judge import (
    NEEDED,
    SeenObjects,
    SlotJudge,
    matched_cosine,
    told_switches,
    tracked_ids,
    validate_slot_judge,
)
from olvdm.evaluation.tracker import track
from tests.tiny_networks import tiny_pipeline, tiny_slot_decoder, tiny_slot_encoder

MEASURES = {"slot_consistency", "slot_switches", "slot_flicker"}


def correlation_of(identities: np.ndarray) -> np.ndarray:
    """Cosines of all slots of all frames, from unit vectors ``t k d``."""
    return np.einsum("tid,ujd->tuij", identities, identities)


def steady(num_frames: int = 4, num_slots: int = 2) -> np.ndarray:
    return np.broadcast_to(np.eye(num_slots), (num_frames, num_slots, num_slots)).copy()


def everywhere(num_frames: int = 4, num_slots: int = 2) -> np.ndarray:
    return np.ones((num_frames, num_slots), dtype=bool)


def squares(num_frames: int = 6) -> np.ndarray:
    """A red square on the left and a blue one on the right, both at rest on grey."""
    frames = np.full((num_frames, 64, 64, 3), 90, np.uint8)
    frames[:, 24:40, 8:24], frames[:, 24:40, 40:56] = (230, 40, 40), (40, 80, 220)
    return frames


def seen_as(*owners: tuple[int, int]) -> SeenObjects:
    """What slots see whose numbers, of the left and the right square, are named frame by frame."""
    masks = np.zeros((len(owners), 4, 64, 64), np.float32)
    masks[:, 0] = 0.5
    for frame, (left, right) in enumerate(owners):
        masks[frame, left, 24:40, 8:24] = masks[frame, right, 24:40, 40:56] = 1
    return SeenObjects(correlation_of(steady(len(owners), 4)), masks, masks.max(axis=(2, 3)) > 0)


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
        ([(1, 2)] * 6, 0),
        ([(1, 2)] * 3 + [(2, 1)] * 3, 2),
        ([(1, 2)] * 2 + [(1, 3)] + [(1, 2)] * 3, 2),
        ([(1, 1)] * 6, 0),  # two objects in one slot are wrong, and have not switched
    ],
)
def test_switches_are_counted_without_the_truth(owners: list[tuple[int, int]], wanted: int) -> None:
    assert told_switches(seen_as(*owners), track(squares())) == wanted


def test_an_object_that_comes_back_in_another_slot_has_switched() -> None:
    frames = squares(9)
    frames[4:6, 24:40, 8:24] = 90
    assert told_switches(seen_as(*[(1, 2)] * 5, *[(3, 2)] * 4), track(frames)) == 1


def test_the_trackers_objects_keep_their_numbers() -> None:
    ids = tracked_ids(track(squares()), 6, 64, 64)
    assert len({(int(one[30, 16]), int(one[30, 48]), int(one[0, 0])) for one in ids}) == 1
    assert len({int(ids[0, 30, 16]), int(ids[0, 30, 48]), 0}) == 3


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
