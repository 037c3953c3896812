"""Drawing on plain pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from visualize.pixels import (
    checkerboard,
    display_scale,
    draw_text,
    enlarge,
    fit_text,
    mix,
    resize_masks,
    stripes,
    text_size,
    thinned,
)


@given(scale=st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_enlarging_keeps_every_pixel(scale: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 3), dtype=np.uint8)
    large = enlarge(pixels, scale)
    assert large.shape == (2, 3 * scale, 4 * scale, 3)
    np.testing.assert_array_equal(large[:, scale // 2 :: scale, scale // 2 :: scale], pixels)


def test_shrinking_by_enlarging_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        enlarge(np.zeros((1, 2, 2, 3), np.uint8), 0)


@pytest.mark.parametrize(("size", "scale"), [((64, 64), 4), ((64, 100), 2), ((720, 1280), 1)])
def test_display_scale_is_whole_and_never_shrinks(size: tuple[int, int], scale: int) -> None:
    assert display_scale(*size) == scale


@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_resized_masks_still_share_every_pixel(height: int, width: int, seed: int) -> None:
    masks = np.random.default_rng(seed).dirichlet(np.ones(3), (5, 7)).transpose(2, 0, 1)
    resized = resize_masks(masks.astype(np.float32), height, width)
    assert resized.shape == (3, height, width)
    assert resized.min() >= 0
    np.testing.assert_allclose(resized.sum(axis=0), 1, atol=1e-5)


def test_masks_of_the_right_size_are_not_touched() -> None:
    masks = np.random.default_rng(0).random((2, 6, 9)).astype(np.float32)
    np.testing.assert_array_equal(resize_masks(masks, 6, 9), masks)


def test_doubled_masks_are_those_of_linear_interpolation() -> None:
    resized = resize_masks(np.array([[0.0, 1.0]], np.float32), 1, 4)
    np.testing.assert_allclose(resized, [[0, 0.25, 0.75, 1]], atol=1e-6)


@pytest.mark.parametrize("size", [(40, 30), (3, 17), (7, 5)])
def test_resampling_is_that_of_pillow(size: tuple[int, int]) -> None:
    mask = np.random.default_rng(0).random((11, 9)).astype(np.float32)
    by_pillow = Image.fromarray(mask).resize((size[1], size[0]), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(resize_masks(mask, *size), np.asarray(by_pillow), atol=1e-5)


def test_checkerboard_changes_after_each_cell() -> None:
    board = checkerboard(4, 4, 2)[..., 0]
    assert board[0, 0] == board[1, 1] == board[2, 2]
    assert board[0, 0] != board[0, 2]


def test_stripes_leave_gaps() -> None:
    assert 0 < stripes(12, 12, 6).mean() < 0.5


def test_mixing_nothing_changes_nothing() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    np.testing.assert_array_equal(mix(pixels, (1, 2, 3), np.zeros((4, 4), np.float32)), pixels)


def test_mixing_all_gives_the_colour() -> None:
    pixels = np.zeros((2, 2, 3), np.uint8)
    assert (mix(pixels, (1, 2, 3), np.ones((2, 2), np.float32)) == (1, 2, 3)).all()


def test_text_lands_at_its_anchor() -> None:
    image = np.full((40, 60, 3), 255, np.uint8)
    draw_text(image, "8", (20, 30), size=20, anchor=("middle", "middle"))
    rows, columns = np.nonzero(image[..., 0] < 128)
    assert abs(rows.mean() - 20) < 2
    assert abs(columns.mean() - 30) < 1


@pytest.mark.parametrize("position", [(-500, 0), (0, 900), (-4, -4), (38, 58)])
def test_text_outside_of_the_image_is_cut_off(position: tuple[int, int]) -> None:
    image = np.full((40, 60, 3), 255, np.uint8)
    draw_text(image, "outside", position)
    assert image.shape == (40, 60, 3)


@given(text=st.text(max_size=60), room=st.integers(0, 200))
@settings(max_examples=30, deadline=None)
def test_fitted_text_fits(text: str, room: int) -> None:
    assert fit_text(text, 12, room) == "" or text_size(fit_text(text, 12, room), 12)[1] <= room + 1


def test_short_text_is_kept() -> None:
    assert fit_text("a red\ncircle", 12, 500) == "a red circle"


def test_long_text_ends_in_dots() -> None:
    cut = fit_text("a red circle " * 100_000, 12, 100)
    assert cut.startswith("a red")
    assert cut.endswith("...")


@given(count=st.integers(1, 5000), most=st.integers(2, 20))
@settings(max_examples=30, deadline=None)
def test_thinned_numbers_are_few_and_even(count: int, most: int) -> None:
    numbers = thinned(count, most)
    assert len(numbers) <= most
    assert numbers[0] == 0
    assert len(set(np.diff(numbers))) <= 1
