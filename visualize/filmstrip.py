"""A clip as one printable row of frames, and a row for every slot below it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from einops import rearrange
from jaxtyping import Float, Int, UInt8

from visualize.figure import INK_HEX, SMALL_SIZE, TEXT_SIZE, new_figure
from visualize.palette import MUTED_INK, PAPER, slot_colours, slot_label
from visualize.pixels import checkerboard, draw_text, enlarge, resize_masks, text_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Backdrop = Literal["checker", "dim"]

_ROW_GAP = 0.06  # inches
_CAPTION = (
    "Top row: the clip. Below, one row a slot: what the slot holds, faded by its share of each"
    " pixel. A slot that keeps its object shows the same object along its whole row."
)


def clip_strip(
    frames: UInt8[np.ndarray, "t h w 3"], *, most: int = 8, scale: int = 1, is_numbered: bool = True
) -> UInt8[np.ndarray, "sh sw 3"]:
    """Lay the frames of a clip side by side.

    Args:
        frames: The clip.
        most: Frames at the most, evenly spaced from the first to the last.
        scale: Whole factor by which each frame is enlarged.
        is_numbered: Whether the number of each frame stands above it.

    Returns:
        One picture on white paper.

    Ours: the plain row of frames of every video paper.
    """
    places = spaced_frames(len(frames), most)
    row = enlarge(frames[places], scale)
    return _sheet(row[None], places if is_numbered else None, ("",), ((255, 255, 255),))


def slot_film_strips(
    frames: UInt8[np.ndarray, "t h w 3"],
    masks: Float[np.ndarray, "t k mh mw"],
    *,
    background: int | None = None,
    slots: Sequence[int] | None = None,
    most: int = 8,
    scale: int = 1,
    backdrop: Backdrop = "checker",
) -> UInt8[np.ndarray, "sh sw 3"]:
    """Lay out a clip as rows: the frames, then what each slot holds of them.

    Args:
        frames: The clip.
        masks: Shares in [0, 1] that sum to 1 over the slots, at any size.
        background: The slot that holds the background.
        slots: The slots that get a row; without it all.
        most: Frames at the most, evenly spaced from the first to the last.
        scale: Whole factor by which each frame is enlarged.
        backdrop: Behind the slot's share: a pale checkerboard, or the frame itself, dimmed.

    Returns:
        One picture on white paper, with frame numbers above and slot names at the left.

    Ours: the view in which a slot that jumps to another object is seen at once.
    """
    rows, places, shown = _strip_rows(frames, masks, slots, most, scale, backdrop)
    colours = slot_colours(masks.shape[1], background)[shown]
    names = ("clip", *(slot_label(slot, background) for slot in shown))
    return _sheet(rows, places, names, (PAPER, *colours))


def film_strip_figure(
    frames: UInt8[np.ndarray, "t h w 3"],
    masks: Float[np.ndarray, "t k mh mw"],
    *,
    background: int | None = None,
    palette: Sequence[int] | None = None,
    slots: Sequence[int] | None = None,
    most: int = 8,
    backdrop: Backdrop = "checker",
    title: str = "",
) -> "Figure":
    """Draw the rows of `slot_film_strips` as a figure whose text stays sharp in print.

    Args:
        frames: The clip.
        masks: Shares in [0, 1] that sum to 1 over the slots, at any size.
        background: The slot that holds the background.
        palette: Place of each slot in the palette, where clips share one; else in their order.
        slots: The slots that get a row; without it all.
        most: Frames at the most, evenly spaced from the first to the last.
        backdrop: Behind the slot's share: a pale checkerboard, or the frame itself, dimmed.
        title: One line above the rows.

    Returns:
        The figure.

    Ours: the same picture for files.
    """
    scale = max(1, round(192 / max(frames.shape[1:3])))
    rows, places, shown = _strip_rows(frames, masks, slots, most, scale, backdrop)
    colours = slot_colours(masks.shape[1], background, palette)[shown] / 255
    names = ("clip", *(slot_label(slot, background) for slot in shown))
    gap = max(2, rows.shape[3] // 24)
    cell_width = 5.98 / len(places)
    cell_height = cell_width * rows.shape[2] / rows.shape[3]
    height = len(rows) * (cell_height + _ROW_GAP) + 0.3
    figure = new_figure(7.0, height, title=title, caption=_CAPTION, row_gap=_ROW_GAP)
    grid = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
    for index, (axes, row) in enumerate(zip(grid, rows, strict=True)):
        _draw_row(axes, _join(row, gap), names[index])
        if index:
            bar = axes.inset_axes((-0.012, 0, 0.006, 1), facecolor=colours[index - 1])
            bar.set(xticks=[], yticks=[])
            bar.spines[:].set_visible(False)
    centres = (np.arange(len(places)) + 0.5) * (rows.shape[3] + gap) - gap / 2
    labels = [f"frame {place}" if order == 0 else str(place) for order, place in enumerate(places)]
    grid[0].set_xticks(centres, labels, size=SMALL_SIZE)
    grid[0].tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0, pad=2)
    return figure


def spaced_frames(num_frames: int, most: int) -> Int[np.ndarray, " n"]:
    """Choose evenly spaced frames, the first and the last among them.

    Args:
        num_frames: Frames of the clip.
        most: Frames at the most, at least 1.

    Returns:
        Frame numbers, rising.

    Ours: ends included, since drift shows between them.
    """
    count = min(num_frames, most)
    return np.rint(np.linspace(0, num_frames - 1, count)).astype(np.int64)


def cut_out(
    frames: UInt8[np.ndarray, "t h w 3"],
    mask: Float[np.ndarray, "t h w"],
    *,
    backdrop: Backdrop = "checker",
) -> UInt8[np.ndarray, "t h w 3"]:
    """Keep what one slot holds of a clip.

    Args:
        frames: The clip.
        mask: The slot's share of each pixel.
        backdrop: Behind the slot's share: a pale checkerboard, or the frame itself, dimmed.

    Returns:
        The clip, faded to the backdrop by what the slot does not hold.

    Ours: soft edges stay soft.
    """
    height, width = frames.shape[1:3]
    behind = checkerboard(height, width, max(2, min(height, width) // 16))
    if backdrop == "dim":
        behind = 0.22 * frames + 0.78 * 255
    mixed = behind + mask[..., None] * (frames - np.asarray(behind, dtype=np.float32))
    return np.rint(mixed).clip(0, 255).astype(np.uint8)


def _draw_row(axes: "Axes", picture: UInt8[np.ndarray, "h w 3"], name: str) -> None:
    """Show a row of frames without a box, its name at the left."""
    axes.imshow(picture, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_ylabel(
        name, rotation=0, ha="right", va="center", size=TEXT_SIZE, color=INK_HEX, labelpad=8
    )


def _strip_rows(
    frames: UInt8[np.ndarray, "t h w 3"],
    masks: Float[np.ndarray, "t k mh mw"],
    slots: Sequence[int] | None,
    most: int,
    scale: int,
    backdrop: Backdrop,
) -> tuple[UInt8[np.ndarray, "r n sh sw 3"], Int[np.ndarray, " n"], list[int]]:
    """Return the pictures row by row, the numbers of the frames and of the slots."""
    shown = list(range(masks.shape[1])) if slots is None else list(slots)
    places = spaced_frames(len(frames), most)
    large = enlarge(frames[places], scale)
    smooth = resize_masks(masks[places], *large.shape[1:3])
    cuts = [cut_out(large, smooth[:, slot], backdrop=backdrop) for slot in shown]
    return np.stack([large, *cuts]), places, shown


def _join(row: UInt8[np.ndarray, "n h w 3"], gap: int) -> UInt8[np.ndarray, "h joined 3"]:
    """Put pictures side by side with white gaps between them."""
    padded = np.pad(row, ((0, 0), (0, 0), (0, gap), (0, 0)), constant_values=255)
    return rearrange(padded, "n h w c -> h (n w) c")[:, :-gap]


def _sheet(
    rows: UInt8[np.ndarray, "r n h w 3"],
    places: Int[np.ndarray, " n"] | None,
    names: Sequence[str],
    colours: Sequence[Sequence[int]],
) -> UInt8[np.ndarray, "sh sw 3"]:
    """Put rows below each other, with frame numbers above and coloured names at the left."""
    height, width = rows.shape[2:4]
    gap = max(2, min(height, width) // 24)
    size = int(np.clip(min(height, width) // 6, 10, 18))
    head = 0 if places is None else text_size("0", size)[0] + 2
    name_width = max(text_size(name, size)[1] for name in names)
    left = name_width + 3 * gap + 8 if any(names) else 0
    body = np.stack([_join(row, gap) for row in rows])
    sheet = np.full(
        (head + len(rows) * (height + gap) - gap, left + body.shape[2], 3), 255, dtype=np.uint8
    )
    for column, place in enumerate(() if places is None else places):
        centre = left + column * (width + gap) + width / 2
        draw_text(
            sheet, str(place), (0, centre), size=size, ink=MUTED_INK, anchor=("start", "middle")
        )
    for index, (row, name, colour) in enumerate(zip(body, names, colours, strict=True)):
        top = head + index * (height + gap)
        sheet[top : top + height, left:] = row
        sheet[top : top + height, max(0, left - 2 * gap) : max(0, left - gap)] = colour
        draw_text(
            sheet, name, (top + height / 2, name_width + 4), size=size, anchor=("middle", "end")
        )
    return sheet
