"""Paths show the motion that they are named after, and stay where they should."""

from functools import cache

import numpy as np
import pytest

from olvdm.data.motion import (
    DIRECTIONS,
    HEADINGS,
    MOTIONS,
    REACH,
    World,
    sample_crossing,
    sample_path,
    sample_return,
)

WORLD = World(num_frames=16, height=64, width=64)
RADIUS = 9.0


def make_paths(motion: str) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.stack([sample_path(WORLD, motion, RADIUS, rng) for _ in range(50)])


@pytest.mark.parametrize("motion", MOTIONS)
def test_ordinary_path_keeps_the_object_inside_the_frame(motion: str) -> None:
    paths = make_paths(motion)
    assert paths.min() >= RADIUS
    assert paths.max() <= 64 - RADIUS


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_straight_path_travels_far_enough_to_be_seen(direction: str) -> None:
    paths = make_paths(direction)
    travel = (paths[:, -1] - paths[:, 0]) @ np.array(HEADINGS[direction])
    assert travel.min() >= 12


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_straight_path_does_not_drift_sideways(direction: str) -> None:
    paths = make_paths(direction)
    sideways = np.array(HEADINGS[direction])[::-1] == 0
    assert np.ptp(paths[..., ~sideways], axis=1).max() == 0


def test_resting_object_stays_where_it_is() -> None:
    assert np.ptp(make_paths("still"), axis=1).max() == 0


def test_bouncing_path_turns_back_on_both_axes() -> None:
    steps = np.sign(np.diff(make_paths("bounce"), axis=1))
    assert (steps.min(axis=1) == -1).all()
    assert (steps.max(axis=1) == 1).all()


def test_circling_path_keeps_its_distance_from_one_point() -> None:
    paths = make_paths("circle").astype(np.float64)
    first, middle, last = paths[:, 0], paths[:, 5], paths[:, 10]
    sides = 2 * np.stack([middle - first, last - first], axis=1)
    squares = np.stack([(p**2).sum(1) - (first**2).sum(1) for p in (middle, last)], axis=1)
    centres = np.linalg.solve(sides, squares[..., None])[..., 0]
    distances = np.linalg.norm(paths - centres[:, None], axis=2)
    assert np.ptp(distances, axis=1).max() < 0.01


@pytest.mark.parametrize("motion", ["bounce", "circle"])
def test_returning_path_is_out_of_reach_in_between_and_inside_at_both_ends(motion: str) -> None:
    rng = np.random.default_rng(1)
    paths = np.stack([sample_return(WORLD, motion, RADIUS, rng) for _ in range(50)])
    beyond = np.maximum(-paths, paths - 64).max(axis=2)
    assert (beyond.max(axis=1) > REACH * RADIUS).all()
    assert (beyond[:, [0, -1]] < 0).all()


@cache
def make_crossings() -> list[tuple[np.ndarray, np.ndarray, str]]:
    rng = np.random.default_rng(2)
    return [sample_crossing(WORLD, name, (RADIUS, 8.0), rng) for name in DIRECTIONS * 20]


def make_distances() -> np.ndarray:
    return np.array(
        [np.linalg.norm(first - second, axis=1) for first, second, _ in make_crossings()]
    )


def test_crossing_objects_meet_in_mid_clip() -> None:
    assert make_distances()[:, 5:11].min(axis=1).max() < 4


def test_crossing_objects_are_apart_at_both_ends() -> None:
    assert make_distances()[:, [0, -1]].min() > 0.8 * (RADIUS + 8)


def test_second_object_of_a_crossing_moves_as_its_name_says() -> None:
    travel = np.array([second[-1] - second[0] for _, second, _ in make_crossings()])
    headings = np.array([HEADINGS.get(motion, (0, 0)) for _, _, motion in make_crossings()])
    np.testing.assert_allclose(
        travel, headings * np.linalg.norm(travel, axis=1)[:, None], atol=1e-3
    )


def test_sizes_follow_the_shorter_side_of_the_frame() -> None:
    assert World(num_frames=16, height=32, width=128).scale == 0.5
