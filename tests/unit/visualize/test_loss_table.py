from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from visualize.loss_table import loss_table_figure

COSTS = {("good", "l2"): 0.1, ("frozen", "l2"): 0.0, ("swapped", "l2"): 2.5}
ROWS = {"good": "good slots", "frozen": "frozen", "swapped": "one swap"}


def test_what_costs_no_more_than_good_slots_has_a_frame() -> None:
    axes = loss_table_figure(COSTS, ROWS, {"l2": "l2"}).axes[0]
    cells = [one for one in axes.patches if isinstance(one, Rectangle)]
    assert [to_rgba(one.get_edgecolor())[3] > 0 for one in cells] == [True, True, False]


def test_cost_stands_in_its_cell() -> None:
    axes = loss_table_figure(COSTS, ROWS, {"l2": "l2"}).axes[0]
    assert [one.get_text() for one in axes.texts] == ["0.100", "0", "2.50"]


def test_most_rejected_sequence_is_the_darkest() -> None:
    axes = loss_table_figure(COSTS, ROWS, {"l2": "l2"}).axes[0]
    shades = [sum(to_rgba(one.get_facecolor())) for one in axes.patches]
    assert shades[2] < shades[0] < shades[1]
