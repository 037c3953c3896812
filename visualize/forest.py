"""Changes with their intervals, a panel a measure and a row a variant: what helps, what harms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from visualize.figure import (
    GRID_HEX,
    INK_HEX,
    MUTED_HEX,
    RULE_HEX,
    SMALL_SIZE,
    TEXT_SIZE,
    new_figure,
    plain,
    style_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Verdict = Literal["better", "worse", "undecided"]

_COLUMNS = 3
_SEED_HEIGHT, _ROW_GAP = 0.085, 0.09  # inches
_SEED_SIZES, _POOLED_SIZES = (0.9, 3.8), (2.6, 6.4)  # points: of the line, of the marker
_WIDEST = (-100.0, 150.0)  # percent; what lies beyond ends in an arrow
_LOOKS: dict[Verdict, tuple[str, str, str]] = {  # marker, its face, colour: told apart without it
    "better": ("o", "#0072b2", "#0072b2"),
    "undecided": ("o", "white", MUTED_HEX),
    "worse": ("X", "#d55e00", "#d55e00"),
}
_CAPTION = (
    "Change against {reference}, prompt by prompt, in percent of its mean; bars are 95 % bootstrap"
    " intervals, a thin one for each training seed and a thick one for all of them together. A bar"
    " that crosses the line says nothing of the sign. An arrow: it goes on."
)


@dataclass(frozen=True)
class Span:
    """A change with its interval, in percent.

    Attributes:
        change: The change.
        low: Lower end.
        high: Upper end.
        verdict: What the interval says.
        is_pooled: Whether it is of all seeds together.
    """

    change: float
    low: float
    high: float
    verdict: Verdict
    is_pooled: bool = False


@dataclass(frozen=True)
class Panel:
    """One measure.

    Attributes:
        title: Its name.
        hint: Which way is better.
        rows: Spans of every variant, one a seed, then that of all; empty where it was not measured.
    """

    title: str
    hint: str
    rows: Sequence[Sequence[Span]]


def forest_figure(
    panels: Sequence[Panel], labels: Sequence[str], *, reference: str, title: str = ""
) -> "Figure":
    """Draw changes with their intervals.

    Args:
        panels: One a measure, at least one.
        labels: Names of the variants, as many as each panel has rows.
        reference: Name of what all are compared with.
        title: One line above.

    Returns:
        The figure. Verdicts differ by marker as well as by colour, so it reads in black and white.

    Ours: the forest plot of meta-analyses, since a table of intervals hides which exclude 0.
    """
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    heights = [_row_height([panel.rows[place] for panel in panels]) for place in range(len(labels))]
    figure = new_figure(
        8.3,
        rows * (sum(heights) + 0.62) + 0.25,
        title=title,
        caption=_CAPTION.format(reference=reference),
        row_gap=0.2,
    )
    grid: list[Axes] = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for place, axes in enumerate(grid):
        if place >= len(panels):
            axes.set_axis_off()
            continue
        _draw_panel(axes, panels[place], heights)
        _label_rows(axes, labels if place % columns == 0 else [], heights)
    _draw_legend(figure)
    return figure


def _row_height(cells: Sequence[Sequence[Span]]) -> float:
    return _ROW_GAP + _SEED_HEIGHT * max(1, *(len(cell) for cell in cells))


def _draw_panel(axes: "Axes", panel: Panel, heights: Sequence[float]) -> None:
    style_axes(axes)
    low, high = _limits(panel)
    axes.axvline(0, color=INK_HEX, linewidth=0.8, zorder=1)
    for top, height, spans in zip(_tops(heights), heights, panel.rows, strict=True):
        axes.axhline(top + height, color=GRID_HEX, linewidth=0.5, zorder=0)
        first = top + (height - _SEED_HEIGHT * (len(spans) - 1)) / 2
        for place, span in enumerate(spans):
            _draw_span(axes, span, first + place * _SEED_HEIGHT, (low, high))
    axes.set_xlim(low, high)
    axes.set_ylim(sum(heights), 0)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:+.0f} %" if value else "0")
    axes.locator_params(axis="x", nbins=4)
    axes.set_title(
        plain(panel.title), loc="left", size=TEXT_SIZE, color=INK_HEX, weight="bold", pad=13
    )
    axes.annotate(
        panel.hint,
        (0, 1),
        (0, 3),
        xycoords="axes fraction",
        textcoords="offset points",
        size=SMALL_SIZE,
        color=MUTED_HEX,
        va="bottom",
    )


def _draw_span(axes: "Axes", span: Span, place: float, limits: tuple[float, float]) -> None:
    marker, face, colour = _LOOKS[span.verdict]
    low, high = limits
    width, size = _POOLED_SIZES if span.is_pooled else _SEED_SIZES
    axes.plot(
        [max(span.low, low), min(span.high, high)], [place, place], color=colour, linewidth=width
    )
    for end, is_beyond, arrow in ((low, span.low < low, "<"), (high, span.high > high, ">")):
        if is_beyond:
            axes.plot([end], [place], arrow, color=colour, markersize=4, clip_on=False)
    if low <= span.change <= high:
        axes.plot(
            [span.change],
            [place],
            marker,
            markersize=size,
            markerfacecolor=face,
            markeredgecolor=colour,
            markeredgewidth=0.9,
            zorder=3,
        )


def _limits(panel: Panel) -> tuple[float, float]:
    """Return limits that hold 0 and all spans, unless one is far out."""
    ends = [end for spans in panel.rows for one in spans for end in (one.low, one.high)]
    low, high = min([-5.0, *ends]), max([5.0, *ends])
    margin = 0.06 * (high - low)
    return max(low - margin, _WIDEST[0]), min(high + margin, _WIDEST[1])


def _label_rows(axes: "Axes", labels: Sequence[str], heights: Sequence[float]) -> None:
    middles = [top + height / 2 for top, height in zip(_tops(heights), heights, strict=True)]
    axes.set_yticks(middles[: len(labels)], [plain(one) for one in labels], size=TEXT_SIZE)
    axes.tick_params(axis="y", length=0, labelsize=TEXT_SIZE)
    axes.spines["left"].set_visible(False)


def _tops(heights: Sequence[float]) -> list[float]:
    return [sum(heights[:place]) for place in range(len(heights))]


def _draw_legend(figure: "Figure") -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            color=colour,
            marker=marker,
            markersize=4.6,
            markerfacecolor=face,
            linewidth=1.1,
            label=verdict,
        )
        for verdict, (marker, face, colour) in _LOOKS.items()
    ]
    figure.legend(
        handles=handles,
        loc="outside upper right",
        ncols=3,
        frameon=False,
        fontsize=SMALL_SIZE,
        edgecolor=RULE_HEX,
    )
