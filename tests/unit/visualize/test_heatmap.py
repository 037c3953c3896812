"""Correlation as pixels: codes, colours, orderings, charts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.unit.visualize.circles import World
from visualize.heatmap import (
    UNDEFINED,
    Order,
    cell_ink,
    correlation_chart,
    correlation_codes,
    correlation_colours,
    correlation_image,
    correlation_pair_chart,
    matrix_edge,
    ordered_correlation,
    share_image,
    value_text,
)
from visualize.palette import INK, PAPER, contrast


@given(matrix=arrays(np.float32, (3, 4), elements=st.floats(-1, 1, width=32)))
@settings(max_examples=30, deadline=None)
def test_codes_lose_at_most_0_004(matrix: np.ndarray) -> None:
    back = correlation_codes(matrix).astype(float) / 127 - 1
    assert np.abs(back - matrix).max() <= 0.004


def test_codes_have_a_middle_and_a_word_for_undefined() -> None:
    codes = correlation_codes(np.array([-1.0, 0.0, 1.0, np.nan]))
    np.testing.assert_array_equal(codes, [0, 127, 254, UNDEFINED])


def test_unrelated_is_white() -> None:
    assert (correlation_colours()[127] == 255).all()


def test_both_ends_are_equally_dark() -> None:
    red, green, blue = correlation_colours()[[0, 254]].T.tolist()
    ends = list(zip(red, green, blue, strict=True))
    assert contrast(*ends) < 1.35


def test_colours_grow_darker_towards_both_ends() -> None:
    light = correlation_colours()[:UNDEFINED].astype(int).sum(axis=1)
    assert (np.diff(light[:128]) >= 0).all()
    assert (np.diff(light[127:]) <= 0).all()


def test_image_colours_each_cell() -> None:
    matrix = np.array([[1.0, 0.0], [-1.0, 0.5]])
    image = correlation_image(matrix, cell=2)
    assert image.shape == (4, 4, 3)
    np.testing.assert_array_equal(image[::2, ::2], correlation_colours()[correlation_codes(matrix)])
    np.testing.assert_array_equal(image[1::2, 1::2], image[::2, ::2])


def test_undefined_cell_is_hatched_and_its_neighbour_is_not() -> None:
    image = correlation_image(np.array([[np.nan, 0.0]]), cell=12)
    assert len(np.unique(image[:, :12].reshape(-1, 3), axis=0)) == 2
    assert (image[:, 12:] == 255).all()


def test_grid_lines_stand_between_blocks_only() -> None:
    image = correlation_image(np.zeros((4, 4)), cell=4, block=2)
    is_line = (image != 255).any(axis=-1)
    np.testing.assert_array_equal(np.flatnonzero(is_line.all(axis=0)), [8])
    assert is_line.sum() == 16 + 16 - 1


@pytest.mark.parametrize(("cell", "block"), [(5, 1), (2, 4)])
def test_grid_never_hides_small_cells(cell: int, block: int) -> None:
    assert (correlation_image(np.zeros((8, 8)), cell=cell, block=block) == 255).all()


def test_share_runs_from_white_to_dark() -> None:
    image = share_image(np.array([[0.0, 0.5, 1.0]], np.float32), cell=1).astype(int).sum(axis=-1)[0]
    assert image[0] == 765
    assert image[0] > image[1] > image[2]


def in_a_loop(world: World, order: Order, assignment=None) -> np.ndarray:
    num_frames, num_slots = world.presence.shape
    matrix = np.full((num_frames * num_slots,) * 2, np.nan)
    for t, u, i, j in np.ndindex(num_frames, num_frames, num_slots, num_slots):
        row, column = (
            (t * num_slots + i, u * num_slots + j)
            if order == "frame"
            else (i * num_frames + t, j * num_frames + u)
        )
        first, second = (i, j) if assignment is None else (assignment[t, i], assignment[u, j])
        if min(first, second) >= 0 and world.presence[t, first] and world.presence[u, second]:
            matrix[row, column] = world.correlation[t, u, first, second]
    return matrix


@pytest.mark.parametrize("order", ["frame", "slot"])
def test_raw_order_is_that_of_a_loop(world: World, order: Order) -> None:
    matrix = ordered_correlation(world.correlation, order=order, presence=world.presence)
    np.testing.assert_array_equal(matrix, in_a_loop(world, order))


@pytest.mark.parametrize("order", ["frame", "slot"])
def test_matched_order_is_that_of_a_loop(world: World, order: Order) -> None:
    matrix = ordered_correlation(
        world.correlation, order=order, presence=world.presence, assignment=world.assignment
    )
    np.testing.assert_array_equal(matrix, in_a_loop(world, order, world.assignment))


def test_matching_takes_a_swap_away(world: World) -> None:
    raw = ordered_correlation(world.correlation, order="slot")[6:12, 6:12]
    matched = ordered_correlation(world.correlation, order="slot", assignment=world.assignment)[
        6:12, 6:12
    ]
    assert raw.min() < 0.5 < matched.min()


def test_correlation_itself_is_not_changed(world: World) -> None:
    before = world.correlation.copy()
    ordered_correlation(world.correlation, presence=world.presence, assignment=world.assignment)
    np.testing.assert_array_equal(world.correlation, before)


def test_edge_by_frame_counts_frames() -> None:
    edge = matrix_edge(3, 2, order="frame", background=0)
    assert edge.ticks == ((1.0, "0"), (3.0, "1"), (5.0, "2"))
    np.testing.assert_array_equal(edge.colours[0], edge.colours[2])


def test_edge_by_slot_counts_slots() -> None:
    edge = matrix_edge(3, 2, order="slot", background=0)
    assert edge.ticks == ((1.5, "bg"), (4.5, "1"))
    np.testing.assert_array_equal(edge.colours[0], edge.colours[2])


@pytest.mark.parametrize("order", ["frame", "slot"])
def test_chart_holds_the_image_of_the_matrix(world: World, order: Order) -> None:
    chart = correlation_chart(world.correlation, order=order, background=0, side=240)
    block = 4 if order == "frame" else 6
    matrix = ordered_correlation(world.correlation, order=order)
    image = correlation_image(matrix, cell=10, block=block)
    corners = np.argwhere((chart == image[0, 0]).all(axis=-1))
    pieces = [chart[row : row + 240, column : column + 240] for row, column in corners]
    assert sum(np.array_equal(piece, image) for piece in pieces) == 1


def test_pair_chart_writes_values_where_there_is_room(world: World) -> None:
    pair = world.correlation[0, 1]
    large = correlation_pair_chart(pair, (0, 1), side=320)
    colours = correlation_colours()[correlation_codes(pair)].reshape(-1, 3)
    written = (large[:, :, None] == INK).all(axis=-1).any() or (large == PAPER).all(axis=-1).any()
    assert written
    assert all((large == colour).all(axis=-1).any() for colour in colours)


@pytest.mark.parametrize(
    ("value", "text"), [(-0.004, "0.00"), (-0.5, "\N{MINUS SIGN}0.50"), (1.0, "1.00")]
)
def test_values_have_two_decimals_and_no_negative_zero(value: float, text: str) -> None:
    assert value_text(value) == text


def test_value_is_readable_in_its_cell() -> None:
    assert (cell_ink(1.0), cell_ink(0.0), cell_ink(-1.0)) == (PAPER, INK, PAPER)
