"""The judge of generated clips that nobody trains against: what is seen, and what was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8
from scipy.optimize import linear_sum_assignment

from olvdm.data.moving_shapes import SHAPES, MovingShapes
from olvdm.evaluation.motion_names import name_motion
from olvdm.evaluation.segmentation import COLOUR_NAMES, segment_colours
from olvdm.evaluation.shape_templates import match_shapes
from olvdm.evaluation.tracks import Trail, find_sightings, link_sightings

REFERENCE_SIDE = 64
NUM_VIEWS = 5
# Share of an object's area from which on it counts as seen whole.
WHOLE = 0.9
# How far an object may seem to jump as it turns into one of another colour.
SWITCH_REACH = 8.0


@dataclass(frozen=True, eq=False)
class Track:
    """One object of a clip, as the tracker sees it.

    Attributes:
        colour: One of ``COLOURS``.
        shape: One of ``SHAPES``.
        motion: One of ``DIRECTIONS``, or ``still``, ``bounce``, ``circle``.
        positions: Centre (x, y) in pixels, a straight line where it is hidden; NaN before the
            first sighting and after the last.
        areas: Pixels seen, 0 where none are.
        present: Whether any of it is seen.
        clear: Whether all of it is seen: it touches neither another object nor the border.
        merged: Whether it cannot be told from another of its colour; it counts as not present.
        paint: Mean colour of the pixels that are seen, NaN where none are.
        masks: Those pixels, at the clip's own size.
    """

    colour: str
    shape: str
    motion: str
    positions: Float32[np.ndarray, "t 2"]
    areas: Float32[np.ndarray, " t"]
    present: Bool[np.ndarray, " t"]
    clear: Bool[np.ndarray, " t"]
    merged: Bool[np.ndarray, " t"]
    paint: Float32[np.ndarray, "t 3"]
    masks: Bool[np.ndarray, "t h w"]

    @property
    def first(self) -> int:
        """First frame in which it is seen."""
        return int(self.present.argmax())

    @property
    def last(self) -> int:
        """Last frame in which it is seen."""
        return int(np.flatnonzero(self.present)[-1])


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far a clip shows what its prompt asked for; each between 0 and 1.

    Attributes:
        count: 1 if as many objects are seen as were asked for, else 0.
        colour: Share of the objects asked for that are there in their colour.
        shape: Share of them that also have their shape.
        direction: Share of them that also move as asked.
    """

    count: float
    colour: float
    shape: float
    direction: float


@dataclass(frozen=True, kw_only=True)
class ObjectStability:
    """How well the objects of a clip hold together; 0 is perfect in each.

    Attributes:
        identity_switches: Objects that turn into one of another colour from one frame to the next.
        vanishing: Objects that are gone from one frame to the next in plain sight, neither at the
            border nor beside another object; a blink counts once.
        appearing: The same for objects that are suddenly there.
        colour_drift: Mean distance of an object's colour from its own median, of 1 for black to
            white.
        area_drift: Mean change of area from the first third of the clear views to the last, as a
            share of the area.
        area_variation: Mean of each object's standard deviation of area over its mean, clear views
            alone.
        empty_frames: Share of the frames in which no object is seen.
        count_changes: Share of the steps between frames at which the number of objects changes,
            hidden ones counted.
    """

    identity_switches: int
    vanishing: int
    appearing: int
    colour_drift: float
    area_drift: float
    area_variation: float
    empty_frames: float
    count_changes: float


def track(frames: UInt8[np.ndarray, "t h w 3"]) -> tuple[Track, ...]:
    """Find every object of a clip of the moving-shapes world.

    Args:
        frames: The clip, of any size.

    Returns:
        One track for each object, in the order of ``COLOURS``.

    Ours: method.md section 7, judge (a).
    """
    scale = min(frames.shape[1:3]) / REFERENCE_SIDE
    small = _resize(frames, scale)
    return tuple(
        _describe(trail, colour, small, frames.shape[1:3])
        for colour, sightings in find_sightings(segment_colours(small)).items()
        for trail in link_sightings(sightings)
    )


def judge_prompt(
    frames: UInt8[np.ndarray, "t h w 3"],
    expected: Sequence[tuple[str, str, str]],
    tracks: Sequence[Track] | None = None,
) -> Agreement:
    """Compare what a clip shows with what was asked for.

    Args:
        frames: The clip.
        expected: Colour, shape and motion of each object of the prompt.
        tracks: Its objects, where the caller has them already.

    Returns:
        Agreement of each attribute. Objects seen are given to objects asked for so that as much as
        possible agrees, colour before shape before motion; one that is missing agrees in nothing.

    Raises:
        ValueError: If nothing is expected.

    Ours: method.md section 7, judge (a).
    """
    if not expected:
        raise ValueError("need at least one expected object, got 0")
    tracks = track(frames) if tracks is None else tracks
    agrees = np.array(
        [
            [(one.colour == colour, one.shape == shape, one.motion == motion) for one in tracks]
            for colour, shape, motion in expected
        ],
        dtype=np.float64,
    ).reshape(len(expected), len(tracks), 3)
    rows, columns = linear_sum_assignment(agrees @ np.array([4, 2, 1]), maximize=True)
    colour, shape, direction = agrees[rows, columns].sum(axis=0) / len(expected)
    return Agreement(
        count=float(count_objects(tracks, len(frames)) == len(expected)),
        colour=float(colour),
        shape=float(shape),
        direction=float(direction),
    )


def count_objects(tracks: Sequence[Track], num_frames: int) -> int:
    """Say how many objects a clip has, as most of its frames see it.

    Args:
        tracks: What ``track`` found.
        num_frames: Length of the clip.

    Returns:
        The most frequent number of objects alive, hidden ones counted; the larger of two.

    Ours: one object that melts for a few frames is no reason to find another number.
    """
    counts = np.bincount(_count_alive(tracks, num_frames))
    return len(counts) - 1 - int(counts[::-1].argmax())


def object_stability(
    frames: UInt8[np.ndarray, "t h w 3"], tracks: Sequence[Track] | None = None
) -> ObjectStability:
    """Measure how well the objects of a clip keep their being, colour and area.

    Args:
        frames: The clip.
        tracks: Its objects, where the caller has them already.

    Returns:
        Counts over the clip and means over its objects; 0 in all but ``empty_frames`` where no
        object is ever seen.

    Ours: method.md section 7, judge (a). A frozen clip is perfect here, so a motion score belongs
    beside it.
    """
    tracks = track(frames) if tracks is None else tracks
    scale = min(frames.shape[1:3]) / REFERENCE_SIDE
    ends, starts = _sudden_ends(tracks), _sudden_starts(tracks)
    switches = _count_switches(ends, starts, reach=SWITCH_REACH * scale)
    alive = _count_alive(tracks, len(frames))
    present = np.array([one.present for one in tracks]).reshape(-1, len(frames))
    return ObjectStability(
        identity_switches=switches,
        vanishing=len(ends) - switches,
        appearing=len(starts) - switches,
        colour_drift=_mean([_colour_drift(one) for one in tracks]),
        area_drift=_mean([_area_drift(one) for one in tracks]),
        area_variation=_mean([_area_variation(one) for one in tracks]),
        empty_frames=float(1 - present.any(axis=0).mean()) if len(tracks) else 1.0,
        count_changes=_mean(np.sign(np.abs(np.diff(alive)), dtype=np.float64).tolist()),
    )


def validate_tracker(level: str, num_clips: int = 60, seed: int = 0) -> dict[str, float]:
    """Try the judge on real clips, whose prompts are true: it may judge only what it reads there.

    Args:
        level: Level of ``MovingShapes``.
        num_clips: Clips of the test split to try.
        seed: Seed of the data set.

    Returns:
        Mean agreement by attribute; method.md asks for 0.95 on ``simple``.

    Ours: a judge that errs on the truth cannot tell a bad clip from a good one.
    """
    clips = MovingShapes(level, "test", num_clips, seed=seed)
    agreements = [
        judge_prompt(clip.frames, [(one.colour, one.shape, one.motion) for one in clip.objects])
        for clip in clips
    ]
    names = [field.name for field in fields(Agreement)]
    return {name: _mean([getattr(one, name) for one in agreements]) for name in names}


def _resize(frames: UInt8[np.ndarray, "t h w 3"], scale: float) -> UInt8[np.ndarray, "t h2 w2 3"]:
    if scale == 1:
        return frames
    size = (round(frames.shape[2] / scale), round(frames.shape[1] / scale))
    mode = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    return np.stack([cv2.resize(frame, size, interpolation=mode) for frame in frames])


def _resize_mask(mask: Bool[np.ndarray, "h w"], size: tuple[int, ...]) -> Bool[np.ndarray, "h2 w2"]:
    if mask.shape == size:
        return mask
    return cv2.resize(mask.astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST) > 0


def _describe(
    trail: Trail, colour: int, frames: UInt8[np.ndarray, "t h w 3"], size: tuple[int, ...]
) -> Track:
    """Put what the sightings of one object say into arrays over all frames of a clip of a size."""
    scale = min(size) / REFERENCE_SIDE
    seen = sorted(trail.sightings)
    present = np.zeros(len(frames), dtype=bool)
    present[seen] = True
    areas, clear = np.zeros(len(frames), np.float32), np.zeros(len(frames), dtype=bool)
    centres = np.full((len(frames), 2), np.nan, np.float32)
    paint = np.full((len(frames), 3), np.nan, np.float32)
    masks = np.zeros((len(frames), *size), dtype=bool)
    for frame in seen:
        masks[frame] = _resize_mask(trail.mask(frame), size)
        areas[frame], clear[frame] = trail.area(frame), trail.is_clear(frame)
        centres[frame], paint[frame] = trail.centre(frame), frames[frame][trail.mask(frame)].mean(0)
    # In front of another, an object is whole though not clear; its area tells.
    whole = areas >= WHOLE * trail.full_area()
    views = sorted(seen, key=lambda frame: (clear[frame], areas[frame]), reverse=True)[:NUM_VIEWS]
    positions = _fill_gaps(centres, present, whole)
    return Track(
        colour=COLOUR_NAMES[colour],
        shape=SHAPES[int(match_shapes([trail.mask(frame) for frame in views]).argmax())],
        motion=name_motion(positions, whole if whole.sum() > 1 else present),
        positions=positions * np.float32(scale),
        areas=areas * np.float32(scale**2),
        present=present,
        clear=clear,
        merged=np.isin(np.arange(len(frames)), list(trail.merged)),
        paint=paint,
        masks=masks,
    )


def _fill_gaps(
    centres: Float32[np.ndarray, "t 2"],
    present: Bool[np.ndarray, " t"],
    whole: Bool[np.ndarray, " t"],
) -> Float32[np.ndarray, "t 2"]:
    """Go straight from one whole view to the next: what is half hidden shows no true centre."""
    seen = np.flatnonzero(present)
    is_outside = (np.cumsum(whole) == 0) | (np.cumsum(whole[::-1])[::-1] == 0)
    known = seen[(whole | is_outside)[seen]]
    span = np.arange(seen[0], seen[-1] + 1)
    positions = np.full_like(centres, np.nan)
    for axis in range(2):
        positions[span, axis] = np.interp(span, known, centres[known, axis])
    return positions


def _count_alive(tracks: Sequence[Track], num_frames: int) -> Int64[np.ndarray, " t"]:
    """Count the objects between their first and last sighting, frame by frame."""
    counts = np.zeros(num_frames, np.int64)
    for one in tracks:
        alive = np.flatnonzero(one.present | one.merged)
        counts[alive[0] : alive[-1] + 1] += 1
    return counts


def _sudden_ends(tracks: Sequence[Track]) -> list[tuple[int, Float32[np.ndarray, "2"]]]:
    """Find where objects are seen whole in one frame and not at all in the next."""
    return [
        (int(frame) + 1, one.positions[frame])
        for one in tracks
        for frame in np.flatnonzero(one.clear[:-1] & ~(one.present | one.merged)[1:])
    ]


def _sudden_starts(tracks: Sequence[Track]) -> list[tuple[int, Float32[np.ndarray, "2"]]]:
    """Find where objects are seen whole in one frame and were never seen before it."""
    return [
        (one.first, one.positions[one.first])
        for one in tracks
        if one.first > 0 and one.clear[one.first]
    ]


def _count_switches(
    ends: Sequence[tuple[int, Float32[np.ndarray, "2"]]],
    starts: Sequence[tuple[int, Float32[np.ndarray, "2"]]],
    reach: float,
) -> int:
    """Pair objects that vanish with objects that appear there at once."""
    if not ends or not starts:
        return 0
    is_pair = np.array(
        [
            [end == start and np.linalg.norm(here - there) <= reach for start, there in starts]
            for end, here in ends
        ]
    )
    rows, columns = linear_sum_assignment(is_pair, maximize=True)
    return int(is_pair[rows, columns].sum())


def _mean(values: Sequence[float]) -> float:
    """Average the values that could be measured; 0 without any."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else 0.0


def _colour_drift(one: Track) -> float:
    paint = one.paint[one.clear]
    if len(paint) < 2:
        return float("nan")
    away = np.linalg.norm(paint - np.median(paint, axis=0), axis=1)
    return float(away.mean() / (255 * np.sqrt(3)))


def _area_drift(one: Track) -> float:
    areas = one.areas[one.clear]
    third = len(areas) // 3
    if third < 1:
        return float("nan")
    return float(abs(areas[-third:].mean() - areas[:third].mean()) / areas.mean())


def _area_variation(one: Track) -> float:
    areas = one.areas[one.clear]
    return float(areas.std() / areas.mean()) if len(areas) > 1 else float("nan")
