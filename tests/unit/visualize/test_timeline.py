"""The identity timeline marks exactly the switches."""

import numpy as np

from tests.unit.visualize.circles import SWAP_FRAME, World
from visualize.timeline import identity_switches, identity_timeline_figure, likeness


def test_steady_clip_has_no_switch() -> None:
    assert not identity_switches(np.tile(np.arange(4), (6, 1))).any()


def test_swap_is_two_switches_in_one_frame(world: World) -> None:
    switches = np.argwhere(identity_switches(world.assignment)).tolist()
    assert switches == [[SWAP_FRAME, 1], [SWAP_FRAME, 2]]


def test_returning_in_the_same_slot_is_no_switch() -> None:
    assert not identity_switches(np.array([[1], [-1], [-1], [1]])).any()


def test_returning_in_another_slot_is_a_switch_when_it_returns() -> None:
    switches = identity_switches(np.array([[1], [-1], [2], [2]]))
    np.testing.assert_array_equal(switches[:, 0], [False, False, True, False])


def test_appearing_late_is_no_switch() -> None:
    assert not identity_switches(np.array([[-1], [-1], [2], [2]])).any()


def test_likeness_follows_the_match(world: World) -> None:
    values = likeness(world.assignment, world.correlation)
    assert values[5, 1] == world.correlation[0, 5, 1, 2]
    assert np.nanmin(values) > 0.5


def test_likeness_starts_at_one(world: World) -> None:
    np.testing.assert_allclose(likeness(world.assignment, world.correlation)[0], 1, atol=1e-5)


def test_likeness_is_undefined_where_absent(world: World) -> None:
    values = likeness(world.assignment, world.correlation)
    np.testing.assert_array_equal(np.isnan(values), world.assignment < 0)


def test_figure_names_objects_and_new_slots(world: World) -> None:
    figure = identity_timeline_figure(
        world.assignment, world.correlation, world.presence, background=0
    )
    axes = figure.axes[0]
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    assert names == ["background", "slot 1", "slot 2", "slot 3"]
    assert [text.get_text() for text in axes.texts] == ["2", "1"]


def test_figure_leaves_absent_objects_out(world: World) -> None:
    figure = identity_timeline_figure(world.assignment, world.correlation, world.presence)
    bars = sum(len(container) for container in figure.axes[0].containers)
    assert bars == (world.assignment >= 0).sum()


def test_steady_figure_says_so(world: World) -> None:
    steady = np.tile(np.arange(4), (6, 1))
    figure = identity_timeline_figure(steady, world.correlation, np.ones((6, 4), dtype=bool))
    assert [text.get_text() for text in figure.axes[0].texts] == ["no switch"]


def test_clip_without_any_object_is_drawn(world: World) -> None:
    nothing = np.full((6, 4), -1)
    figure = identity_timeline_figure(nothing, world.correlation, np.zeros((6, 4), dtype=bool))
    assert not any(len(container) for container in figure.axes[0].containers)
