"""Curves: values as given, the worst flicker named, motion always beside it."""

import numpy as np
import pytest
from matplotlib.axes import Axes

from tests.unit.visualize.circles import World
from visualize.curves import flicker_comparison_figure, flicker_figure, slot_areas


def curves_of(axes: Axes, num_frames: int = 6) -> list[np.ndarray]:
    curves = [np.asarray(line.get_ydata()) for line in axes.lines]
    return [curve for curve in curves if len(curve) == num_frames]


def test_areas_of_a_frame_sum_to_one(world: World) -> None:
    np.testing.assert_allclose(slot_areas(world.masks).sum(axis=1), 1, atol=1e-5)


def test_area_is_the_share_of_the_picture() -> None:
    masks = np.zeros((1, 2, 4, 4), np.float32)
    masks[0, 1, :2] = 1
    np.testing.assert_allclose(slot_areas(masks), [[0, 0.5]])


def test_each_slot_has_its_own_curve(world: World) -> None:
    curves = curves_of(flicker_figure(world.flicker, world.motion, background=0).axes[0])
    np.testing.assert_array_equal(np.stack(curves, axis=1), world.flicker)


def test_motion_always_stands_beside_flicker(world: World) -> None:
    figure = flicker_figure(world.flicker, world.motion)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["flicker per slot", "motion"]
    np.testing.assert_array_equal(curves_of(figure.axes[1])[0], world.motion)


def test_area_panel_leaves_the_background_out(world: World) -> None:
    areas = slot_areas(world.masks)
    figure = flicker_figure(world.flicker, world.motion, areas=areas, background=0)
    np.testing.assert_allclose(np.stack(curves_of(figure.axes[1]), axis=1), 100 * areas[:, 1:])


def test_worst_flicker_is_named(world: World) -> None:
    figure = flicker_figure(world.flicker, world.motion, background=0)
    assert "worst: slot 2, frame 4" in [text.get_text() for text in figure.axes[0].texts]


def test_clip_without_flicker_names_no_worst(world: World) -> None:
    figure = flicker_figure(np.zeros((6, 4)), world.motion)
    assert not any("worst" in text.get_text() for text in figure.axes[0].texts)


def test_undefined_slot_has_no_curve_and_no_name(world: World) -> None:
    flicker = world.flicker.copy()
    flicker[:, 3] = np.nan
    axes = flicker_figure(flicker, world.motion).axes[0]
    assert len(curves_of(axes)) == 3
    assert "slot 3" not in [text.get_text() for text in axes.texts]


def test_clip_of_undefined_flicker_is_drawn(world: World) -> None:
    assert not curves_of(flicker_figure(np.full((6, 4), np.nan), world.motion).axes[0])


def test_chosen_slots_alone_are_drawn(world: World) -> None:
    axes = flicker_figure(world.flicker, world.motion, slots=[2]).axes[0]
    np.testing.assert_array_equal(curves_of(axes)[0], world.flicker[:, 2])


def test_comparison_draws_a_dashed_and_b_solid(world: World) -> None:
    figure = flicker_comparison_figure(
        (world.flicker, world.flicker / 2), (world.motion, world.motion)
    )
    assert [line.get_linestyle() for line in figure.axes[1].lines[:2]] == ["--", "-"]
    np.testing.assert_array_equal(curves_of(figure.axes[1])[1], world.flicker[:, 1] / 2)


def test_comparison_uses_one_scale_for_all_slots(world: World) -> None:
    figure = flicker_comparison_figure((world.flicker, world.flicker), (world.motion, world.motion))
    assert len({axes.get_ylim() for axes in figure.axes[:4]}) == 1


def test_comparison_names_a_and_b(world: World) -> None:
    figure = flicker_comparison_figure(
        (world.flicker, world.flicker), (world.motion, world.motion), ("LVDM", "OLVDM")
    )
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["LVDM", "OLVDM"]


def test_clips_with_other_numbers_of_slots_are_refused(world: World) -> None:
    with pytest.raises(ValueError, match="need 4 slots in both, got 3"):
        flicker_comparison_figure(
            (world.flicker, world.flicker[:, :3]), (world.motion, world.motion)
        )
