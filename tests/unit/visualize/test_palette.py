"""The palette: grey means background, colours are far apart, patterns help from the ninth on."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualize.palette import (
    BACKGROUND_COLOUR,
    INK,
    OBJECT_COLOURS,
    PAPER,
    contrast,
    ink_on,
    palette_indices,
    slot_colours,
    slot_label,
    slot_mark,
    slot_styles,
)

# Machado, Oliveira and Fernandes 2009, severity 1: what the three kinds of dichromats see.
DICHROMATS = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def seen_by(matrix: list[list[float]]) -> np.ndarray:
    linear = (np.array(OBJECT_COLOURS) / 255) ** 2.2
    return 255 * (linear @ np.array(matrix).T).clip(0, 1) ** (1 / 2.2)


@pytest.mark.parametrize("kind", DICHROMATS)
def test_object_colours_stay_apart_for_colour_blind_eyes(kind: str) -> None:
    colours = seen_by(DICHROMATS[kind])
    assert min(np.linalg.norm(a - b) for a, b in combinations(colours, 2)) > 25


@given(num_slots=st.integers(1, 20), data=st.data())
@settings(max_examples=30, deadline=None)
def test_only_the_background_is_grey(num_slots: int, data: st.DataObject) -> None:
    background = data.draw(st.integers(0, num_slots - 1))
    is_grey = (slot_colours(num_slots, background) == BACKGROUND_COLOUR).all(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(is_grey), [background])


def test_without_a_background_nothing_is_grey() -> None:
    assert palette_indices(3) == (1, 2, 3)


def test_objects_keep_their_order_around_the_background() -> None:
    assert palette_indices(4, background=2) == (1, 2, 0, 3)


def test_first_eight_slots_have_eight_plain_colours() -> None:
    styles = slot_styles(8, background=0)
    assert len({style.rgb for style in styles}) == 8
    assert not any(style.is_patterned for style in styles)


def test_ninth_slot_repeats_a_colour_with_a_pattern() -> None:
    styles = slot_styles(9, background=0)
    assert styles[8].rgb == styles[1].rgb
    assert styles[8].hatch != styles[1].hatch
    assert styles[8].marker != styles[1].marker


@given(num_slots=st.integers(1, 22))
@settings(max_examples=30, deadline=None)
def test_no_two_slots_look_alike(num_slots: int) -> None:
    looks = [(style.rgb, style.hatch) for style in slot_styles(num_slots, background=0)]
    assert len(set(looks)) == num_slots


def test_hex_is_the_same_colour() -> None:
    assert slot_styles(2, background=0)[1].hex == "#e69f00"


@pytest.mark.parametrize("background", [-1, 3])
def test_background_that_is_no_slot_is_refused(background: int) -> None:
    with pytest.raises(ValueError, match=rf"\[0, 2\], got {background}"):
        palette_indices(3, background)


def test_labels_count_from_zero_and_name_the_background() -> None:
    assert [slot_label(slot, 0) for slot in range(2)] == ["background", "slot 1"]
    assert [slot_mark(slot, 0) for slot in range(2)] == ["bg", "1"]


def test_contrast_of_black_and_white_is_21() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21.0)


@pytest.mark.parametrize("rgb", [BACKGROUND_COLOUR, *OBJECT_COLOURS])
def test_text_on_every_colour_is_readable(rgb: tuple[int, int, int]) -> None:
    assert contrast(rgb, ink_on(rgb)) >= 4.4


def test_ink_turns_white_on_dark() -> None:
    assert (ink_on((0, 0, 80)), ink_on((250, 250, 200))) == (PAPER, INK)
