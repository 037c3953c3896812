"""Names the colour that each pixel of a moving-shapes clip shows: the eye of the judge."""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int8, UInt8

from olvdm.data.moving_shapes import COLOURS

COLOUR_NAMES = tuple(COLOURS)
PALETTE = np.array(list(COLOURS.values()), np.float32)
PALETTE_LENGTH = (PALETTE**2).sum(axis=1)[None]
WHITE_LENGTH = ((255 - PALETTE) ** 2).sum(axis=1)[None]
PAINT_TO_WHITE = (PALETTE * (255 - PALETTE)).sum(axis=1)[None]

# Distance from the background, of 441 at most, under which a pixel is background.
FAINTEST = 26.0
# Darkest paint as a share of its colour, and palest as a share of the way to white: what the
# textures and shading of the data set reach together.
DARKEST = 0.42
PALEST = 0.6
# Such marks must explain a pixel this much better than an edge that mixes with the background.
MARK_COST = 10.0
# How far a background may stray from its median colour, and the most colourful that it may be.
WIDEST_BACKDROP = 70.0
MUTED = 60.0


def segment_colours(frames: UInt8[np.ndarray, "t h w 3"]) -> Int8[np.ndarray, "t h w"]:
    """Say which named colour each pixel shows.

    Args:
        frames: The clip; objects are brighter or more colourful than what lies behind them.

    Returns:
        Place of the colour in ``COLOURS``, -1 for background. An edge pixel belongs to the side
        that fills more than half of it; textures of an object are filled.

    Ours: the background is taken from the clip itself, so no threshold is tied to one scene.
    """
    pixels = frames.astype(np.float32)
    backdrop = _estimate_backdrop(pixels)
    colours = np.full(frames.shape[:3], -1, np.int8)
    difference = pixels - backdrop
    is_other = np.einsum("thwc,thwc->thw", difference, difference) > FAINTEST**2
    behind = np.broadcast_to(backdrop, pixels.shape)[is_other]
    fills = np.zeros(frames.shape[:3], np.float32)
    colours[is_other], fills[is_other] = _explain(pixels[is_other], behind)
    # Half of what the paint around it fills, so that dark paint has its edge at its own half.
    around = np.stack([cv2.dilate(frame, np.ones((3, 3), np.uint8)) for frame in fills])
    colours[fills < 0.5 * around] = -1
    return colours


def _estimate_backdrop(pixels: Float32[np.ndarray, "t h w 3"]) -> Float32[np.ndarray, "h w 3"]:
    """Average each place over the frames that show no object there; elsewhere ask around."""
    middle = np.median(pixels[:, ::2, ::2].reshape(-1, 3), axis=0).astype(np.float32)
    is_free = _is_muted(pixels, middle).astype(np.float32)
    total = np.einsum("thwc,thw->hwc", pixels, is_free)
    count = is_free.sum(axis=0)
    side = max(pixels.shape[1] // 4, 3)
    wide_total, wide_count = cv2.blur(total, (side, side)), cv2.blur(count, (side, side))
    # Where all around is hidden in every frame, the clip's median has to do.
    around = (wide_total + 0.01 * middle) / (wide_count + 0.01)[..., None]
    own = total / np.maximum(count, 1)[..., None]
    return np.where((count >= max(1, len(pixels) // 8))[..., None], own, around)


def _is_muted(
    pixels: Float32[np.ndarray, "t h w 3"], middle: Float32[np.ndarray, "3"]
) -> Bool[np.ndarray, "t h w"]:
    """Find the pixels that are no paint for sure: near the clip's middle colour, and pale."""
    red, green, blue = np.moveaxis(pixels, -1, 0)
    chroma = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    away = (red - middle[0]) ** 2 + (green - middle[1]) ** 2 + (blue - middle[2]) ** 2
    return (away < WIDEST_BACKDROP**2) & (chroma < MUTED)


def _explain(
    pixels: Float32[np.ndarray, "n 3"], behind: Float32[np.ndarray, "n 3"]
) -> tuple[Int8[np.ndarray, " n"], Float32[np.ndarray, " n"]]:
    """Find the colour that explains each pixel best: paint, dark or pale paint, or an edge.

    Each explanation is a straight way, from the background, black or white to the paint. All
    distances come from products with the palette, which takes a fifth of the time of differences.
    """
    to_paint, to_white = pixels @ PALETTE.T, pixels @ (255 - PALETTE).T
    from_behind = behind @ PALETTE.T
    behind_length = (behind**2).sum(axis=1, keepdims=True)
    own = (pixels * behind).sum(axis=1, keepdims=True)
    length = (pixels**2).sum(axis=1, keepdims=True)
    edge, share = _miss(
        length - 2 * own + behind_length,
        to_paint - own - from_behind + behind_length,
        PALETTE_LENGTH - 2 * from_behind + behind_length,
        1.0,
    )
    from_paint = length - 2 * to_paint + PALETTE_LENGTH
    shadow, _ = _miss(from_paint, PALETTE_LENGTH - to_paint, PALETTE_LENGTH, 1 - DARKEST)
    tint, _ = _miss(from_paint, to_white - PAINT_TO_WHITE, WHITE_LENGTH, PALEST)
    marks = np.minimum(shadow, tint) + MARK_COST
    best = np.minimum(edge, marks).argmin(axis=1)
    rows = np.arange(len(pixels))
    fill = np.where(marks < edge, np.float32(1), share)[rows, best]
    return best.astype(np.int8), fill


def _miss(
    offset_length: Float32[np.ndarray, "n _"],
    along: Float32[np.ndarray, "n k"],
    way_length: Float32[np.ndarray, "_ k"],
    farthest: float,
) -> tuple[Float32[np.ndarray, "n k"], Float32[np.ndarray, "n k"]]:
    """Measure how far points lie from a way, and at which share of it; lengths are squared."""
    share = np.clip(along / np.maximum(way_length, 1), 0, np.float32(farthest))
    return np.sqrt(np.maximum(offset_length + share * (share * way_length - 2 * along), 0)), share
