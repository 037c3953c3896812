import numpy as np
import pytest

from olvdm.data.moving_shapes import MovingShapes
from olvdm.evaluation.motion_names import name_motion

EVERYWHERE = np.ones(16, dtype=bool)


def path(step: tuple[float, float]) -> np.ndarray:
    return np.array([32, 32], np.float32) + np.arange(16, dtype=np.float32)[:, None] * step


@pytest.mark.parametrize(
    ("step", "name"),
    [((1, 0), "right"), ((-1, 0), "left"), ((0, 1), "down"), ((0, -1), "up"), ((0, 0), "still")],
)
def test_straight_paths_have_their_direction(step: tuple[float, float], name: str) -> None:
    assert name_motion(path(step).astype(np.float32), EVERYWHERE) == name


def test_a_resting_object_may_shake_a_little() -> None:
    shaking = path((0, 0)) + np.random.default_rng(0).normal(0, 0.6, (16, 2))
    assert name_motion(shaking.astype(np.float32), EVERYWHERE) == "still"


def test_a_path_along_no_axis_has_no_direction() -> None:
    assert name_motion(path((1, 1)).astype(np.float32), EVERYWHERE) == "bounce"


def test_true_paths_have_their_names() -> None:
    clips = list(MovingShapes("full", "test", 20))
    named = [
        name_motion(clip.tracks[:, number], EVERYWHERE) == one.motion
        for clip in clips
        for number, one in enumerate(clip.objects)
    ]
    assert np.mean(named) > 0.95


def test_places_that_are_not_sure_do_not_count() -> None:
    bent, is_known = path((1, 0)).astype(np.float32), EVERYWHERE.copy()
    bent[5:9, 1] += 20
    is_known[5:9] = False
    assert name_motion(bent, is_known) == "right"


def test_one_sighting_is_at_rest() -> None:
    assert name_motion(path((1, 0)).astype(np.float32), np.arange(16) == 3) == "still"
