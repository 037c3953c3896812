"""Scenes hold the objects that their level promises."""

from functools import cache
from itertools import combinations

import numpy as np
import pytest

from olvdm.data.motion import World
from olvdm.data.scene import (
    COLOURS,
    HELD_OUT_PAIRS,
    LEVELS,
    SHAPES,
    SIMPLE_SHAPES,
    Scene,
    sample_scene,
)

WORLD = World(num_frames=8, height=64, width=64)


@cache
def make_scenes(level: str) -> tuple[Scene, ...]:
    rng = np.random.default_rng(0)
    return tuple(sample_scene(level, WORLD, rng) for _ in range(200))


def pairs_of(scene: Scene) -> set[tuple[str, str]]:
    return {(thing.colour, thing.shape) for thing in scene.objects}


@pytest.mark.parametrize(
    ("level", "counts"), [("simple", {1, 2}), ("full", {1, 2, 3, 4}), ("ood", {5, 6})]
)
def test_level_has_its_numbers_of_objects(level: str, counts: set[int]) -> None:
    assert {len(scene.objects) for scene in make_scenes(level)} == counts


@pytest.mark.parametrize("level", LEVELS)
def test_no_two_objects_of_a_scene_are_called_the_same(level: str) -> None:
    assert all(len(pairs_of(scene)) == len(scene.objects) for scene in make_scenes(level))


@pytest.mark.parametrize("level", ["simple", "full"])
def test_training_levels_never_show_a_held_out_pair(level: str) -> None:
    assert not any(pairs_of(scene) & HELD_OUT_PAIRS for scene in make_scenes(level))


def test_every_ood_scene_shows_a_held_out_pair() -> None:
    assert all(pairs_of(scene) & HELD_OUT_PAIRS for scene in make_scenes("ood"))


def test_every_held_out_pair_is_one_of_our_colours_and_shapes() -> None:
    assert {pair for pair in HELD_OUT_PAIRS if pair[0] in COLOURS and pair[1] in SHAPES} == (
        HELD_OUT_PAIRS
    )


def test_simple_objects_are_flat_and_upright() -> None:
    textures = {thing.texture for scene in make_scenes("simple") for thing in scene.objects}
    assert textures == {"flat"}
    assert not any(scene.angles.any() for scene in make_scenes("simple"))


def test_simple_shapes_are_the_five_that_look_least_alike() -> None:
    shapes = {thing.shape for scene in make_scenes("simple") for thing in scene.objects}
    assert shapes == set(SIMPLE_SHAPES)


def test_resting_objects_do_not_turn() -> None:
    turning = [
        np.ptp(scene.angles[:, index])
        for scene in make_scenes("full")
        for index, thing in enumerate(scene.objects)
        if thing.motion == "still"
    ]
    assert max(turning) == 0


def test_some_moving_objects_turn() -> None:
    assert any(np.ptp(scene.angles, axis=0).max() > 1 for scene in make_scenes("full"))


@pytest.mark.parametrize("level", LEVELS)
def test_half_of_the_scenes_with_company_share_a_colour_or_a_shape(level: str) -> None:
    crowded = [scene.objects for scene in make_scenes(level) if len(scene.objects) > 1]
    has_twins = [
        any(a.colour == b.colour or a.shape == b.shape for a, b in combinations(objects, 2))
        for objects in crowded
    ]
    assert 0.4 < np.mean(has_twins) < 0.75


@pytest.mark.parametrize("level", LEVELS)
def test_depths_rank_the_objects_without_ties(level: str) -> None:
    ranks = [sorted(thing.depth for thing in scene.objects) for scene in make_scenes(level)]
    assert all(rank == list(range(len(rank))) for rank in ranks)


def test_simple_objects_of_one_colour_never_hide_each_other() -> None:
    meeting = [
        np.linalg.norm(scene.tracks[:, 0] - scene.tracks[:, 1], axis=1).min()
        for scene in make_scenes("simple")
        if len({thing.colour for thing in scene.objects}) < len(scene.objects)
    ]
    assert min(meeting) > 8


def test_colours_are_far_apart() -> None:
    palette = np.array(list(COLOURS.values()), float)
    distances = [np.linalg.norm(a - b) for a, b in combinations(palette, 2)]
    assert min(distances) > 100
