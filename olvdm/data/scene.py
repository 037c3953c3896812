"""What is in a clip of the moving-shapes world: objects, their looks and where they go."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from olvdm.data.motion import (
    DIRECTIONS,
    MOTIONS,
    Path,
    World,
    sample_crossing,
    sample_path,
    sample_return,
)

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (218, 24, 34),
    "green": (28, 168, 62),
    "blue": (32, 84, 236),
    "yellow": (255, 228, 30),
    "orange": (255, 128, 0),
    "purple": (152, 40, 196),
    "cyan": (40, 208, 226),
    "white": (246, 246, 246),
}
SHAPES: tuple[str, ...] = ("circle", "square", "triangle", "diamond", "star", "cross", "heart")
SIMPLE_SHAPES = SHAPES[:5]
TEXTURES: tuple[str, ...] = ("flat", "striped", "dotted", "gradient")
LEVELS = ("simple", "full", "ood")
HELD_OUT_PAIRS = frozenset(
    {
        ("purple", "circle"),
        ("cyan", "square"),
        ("orange", "triangle"),
        ("red", "diamond"),
        ("green", "star"),
        ("white", "heart"),
    }
)
"""Colours and shapes that meet at level ``ood`` alone, never at ``simple`` and ``full``."""

COUNT_SHARES = {
    "simple": {1: 0.4, 2: 0.6},
    "full": {1: 0.15, 2: 0.3, 3: 0.3, 4: 0.25},
    "ood": {5: 0.5, 6: 0.5},
}
MOTION_SHARES = {
    "simple": (0.21, 0.21, 0.21, 0.21, 0.16, 0.0, 0.0),
    "full": (0.14, 0.14, 0.14, 0.14, 0.14, 0.15, 0.15),
    "ood": (0.14, 0.14, 0.14, 0.14, 0.2, 0.12, 0.12),
}
RETURN_MOTION_SHARES = (0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5)
TEXTURE_SHARES = (0.34, 0.22, 0.22, 0.22)
TWIN_SHARES = {"simple": 0.5, "full": 0.62, "ood": 0.5}
CROSSING_SHARES = {"simple": 0.6, "full": 0.5, "ood": 0.5}
RETURN_SHARES = {"simple": 0.0, "full": 0.3, "ood": 0.2}
NUM_TRIES = 16


@dataclass(frozen=True)
class ShapesObject:
    """One object of a clip, in the words of a caption.

    Attributes:
        shape: One of ``SHAPES``.
        colour: One of ``COLOURS``.
        texture: One of ``TEXTURES``.
        motion: One of ``MOTIONS``.
        depth: Rank from the viewer; the object of depth 0 hides all others.
        radius: Half of the object's size in pixels, at least 7 for frames of side 64; no shape is
            narrower than 12 pixels then.
    """

    shape: str
    colour: str
    texture: str
    motion: str
    depth: int
    radius: float


@dataclass(frozen=True)
class Surface:
    """How the paint of an object lies on it; angles in radians, lengths in radii."""

    direction: float
    period: float
    phase: float
    contrast: float
    shading: float


@dataclass(frozen=True)
class Backdrop:
    """What lies behind all objects: two muted colours and the pattern that mixes them."""

    pattern: str
    first: Float32[np.ndarray, "3"]
    second: Float32[np.ndarray, "3"]
    direction: float
    period: float


@dataclass(frozen=True, eq=False)
class Scene:
    """All that a renderer has to know about a clip.

    Attributes:
        objects: The objects; their order is that of every other field.
        tracks: Centres (x, y) in pixels.
        angles: Rotation of every object in radians, clockwise as seen.
        surfaces: The paint of every object.
        backdrop: What lies behind them.
    """

    objects: tuple[ShapesObject, ...]
    tracks: Float32[np.ndarray, "t n 2"]
    angles: Float32[np.ndarray, "t n"]
    surfaces: tuple[Surface, ...]
    backdrop: Backdrop


def sample_scene(level: str, world: World, rng: np.random.Generator) -> Scene:
    """Draw one scene.

    Args:
        level: One of ``LEVELS``.
        world: Size and length of the clip.
        rng: Where the numbers come from; the same state gives the same scene.

    Returns:
        The scene; every colour and shape together are unique in it.

    Ours: the world of method.md section 5; no public data set has all of its truths.
    """
    shares = COUNT_SHARES[level]
    count = int(rng.choice(list(shares), p=list(shares.values())))
    has_crossing = count > 1 and bool(rng.random() < CROSSING_SHARES[level])
    identities = _sample_identities(level, count, has_crossing, rng)
    radii = _sample_radii(level, count, world, rng)
    depths = [int(depth) for depth in rng.permutation(count)]
    if has_crossing:  # the nearer one of the pair must be large enough to hide the other
        radii[:2] = sorted(radii[:2], reverse=depths[0] < depths[1])
    motions, paths = _sample_motions(level, world, radii, has_crossing, rng)
    is_plain = level == "simple"
    textures = ["flat" if is_plain else str(rng.choice(TEXTURES, p=TEXTURE_SHARES)) for _ in radii]
    objects = tuple(
        ShapesObject(shape, colour, texture, motion, depth, radius)
        for (colour, shape), texture, motion, depth, radius in zip(
            identities, textures, motions, depths, radii, strict=True
        )
    )
    return Scene(
        objects,
        tracks=np.stack(paths, 1),
        angles=np.zeros((world.num_frames, count), np.float32)
        if is_plain
        else np.concatenate([_sample_turning(world, motion, rng) for motion in motions], 1),
        surfaces=tuple(_sample_surface(rng, is_plain) for _ in radii),
        backdrop=_sample_backdrop(rng, is_plain),
    )


def _sample_identities(
    level: str, count: int, has_crossing: bool, rng: np.random.Generator
) -> list[tuple[str, str]]:
    """Draw a colour and a shape for every object: unique as pairs, one attribute shared at most.

    Where flat objects cross they never share the colour, or nobody could see where one ends.
    """
    all_shapes = SIMPLE_SHAPES if level == "simple" else SHAPES
    has_twins = count > 1 and rng.random() < TWIN_SHARES[level]
    while True:
        colours = [str(name) for name in rng.permutation(list(COLOURS))[:count]]
        shapes = [str(name) for name in rng.permutation(all_shapes)[:count]]
        if has_twins:
            first, second = rng.permutation(count)[:2]
            is_same_colour = not has_crossing if level == "simple" else rng.random() < 0.5
            shared = colours if is_same_colour else shapes
            shared[second] = shared[first]
        identities = list(zip(colours, shapes, strict=True))
        if bool(HELD_OUT_PAIRS.intersection(identities)) == (level == "ood"):
            return identities


def _sample_radii(level: str, count: int, world: World, rng: np.random.Generator) -> list[float]:
    largest = 7.8 if level == "ood" else (10.5 if count < 3 else 9.0)
    return [float(radius) * world.scale for radius in rng.uniform(7.0, largest, count)]


def _sample_motions(
    level: str,
    world: World,
    radii: Sequence[float],
    has_crossing: bool,
    rng: np.random.Generator,
) -> tuple[list[str], list[Path]]:
    """Draw motions and paths; a crossing takes the first two objects, a return the last."""
    count = len(radii)
    motions: list[str] = []
    paths: list[Path] = []
    if has_crossing:
        motion = str(rng.choice(DIRECTIONS))
        first, second, other_motion = sample_crossing(world, motion, (radii[0], radii[1]), rng)
        motions, paths = [motion, other_motion], [first, second]
    returns_at = count - 1 if rng.random() < RETURN_SHARES[level] else None
    for index in range(len(paths), count):
        is_return = index == returns_at
        motion, path = _sample_clear_path(level, world, is_return, (radii, paths), rng)
        motions.append(motion)
        paths.append(path)
    return motions, paths


def _sample_clear_path(
    level: str,
    world: World,
    is_return: bool,
    placed: tuple[Sequence[float], Sequence[Path]],
    rng: np.random.Generator,
) -> tuple[str, Path]:
    """Draw the next object's path a few times; keep the one that overlaps the others least."""
    radii, paths = placed
    radius = radii[len(paths)]
    sample = sample_return if is_return else sample_path
    shares = RETURN_MOTION_SHARES if is_return else MOTION_SHARES[level]
    motion = str(rng.choice(MOTIONS, p=shares))
    candidates: list[tuple[float, Path]] = []
    for _ in range(NUM_TRIES):
        path = sample(world, motion, radius, rng)
        overlap = sum(
            _overlap(path, other, radius + other_radius)
            for other, other_radius in zip(paths, radii, strict=False)
        )
        candidates.append((overlap, path))
        if overlap == 0:
            break
    return motion, min(candidates, key=lambda candidate: candidate[0])[1]


def _overlap(path: Path, other: Path, reach: float) -> float:
    """How much two objects cover each other over the clip; 0 where they never touch."""
    distance = np.linalg.norm(path - other, axis=1)
    return float(np.maximum(1 - distance / (1.1 * reach), 0).mean())


def _sample_turning(
    world: World, motion: str, rng: np.random.Generator
) -> Float32[np.ndarray, "t 1"]:
    """Draw the angle in every frame: constant for half of the objects, and for all that rest."""
    start = rng.uniform(-0.25, 0.25)
    does_turn = motion != "still" and rng.random() < 0.5
    turn = rng.uniform(0.8, 2.6) * rng.choice([-1, 1]) if does_turn else 0.0
    return (start + turn * world.progress).astype(np.float32)


def _sample_surface(rng: np.random.Generator, is_plain: bool) -> Surface:
    numbers = rng.random(5)
    return Surface(
        direction=float(2 * np.pi * numbers[0]),
        period=float(0.66 + 0.2 * numbers[1]),
        phase=float(numbers[2]),
        contrast=float(0.42 + 0.1 * numbers[3]),
        shading=0.0 if is_plain or numbers[4] < 0.5 else 0.1,
    )


def _sample_backdrop(rng: np.random.Generator, is_plain: bool) -> Backdrop:
    patterns = ("plain",) if is_plain else ("plain", "gradient", "waves", "checks", "stripes")
    first = _sample_muted_colour(rng)
    offset = rng.choice([-1, 1]) * rng.uniform(8, 14) + rng.uniform(-4, 4, 3)
    pattern = str(rng.choice(patterns))
    strength = 2.2 if pattern == "gradient" else 1.0
    return Backdrop(
        pattern,
        first,
        second=np.clip(first + strength * offset, 22, 128).astype(np.float32),
        direction=float(rng.uniform(0, np.pi)),
        period=float(rng.uniform(10, 20)),
    )


def _sample_muted_colour(rng: np.random.Generator) -> Float32[np.ndarray, "3"]:
    """Draw a dim colour of low saturation, which is far from every colour of an object."""
    tint = rng.uniform(-1, 1, 3)
    return (rng.uniform(44, 104) + 14 * (tint - tint.mean())).astype(np.float32)
