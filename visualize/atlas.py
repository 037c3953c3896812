"""Frames -> one WebP grid, the picture from which the inspector draws a clip."""

import io
from dataclasses import dataclass

import numpy as np
from einops import rearrange
from jaxtyping import UInt8
from PIL import Image

WEBP_MAX_SIDE = 16_383
LOSSLESS_EFFORT = 20  # of 100; more takes several times as long for a few percent


@dataclass(frozen=True)
class Atlas:
    """A clip as one picture: frame ``t`` is the cell ``(t % columns, t // columns)``.

    Attributes:
        data: The WebP file.
        columns: Cells in a row.
        rows: Rows of cells; cells after the last frame are black.
        num_frames: Frames of the clip.
        height: Height of a frame in pixels.
        width: Width of a frame in pixels.
    """

    data: bytes
    columns: int
    rows: int
    num_frames: int
    height: int
    width: int


def encode_atlas(frames: UInt8[np.ndarray, "t h w 3"], quality: int | None = None) -> Atlas:
    """Pack a clip into one picture.

    Args:
        frames: The clip as it is shown, at least one frame.
        quality: 0 to 100 of a picture with loss; none for a lossless one.

    Returns:
        The file and the layout of its cells, nearly square.

    Ours: a grid, because a row of frames soon reaches that limit, and a browser decodes one picture
    faster than many.
    """
    num_frames, height, width = frames.shape[:3]
    columns, rows = atlas_layout(num_frames, height, width)
    cells = np.zeros((columns * rows, height, width, 3), dtype=np.uint8)
    cells[:num_frames] = frames
    grid = rearrange(cells, "(r c) h w d -> (r h) (c w) d", c=columns)
    buffer = io.BytesIO()
    is_lossless = quality is None
    effort = LOSSLESS_EFFORT if is_lossless else quality  # WebP has one number for both
    Image.fromarray(grid).save(
        buffer, format="WEBP", lossless=is_lossless, exact=True, quality=effort, method=1
    )
    return Atlas(buffer.getvalue(), columns, rows, num_frames, height, width)


def decode_atlas(atlas: Atlas) -> UInt8[np.ndarray, "t h w 3"]:
    """Unpack a clip, exactly as it was packed.

    Args:
        atlas: The picture and its layout.

    Returns:
        The frames, bit for bit where it was packed without loss.

    Ours: the inverse that the tests and the run store need.
    """
    with Image.open(io.BytesIO(atlas.data), formats=["WEBP"]) as image:
        grid = np.asarray(image.convert("RGB"))
    cells = rearrange(grid, "(r h) (c w) d -> (r c) h w d", r=atlas.rows, c=atlas.columns)
    return cells[: atlas.num_frames].copy()


def atlas_layout(num_frames: int, height: int, width: int) -> tuple[int, int]:
    """Choose a grid that is nearly square and fits into a WebP.

    Args:
        num_frames: Frames of the clip.
        height: Height of a frame in pixels.
        width: Width of a frame in pixels.

    Returns:
        Columns and rows.

    Raises:
        ValueError: If there is no frame, or no grid of these frames fits.

    Ours: square, so that neither side is long.
    """
    if min(num_frames, height, width) < 1:
        raise ValueError(
            f"need frames of at least 1x1 pixels, got {num_frames} of {height}x{width}"
        )
    square = round(np.sqrt(num_frames * height / width))
    columns = int(np.clip(square, 1, min(num_frames, max(1, WEBP_MAX_SIDE // width))))
    rows = -(-num_frames // columns)
    if columns * width > WEBP_MAX_SIDE or rows * height > WEBP_MAX_SIDE:
        raise ValueError(
            f"{num_frames} frames of {height}x{width} exceed a WebP of {WEBP_MAX_SIDE} pixels"
        )
    return columns, rows
