"""Flicker and area of every slot over time, with motion beside them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from visualize.figure import (
    INK_HEX,
    MUTED_HEX,
    SMALL_SIZE,
    TEXT_SIZE,
    Dash,
    frame_ticks,
    label_line_ends,
    new_figure,
    plain,
    plot_line,
    style_axes,
)
from visualize.palette import SlotStyle, slot_label, slot_styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CAPTION = (
    "Flicker says which slot is unsteady, and when; lower is steadier. Read it beside motion: a"
    " clip that stands still cannot flicker."
)
_DASHED: Dash = (0, (3, 1.6))
_INCHES = 0.62  # of a panel, for each unit of its height ratio


def slot_areas(masks: Float[np.ndarray, "t k h w"]) -> Float[np.ndarray, "t k"]:
    """Measure how much of the picture each slot holds.

    Args:
        masks: Shares in [0, 1] that sum to 1 over the slots.

    Returns:
        Share of the frame, 0 to 1; a frame's values sum to 1.

    Ours: soft areas, so a slot that fades does not jump to zero.
    """
    return masks.mean(axis=(2, 3))


def flicker_figure(
    flicker: Float[np.ndarray, "t k"],
    motion: Float[np.ndarray, " t"],
    *,
    areas: Float[np.ndarray, "t k"] | None = None,
    background: int | None = None,
    palette: Sequence[int] | None = None,
    slots: Sequence[int] | None = None,
    title: str = "",
) -> "Figure":
    """Draw flicker per slot, area per slot and motion over time, frame under frame.

    Args:
        flicker: Unsteadiness of each slot in each frame, NaN where undefined.
        motion: How much moves in each frame.
        areas: Share of the picture that each slot holds; without it that panel is left out.
        background: The slot that holds the background, drawn in grey.
        palette: Place of each slot in the palette, where clips share one; else in their order.
        slots: The slots to draw; without it all in the flicker panel, all but the background in
            the area panel.
        title: One line above.

    Returns:
        The figure; the worst flicker is ringed and named.

    Ours: three panels on one time axis, since flicker without motion and area misleads.
    """
    shown = list(range(flicker.shape[1])) if slots is None else list(slots)
    heights = [3.0, 1.1] if areas is None else [3.0, 2.0, 1.1]
    figure = new_figure(5.2, 0.5 + _INCHES * sum(heights), title=title, caption=_CAPTION)
    grid = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for axes in grid:
        style_axes(axes, has_grid=True)
    names = [slot_label(slot, background) for slot in range(flicker.shape[1])]
    styles = slot_styles(flicker.shape[1], background, palette)
    lines = list(zip(names, styles, strict=True))
    _draw_slots(grid[0], flicker, shown, lines, _INCHES * heights[0])
    _name(grid[0], "flicker per slot", "lower is steadier")
    if areas is not None:
        objects = [slot for slot in shown if slot != background]
        _draw_slots(grid[1], 100 * areas, objects, lines, _INCHES * heights[1])
        _name(grid[1], "area per slot", "% of the picture")
    _draw_motion(grid[-1], [motion], [""])
    frame_ticks(grid[-1], len(motion))
    _ring_worst(grid[0], flicker, shown, background)
    return figure


def flicker_comparison_figure(
    flickers: tuple[Float[np.ndarray, "t k"], Float[np.ndarray, "t k"]],
    motions: tuple[Float[np.ndarray, " t"], Float[np.ndarray, " t"]],
    labels: tuple[str, str] = ("A", "B"),
    *,
    background: int | None = None,
    title: str = "",
) -> "Figure":
    """Draw the flicker of two clips, a small panel for each slot: A dashed, B solid.

    Args:
        flickers: Unsteadiness of each slot of A and of B; slot k is the same object in both.
        motions: How much moves in each frame of A and of B.
        labels: Names of A and B.
        background: The slot that holds the background, drawn in grey.
        title: One line above.

    Returns:
        The figure; all panels but that of motion share one scale.

    Raises:
        ValueError: If the two have another number of slots.

    Ours: ten lines in one panel cannot be told apart.
    """
    num_slots = flickers[0].shape[1]
    if flickers[1].shape[1] != num_slots:
        raise ValueError(f"need {num_slots} slots in both, got {flickers[1].shape[1]} in B")
    columns = min(3, num_slots + 1)
    rows = -(-(num_slots + 1) // columns)
    figure = new_figure(6.6, 0.6 + 1.25 * rows, title=title, caption=_CAPTION)
    grid: list[Axes] = list(figure.subplots(rows, columns, squeeze=False).ravel())
    top = max(float(np.nan_to_num(values).max()) for values in flickers)
    for slot, axes in enumerate(grid[:num_slots]):
        _draw_pair(axes, flickers, slot, background)
        axes.set_ylim(-0.04 * top, 1.12 * top or 1.0)
    _draw_motion(grid[num_slots], motions, labels)
    for axes in grid[num_slots + 1 :]:
        axes.set_axis_off()
    num_frames = max(len(motion) for motion in motions)
    for place, axes in enumerate(grid[: num_slots + 1]):
        style_axes(axes, has_grid=True)
        axes.set_xlim(-0.4, num_frames - 0.6)
        frame_ticks(axes, num_frames, label="frame" if place + columns > num_slots else "", most=8)
    _draw_line_legend(figure, labels)
    return figure


def _draw_slots(
    axes: "Axes",
    values: Float[np.ndarray, "t k"],
    shown: Sequence[int],
    lines: Sequence[tuple[str, SlotStyle]],
    height: float,
) -> None:
    """Draw a line a slot and name it; a slot that is never defined has neither."""
    drawn = [slot for slot in shown if not np.isnan(values[:, slot]).all()]
    for slot in drawn:
        plot_line(axes, values[:, slot], lines[slot][1])
    axes.set_xlim(-0.3, len(values) - 0.7)
    axes.set_ylim(min(0.0, axes.get_ylim()[0]), axes.get_ylim()[1])
    ends = [float(values[~np.isnan(values[:, slot]), slot][-1]) for slot in drawn]
    names, styles = zip(*(lines[slot] for slot in drawn), strict=True) if drawn else ((), ())
    label_line_ends(axes, ends, styles, names, height=height)


def _ring_worst(
    axes: "Axes", flicker: Float[np.ndarray, "t k"], shown: Sequence[int], background: int | None
) -> None:
    """Ring and name the largest value: which slot flickers, and when."""
    values = np.nan_to_num(flicker[:, shown])
    if values.size == 0 or values.max() <= 0:
        return
    frame, place = np.unravel_index(values.argmax(), values.shape)
    height = values[frame, place]
    axes.plot(
        [frame], [height], "o", markersize=8, fillstyle="none", color=INK_HEX, markeredgewidth=0.9
    )
    is_late = frame > len(flicker) / 2
    axes.annotate(
        f"worst: {slot_label(shown[int(place)], background)}, frame {frame}",
        (float(frame), float(height)),
        (-9 if is_late else 9, 0),
        textcoords="offset points",
        ha="right" if is_late else "left",
        va="center_baseline",
        size=SMALL_SIZE,
        color=INK_HEX,
    )


def _draw_pair(
    axes: "Axes",
    flickers: tuple[Float[np.ndarray, "t k"], Float[np.ndarray, "t k"]],
    slot: int,
    background: int | None,
) -> None:
    style = slot_styles(flickers[0].shape[1], background)[slot]
    for values, dash in zip(flickers, (_DASHED, "solid"), strict=True):
        plot_line(axes, values[:, slot], style, dash=dash, has_markers=False)
    _name(axes, slot_label(slot, background), "", colour=style.hex)


def _draw_motion(
    axes: "Axes", motions: Sequence[Float[np.ndarray, " t"]], labels: Sequence[str]
) -> None:
    dashes: tuple[Dash, ...] = ("solid",) if len(motions) == 1 else (_DASHED, "solid")
    for motion, dash, label in zip(motions, dashes, labels, strict=True):
        frames = np.arange(len(motion))
        axes.plot(frames, motion, color=INK_HEX, linewidth=1.0, linestyle=dash, label=label)
    highest = max((float(np.nan_to_num(motion).max()) for motion in motions), default=0.0)
    axes.set_ylim(0, 1.15 * highest or 1.0)
    axes.locator_params(axis="y", nbins=3)
    _name(axes, "motion", "context, not a score")


def _name(axes: "Axes", name: str, hint: str, *, colour: str = "") -> None:
    """Write the panel's name and hint above it, left, where the eye starts."""
    axes.set_title("")
    title = axes.set_title(name, loc="left", size=TEXT_SIZE, color=INK_HEX, weight="bold", pad=4)
    axes.annotate(
        hint,
        (1, 0),
        (5, 0),
        xycoords=title,
        textcoords="offset points",
        size=SMALL_SIZE,
        color=MUTED_HEX,
        va="bottom",
    )
    if colour:
        title.set_position((0.045, title.get_position()[1]))
        axes.plot(
            [0.012],
            [1.085],
            "s",
            color=colour,
            markersize=5,
            transform=axes.transAxes,
            clip_on=False,
            markeredgecolor=MUTED_HEX,
            markeredgewidth=0.4,
        )


def _draw_line_legend(figure: "Figure", labels: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=INK_HEX, linewidth=1.3, linestyle=dash, label=plain(label))
        for dash, label in zip((_DASHED, "solid"), labels, strict=True)
    ]
    figure.legend(
        handles=handles, loc="outside upper right", ncols=2, frameon=False, fontsize=SMALL_SIZE
    )
