"""Links patches of one colour into objects: the part of the judge that remembers."""

import itertools
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int8
from scipy.optimize import linear_sum_assignment

# All lengths are pixels of clips whose shorter side is 64; the tracker scales others to it.
SMALLEST_AREA = 10
# How far from its prediction an object may be found, more so after frames without a sighting.
NEAR = 12.0
FARTHER_PER_FRAME = 2.0
FARTHEST = 18.0
# Share of an object's area from which on a patch must be two objects of one colour.
MERGED = 1.3
# Pieces may add up to this share of it: a hidden object's area is known from other frames.
WHOLE = 1.2
# A smaller share of a patch is a piece that grew back on, no object that merged with another.
SMALLEST_SHARE = 0.2
UNREACHABLE = 1e4


@dataclass(frozen=True, eq=False)
class Sighting:
    """A patch of one colour in one frame.

    Attributes:
        frame: Number of the frame.
        mask: Its pixels.
        area: How many they are.
        centre: Their middle (x, y), in pixels from the corner of the frame.
        is_clear: Whether it touches neither the border nor another colour.
    """

    frame: int
    mask: Bool[np.ndarray, "h w"]
    area: float
    centre: Float32[np.ndarray, "2"]
    is_clear: bool


@dataclass(eq=False)
class Trail:
    """The sightings of one object so far, by frame; behind another it may be seen in pieces.

    Attributes:
        sightings: The pieces that are seen in each frame.
        merged: Frames in which it cannot be told from another object of its colour.
    """

    sightings: dict[int, list[Sighting]] = field(default_factory=dict)
    merged: set[int] = field(default_factory=set)

    def add(self, sighting: Sighting) -> None:
        """Count one more piece to this object."""
        self.sightings.setdefault(sighting.frame, []).append(sighting)

    def mask(self, frame: int) -> Bool[np.ndarray, "h w"]:
        """All pixels of a frame in which it is seen."""
        return np.logical_or.reduce([piece.mask for piece in self.sightings[frame]])

    def area(self, frame: int) -> float:
        """Number of those pixels."""
        return sum(piece.area for piece in self.sightings[frame])

    def centre(self, frame: int) -> Float32[np.ndarray, "2"]:
        """Their middle."""
        total = sum(piece.area * piece.centre for piece in self.sightings[frame])
        return np.asarray(total / self.area(frame), np.float32)

    def is_clear(self, frame: int) -> bool:
        """Whether that is the whole object."""
        pieces = self.sightings[frame]
        return len(pieces) == 1 and pieces[0].is_clear

    def full_area(self) -> float:
        """Area of the whole object: the median of clear views, else the largest view."""
        clear = [self.area(frame) for frame in self.sightings if self.is_clear(frame)]
        return float(np.median(clear)) if clear else max(map(self.area, self.sightings))

    def gap(self, frame: int) -> int:
        """Frames between this one and the nearest sighting."""
        return min(abs(seen - frame) for seen in self.sightings)

    def radius(self) -> float:
        """How far the whole object reaches from its middle."""
        clear = [frame for frame in self.sightings if self.is_clear(frame)]
        frame = clear[0] if clear else max(self.sightings, key=self.area)
        return _reach(self.mask(frame), self.centre(frame))

    def predict(self, frame: int) -> tuple[Float32[np.ndarray, "2"], Float32[np.ndarray, "2"]]:
        """Place and speed if it goes on in a straight line from its nearest clear views."""
        nearest = sorted(self.sightings, key=lambda seen: abs(seen - frame))
        clear = [seen for seen in nearest if self.is_clear(seen)]
        steady = (clear if len(clear) > 1 else nearest)[:2]
        start = self.centre(steady[0])
        if len(steady) == 1:
            return start, np.zeros(2, np.float32)
        speed = (start - self.centre(steady[-1])) / (steady[0] - steady[-1])
        return start + speed * (frame - steady[0]), speed


def find_sightings(
    labels: Int8[np.ndarray, "t h w"],
) -> dict[int, list[list[Sighting]]]:
    """Collect the patches of each colour in each frame.

    Args:
        labels: Colour of each pixel, -1 for background.

    Returns:
        For each colour that is ever seen the patches of every frame; specks and lines one pixel
        wide, which edges between two other colours leave, are passed over.

    Ours: four-neighbour patches, so that objects which touch at a corner stay two.
    """
    by_frame = [_find_in_frame(frame, number) for number, frame in enumerate(labels)]
    colours = sorted({colour for found in by_frame for colour in found})
    return {colour: [found.get(colour, []) for found in by_frame] for colour in colours}


def link_sightings(sightings: list[list[Sighting]]) -> list[Trail]:
    """Join the patches of one colour into objects.

    Args:
        sightings: The patches of each frame.

    Returns:
        One trail for each object, in no particular order, blips of a frame or two left out.

    Ours: begins in the frame that shows most objects whole and goes from there to both ends, since
    a clip may well begin in the middle of an occlusion; otherwise as SORT (Bewley et al. 2016).
    """
    trails: list[Trail] = []
    anchor = _clearest(sightings)
    order = [*range(anchor, len(sightings)), *range(anchor - 1, -1, -1)]
    for frame in order:
        _extend(trails, sightings[frame], frame)
    trails = _rejoin(trails)
    fewest = min(len(sightings), max(2, len(sightings) // 5))
    return [trail for trail in trails if len(trail.merged | set(trail.sightings)) >= fewest]


def _find_in_frame(labels: Int8[np.ndarray, "h w"], frame: int) -> dict[int, list[Sighting]]:
    """Collect the patches of one frame by colour, then see which of them touch."""
    counts = np.bincount(labels.ravel() + 1)[1:]
    found = {
        int(colour): _find_patches(labels == colour, frame)
        for colour in np.flatnonzero(counts >= SMALLEST_AREA)
    }
    whose = np.full(labels.shape, -1, np.int8)
    for colour, patches in found.items():
        for patch in patches:
            whose[patch.mask] = colour
    return {
        colour: [
            replace(one, is_clear=_is_apart(one.mask, (whose >= 0) & (whose != colour)))
            for one in patches
        ]
        for colour, patches in found.items()
        if patches
    }


def _find_patches(is_colour: Bool[np.ndarray, "h w"], frame: int) -> list[Sighting]:
    pixels = is_colour.astype(np.uint8)
    count, patches, stats, centres = cv2.connectedComponentsWithStats(pixels, connectivity=4)
    is_deep = cv2.erode(pixels, np.ones((2, 2), np.uint8)).astype(bool)
    found: list[Sighting] = []
    for number in range(1, count):
        area = float(stats[number, cv2.CC_STAT_AREA])
        mask = patches == number
        if area >= SMALLEST_AREA and (mask & is_deep).sum() >= area / 4:
            centre = centres[number].astype(np.float32) + np.float32(0.5)
            found.append(Sighting(frame, mask, area, centre, is_clear=False))
    return found


def _is_apart(mask: Bool[np.ndarray, "h w"], other: Bool[np.ndarray, "h w"]) -> bool:
    """Whether a patch touches neither the border nor, within two pixels, another colour."""
    if mask[[0, -1]].any() or mask[:, [0, -1]].any():
        return False
    grown = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8))
    return not (grown.astype(bool) & other).any()


def _clearest(sightings: list[list[Sighting]]) -> int:
    """Find the frame that hides least, and among such the one that shows most objects apart.

    Behind another colour an object loses area before it falls into pieces, so area comes first.
    """
    areas = [sum(one.area for one in found) for found in sightings]
    full = [frame for frame, area in enumerate(areas) if area >= 0.97 * max(areas)]
    return max(full, key=lambda frame: (len(sightings[frame]), _count_clear(sightings[frame])))


def _count_clear(sightings: list[Sighting]) -> int:
    return sum(one.is_clear for one in sightings)


def _extend(trails: list[Trail], sightings: list[Sighting], frame: int) -> None:
    """Give the patches of the next frame to the objects that are expected there."""
    away = np.full((len(trails), len(sightings)), UNREACHABLE)
    for row, trail in enumerate(trails):
        expected, speed = trail.predict(frame)
        limit = NEAR + FARTHER_PER_FRAME * (trail.gap(frame) - 1)
        limit = min(limit, FARTHEST) + float(np.linalg.norm(speed))
        for column, sighting in enumerate(sightings):
            distance = _distance(expected, trail.radius(), sighting)
            away[row, column] = distance if distance <= limit else UNREACHABLE
    rows, columns = linear_sum_assignment(away)
    matches = {
        int(column): int(row)
        for row, column in zip(rows, columns, strict=True)
        if away[row, column] < UNREACHABLE
    }
    lost = set(range(len(trails))) - set(matches.values())
    for column, row in matches.items():
        _join(trails, row, sightings[column], lost)
    for column in set(range(len(sightings))) - set(matches):
        near = [row for row in matches.values() if away[row, column] < UNREACHABLE]
        _join_piece(trails, near, sightings[column])


def _distance(expected: Float32[np.ndarray, "2"], radius: float, sighting: Sighting) -> float:
    """Measure how badly a patch fits an expected object.

    A piece of an object that is partly hidden may lie off its middle, but within its reach.
    """
    distance = float(np.linalg.norm(expected - sighting.centre))
    if sighting.is_clear:
        return distance
    beyond = max(0.0, _reach(sighting.mask, expected) - radius)
    return min(distance, beyond + distance / 4)


def _reach(mask: Bool[np.ndarray, "h w"], centre: Float32[np.ndarray, "2"]) -> float:
    rows, columns = np.nonzero(mask)
    return float(np.hypot(columns + 0.5 - centre[0], rows + 0.5 - centre[1]).max())


def _join(trails: list[Trail], row: int, sighting: Sighting, lost: set[int]) -> None:
    """Add a patch to its object, unless it shows two objects of one colour as one."""
    hidden = [
        trails[other]
        for other in lost
        if trails[other].full_area() > SMALLEST_SHARE * sighting.area
        and np.linalg.norm(trails[other].predict(sighting.frame)[0] - sighting.centre)
        < np.sqrt(sighting.area)
    ]
    for trail in hidden:
        trail.merged.add(sighting.frame)
    if hidden and sighting.area > MERGED * trails[row].full_area():
        trails[row].merged.add(sighting.frame)
    else:
        trails[row].add(replace(sighting, is_clear=sighting.is_clear and not hidden))


def _join_piece(trails: list[Trail], near: list[int], sighting: Sighting) -> None:
    """Add a left-over patch to an object which it completes, or begin a new object with it."""
    for row in near:
        trail = trails[row]
        if sighting.frame in trail.sightings:
            whole = trail.area(sighting.frame) + sighting.area
            if whole <= WHOLE * trail.full_area():
                trail.add(sighting)
                return
    trails.append(Trail({sighting.frame: [sighting]}))


def _rejoin(trails: list[Trail]) -> list[Trail]:
    """Join a trail that ends to one of its colour that begins later, where it can have got to.

    An object that turns while it is hidden, or outside the frame, is not where a straight line
    expects it; one of its colour that appears is still more likely to be this than a new one.
    """
    whole: list[Trail] = []
    for trail in sorted(trails, key=lambda one: min(one.sightings)):
        ended = [one for one in whole if _is_over(one, trail) and _may_be(one, trail)]
        if not ended:
            whole.append(trail)
            continue
        nearest = min(ended, key=lambda one: _jump(one, trail))
        nearest.merged.update(trail.merged)
        for piece in itertools.chain.from_iterable(trail.sightings.values()):
            nearest.add(piece)
    return whole


def _is_over(earlier: Trail, later: Trail) -> bool:
    """Whether one trail ends as the other begins, with two frames to look out on both sides."""
    both = earlier.sightings.keys() & later.sightings.keys()
    full = WHOLE * max(earlier.full_area(), later.full_area())
    return (
        max(earlier.sightings) < min(later.sightings) + 2
        and max(earlier.sightings) < max(later.sightings)
        and all(earlier.area(frame) + later.area(frame) <= full for frame in both)
    )


def _may_be(earlier: Trail, later: Trail) -> bool:
    """Whether two trails are near enough to be one object."""
    last, first = max(earlier.sightings), min(later.sightings)
    speeds = (earlier.predict(last)[1], later.predict(first)[1])
    speed = max(float(np.linalg.norm(one)) for one in speeds)
    return _jump(earlier, later) <= NEAR + speed * max(first - last, 0)


def _jump(earlier: Trail, later: Trail) -> float:
    end = earlier.centre(max(earlier.sightings))
    return float(np.linalg.norm(end - later.centre(min(later.sightings))))
