"""Film strips: evenly spaced frames, one row a slot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.visualize.circles import World
from visualize.filmstrip import (
    Backdrop,
    clip_strip,
    cut_out,
    film_strip_figure,
    slot_film_strips,
    spaced_frames,
)
from visualize.palette import slot_colours
from visualize.pixels import checkerboard


@given(num_frames=st.integers(1, 64), most=st.integers(2, 16))
@settings(max_examples=30, deadline=None)
def test_first_and_last_frame_are_shown(num_frames: int, most: int) -> None:
    places = spaced_frames(num_frames, most)
    assert len(places) == min(num_frames, most)
    assert (places[0], places[-1]) == (0, num_frames - 1)
    assert (np.diff(places) > 0).all()


def test_plain_strip_is_the_frames_with_gaps(world: World) -> None:
    strip = clip_strip(world.frames, most=3, is_numbered=False)
    assert strip.shape == (32, 3 * 32 + 2 * 2, 3)
    np.testing.assert_array_equal(strip[:, 34:66], world.frames[2])


def test_numbers_add_a_line_above_and_change_no_frame(world: World) -> None:
    strip = clip_strip(world.frames, most=3)
    np.testing.assert_array_equal(strip[-32:], clip_strip(world.frames, most=3, is_numbered=False))
    assert (strip[:-32] != 255).any()


@pytest.mark.parametrize("backdrop", ["checker", "dim"])
def test_slot_that_holds_all_shows_the_frame(world: World, backdrop: Backdrop) -> None:
    full = np.ones(world.frames.shape[:3], np.float32)
    np.testing.assert_array_equal(cut_out(world.frames, full, backdrop=backdrop), world.frames)


def test_slot_that_holds_nothing_shows_the_checkerboard(world: World) -> None:
    nothing = np.zeros(world.frames.shape[:3], np.float32)
    board = np.broadcast_to(checkerboard(32, 32, 2), world.frames.shape)
    np.testing.assert_array_equal(cut_out(world.frames, nothing), board)


def test_strips_have_a_row_for_the_clip_and_one_a_slot(world: World) -> None:
    sheet = slot_film_strips(world.frames, world.masks, background=0, most=3)
    rows = 1 + world.masks.shape[1]
    head = sheet.shape[0] - rows * 32 - (rows - 1) * 2
    np.testing.assert_array_equal(sheet[head : head + 32, -32:], world.frames[-1])
    np.testing.assert_array_equal(sheet[-32:, -32:], cut_out(world.frames, world.masks[:, 3])[-1])


def test_each_row_carries_the_colour_of_its_slot(world: World) -> None:
    sheet = slot_film_strips(world.frames, world.masks, background=0, slots=[2])
    assert (sheet[-1] == slot_colours(4, 0)[2]).all(axis=-1).any()


def test_larger_strips_are_larger(world: World) -> None:
    sheet = slot_film_strips(world.frames, world.masks, slots=[1], most=2, scale=3)
    assert sheet.shape[0] > 2 * 96


def test_figure_names_every_row(world: World) -> None:
    figure = film_strip_figure(world.frames, world.masks, background=0, most=3)
    names = [axes.get_ylabel() for axes in figure.axes]
    assert names == ["clip", "background", "slot 1", "slot 2", "slot 3"]


def test_figure_numbers_the_frames(world: World) -> None:
    figure = film_strip_figure(world.frames, world.masks, most=3)
    ticks = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert ticks == ["frame 0", "2", "5"]
