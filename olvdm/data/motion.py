"""The ways in which an object of the moving-shapes world travels: each a path of its centre."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float32

REFERENCE_SIDE = 64
"""Sizes and distances are given for frames of this side, in pixels, and scale with the frame."""

REACH = 1.25
"""How far the widest shape reaches from its centre, as a multiple of its radius."""

DIRECTIONS = ("left", "right", "up", "down")
HEADINGS = {"left": (-1.0, 0.0), "right": (1.0, 0.0), "up": (0.0, -1.0), "down": (0.0, 1.0)}
MOTIONS = (*DIRECTIONS, "still", "bounce", "circle")

Path = Float32[np.ndarray, "t 2"]
Point = Float[np.ndarray, "2"]


@dataclass(frozen=True)
class World:
    """The space and time that objects move in; x runs right, y down, in pixels."""

    num_frames: int
    height: int
    width: int

    @property
    def scale(self) -> float:
        """Pixels of this world in one pixel of the reference side."""
        return min(self.height, self.width) / REFERENCE_SIDE

    @cached_property
    def size(self) -> Point:
        """Width and height, in the order of a point's coordinates."""
        return np.array([self.width, self.height], np.float32)

    @cached_property
    def progress(self) -> Float32[np.ndarray, "t 1"]:
        """Time of every frame, from 0 at the first to 1 at the last."""
        return np.linspace(0, 1, self.num_frames, dtype=np.float32)[:, None]


def sample_path(world: World, motion: str, radius: float, rng: np.random.Generator) -> Path:
    """Draw a path that shows one motion and stays inside the frame.

    Args:
        world: Size and length of the clip.
        motion: One of ``MOTIONS``.
        radius: Radius of the object in pixels.
        rng: Where the numbers come from.

    Returns:
        The centre in every frame as (x, y) in pixels.

    Ours: motions that a person can name at a glance, so that a caption can be held to them.
    """
    if motion == "still":
        low, high = _walls(world, radius)
        return np.repeat(rng.uniform(low, high)[None], world.num_frames, 0).astype(np.float32)
    if motion == "bounce":
        return _bounce(world, radius, rng)
    if motion == "circle":
        return _circle(world, radius, rng)
    return _straight(world, motion, radius, rng)


def sample_return(world: World, motion: str, radius: float, rng: np.random.Generator) -> Path:
    """Draw a path that leaves the frame completely and comes back into it.

    Args:
        world: Size and length of the clip.
        motion: ``bounce`` or ``circle``.
        radius: Radius of the object in pixels.
        rng: Where the numbers come from.

    Returns:
        The centre in every frame as (x, y) in pixels.

    Ours: an object that is out of sight for a few frames is what identity has to survive.
    """
    axis, is_far_side = int(rng.integers(2)), bool(rng.integers(2))
    leave = _circle_out if motion == "circle" else _bounce_out
    path = leave(world, radius, axis, rng)
    if not is_far_side:
        path[:, axis] = world.size[axis] - path[:, axis]
    return path


def sample_crossing(
    world: World, motion: str, radii: tuple[float, float], rng: np.random.Generator
) -> tuple[Path, Path, str]:
    """Draw two paths that meet in mid clip and are clear of each other at both ends.

    Args:
        world: Size and length of the clip.
        motion: Direction of the first object.
        radii: Radius of either object in pixels.
        rng: Where the numbers come from.

    Returns:
        The path of the first object, that of the second, and the motion of the second.

    Ours: two straight paths through one point, which any timing of the frames shows as a meeting.
    """
    heading = np.array(HEADINGS[motion], np.float32)
    axis = int(heading[1] != 0)
    meeting_time = rng.uniform(0.45, 0.55)
    reach = 1.12 * max(radii)
    longest = world.size[axis] - 2 * reach
    travel = rng.uniform(min(1.95 * sum(radii), 0.98 * longest), longest)
    before = travel * (meeting_time if heading[axis] > 0 else 1 - meeting_time)
    meeting = rng.uniform(reach, world.size - reach)
    meeting[axis] = rng.uniform(reach + before, world.size[axis] - reach - travel + before)
    offset = rng.uniform(-0.2, 0.2) * min(radii) * (1 - np.abs(heading))
    other_motion, other_travel = _crossed_motion(world, motion, meeting, reach, rng)
    other_heading = np.array(HEADINGS.get(other_motion, (0, 0)))
    since_meeting = world.progress - meeting_time
    first = meeting + offset + heading * travel * since_meeting
    second = meeting + other_heading * other_travel * since_meeting
    return first.astype(np.float32), second.astype(np.float32), other_motion


def _crossed_motion(
    world: World, motion: str, meeting: Point, reach: float, rng: np.random.Generator
) -> tuple[str, float]:
    """Choose how the second object of a crossing moves, and how far there is room for it."""
    others = [name for name in DIRECTIONS if name != motion]
    other_motion = str(rng.choice(["still", *others], p=[0.55, 0.15, 0.15, 0.15]))
    if other_motion == "still":
        return "still", 0.0
    axis = int(other_motion in ("up", "down"))
    room = 2 * min(meeting[axis] - reach, world.size[axis] - reach - meeting[axis]) / 1.1
    if room < 16 * world.scale:
        return "still", 0.0
    return other_motion, rng.uniform(14 * world.scale, min(room, 30 * world.scale))


def _walls(world: World, radius: float) -> tuple[Point, Point]:
    """Lowest and highest place of a centre that keeps the object inside the frame."""
    reach = np.float32(1.12 * radius)
    return np.full(2, reach, np.float32), world.size - reach


def _straight(world: World, direction: str, radius: float, rng: np.random.Generator) -> Path:
    low, high = _walls(world, radius)
    heading = np.array(HEADINGS[direction])
    travel = rng.uniform(0.45, 0.85) * np.abs(heading) * (high - low)
    middle = rng.uniform(low + travel / 2, high - travel / 2)
    return (middle + heading * travel * (world.progress - 0.5)).astype(np.float32)


def _bounce(world: World, radius: float, rng: np.random.Generator) -> Path:
    low, high = _walls(world, radius)
    room = high - low
    travel = rng.uniform(1.1, 1.6, 2) * room * rng.choice([-1, 1], 2)
    way = rng.uniform(0, room) + travel * world.progress
    return (low + room - np.abs(way % (2 * room) - room)).astype(np.float32)


def _circle(world: World, radius: float, rng: np.random.Generator) -> Path:
    low, high = _walls(world, radius)
    orbit = rng.uniform(0.6, 0.95) * float((high - low).min()) / 2
    centre = rng.uniform(low + orbit, high - orbit)
    turns = rng.uniform(0.85, 1.15) * rng.choice([-1, 1])
    return _arc(world, centre.astype(np.float32), orbit, rng.uniform(0, 2 * math.pi), turns)


def _circle_out(world: World, radius: float, axis: int, rng: np.random.Generator) -> Path:
    """Circle over the far edge of an axis, beginning well inside the frame."""
    reach = REACH * radius
    orbit = 1.2 * reach + rng.uniform(5, 10) * world.scale
    side = world.size[1 - axis]
    centre = np.zeros(2, np.float32)
    centre[axis] = world.size[axis] + reach + 3 * world.scale - orbit
    slack = max(side / 2 - orbit - radius, 0)
    centre[1 - axis] = side / 2 + rng.uniform(-slack, slack)
    inwards = math.pi if axis == 0 else -math.pi / 2
    turns = rng.uniform(0.92, 1.05) * rng.choice([-1, 1])
    return _arc(world, centre, orbit, inwards + rng.uniform(-0.5, 0.5), turns)


def _bounce_out(world: World, radius: float, axis: int, rng: np.random.Generator) -> Path:
    """Bounce off a wall beyond the far edge of an axis, and off the ordinary walls across it."""
    wall = world.size[axis] + REACH * radius + 5 * world.scale
    turning_time = rng.uniform(0.42, 0.55)
    start = rng.uniform(0.4, 0.6) * world.size[axis]
    path = _bounce(world, radius, rng)
    speed = (wall - start) / turning_time
    path[:, axis] = wall - np.abs(world.progress[:, 0] - turning_time) * speed
    return path


def _arc(world: World, centre: Point, orbit: float, start: float, turns: float) -> Path:
    angle = start + 2 * math.pi * turns * world.progress
    return (centre + orbit * np.concatenate([np.cos(angle), np.sin(angle)], 1)).astype(np.float32)
