import math

import numpy as np
import pytest

from olvdm.evaluation.object_flicker import ObjectFlicker, object_flicker
from olvdm.evaluation.optical_flow import estimate_flow
from olvdm.evaluation.tracker import track

RED, BLUE = (230, 40, 40), (40, 80, 220)


def still_clip(num_frames: int = 8) -> np.ndarray:
    """A large red and a small blue square that rest on grey."""
    frames = np.full((num_frames, 64, 64, 3), 90, np.uint8)
    frames[:, 8:40, 8:40] = RED
    frames[:, 46:58, 46:58] = BLUE
    return frames


def blinking(frames: np.ndarray, rows: slice, columns: slice) -> np.ndarray:
    """Every second frame is darker there."""
    changed = frames.copy()
    changed[::2, rows, columns] = (changed[::2, rows, columns] * 0.93).astype(np.uint8)
    return changed


def flicker_of(frames: np.ndarray) -> ObjectFlicker:
    return object_flicker(frames, track(frames), estimate_flow(frames))


def test_objects_that_rest_do_not_flicker() -> None:
    found = flicker_of(still_clip())
    assert found.object_warp_error == pytest.approx(0, abs=1e-9)
    assert found.object_high_frequency == pytest.approx(0, abs=1e-9)


def test_a_background_that_blinks_is_no_objects_fault() -> None:
    frames = still_clip()
    frames[::2, 0:4, 20:60] = 96
    found = flicker_of(frames)
    assert found.object_warp_error < 1e-5
    assert found.object_high_frequency == pytest.approx(0, abs=1e-9)


def test_an_object_that_blinks_flickers() -> None:
    found = flicker_of(blinking(still_clip(), slice(46, 58), slice(46, 58)))
    assert found.object_warp_error > 1e-4
    assert found.object_high_frequency > 1e-4


def test_a_small_object_counts_as_much_as_a_large_one() -> None:
    small = flicker_of(blinking(still_clip(), slice(46, 58), slice(46, 58))).object_high_frequency
    frames = still_clip()
    frames[:, 8:40, 8:40] = 90
    alone = flicker_of(blinking(frames, slice(46, 58), slice(46, 58))).object_high_frequency
    assert small == pytest.approx(alone / 2, rel=0.1)


def test_a_clip_without_objects_is_not_a_steady_one() -> None:
    found = flicker_of(np.full((6, 64, 64, 3), 90, np.uint8))
    assert math.isnan(found.object_warp_error)
    assert math.isnan(found.object_high_frequency)


def test_clips_of_another_size_are_measured_at_their_own() -> None:
    large = still_clip().repeat(2, axis=1).repeat(2, axis=2)
    assert [one.masks.shape for one in track(large)] == [(8, 128, 128)] * 2
    assert flicker_of(large).object_warp_error == pytest.approx(0, abs=1e-9)
