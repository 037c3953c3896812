"""Numbers of several trainings over their steps, a panel a number and a line a variant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from visualize.figure import (
    INK_HEX,
    MUTED_HEX,
    SMALL_SIZE,
    TEXT_SIZE,
    Dash,
    new_figure,
    plain,
    style_axes,
)
from visualize.palette import OBJECT_COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_COLUMNS, _LEGEND_COLUMNS = 2, 3
_DASHES: tuple[Dash, ...] = ("solid", (0, (4, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.2, 1.2, 1.2)))
_PLAIN_COLOURS = [rgb for rgb in OBJECT_COLOURS if rgb != (240, 228, 66)]  # yellow: not on white
_MOST_POINTS = 25  # of a line: more is noise that hides the others
_CAPTION = (
    "Each point of a training curve is a mean over the steps since the point before. The reference"
    " is black and solid; lines differ by colour and by dashes."
)


@dataclass(frozen=True)
class TrainingCurve:
    """One number of one training.

    Attributes:
        steps: Steps done, rising.
        values: As many; none where nothing was measured.
    """

    steps: Sequence[int]
    values: Sequence[float | None]


def training_curves_figure(
    panels: Mapping[str, Mapping[str, TrainingCurve]], *, reference: str, title: str = ""
) -> "Figure":
    """Draw how trainings went.

    Args:
        panels: Curves by the name of the variant, by the title of the panel; at least one panel.
        reference: Name of the variant that is drawn in black.
        title: One line above.

    Returns:
        The figure; a variant looks the same in every panel.

    Ours: small panels side by side, and one legend for all in a place of its own.
    """
    names = dict.fromkeys(name for curves in panels.values() for name in curves)
    others = [name for name in names if name != reference]
    heights = [2.0] * -(-len(panels) // _COLUMNS)
    heights.append(0.15 + 0.15 * -(-len(names) // _LEGEND_COLUMNS))
    figure = new_figure(8.3, sum(heights), title=title, caption=_CAPTION, row_gap=0.2)
    grid = figure.add_gridspec(len(heights), _COLUMNS, height_ratios=heights)
    handles: dict[str, Line2D] = {}
    for index, (name, curves) in enumerate(panels.items()):
        axes = figure.add_subplot(grid[divmod(index, _COLUMNS)])
        style_axes(axes, has_grid=True)
        axes.set_title(plain(name), loc="left", size=TEXT_SIZE, weight="bold", color=INK_HEX)
        axes.set_xlabel("further steps", size=SMALL_SIZE, color=MUTED_HEX, labelpad=2)
        for variant, curve in curves.items():
            place = None if variant == reference else others.index(variant)
            handles[variant] = _draw(axes, curve, place, variant)
    below = figure.add_subplot(grid[-1, :])
    below.set_axis_off()
    below.legend(
        handles=[handles[name] for name in names],
        loc="center left",
        ncols=_LEGEND_COLUMNS,
        frameon=False,
        fontsize=SMALL_SIZE,
        handlelength=3,
    )
    return figure


def _draw(axes: "Axes", curve: TrainingCurve, place: int | None, label: str) -> "Line2D":
    """Draw one line; a single point, which no line would show, is a dot."""
    steps, values = _averaged(curve)
    colour, dash = INK_HEX, _DASHES[0]
    if place is not None:
        lap, index = divmod(place, len(_PLAIN_COLOURS))
        colour = "#{:02x}{:02x}{:02x}".format(*_PLAIN_COLOURS[index])
        dash = _DASHES[(index + lap) % len(_DASHES)]
    (line,) = axes.plot(
        steps,
        values,
        color=colour,
        linestyle=dash,
        linewidth=1.8 if place is None else 1.2,
        zorder=3 if place is None else 2,
        label=plain(label),
    )
    if len(values) == 1:
        line.set_marker("o")
        line.set_markersize(3.5)
    return line


def _averaged(curve: TrainingCurve) -> tuple[list[int], list[float]]:
    """Average neighbours until few points are left; what was not measured leaves a gap."""
    values = np.array([np.nan if one is None else one for one in curve.values], dtype=np.float64)
    size = -(-len(values) // _MOST_POINTS)
    groups = [values[start : start + size] for start in range(0, len(values), size or 1)]
    ends = [min(len(values), (place + 1) * size) - 1 for place in range(len(groups))]
    known = [one[np.isfinite(one)] for one in groups]
    means = [float(one.mean()) if one.size else float("nan") for one in known]
    return [curve.steps[end] for end in ends], means
