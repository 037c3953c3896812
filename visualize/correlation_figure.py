"""Correlation of slots as figures for files, which teach how to read them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int

from visualize.figure import INK_HEX, MUTED_HEX, SMALL_SIZE, TEXT_SIZE, new_figure
from visualize.heatmap import (
    LEGEND,
    UNDEFINED,
    MatrixEdge,
    Order,
    cell_ink,
    correlation_codes,
    correlation_colours,
    matrix_edge,
    ordered_correlation,
    pair_edge,
    value_text,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

_MEANINGS = {1.0: "same", 0.0: "unrelated", -1.0: "opposite"}
_ORDER_CAPTIONS = {
    "frame": "Ordered by frame: each K x K block compares two frames. A bright diagonal inside a"
    " block means that every slot kept its object between the two.",
    "slot": "Ordered by slot: each block on the diagonal is one slot seen over all frames. An even"
    " orange block is an object that keeps its looks; breaks in it are flicker or a swap.",
}


def correlation_pair_figure(
    correlation: Float[np.ndarray, "k k"],
    frames: tuple[int, int],
    *,
    background: int | None = None,
    palette: Sequence[int] | None = None,
    matches: Int[np.ndarray, " k"] | None = None,
    title: str = "",
) -> "Figure":
    """Draw the correlation of the slots of two frames, with the numbers in the cells.

    Args:
        correlation: Rows are slots of the first frame, columns slots of the second; NaN is hatched.
        frames: Numbers of the two frames.
        background: The slot that holds the background.
        palette: Place of each slot in the palette, where clips share one; else in their order.
        matches: For each slot of the first frame the slot of the second that continues it, -1 for
            none; these cells are outlined.
        title: One line above.

    Returns:
        The figure.

    Ours: outlined cells off the diagonal are changes of identity.
    """
    num_slots = len(correlation)
    figure = new_figure(4.1, 3.1, title=title, caption=_pair_caption(frames, matches))
    axes = figure.subplots()
    edge = pair_edge(num_slots, background=background, palette=palette)
    image = _draw_matrix(axes, correlation, edge)
    axes.set_ylabel(f"slot in frame {frames[0]}", size=TEXT_SIZE, color=INK_HEX)
    axes.set_xlabel(f"slot in frame {frames[1]}", size=TEXT_SIZE, color=INK_HEX)
    if num_slots <= 8:
        _write_values(axes, correlation)
    for row, column in enumerate(() if matches is None else matches):
        if column >= 0:
            _outline(axes, row, int(column))
    _draw_legend(axes, image)
    return figure


def correlation_matrix_figure(
    correlation: Float[np.ndarray, "t t k k"],
    *,
    order: Order = "frame",
    assignment: Int[np.ndarray, "t k"] | None = None,
    presence: Bool[np.ndarray, "t k"] | None = None,
    background: int | None = None,
    palette: Sequence[int] | None = None,
    title: str = "",
) -> "Figure":
    """Draw the correlation of the slots of all frames with each other.

    Args:
        correlation: ``[t, u, i, j]`` compares slot i of frame t with slot j of frame u.
        order: "frame" or "slot", as in `ordered_correlation`.
        assignment: Renumbers the slots, as in `ordered_correlation`.
        presence: Which slots hold an object; cells of the others are hatched.
        background: The slot that holds the background.
        palette: Place of each slot in the palette, where clips share one; else in their order.
        title: One line above.

    Returns:
        The figure.

    Ours: ordered by slot, an aligned clip shows one bright block for each object.
    """
    return correlation_comparison_figure(
        [correlation],
        [""],
        order=order,
        assignments=None if assignment is None else [assignment],
        presences=None if presence is None else [presence],
        background=background,
        palettes=None if palette is None else [palette],
        title=title,
    )


def correlation_comparison_figure(
    correlations: Sequence[Float[np.ndarray, "t t k k"]],
    labels: Sequence[str],
    *,
    order: Order = "slot",
    assignments: Sequence[Int[np.ndarray, "t k"]] | None = None,
    presences: Sequence[Bool[np.ndarray, "t k"]] | None = None,
    background: int | None = None,
    palettes: Sequence[Sequence[int]] | None = None,
    title: str = "",
) -> "Figure":
    """Draw the matrices of several clips beside each other, on one scale.

    Args:
        correlations: One array a clip, as in `correlation_matrix_figure`.
        labels: What stands above each matrix.
        order: "frame" or "slot", as in `ordered_correlation`.
        assignments: Renumber the slots of each clip.
        presences: Which slots of each clip hold an object.
        background: The slot that holds the background.
        palettes: Place of each slot of each clip in the palette; without them in the order of the
            slots.
        title: One line above all.

    Returns:
        The figure.

    Ours: the picture of what the slot loss is for.
    """
    count = len(correlations)
    size = (4.6, 3.6) if count == 1 else (0.7 + 3.15 * count, 3.3)
    is_matched = assignments is not None
    figure = new_figure(*size, title=title, caption=_matrix_caption(order, is_matched))
    grid = figure.subplots(1, count, squeeze=False)[0]
    images: list[AxesImage] = []
    for index, axes in enumerate(grid):
        matrix = ordered_correlation(
            correlations[index],
            order=order,
            assignment=None if assignments is None else assignments[index],
            presence=None if presences is None else presences[index],
        )
        edge = matrix_edge(
            *correlations[index].shape[1:3],
            order=order,
            background=background,
            palette=None if palettes is None else palettes[index],
        )
        images.append(_draw_matrix(axes, matrix, edge))
        axes.set_xlabel(edge.name, size=TEXT_SIZE, color=INK_HEX)
        if index == 0:
            axes.set_ylabel(edge.name, size=TEXT_SIZE, color=INK_HEX)
        axes.set_title(labels[index], size=TEXT_SIZE + 1, color=INK_HEX, pad=6)
    _draw_legend(grid[-1], images[-1])
    return figure


def _draw_matrix(axes: "Axes", matrix: Float[np.ndarray, "n n"], edge: MatrixEdge) -> "AxesImage":
    """Draw the cells, the strips of slot colours and the numbers; undefined cells are hatched."""
    from matplotlib.colors import ListedColormap

    size = len(matrix)
    codes = np.ma.masked_equal(correlation_codes(matrix), UNDEFINED)
    table = ListedColormap(correlation_colours()[:UNDEFINED] / 255.0)
    axes.patch.set(facecolor="#f2f2f2", edgecolor="#b5b5b5", hatch="/////", linewidth=0)
    image = axes.imshow(
        codes,
        cmap=table,
        vmin=0,
        vmax=UNDEFINED - 1,
        interpolation="nearest",
        extent=(0, size, size, 0),
    )
    strips = {
        (-0.032 * size, 0, 0.02 * size, size): edge.colours[:, None],
        (0, size * 1.012, size, 0.02 * size): edge.colours[None],
    }
    for bounds, colours in strips.items():
        strip = axes.inset_axes(bounds, transform=axes.transData)
        strip.imshow(colours, aspect="auto", interpolation="nearest")
        strip.set_axis_off()
    places, texts = zip(*edge.ticks, strict=True)
    axes.set_xticks(places, texts)
    axes.set_yticks(places, texts)
    axes.tick_params(length=0, pad=9, labelsize=SMALL_SIZE, colors=INK_HEX)
    axes.spines[:].set(linewidth=0.5, color=MUTED_HEX)
    for place in range(edge.block, size, edge.block) if edge.block else ():
        axes.axhline(place, color=MUTED_HEX, linewidth=0.35)
        axes.axvline(place, color=MUTED_HEX, linewidth=0.35)
    return image


def _draw_legend(axes: "Axes", image: "AxesImage") -> None:
    """Put the numbered colour bar beside the axes, exactly as high."""
    place = axes.inset_axes((1.05, 0, 0.045, 1))
    bar = axes.figure.colorbar(image, cax=place)
    codes = correlation_codes(np.array(list(LEGEND))).astype(float)
    bar.set_ticks(list(codes), labels=[_legend_text(value) for value in LEGEND])
    place.tick_params(length=2, width=0.5, labelsize=SMALL_SIZE, colors=INK_HEX)
    place.spines[:].set(linewidth=0.5, color=MUTED_HEX)
    place.set_ylabel("slot correlation", size=TEXT_SIZE, color=INK_HEX)


def _legend_text(value: float) -> str:
    return f"{LEGEND[value]}  {_MEANINGS[value]}" if value in _MEANINGS else LEGEND[value]


def _write_values(axes: "Axes", correlation: Float[np.ndarray, "k k"]) -> None:
    size = SMALL_SIZE if len(correlation) <= 6 else SMALL_SIZE - 1
    for row, column in np.argwhere(~np.isnan(correlation)):
        value = float(correlation[row, column])
        ink = np.array(cell_ink(value)) / 255
        place = (column + 0.5, row + 0.5)
        axes.text(*place, value_text(value), ha="center", va="center", size=size, color=ink)


def _outline(axes: "Axes", row: int, column: int) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle(
            (column + 0.04, row + 0.04), 0.92, 0.92, fill=False, linewidth=1.3, edgecolor=INK_HEX
        )
    )


def _pair_caption(frames: tuple[int, int], matches: Int[np.ndarray, " k"] | None) -> str:
    text = (
        f"Row i, column j: how much slot i of frame {frames[0]} looks like slot j of frame"
        f" {frames[1]}. Steady objects are orange on the diagonal and pale beside it."
    )
    if matches is None:
        return text
    return f"{text} Outlined: the best one-to-one match; outlined cells off the diagonal are swaps."


def _matrix_caption(order: Order, is_matched: bool) -> str:
    numbering = (
        " Slots are renumbered by matching, so what is left is change of looks."
        if is_matched
        else " Slots are numbered as the model numbers them, so swaps show."
    )
    return _ORDER_CAPTIONS[order] + numbering
