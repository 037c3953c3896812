"""What a family of losses accepts and what it rejects: a table whose cells show the answer."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from visualize.figure import INK_HEX, MUTED_HEX, SMALL_SIZE, TEXT_SIZE, new_figure, plain
from visualize.palette import ink_on

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CELL_WIDTH, _CELL_HEIGHT, _LABEL_WIDTH = 0.66, 0.3, 1.75  # inches
_DARKEST = np.array([0, 68, 124])  # blue that stays dark without its hue
_ACCEPTED = 1.2  # times the good sequence: what costs no more is accepted
_FLOOR = 5e-3
_CAPTION = (
    "Cost of slot sequences made by hand, columns one loss each; the darker, the more that loss"
    " rejects the sequence, on the scale of its own column. A frame around a cell: the loss accepts"
    " it as it accepts good slots. In every row but the first, a frame is a hole in the loss."
)


def loss_table_figure(
    costs: Mapping[tuple[str, str], float],
    sequences: Mapping[str, str],
    terms: Mapping[str, str],
    *,
    title: str = "",
) -> "Figure":
    """Draw costs as a table.

    Args:
        costs: By sequence and term.
        sequences: What the rows are called, by sequence; the first is the good one.
        terms: What the columns are called, by term, in one or more lines.
        title: One line above.

    Returns:
        The figure. What is accepted has a frame and a number, so no colour is needed.

    Ours: numbers and shades together; each column has its own scale, for losses have no unit.
    """
    width = _LABEL_WIDTH + _CELL_WIDTH * len(terms)
    height = 0.5 + _CELL_HEIGHT * len(sequences)
    figure = new_figure(width, height, title=title, caption=_CAPTION)
    axes = figure.subplots()
    axes.set_xlim(0, len(terms))
    axes.set_ylim(len(sequences), 0)
    axes.spines[:].set_visible(False)
    axes.set_xticks(
        np.arange(len(terms)) + 0.5,
        ["\n".join(map(plain, one.split("\n"))) for one in terms.values()],
    )
    axes.set_yticks(np.arange(len(sequences)) + 0.5, [plain(one) for one in sequences.values()])
    axes.tick_params(length=0, labelsize=TEXT_SIZE, colors=INK_HEX)
    axes.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False)
    good = next(iter(sequences))
    for column, term in enumerate(terms):
        values = [costs[sequence, term] for sequence in sequences]
        _draw_column(axes, column, values, costs[good, term])
    return figure


def _draw_column(axes: "Axes", column: int, values: Sequence[float], good: float) -> None:
    from matplotlib.patches import Rectangle

    most = max(values) or 1.0
    for row, value in enumerate(values):
        share = float(np.sqrt(max(value, 0.0) / most))
        red, green, blue = np.rint(255 + share * (_DARKEST - 255)).astype(int)
        shade = (int(red), int(green), int(blue))
        is_accepted = value <= _ACCEPTED * good + _FLOOR * most
        axes.add_patch(
            Rectangle(
                (column + 0.03, row + 0.06),
                0.94,
                0.88,
                facecolor=np.array(shade) / 255,
                edgecolor=INK_HEX if is_accepted else "none",
                linewidth=1.2,
            )
        )
        axes.text(
            column + 0.5,
            row + 0.5,
            _short(value),
            ha="center",
            va="center",
            size=SMALL_SIZE,
            color=np.array(ink_on(shade)) / 255 if share > 0.02 else MUTED_HEX,
        )


def _short(value: float) -> str:
    """Return a cost in five characters."""
    if value < 1e-6:
        return "0"
    if value < 5e-4:
        return "<.001"
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"
