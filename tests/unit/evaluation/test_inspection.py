import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from olvdm.evaluation.inspection import (
    KNOWN_PSNR,
    KNOWN_SHARE,
    Inspection,
    count_switches,
    inspect_clip,
    inspection_of,
)
from tests.clip_files import moving_frames
from tests.tiny_networks import tiny_pipeline

FRAMES = moving_frames(num_frames=7, height=24, width=40)


@pytest.fixture(scope="module")
def inspection() -> Inspection:
    return inspect_clip(tiny_pipeline(), FRAMES, fps=12.5)


@pytest.mark.parametrize("name", ["alpha_masks", "attention_masks"])
def test_masks_have_the_clips_own_size(inspection, name) -> None:
    assert getattr(inspection, name).shape == (7, 4, 24, 40)


@pytest.mark.parametrize("name", ["alpha_masks", "attention_masks"])
def test_shares_of_a_pixel_sum_to_one(inspection, name) -> None:
    np.testing.assert_allclose(getattr(inspection, name).sum(axis=1), 1, atol=1e-5)


def test_background_is_the_slot_with_most_of_the_clip(inspection) -> None:
    areas = inspection.alpha_masks.sum(axis=(0, 2, 3))
    assert areas[inspection.background] == areas.max()


def test_flicker_has_no_value_at_the_ends(inspection) -> None:
    assert np.isnan(inspection.flicker[[0, -1]]).all()


def test_frames_and_rate_are_those_of_the_clip(inspection) -> None:
    assert inspection.frames is FRAMES
    assert inspection.fps == 12.5


def test_number_of_slots_can_be_chosen() -> None:
    assert inspect_clip(tiny_pipeline(), FRAMES, num_slots=3).slots.shape[:2] == (7, 3)


def test_single_frame_can_be_inspected() -> None:
    assert inspect_clip(tiny_pipeline(), FRAMES[:1]).frames.shape[0] == 1


def test_adaptation_reports_every_step() -> None:
    steps: list[int] = []
    inspect_clip(
        tiny_pipeline(), FRAMES, adapt_steps=3, progress=lambda step, *_: steps.append(step)
    )
    assert steps == [1, 2, 3]


def test_adaptation_leaves_the_model_as_it_was() -> None:
    pipeline = tiny_pipeline()
    before = {key: value.clone() for key, value in pipeline.slot_encoder.state_dict().items()}
    inspect_clip(pipeline, FRAMES, adapt_steps=2)
    after = pipeline.slot_encoder.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_inspection_can_be_stopped_between_steps() -> None:
    def stop(*_: object) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        inspect_clip(tiny_pipeline(), FRAMES, adapt_steps=50, progress=stop)


def test_generated_clip_is_not_scored_by_the_model_that_drew_it() -> None:
    output = tiny_pipeline()("a red circle moves right", num_frames=4, num_inference_steps=1)
    found = inspection_of(output)
    assert math.isnan(found.reconstruction_psnr)
    assert math.isnan(found.explained)


def test_each_clip_of_a_batch_has_its_own_inspection() -> None:
    prompts = ["a red circle moves right", "a blue square moves left"]
    output = tiny_pipeline()(prompts, num_frames=4, num_inference_steps=1)
    second = inspection_of(output, clip=1)
    np.testing.assert_array_equal(second.frames, output.uint8_frames[1])
    np.testing.assert_array_equal(second.slots, output.slots[1].numpy())


@pytest.mark.parametrize(
    ("psnr", "explained", "is_familiar"),
    [
        (KNOWN_PSNR + 1, KNOWN_SHARE + 0.01, True),
        (KNOWN_PSNR - 1, KNOWN_SHARE + 0.01, False),
        (KNOWN_PSNR + 1, KNOWN_SHARE - 0.01, False),
        (math.nan, math.nan, True),
    ],
)
def test_clip_is_familiar_if_nothing_speaks_against_it(
    inspection, psnr, explained, is_familiar
) -> None:
    scored = replace(inspection, reconstruction_psnr=psnr, explained=explained)
    assert scored.is_familiar is is_familiar


def test_slot_that_is_never_there_for_three_frames_is_no_object(inspection) -> None:
    flicker = np.full_like(inspection.flicker, np.nan)
    flicker[1:-1, inspection.background] = 0.1
    assert not replace(inspection, flicker=flicker).has_objects
    flicker[3, inspection.background - 1] = 0.1
    assert replace(inspection, flicker=flicker).has_objects


def test_swap_of_two_slots_is_two_switches() -> None:
    assert count_switches(np.array([[0, 1], [0, 1], [1, 0], [1, 0]])) == 2


def test_object_that_returns_to_its_slot_did_not_switch() -> None:
    assert count_switches(np.array([[0, 1], [0, -1], [0, 1]])) == 0


def test_object_that_returns_in_another_slot_switched_once() -> None:
    assert count_switches(np.array([[0, 1], [0, -1], [0, 2]])) == 1


@given(order=st.permutations(range(4)))
def test_renumbering_all_slots_changes_no_switch(order: list[int]) -> None:
    assignment = np.array([[0, 1, 2, 3], [0, 2, 1, 3], [0, 2, -1, 3], [1, 2, 0, 3]])
    renamed = np.where(assignment >= 0, np.array(order)[assignment], -1)
    assert count_switches(renamed) == count_switches(assignment)
