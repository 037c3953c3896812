"""Draws a scene of the moving-shapes world: anti-aliased signed distances, all frames at once."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int, UInt8

from olvdm.data.motion import REACH, World
from olvdm.data.scene import COLOURS, Backdrop, Scene, Surface

DARKENING = 0.7
"""How much less we darken a colour than lighten it: dark orange is brown, light blue still blue."""

Patch = Float32[np.ndarray, "t p p"]
Distance = Callable[[Patch, Patch], Patch]


@dataclass(frozen=True, eq=False)
class Rendering:
    """A drawn scene and the truth about who is where.

    Attributes:
        frames: The pixels.
        true_masks: 0 where the background shows, i + 1 where object i does.
        coverage: Share of each pixel that an object covers, others in front left out of account.
        area: Pixels of each object, parts outside the frame and behind others included.
        visibility: Share of that area that is seen.
    """

    frames: UInt8[np.ndarray, "t h w 3"]
    true_masks: UInt8[np.ndarray, "t h w"]
    coverage: Float32[np.ndarray, "n t h w"]
    area: Float32[np.ndarray, "t n"]
    visibility: Float32[np.ndarray, "t n"]


@dataclass(frozen=True, eq=False)
class Place:
    """The square of pixels around an object in every frame, and where each lies on the canvas.

    Pixels outside the frame fall on a margin of the canvas, one past its right and lower edge.
    """

    index: Int[np.ndarray, "t p p"]
    is_inside: Bool[np.ndarray, "t p p"]
    x: Patch
    y: Patch


def render(scene: Scene, world: World) -> Rendering:
    """Draw every frame, the nearest object first.

    Args:
        scene: What to draw.
        world: Size and length of the clip.

    Returns:
        The frames, and which object is seen in which pixel: the one that fills over half of it.

    Ours: from front to back, each object takes its share of the light that is left, so the
    mask and the picture come from the same number.
    """
    count = len(scene.objects)
    canvas = (world.num_frames, world.height + 1, world.width + 1)
    light = np.ones(math.prod(canvas), np.float32)
    picture = np.zeros((light.size, 3), np.float32)
    true_masks = np.zeros(light.size, np.uint8)
    coverage = np.zeros((count, light.size), np.float32)
    area = np.zeros((world.num_frames, count), np.float32)
    visibility = np.zeros_like(area)
    for number in sorted(range(count), key=lambda n: scene.objects[n].depth):
        place = _place(scene, number, world)
        covered = _cover(scene, number, place)
        seen = covered * light[place.index]
        coverage[number, place.index] = covered
        light[place.index] -= seen
        picture[place.index] += seen[..., None] * _paint(scene, number, place)
        true_masks[place.index[seen > 0.5]] = number + 1
        area[:, number] = covered.sum((1, 2))
        visibility[:, number] = (seen * place.is_inside).sum((1, 2)) / area[:, number]
    drawn = picture.reshape(*canvas, 3)[:, :-1, :-1]
    drawn += light.reshape(*canvas, 1)[:, :-1, :-1] * draw_backdrop(scene.backdrop, world)
    return Rendering(
        frames=np.clip(drawn + 0.5, 0, 255).astype(np.uint8),
        true_masks=true_masks.reshape(canvas)[:, :-1, :-1].copy(),
        coverage=coverage.reshape(count, *canvas)[:, :, :-1, :-1],
        area=area,
        visibility=visibility.clip(0, 1),
    )


def _place(scene: Scene, number: int, world: World) -> Place:
    centre = scene.tracks[:, number]
    half = math.ceil(REACH * scene.objects[number].radius + 1)
    pixels = np.floor(centre).astype(np.int64)[..., None] + np.arange(-half, half + 1)
    offset = (pixels + 0.5 - centre[..., None]).astype(np.float32)
    side = np.array([[world.width], [world.height]])
    is_inside = (pixels >= 0) & (pixels < side)
    column, row = np.moveaxis(np.where(is_inside, pixels, side), 1, 0)
    row_start = (np.arange(world.num_frames)[:, None] * (world.height + 1) + row) * (
        world.width + 1
    )
    x, y = np.broadcast_arrays(offset[:, 0, None, :], offset[:, 1, :, None])
    return Place(
        index=row_start[:, :, None] + column[:, None, :],
        is_inside=is_inside[:, 1, :, None] & is_inside[:, 0, None, :],
        x=x,
        y=y,
    )


def _turned(scene: Scene, number: int, place: Place) -> tuple[Patch, Patch]:
    """Coordinates of the pixels on the object itself, in radii."""
    radius = np.float32(scene.objects[number].radius)
    if not scene.angles[:, number].any():
        return place.x / radius, place.y / radius
    cosine = np.cos(scene.angles[:, number])[:, None, None] / radius
    sine = np.sin(scene.angles[:, number])[:, None, None] / radius
    return place.x * cosine + place.y * sine, place.y * cosine - place.x * sine


def _cover(scene: Scene, number: int, place: Place) -> Patch:
    thing = scene.objects[number]
    distance = DISTANCES[thing.shape](*_turned(scene, number, place))
    return np.clip(0.5 - distance * np.float32(thing.radius), 0, 1)


def _paint(scene: Scene, number: int, place: Place) -> Float32[np.ndarray, "#t #p #p 3"]:
    thing, surface = scene.objects[number], scene.surfaces[number]
    colour = np.array(COLOURS[thing.colour], np.float32)
    if thing.texture == "flat" and not surface.shading:
        return colour[None, None, None]
    radius = np.float32(thing.radius)
    light = 1 - surface.shading * (0.5 * place.x + 0.8 * place.y) / radius
    if thing.texture == "flat":
        return np.minimum(light[..., None] * colour, 255)
    x, y = _turned(scene, number, place)
    if thing.texture == "gradient":
        light -= (
            DARKENING
            * surface.contrast
            * np.clip(0.6 + 0.6 * _along(x, y, surface.direction), 0, 1)
        )
        return np.minimum(light[..., None] * colour, 255)
    mark = np.clip(MARKS[thing.texture](x, y, surface) * radius + 0.5, 0, 1)
    mark_colour = _tint(colour, surface.contrast)
    return np.minimum(light[..., None] * (colour + mark[..., None] * (mark_colour - colour)), 255)


def _tint(colour: Float32[np.ndarray, "3"], contrast: float) -> Float32[np.ndarray, "3"]:
    """Shift a colour away from its own brightness, so that marks show and the hue stays."""
    is_bright = float(colour @ np.array([0.3, 0.59, 0.11], np.float32)) > 140
    shifted = (
        colour * (1 - DARKENING * contrast) if is_bright else colour + contrast * (255 - colour)
    )
    return shifted.astype(np.float32)


def _along(
    x: Float32[np.ndarray, "*grid"], y: Float32[np.ndarray, "*grid"], direction: float
) -> Float32[np.ndarray, "*grid"]:
    """Coordinate in a direction."""
    return x * np.float32(math.cos(direction)) + y * np.float32(math.sin(direction))


def _stripes(x: Patch, y: Patch, surface: Surface) -> Patch:
    """How deep a point lies in one of the stripes, which fill two fifths of the object."""
    way = (_along(x, y, surface.direction) / surface.period + surface.phase) % 1
    return (0.2 - np.abs(way - 0.5)) * np.float32(surface.period)


def _dots(x: Patch, y: Patch, surface: Surface) -> Patch:
    """How deep a point lies in a dot of a square grid; one of them is in mid object."""
    across = _along(x, y, surface.direction) / surface.period
    down = _along(x, y, surface.direction + math.pi / 2) / surface.period
    from_dot = np.hypot(across - np.rint(across), down - np.rint(down))
    return (0.28 - from_dot) * np.float32(surface.period)


MARKS = {"striped": _stripes, "dotted": _dots}


def draw_backdrop(backdrop: Backdrop, world: World) -> Float32[np.ndarray, "#h #w 3"]:
    """Draw what lies behind all objects, the same in every frame.

    Args:
        backdrop: Its colours and pattern.
        world: Size of the frame.

    Returns:
        One frame, or one pixel of it where the pattern is plain.

    Ours: dim and muted, so that every colour of an object stands out from it.
    """
    if backdrop.pattern == "plain":
        return backdrop.first[None, None]
    y, x = np.mgrid[: world.height, : world.width].astype(np.float32) / np.float32(world.scale)
    along = _along(x, y, backdrop.direction)
    across = _along(x, y, backdrop.direction + math.pi / 2)
    if backdrop.pattern == "gradient":
        mix = (along - along.min()) / max(float(np.ptp(along)), 1.0)
    elif backdrop.pattern == "waves":
        turn = 2 * math.pi / backdrop.period
        swell = np.sin(turn * along + np.sin(0.7 * turn * across))
        mix = 0.5 + 0.25 * (swell + np.sin(turn * across))
    elif backdrop.pattern == "checks":
        turn = math.pi / backdrop.period
        mix = 0.5 + np.clip(3 * np.sin(turn * along) * np.sin(turn * across), -0.5, 0.5)
    else:
        mix = 0.5 + np.clip(2 * np.sin(2 * math.pi / backdrop.period * along), -0.5, 0.5)
    mix = mix[..., None].astype(np.float32)
    return backdrop.first * (1 - mix) + backdrop.second * mix


def _circle(x: Patch, y: Patch) -> Patch:
    return np.hypot(x, y) - 1


def _box(x: Patch, y: Patch, half_width: float, half_height: float) -> Patch:
    return np.maximum(np.abs(x) - np.float32(half_width), np.abs(y) - np.float32(half_height))


def _square(x: Patch, y: Patch) -> Patch:
    return _box(x, y, 0.9, 0.9)


def _triangle(x: Patch, y: Patch) -> Patch:
    """Equilateral, point up, its corners 1.2 from the middle."""
    return np.maximum(np.abs(x) * np.float32(math.sqrt(3) / 2) - 0.5 * y, y) - np.float32(0.6)


def _diamond(x: Patch, y: Patch) -> Patch:
    """Taller than wide, so that a turned square is no diamond."""
    width, height = 0.86, 1.25
    steepness = math.hypot(width, height)
    return (np.abs(x) * height + np.abs(y) * width - width * height) / np.float32(steepness)


def _star(x: Patch, y: Patch) -> Patch:
    """Five points: one edge, seen in ten mirrors."""
    outer, inner, fifth = 1.25, 0.56, 2 * math.pi / 5
    length, angle = np.hypot(x, y), np.arctan2(x, -y)
    angle = np.abs((angle + fifth / 2) % fifth - fifth / 2)
    notch = (inner * math.cos(fifth / 2), inner * math.sin(fifth / 2))
    edge = math.hypot(outer - notch[0], notch[1])
    return (
        (length * np.cos(angle) - outer) * notch[1] + length * np.sin(angle) * (outer - notch[0])
    ) / np.float32(edge)


def _cross(x: Patch, y: Patch) -> Patch:
    return np.minimum(_box(x, y, 1.12, 0.4), _box(x, y, 0.4, 1.12))


def _heart(x: Patch, y: Patch) -> Patch:
    """Two half circles over a corner.

    Source: Quilez, 2D distance functions, sdHeart; ours: moved to the middle and scaled.
    """
    size = np.float32(1.95)
    x, y = np.abs(x) / size, 0.56 - y / size
    lobe = np.hypot(x - 0.25, y - 0.75) - math.sqrt(2) / 4
    foot = 0.5 * np.maximum(x + y, 0)
    edge = np.minimum(np.hypot(x, y - 1), np.hypot(x - foot, y - foot)) * np.sign(x - y)
    return (np.where(x + y > 1, lobe, edge) * size).astype(np.float32)


DISTANCES: dict[str, Distance] = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "diamond": _diamond,
    "star": _star,
    "cross": _cross,
    "heart": _heart,
}
