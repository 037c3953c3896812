import pytest

from visualize.forest import Panel, Span, Verdict, forest_figure

VERDICTS: tuple[Verdict, ...] = ("better", "undecided", "worse")


def panel(*spans: Span) -> Panel:
    return Panel("drift", "lower is better", [list(spans)])


def test_each_verdict_has_a_marker_or_a_face_of_its_own() -> None:
    spans = [Span(1.0, 0.0, 2.0, verdict) for verdict in VERDICTS]
    axes = forest_figure([panel(*spans)], ["ours"], reference="LVDM").axes[0]
    dots = [line for line in axes.lines if str(line.get_marker()) in "oX"]
    looks = {(line.get_marker(), str(line.get_markerfacecolor()) == "white") for line in dots}
    assert len(looks) == 3


def test_bar_spans_the_interval() -> None:
    axes = forest_figure([panel(Span(-10.0, -20.0, 5.0, "undecided"))], ["a"], reference="b").axes[
        0
    ]
    assert [-20.0, 5.0] in [list(line.get_xdata()) for line in axes.lines]  # pyright: ignore[reportArgumentType]


def test_all_seeds_together_stand_out_from_each_alone() -> None:
    alone = Span(-10.0, -20.0, 5.0, "undecided")
    joint = Span(-8.0, -12.0, -3.0, "better", is_pooled=True)
    axes = forest_figure([panel(alone, joint)], ["a"], reference="b").axes[0]
    widths = {
        low: line.get_linewidth()
        for low in (-20.0, -12.0)
        for line in axes.lines
        if low in list(line.get_xdata())  # pyright: ignore[reportArgumentType]
    }
    assert widths[-12.0] > 2 * widths[-20.0]


@pytest.mark.parametrize(("low", "high", "arrow"), [(-400.0, 1.0, "<"), (-1.0, 900.0, ">")])
def test_bar_that_leaves_the_panel_ends_in_an_arrow(low: float, high: float, arrow: str) -> None:
    axes = forest_figure([panel(Span(0.0, low, high, "undecided"))], ["a"], reference="b").axes[0]
    assert arrow in [line.get_marker() for line in axes.lines]


def test_variant_that_was_not_measured_keeps_its_row() -> None:
    panels = [Panel("drift", "", [[], [Span(1.0, 0.0, 2.0, "worse")]])]
    axes = forest_figure(panels, ["first", "second"], reference="LVDM").axes[0]
    assert [one.get_text() for one in axes.get_yticklabels()] == ["first", "second"]
