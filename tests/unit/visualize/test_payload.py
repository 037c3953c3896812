import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.unit.visualize.circles import NUM_FRAMES, NUM_SLOTS, make_world
from tests.unit.visualize.payloads import inspected, metric, pair_payload, with_slots
from visualize.heatmap import correlation_codes, ordered_correlation
from visualize.payload import (
    MASK_LEVELS,
    MASK_SIDE,
    Payload,
    Start,
    clip_payload,
    done_payload,
    packed,
    packed_masks,
    sheet,
    unpacked,
)

PALETTE = (0, 1, 2, 3)


def test_payload_comes_back_from_json_as_it_was() -> None:
    payload = pair_payload()
    text = json.dumps(payload.as_json(), allow_nan=False)
    assert Payload.model_validate_json(text) == payload


@given(st.lists(st.integers(0, 255), max_size=60))
def test_bytes_come_back_as_they_were_packed(values: list[int]) -> None:
    array = np.array(values, dtype=np.uint8)
    np.testing.assert_array_equal(unpacked(packed(array)), array)


@pytest.mark.parametrize("field", ["clips", "metrics", "start"])
def test_unknown_field_is_refused(field: str) -> None:
    value = pair_payload().as_json()
    part: Any = value[field]
    (part[0] if isinstance(part, list) else part)["colour"] = "red"
    with pytest.raises(ValidationError, match="colour"):
        Payload.model_validate_json(json.dumps(value))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_number_that_json_cannot_carry_is_refused(value: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        metric(value, 0.1)


def test_undefined_numbers_become_null() -> None:
    world = make_world()
    clip = clip_payload(inspected(world), PALETTE)
    missing = np.array([[value is None for value in row] for row in clip.flicker])
    np.testing.assert_array_equal(missing, np.isnan(world.flicker))


def test_correlation_is_at_most_0_004_off() -> None:
    world = make_world()
    clip = clip_payload(inspected(world), PALETTE)
    matrix = ordered_correlation(world.correlation, presence=world.presence)
    codes = unpacked(clip.correlation)
    np.testing.assert_array_equal(codes, correlation_codes(matrix))
    shown = np.where(codes == 255, np.nan, codes / 127 - 1)
    np.testing.assert_allclose(shown, matrix, atol=0.004)


def test_masks_keep_their_shares_within_one_level() -> None:
    masks = make_world().masks
    shown = unpacked(packed_masks(masks)) / 255
    np.testing.assert_allclose(shown, masks, atol=0.51 / (MASK_LEVELS - 1) + 0.5 / 255)


def test_masks_larger_than_an_eye_needs_are_shrunk() -> None:
    clip = with_slots(3, 2, 2 * MASK_SIDE)
    assert packed_masks(clip.alpha_masks).shape == (2, 3, MASK_SIDE, MASK_SIDE)


def test_shapes_are_those_of_the_clip() -> None:
    clip = clip_payload(inspected(make_world()), PALETTE)
    assert clip.presence.shape == (NUM_FRAMES, NUM_SLOTS)
    assert clip.correlation.shape == (NUM_FRAMES * NUM_SLOTS,) * 2
    assert clip.sheet.num_frames == NUM_FRAMES


def test_background_is_grey_and_says_so() -> None:
    first, *others = clip_payload(inspected(make_world()), PALETTE).slots
    assert (first.is_background, first.colour, first.label) == (True, "#999999", "background")
    assert not any(slot.is_background for slot in others)


def test_every_value_is_a_new_delivery() -> None:
    first, second = pair_payload(), pair_payload()
    assert second.delivery > first.delivery


def test_lossy_sheet_is_smaller() -> None:
    frames = with_slots(2, 4, 64).frames
    assert len(sheet(frames, quality=60).src) < len(sheet(frames).src)


def test_clip_of_16_frames_takes_little() -> None:
    clips = (with_slots(6, 16, 64), with_slots(6, 16, 64, 1))
    size = len(json.dumps(done_payload(clips).as_json()))
    assert size < 1_300_000  # noise, which nothing can compress; a drawn clip takes a tenth
    assert len(json.dumps(pair_payload().as_json())) < 100_000


@pytest.mark.parametrize("phase", ["empty", "running", "restore"])
def test_value_without_a_result_is_small(phase: Any) -> None:
    assert len(Payload(phase=phase, message="Press Generate.").model_dump_json()) < 600


def test_start_counts_from_zero() -> None:
    with pytest.raises(ValidationError):
        Start(frame=-1)


def test_place_from_before_there_were_sides_is_on_the_first_clip() -> None:
    assert Start.model_validate({"frame": 3, "cell": (0, 0, 1, 0), "reason": ""}).side == 0


@pytest.mark.parametrize("side", [-1, 2, True, "1", 1.0, None])
def test_place_on_no_clip_is_refused(side) -> None:
    with pytest.raises(ValidationError):
        Start.model_validate({"side": side})
