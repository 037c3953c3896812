"""The overlay: who wins a pixel colours it, and nothing else changes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.visualize.circles import NUM_SLOTS, World, make_world
from visualize.overlay import contour_distance, mask_centres, overlay_masks
from visualize.palette import slot_colours
from visualize.pixels import enlarge, resize_masks

OBJECTS = (1, 2, 3)


@given(scale=st.integers(1, 3), seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_opacity_zero_is_the_raw_frame(scale: int, seed: int) -> None:
    world = make_world(seed)
    shown = overlay_masks(world.frames, world.masks, opacity=0, scale=scale)
    np.testing.assert_array_equal(shown, enlarge(world.frames, scale))


@given(slot=st.sampled_from(OBJECTS), scale=st.integers(1, 3), seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_hidden_slot_changes_pixels_only_inside_its_mask(slot: int, scale: int, seed: int) -> None:
    world = make_world(seed)
    rest = [other for other in OBJECTS if other != slot]
    full = overlay_masks(world.frames, world.masks, background=0, scale=scale)
    less = overlay_masks(world.frames, world.masks, background=0, slots=rest, scale=scale)
    masks = resize_masks(world.masks, *full.shape[1:3])
    changed = (full != less).any(axis=-1)
    assert changed.any()
    assert not changed[masks.argmax(axis=1) != slot].any()


def test_winner_gives_the_colour_and_its_share_the_strength() -> None:
    frames = np.full((1, 1, 1, 3), 100, np.uint8)
    masks = np.array([0.2, 0.8], np.float32).reshape(1, 2, 1, 1)
    shown = overlay_masks(frames, masks, background=0, opacity=0.5)
    expected = 100 + 0.5 * 0.8 * (slot_colours(2, 0)[1].astype(float) - 100)
    np.testing.assert_allclose(shown[0, 0, 0], expected, atol=0.5)


def test_background_is_hidden_until_asked_for(world: World) -> None:
    hidden = overlay_masks(world.frames, world.masks, background=0)
    asked = overlay_masks(world.frames, world.masks, background=0, slots=range(NUM_SLOTS))
    held = world.masks.argmax(axis=1) == 0
    np.testing.assert_array_equal(hidden[held], world.frames[held])
    assert (asked[held] != world.frames[held]).any()


def test_frames_themselves_are_not_changed(world: World) -> None:
    before = world.frames.copy()
    overlay_masks(world.frames, world.masks, contours=True, numbers=True)
    np.testing.assert_array_equal(world.frames, before)


def test_masks_may_be_coarser_than_frames(world: World) -> None:
    assert overlay_masks(world.frames, world.masks[:, :, ::4, ::4], scale=2).shape == (6, 64, 64, 3)


def test_contours_lie_where_the_share_is_one_half(world: World) -> None:
    shown = overlay_masks(
        world.frames, world.masks, background=0, slots=[1], opacity=0, contours=True, scale=4
    )
    masks = resize_masks(world.masks, *shown.shape[1:3])[:, 1]
    changed = (shown != enlarge(world.frames, 4)).any(axis=-1)
    assert changed.any()
    assert np.abs(masks[changed] - 0.5).max() < 0.4
    assert changed[np.abs(masks - 0.5) < 0.02].all()


def test_distance_from_a_straight_edge_is_in_pixels() -> None:
    ramp = np.tile(np.linspace(0, 1, 11, dtype=np.float32), (4, 1))
    np.testing.assert_allclose(contour_distance(ramp)[1], np.abs(np.arange(11) - 5), atol=1e-4)


def test_single_pixel_is_drawn_without_a_line() -> None:
    frames, masks = np.full((1, 1, 1, 3), 90, np.uint8), np.ones((1, 1, 1, 1), np.float32)
    shown = overlay_masks(frames, masks, opacity=0, contours=True)
    np.testing.assert_array_equal(shown, frames)


def test_flat_mask_has_no_contour() -> None:
    assert np.isinf(contour_distance(np.full((8, 8), 0.5, np.float32))).all()


def test_pair_of_slots_that_share_everything_draws_no_line() -> None:
    frames = np.full((1, 16, 16, 3), 90, np.uint8)
    masks = np.full((1, 2, 16, 16), 0.5, np.float32)
    shown = overlay_masks(frames, masks, opacity=0, contours=True)
    np.testing.assert_array_equal(shown, frames)


def test_numbers_stand_on_present_slots_only(world: World) -> None:
    masks = world.masks.copy()
    masks[:, 0] += masks[:, 3]
    masks[:, 3] = 0
    with_numbers = overlay_masks(world.frames, masks, background=0, numbers=True, scale=4)
    without = overlay_masks(world.frames, masks, background=0, slots=[1, 2], numbers=True, scale=4)
    np.testing.assert_array_equal(with_numbers, without)
    assert (with_numbers != overlay_masks(world.frames, masks, background=0, scale=4)).any()


def test_number_of_a_ring_stands_on_the_ring() -> None:
    rows, columns = np.mgrid[:33, :33]
    ring = (np.abs(np.hypot(rows - 16, columns - 16) - 12) < 2).astype(np.float32)
    places, is_present = mask_centres(np.stack([1 - ring, ring]))
    assert is_present.all()
    assert ring[tuple(places[1])] == 1


def test_ninth_slot_is_striped() -> None:
    masks = np.zeros((1, 9, 16, 16), np.float32)
    masks[:, 8] = 1
    frames = np.zeros((1, 16, 16, 3), np.uint8)
    striped = overlay_masks(frames, masks, background=0)
    plain = overlay_masks(frames, np.roll(masks, 2, axis=1), background=0)
    assert len(np.unique(striped.reshape(-1, 3), axis=0)) == 2
    assert len(np.unique(plain.reshape(-1, 3), axis=0)) == 1


def test_masks_of_another_clip_are_refused(world: World) -> None:
    with pytest.raises(ValueError, match="6 frames, got 5"):
        overlay_masks(world.frames, world.masks[:5])


@pytest.mark.parametrize("opacity", [-0.1, 1.1, float("nan")])
def test_opacity_outside_of_its_range_is_refused(world: World, opacity: float) -> None:
    with pytest.raises(ValueError, match="opacity"):
        overlay_masks(world.frames, world.masks, opacity=opacity)


def test_slot_that_does_not_exist_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match=r"\[0, 3\], got 4"):
        overlay_masks(world.frames, world.masks, slots=[1, 4])
