import numpy as np

from visualize.training_curves import TrainingCurve, training_curves_figure


def lines_of(curve: TrainingCurve, name: str = "ours"):
    figure = training_curves_figure({"loss": {name: curve}}, reference="LVDM")
    return figure.axes[0].lines


def test_few_points_are_drawn_as_they_are() -> None:
    (line,) = lines_of(TrainingCurve([10, 20, 30], [3.0, 2.0, 1.0]))
    np.testing.assert_array_equal(line.get_xdata(), [10, 20, 30])
    np.testing.assert_array_equal(line.get_ydata(), [3, 2, 1])


def test_many_points_are_averaged_and_none_is_lost() -> None:
    steps = list(range(1, 101))
    (line,) = lines_of(TrainingCurve(steps, [float(one) for one in steps]))
    values = np.asarray(line.get_ydata())
    assert len(values) == 25
    assert values.mean() == np.mean(steps)


def test_what_was_not_measured_leaves_a_gap() -> None:
    (line,) = lines_of(TrainingCurve([1, 2, 3], [1.0, None, 2.0]))
    np.testing.assert_array_equal(line.get_ydata(), [1, np.nan, 2])


def test_single_point_is_a_dot() -> None:
    (line,) = lines_of(TrainingCurve([5], [1.0]))
    assert line.get_marker() == "o"


def test_variant_looks_the_same_in_every_panel() -> None:
    curve = TrainingCurve([1, 2], [1.0, 2.0])
    panels = {"loss": {"LVDM": curve, "a": curve, "b": curve}, "slots": {"b": curve}}
    figure = training_curves_figure(panels, reference="LVDM")
    first, second = figure.axes[0].lines[2], figure.axes[1].lines[0]
    assert (first.get_color(), first.get_linestyle()) == (
        second.get_color(),
        second.get_linestyle(),
    )
