"""Events are read off coverages made by hand."""

import numpy as np

from olvdm.data.events import ShapesEvent, find_events, find_passings
from olvdm.data.rendering import Rendering
from olvdm.data.scene import ShapesObject

AREA = 4.0


def make_rendering(*rows: list[list[int]]) -> Rendering:
    """Draw objects of four pixels on a strip of eight; -1 stands for a pixel outside the frame."""
    num_frames = len(rows[0])
    coverage = np.zeros((len(rows), num_frames, 1, 8), np.float32)
    for index, frames in enumerate(rows):
        for frame, pixels in enumerate(frames):
            coverage[index, frame, 0, [pixel for pixel in pixels if pixel >= 0]] = 1
    flat = np.zeros((num_frames, 1, 8), np.uint8)
    area = np.full((num_frames, len(rows)), AREA, np.float32)
    return Rendering(np.zeros((num_frames, 1, 8, 3), np.uint8), flat, coverage, area, area / AREA)


def make_objects(count: int = 2) -> list[ShapesObject]:
    return [ShapesObject("circle", "red", "flat", "right", depth, 2.0) for depth in range(count)]


LEFT, MIDDLE, RIGHT = [0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7]


def test_hiding_half_of_the_farther_object_is_an_occlusion() -> None:
    rendering = make_rendering([LEFT, LEFT, LEFT], [RIGHT, MIDDLE, RIGHT])
    assert find_events(rendering, make_objects()) == (ShapesEvent("occludes", 0, 1, 1),)


def test_hiding_a_quarter_is_none() -> None:
    rendering = make_rendering([LEFT, LEFT, LEFT], [RIGHT, [3, 4, 5, 6], RIGHT])
    assert find_events(rendering, make_objects()) == ()


def test_occlusion_is_dated_where_most_is_hidden() -> None:
    rendering = make_rendering([LEFT] * 4, [RIGHT, MIDDLE, LEFT, RIGHT])
    assert find_events(rendering, make_objects())[0].frame == 2


def test_object_that_goes_and_comes_back_leaves_and_returns() -> None:
    gone = [-1]
    rendering = make_rendering([LEFT, [0, 1], gone, [0], [0, 1], LEFT])
    assert find_events(rendering, make_objects(1)) == (
        ShapesEvent("leaves", 0, None, 2),
        ShapesEvent("returns", 0, None, 4),
    )


def test_object_that_only_leans_out_never_leaves() -> None:
    rendering = make_rendering([LEFT, [0], LEFT])
    assert find_events(rendering, make_objects(1)) == ()


def test_object_that_was_never_inside_cannot_leave() -> None:
    rendering = make_rendering([[-1], [0], [-1]])
    assert find_events(rendering, make_objects(1)) == ()


def test_events_come_in_the_order_of_the_frames() -> None:
    rendering = make_rendering([LEFT, [-1], LEFT, LEFT], [RIGHT, RIGHT, RIGHT, LEFT])
    frames = [event.frame for event in find_events(rendering, make_objects())]
    assert frames == [1, 2, 3]


def test_passing_is_clear_at_both_ends() -> None:
    rendering = make_rendering([MIDDLE] * 3, [[7], MIDDLE, [0]])
    rendering.coverage[1, [0, 2], 0] = make_rendering([RIGHT, LEFT]).coverage[0, :, 0] * 0
    rendering.coverage[1, 0, 0, [0, 1, 7]] = 1
    rendering.coverage[1, 2, 0, [0, 6, 7]] = 1
    assert find_passings(rendering, make_objects()) == ((0, 1),)


def test_occlusion_that_never_clears_is_no_passing() -> None:
    rendering = make_rendering([LEFT] * 3, [RIGHT, MIDDLE, LEFT])
    assert find_passings(rendering, make_objects()) == ()


def test_object_that_leaves_the_frame_passes_nobody() -> None:
    rendering = make_rendering([LEFT] * 3, [RIGHT, LEFT, [7]])
    assert find_passings(rendering, make_objects()) == ()
