"""Correlation of slots, shares of pixels -> an image by lookup table, fast enough for the app."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from visualize.palette import MUTED_INK, RGB, ink_on, slot_colours, slot_mark
from visualize.pixels import draw_text, mix, stripes, text_size, thinned

Order = Literal["frame", "slot"]

UNDEFINED = 255  # the code of a cell without a value; 0 to 254 stand for -1 to 1
_ZERO = 127
_ANCHORS: tuple[tuple[float, RGB], ...] = (  # blue, white, orange: alike in lightness at both ends
    (-1.0, (0, 92, 164)),
    (-0.6, (72, 148, 206)),
    (-0.25, (172, 211, 236)),
    (0.0, (255, 255, 255)),
    (0.25, (252, 219, 172)),
    (0.6, (238, 150, 58)),
    (1.0, (180, 75, 0)),
)
LEGEND = {
    1.0: "1",
    0.5: "0.5",
    0.0: "0",
    -0.5: "\N{MINUS SIGN}0.5",
    -1.0: "\N{MINUS SIGN}1",
}
_HATCH_PAPER: RGB = (238, 238, 238)
_HATCH_INK: RGB = (170, 170, 170)
_FONT = 12
_LEGEND_WIDTH = 14
_ROOM_FOR_VALUE = 36  # pixels
_ROOM_FOR_LINE = 3
_SHARE_INK: RGB = (0, 68, 120)


@dataclass(frozen=True)
class MatrixEdge:
    """What stands along both sides of a correlation matrix.

    Attributes:
        colours: The slot's colour at each row, 0 to 255.
        ticks: Where a number stands, in rows (2.5 is the middle of the third), and which.
        block: Rows between two grid lines, 0 for none.
        name: What the numbers count.
    """

    colours: UInt8[np.ndarray, "rows 3"]
    ticks: tuple[tuple[float, str], ...]
    block: int
    name: str


def matrix_edge(
    num_frames: int,
    num_slots: int,
    *,
    order: Order = "frame",
    background: int | None = None,
    palette: Sequence[int] | None = None,
) -> MatrixEdge:
    """Describe the sides of the matrix of all frames.

    Args:
        num_frames: Frames of the clip.
        num_slots: Slots, the background slot included.
        order: "frame" or "slot", as in `ordered_correlation`.
        background: The slot that holds the background.
        palette: Place of each slot in the palette, where clips share one; else in their order.

    Returns:
        Colours, numbers and grid for rows and columns alike.

    Ours: a strip of slot colours says more than the number of a row.
    """
    colours = slot_colours(num_slots, background, palette)
    if order == "frame":
        ticks = tuple(((frame + 0.5) * num_slots, str(frame)) for frame in thinned(num_frames, 16))
        name = "frame (inside: one row a slot)"
        return MatrixEdge(np.tile(colours, (num_frames, 1)), ticks, num_slots, name)
    ticks = tuple(
        ((slot + 0.5) * num_frames, slot_mark(slot, background)) for slot in range(num_slots)
    )
    name = "slot (inside: one row a frame)"
    return MatrixEdge(colours.repeat(num_frames, axis=0), ticks, num_frames, name)


def pair_edge(
    num_slots: int, *, background: int | None = None, palette: Sequence[int] | None = None
) -> MatrixEdge:
    """Describe the sides of the matrix of two frames.

    Args:
        num_slots: Slots, the background slot included.
        background: The slot that holds the background.
        palette: Place of each slot in the palette, where clips share one; else in their order.

    Returns:
        Colours and numbers for rows and columns alike.

    Ours: as `matrix_edge`.
    """
    ticks = tuple((slot + 0.5, slot_mark(slot, background)) for slot in range(num_slots))
    return MatrixEdge(slot_colours(num_slots, background, palette), ticks, 0, "slot")


def correlation_codes(matrix: Float[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """Round correlations to one byte each.

    Args:
        matrix: Correlations in [-1, 1]; NaN where one is undefined.

    Returns:
        0 to 254 for -1 to 1, where 127 is exactly 0, and 255 for undefined; the error is at most
        0.004.

    Ours: 255 levels have a middle, so "unrelated" is exactly white.
    """
    levels = np.rint((np.nan_to_num(matrix).clip(-1, 1) + 1) * _ZERO)
    return np.where(np.isnan(matrix), UNDEFINED, levels).astype(np.uint8)


def correlation_colours() -> UInt8[np.ndarray, "256 3"]:
    """Return the colour of every code: blue is -1, white 0, orange 1, the last one undefined.

    Ours: blue and orange are told apart by every kind of eye, and both ends are equally dark.
    """
    places = (np.arange(UNDEFINED) - _ZERO) / _ZERO
    stops, colours = zip(*_ANCHORS, strict=True)
    channels = [np.interp(places, stops, channel) for channel in zip(*colours, strict=True)]
    table = np.vstack([np.stack(channels, axis=1), _HATCH_PAPER])
    return np.rint(table).astype(np.uint8)


def cell_ink(value: float) -> RGB:
    """Return the text colour that reads best in the cell of a value.

    Args:
        value: A correlation in [-1, 1].

    Returns:
        Near black or white.

    Ours: decided by contrast, not by a threshold of the value.
    """
    red, green, blue = (int(x) for x in correlation_colours()[correlation_codes(np.array(value))])
    return ink_on((red, green, blue))


def value_text(value: float) -> str:
    """Return a correlation as it is written into its cell.

    Args:
        value: A correlation in [-1, 1].

    Returns:
        Two decimals, with a real minus sign and without a negative zero.

    Ours: two decimals are all that the judge is good for.
    """
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")


def correlation_image(
    matrix: Float[np.ndarray, "rows columns"], *, cell: int = 8, block: int = 0
) -> UInt8[np.ndarray, "h w 3"]:
    """Colour a matrix by lookup table, hundreds of times as fast as a figure.

    Args:
        matrix: Correlations in [-1, 1]; NaN cells are hatched.
        cell: Side of one cell in pixels.
        block: Cells between two grid lines; 0 draws none. Blocks under 6 pixels and cells
            under 3 get none either: a line would hide what it parts.

    Returns:
        The picture, ``cell`` times as large as the matrix.

    Ours: the app's heatmap; the scale is fixed, so that two pictures can be compared.
    """
    image = correlation_colours()[correlation_codes(matrix)]
    image = image.repeat(cell, axis=0).repeat(cell, axis=1)
    undefined = np.isnan(matrix).repeat(cell, axis=0).repeat(cell, axis=1)
    image = mix(image, _HATCH_INK, stripes(*undefined.shape, period=6) * undefined)
    if block and cell >= _ROOM_FOR_LINE and block * cell >= 6:
        step = block * cell
        image[step::step] = (image[step::step] * 0.45 + 70).astype(np.uint8)
        image[:, step::step] = (image[:, step::step] * 0.45 + 70).astype(np.uint8)
    return image


def share_image(
    mask: Float[np.ndarray, "rows columns"], *, cell: int = 1
) -> UInt8[np.ndarray, "h w 3"]:
    """Colour one slot's share of every pixel, from white to dark blue.

    Args:
        mask: Shares in [0, 1], from slot attention or from the slot decoder.
        cell: Side of one cell in pixels.

    Returns:
        The picture, ``cell`` times as large as the mask.

    Ours: one hue, because a share has no sign.
    """
    large = mask.repeat(cell, axis=0).repeat(cell, axis=1).clip(0, 1)
    paper = np.full((*large.shape, 3), 255, dtype=np.uint8)
    return mix(paper, _SHARE_INK, large.astype(np.float32))


def ordered_correlation(
    correlation: Float[np.ndarray, "t t k k"],
    *,
    order: Order = "frame",
    assignment: Int[np.ndarray, "t k"] | None = None,
    presence: Bool[np.ndarray, "t k"] | None = None,
) -> Float[np.ndarray, "tk tk"]:
    """Lay the correlation of all frame pairs out as one square matrix.

    Args:
        correlation: ``[t, u, i, j]`` compares slot i of frame t with slot j of frame u.
        order: "frame": slot k of frame t is row ``t * K + k``. "slot": it is row ``k * T + t``, and
            an aligned clip shows K bright blocks on the diagonal.
        assignment: Slot of each frame that continues slot k of frame 0, -1 where absent. With it
            the slots are renumbered, so swaps vanish and drift of appearance remains.
        presence: Which slots hold an object; cells of the others become undefined.

    Returns:
        The matrix, NaN where undefined.

    Ours: raw numbers show swaps of identity, matched numbers show change of looks.
    """
    cells = correlation.astype(np.float32)
    if presence is not None:
        cells[~(presence[:, None, :, None] & presence[None, :, None, :])] = np.nan
    if assignment is not None:
        cells = _matched(cells, assignment)
    num_frames, num_slots = cells.shape[1:3]
    axes = (0, 2, 1, 3) if order == "frame" else (2, 0, 3, 1)
    return cells.transpose(axes).reshape(num_frames * num_slots, num_frames * num_slots)


def correlation_chart(
    correlation: Float[np.ndarray, "t t k k"],
    *,
    order: Order = "frame",
    assignment: Int[np.ndarray, "t k"] | None = None,
    presence: Bool[np.ndarray, "t k"] | None = None,
    background: int | None = None,
    side: int = 480,
) -> UInt8[np.ndarray, "h w 3"]:
    """Draw the matrix of all frames with slot colours, numbers and legend, without matplotlib.

    Args:
        correlation: ``[t, u, i, j]`` compares slot i of frame t with slot j of frame u.
        order: "frame" or "slot", as in `ordered_correlation`.
        assignment: Renumbers the slots, as in `ordered_correlation`.
        presence: Which slots hold an object; cells of the others are hatched.
        background: The slot that holds the background.
        side: Wanted side of the matrix in pixels; cells are whole pixels.

    Returns:
        The picture, on white paper.

    Ours: what the app shows while a clip is fresh; a few milliseconds instead of 400.
    """
    matrix = ordered_correlation(correlation, order=order, assignment=assignment, presence=presence)
    edge = matrix_edge(*correlation.shape[1:3], order=order, background=background)
    return _chart(matrix, edge, edge.name, side)


def correlation_pair_chart(
    correlation: Float[np.ndarray, "k k"],
    frames: tuple[int, int],
    *,
    background: int | None = None,
    side: int = 320,
) -> UInt8[np.ndarray, "h w 3"]:
    """Draw the correlation of the slots of two frames, without matplotlib.

    Args:
        correlation: Rows are slots of the first frame, columns slots of the second; NaN is hatched.
        frames: Numbers of the two frames.
        background: The slot that holds the background.
        side: Wanted side of the matrix in pixels; cells are whole pixels.

    Returns:
        The picture, on white paper.

    Ours: see `correlation_chart`.
    """
    edge = pair_edge(len(correlation), background=background)
    name = f"rows: slots in frame {frames[0]}, columns: in frame {frames[1]}"
    return _chart(correlation, edge, name, side, has_values=True)


def _matched(
    cells: Float[np.ndarray, "t t k k"], assignment: Int[np.ndarray, "t k"]
) -> Float[np.ndarray, "t t k k"]:
    """Renumber the slots of every frame by the object of frame 0 that they continue."""
    num_frames = len(assignment)
    first, second = np.ogrid[:num_frames, :num_frames]
    rows = assignment[:, None, :, None]
    columns = assignment[None, :, None, :]
    matched = cells[first[..., None, None], second[..., None, None], rows, columns]
    matched[np.broadcast_to((rows < 0) | (columns < 0), matched.shape)] = np.nan
    return matched


def _chart(
    matrix: Float[np.ndarray, "n n"],
    edge: MatrixEdge,
    name: str,
    side: int,
    *,
    has_values: bool = False,
) -> UInt8[np.ndarray, "h w 3"]:
    """Put strips of colour, numbers and the legend around the image of a square matrix."""
    cell = max(1, side // len(matrix))
    body = correlation_image(matrix, cell=cell, block=edge.block)
    if has_values and cell >= _ROOM_FOR_VALUE:
        _write_values(body, matrix, cell)
    length = len(body)
    line, strip, gap = text_size("0", _FONT)[0], 7, 5
    left = max(text_size(text, _FONT)[1] for _, text in edge.ticks) + strip + 2 * gap
    top = 2 * line + strip + 2 * gap
    legend = 3 * gap + _LEGEND_WIDTH + gap + text_size("\N{MINUS SIGN}0.5", _FONT)[1] + gap
    page = np.full((top + length + gap + line // 2, left + length + legend, 3), 255, dtype=np.uint8)
    page[top : top + length, left : left + length] = body
    colours = edge.colours.repeat(cell, axis=0)
    page[top : top + length, left - strip - 1 : left - 1] = colours[:, None]
    page[top - strip - 1 : top - 1, left : left + length] = colours[None]
    for place, text in edge.ticks:
        row, column = top + place * cell, left + place * cell
        draw_text(page, text, (row, left - strip - gap), size=_FONT, anchor=("middle", "end"))
        draw_text(page, text, (top - strip - gap + 2, column), size=_FONT, anchor=("end", "middle"))
    draw_text(page, name, (1, left), size=_FONT, ink=MUTED_INK)
    _draw_colour_bar(page, top, left + length + 3 * gap, length)
    return page


def _write_values(
    body: UInt8[np.ndarray, "h w 3"], matrix: Float[np.ndarray, "n n"], cell: int
) -> None:
    """Write each value into its cell, in place."""
    for row, column in np.argwhere(~np.isnan(matrix)):
        place = ((row + 0.5) * cell, (column + 0.5) * cell)
        ink = cell_ink(float(matrix[row, column]))
        text = value_text(float(matrix[row, column]))
        draw_text(body, text, place, size=_FONT, ink=ink, anchor=("middle", "middle"))


def _draw_colour_bar(page: UInt8[np.ndarray, "h w 3"], top: int, left: int, length: int) -> None:
    """Draw the legend of the fixed scale, 1 at the top, in place."""
    codes = np.rint(np.linspace(UNDEFINED - 1, 0, length)).astype(np.uint8)
    page[top : top + length, left : left + _LEGEND_WIDTH] = correlation_colours()[codes][:, None]
    right = left + _LEGEND_WIDTH + 5 + text_size("\N{MINUS SIGN}0.5", _FONT)[1]
    for value, text in LEGEND.items():
        place = (top + (1 - value) / 2 * (length - 1), right)
        draw_text(page, text, place, size=_FONT, anchor=("middle", "end"))
