"""Drawing on plain pixels: crisp enlarging, smooth masks, a checkerboard, text."""

import bisect
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from visualize.palette import INK, RGB

_LONGEST_LINE = 1000  # characters; more cannot be seen, and a prompt may have a million
_ANCHORS = {"start": 0.0, "middle": 0.5, "end": 1.0}


def display_scale(height: int, width: int, *, side: int = 256) -> int:
    """Return the whole factor that brings a small clip near a comfortable size.

    Args:
        height: Height of the clip in pixels.
        width: Width of the clip in pixels.
        side: Wanted length of the longer side in pixels.

    Returns:
        At least 1; a clip that is large already keeps its size.

    Ours: only whole factors keep every pixel of a 64-pixel clip square and of equal size.
    """
    return max(1, side // max(height, width))


def enlarge(
    pixels: UInt8[np.ndarray, "*batch h w 3"], scale: int
) -> UInt8[np.ndarray, "*batch sh sw 3"]:
    """Repeat every pixel, so that a small clip becomes large and stays crisp.

    Args:
        pixels: One frame or several.
        scale: Whole factor, at least 1.

    Returns:
        A new array, ``scale`` times as high and as wide.

    Raises:
        ValueError: If the factor is below 1.

    Ours: smoothing would invent detail that the model did not make.
    """
    if scale < 1:
        raise ValueError(f"scale must be at least 1, got {scale}")
    return pixels.repeat(scale, axis=-3).repeat(scale, axis=-2)


def resize_masks(
    masks: Float[np.ndarray, "*batch h w"], height: int, width: int
) -> Float[np.ndarray, "*batch sh sw"]:
    """Resample soft masks smoothly to another size.

    Args:
        masks: Shares in [0, 1].
        height: New height.
        width: New width.

    Returns:
        Shares in [0, 1]; masks that sum to 1 over the slots still do. At the old size the values
        are unchanged.

    Ours: linear weights, widened when shrinking, since each row of them sums to 1.
    """
    rows = _linear_weights(masks.shape[-2], height)
    columns = _linear_weights(masks.shape[-1], width)
    return rows @ masks.astype(np.float32, copy=False) @ columns.T


def checkerboard(height: int, width: int, cell: int) -> UInt8[np.ndarray, "h w 3"]:
    """Return the pale checkerboard that stands for "nothing here".

    Args:
        height: Height in pixels.
        width: Width in pixels.
        cell: Side of one square in pixels.

    Returns:
        Squares of two light greys.

    Ours: the sign for transparency that every image editor uses.
    """
    rows, columns = np.ogrid[:height, :width]
    is_dark = ((rows // cell) + (columns // cell)) % 2
    shade = np.where(is_dark == 1, 228, 246).astype(np.uint8)
    return np.repeat(shade[..., None], 3, axis=-1)


def stripes(height: int, width: int, period: int) -> Float[np.ndarray, "h w"]:
    """Return diagonal stripes, the pattern of the ninth slot and of undefined cells.

    Args:
        height: Height in pixels.
        width: Width in pixels.
        period: Distance of two stripes in pixels, at least 2.

    Returns:
        1 on a stripe, 0 between two.

    Ours: a pattern is told apart where a further hue would not be.
    """
    rows, columns = np.ogrid[:height, :width]
    return ((rows + columns) % period < max(1, period // 3)).astype(np.float32)


def mix(
    under: UInt8[np.ndarray, "*shape 3"],
    colour: RGB | np.ndarray,
    share: Float[np.ndarray, "*shape"],
) -> UInt8[np.ndarray, "*shape 3"]:
    """Lay a colour over pixels.

    Args:
        under: The pixels below.
        colour: One colour, or one a pixel, 0 to 255.
        share: How much of the colour is seen, 0 to 1 a pixel.

    Returns:
        The mixed pixels; where the share is 0 they are exactly those below.

    Ours: mixed in display values, as browsers do, so that app and files agree.
    """
    over = np.asarray(colour, dtype=np.float32)
    mixed = under + share[..., None] * (over - under)
    return np.rint(mixed).clip(0, 255).astype(np.uint8)


def text_size(text: str, size: int, *, is_bold: bool = False) -> tuple[int, int]:
    """Return height and width that a text takes.

    Args:
        text: One line.
        size: Font size in pixels.
        is_bold: Whether the text is bold.

    Returns:
        Height and width in pixels; all texts of one size are equally high.

    Ours: the numbers that a layout needs before it draws.
    """
    height, width = _text_share(text, size, is_bold).shape
    return height, width


def fit_text(text: str, size: int, room: int, *, is_bold: bool = False) -> str:
    """Cut a line to the width that there is.

    Args:
        text: The line; any white space in it becomes one blank.
        size: Font size in pixels.
        room: Width in pixels.
        is_bold: Whether the text is bold.

    Returns:
        The line, or its beginning and dots, or nothing where not even a letter fits.

    Ours: a long prompt must not push a picture apart.
    """
    font = _font(size, is_bold)
    line = " ".join(text[:_LONGEST_LINE].split())
    if font.getlength(line) <= room:
        return line
    is_too_long = range(len(line))
    kept = bisect.bisect_left(
        is_too_long, True, key=lambda length: font.getlength(line[: length + 1] + "...") > room
    )
    return line[:kept].rstrip() + "..." if kept else ""


def draw_text(
    image: UInt8[np.ndarray, "h w 3"],
    text: str,
    position: tuple[float, float],
    *,
    size: int = 12,
    ink: RGB = INK,
    anchor: tuple[str, str] = ("start", "start"),
    is_bold: bool = False,
) -> None:
    """Write one line into the image, in place; what lies outside of the image is cut off.

    Args:
        image: The pixels that are changed.
        text: The line; it is drawn as it is.
        position: Row and column of the anchor in pixels.
        size: Font size in pixels.
        ink: Colour of the text.
        anchor: Which point of the text the position means, for rows and for columns: "start",
            "middle" or "end".
        is_bold: Whether the text is bold.

    Ours: text as a share of ink, cached, because a clip repeats its labels in every frame.
    """
    share = _text_share(text, size, is_bold)
    top, left = (
        round(place - _ANCHORS[side] * extent)
        for place, side, extent in zip(position, anchor, share.shape, strict=True)
    )
    rows = slice(max(top, 0), min(top + share.shape[0], image.shape[0]))
    columns = slice(max(left, 0), min(left + share.shape[1], image.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    seen = share[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    image[rows, columns] = mix(image[rows, columns], ink, seen)


def thinned(count: int, most: int) -> list[int]:
    """Return evenly spaced whole numbers from 0, at a step that people count in.

    Args:
        count: Numbers below this one are returned.
        most: How many to return at the most.

    Returns:
        Multiples of 1, 2, 5, 10, 20 ...

    Ours: labels that do not touch.
    """
    steps = (base * 10**power for power in range(9) for base in (1, 2, 5))
    return list(range(0, count, next(step for step in steps if -(-count // step) <= most)))


@lru_cache(maxsize=64)
def _linear_weights(source: int, target: int) -> Float[np.ndarray, "target source"]:
    """Return the matrix that resamples a line of pixels, each row of which sums to 1."""
    reach = max(1.0, source / target)
    centres = (np.arange(target) + 0.5) * source / target - 0.5
    distances = np.abs(np.arange(source)[None] - centres.clip(0, source - 1)[:, None]) / reach
    weights = np.maximum(0.0, 1.0 - distances)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


@cache
def _font(size: int, is_bold: bool) -> ImageFont.FreeTypeFont:
    """Load the font of the figures, which matplotlib brings along, also for frames."""
    import matplotlib as mpl

    name = "DejaVuSans-Bold.ttf" if is_bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", name), size)


@lru_cache(maxsize=512)
def _text_share(text: str, size: int, is_bold: bool) -> Float[np.ndarray, "h w"]:
    """Draw a line once, as the share of ink in each pixel."""
    font = _font(size, is_bold)
    ascent, descent = font.getmetrics()
    width = max(1, int(np.ceil(font.getlength(text))))
    canvas = Image.new("L", (width, ascent + descent), 0)
    ImageDraw.Draw(canvas).text((0, 0), text, fill=255, font=font)
    share = np.asarray(canvas, dtype=np.float32) / 255
    share.flags.writeable = False  # it is shared by all callers of the cache
    return share
