"""Correlation figures: they show the numbers, and say how to read them."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.unit.visualize.circles import World
from visualize.correlation_figure import (
    correlation_comparison_figure,
    correlation_matrix_figure,
    correlation_pair_figure,
)
from visualize.figure import figure_frame
from visualize.heatmap import UNDEFINED, Order, correlation_codes, ordered_correlation


def shown_codes(figure: Figure) -> np.ndarray:
    return np.ma.asarray(figure.axes[0].images[0].get_array()).filled(UNDEFINED)


def texts_of(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_pair_figure_shows_the_matrix(world: World) -> None:
    figure = correlation_pair_figure(world.correlation[1, 2], (1, 2))
    np.testing.assert_array_equal(shown_codes(figure), correlation_codes(world.correlation[1, 2]))


def test_pair_figure_names_both_frames(world: World) -> None:
    axes = correlation_pair_figure(world.correlation[1, 2], (1, 2), background=0).axes[0]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("slot in frame 1", "slot in frame 2")
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["bg", "1", "2", "3"]


def test_pair_figure_writes_each_defined_value(world: World) -> None:
    pair = world.correlation[1, 2].copy()
    pair[0, 1] = np.nan
    assert len(texts_of(correlation_pair_figure(pair, (1, 2)))) == 15


def test_many_slots_are_shown_without_values() -> None:
    assert not texts_of(correlation_pair_figure(np.eye(9), (0, 1)))


def test_matches_are_outlined_and_missing_ones_are_not(world: World) -> None:
    matches = np.array([0, 2, 1, -1])
    axes = correlation_pair_figure(world.correlation[2, 3], (2, 3), matches=matches).axes[0]
    boxes = [patch.get_extents().transformed(axes.transData.inverted()) for patch in axes.patches]
    corners = [(round(min(box.x0, box.x1)), round(min(box.y0, box.y1))) for box in boxes]
    assert corners == [(0, 0), (2, 1), (1, 2)]


@pytest.mark.parametrize("order", ["frame", "slot"])
def test_matrix_figure_shows_the_order(world: World, order: Order) -> None:
    figure = correlation_matrix_figure(world.correlation, order=order, presence=world.presence)
    shown = shown_codes(figure)
    matrix = ordered_correlation(world.correlation, order=order, presence=world.presence)
    np.testing.assert_array_equal(shown, correlation_codes(matrix))


def test_caption_says_whether_swaps_can_be_seen(world: World) -> None:
    raw = correlation_matrix_figure(world.correlation)
    matched = correlation_matrix_figure(world.correlation, assignment=world.assignment)
    assert "so swaps show" in " ".join(raw.get_supxlabel().split())
    assert "renumbered by matching" in " ".join(matched.get_supxlabel().split())


def test_comparison_has_one_scale_and_both_names(world: World) -> None:
    figure = correlation_comparison_figure([world.correlation] * 2, ["LVDM", "OLVDM"], order="slot")
    assert [axes.get_title() for axes in figure.axes] == ["LVDM", "OLVDM"]
    assert {axes.images[0].get_clim() for axes in figure.axes} == {(0, 254)}


def test_legend_is_numbered_and_worded(world: World) -> None:
    axes = correlation_pair_figure(world.correlation[0, 1], (0, 1)).axes[0]
    labels = [tick.get_text() for tick in axes.child_axes[-1].get_yticklabels()]
    assert labels[0] == "1  same"
    assert labels[2] == "0  unrelated"


def test_hostile_title_is_drawn_as_text(world: World) -> None:
    title = r"$\frac{1$ <b>a</b> \n %s"
    figure = correlation_pair_figure(world.correlation[0, 1], (0, 1), title=title)
    assert figure_frame(figure).shape[2] == 3
