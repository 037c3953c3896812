"""Clips side by side, with labels: the pictures for films of a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from visualize.palette import MUTED_INK
from visualize.pixels import draw_text, enlarge, fit_text, text_size


def side_by_side(
    frames_a: UInt8[np.ndarray, "ta ha wa 3"],
    frames_b: UInt8[np.ndarray, "tb hb wb 3"],
    labels: tuple[str, str] = ("A", "B"),
    *,
    scale: int = 1,
    title: str = "",
    has_counter: bool = True,
) -> UInt8[np.ndarray, "t h w 3"]:
    """Show two clips beside each other, frame by frame.

    Args:
        frames_a: The left clip.
        frames_b: The right clip.
        labels: What stands above each.
        scale: Whole factor by which both are enlarged.
        title: One line above all, for example the prompt; what does not fit is cut off with dots.
        has_counter: Whether the number of the frame stands below.

    Returns:
        A clip on white paper as long as the shorter one, sides even as mp4 wants them.

    Ours: one picture a frame, so the two cannot drift apart.
    """
    clips = [[frames_a, frames_b]]
    return arrange_clips(clips, labels, scale=scale, title=title, has_counter=has_counter)


def arrange_clips(
    clips: Sequence[Sequence[UInt8[np.ndarray, "t h w 3"]]],
    column_labels: Sequence[str],
    row_labels: Sequence[str] = (),
    *,
    scale: int = 1,
    title: str = "",
    has_counter: bool = True,
) -> UInt8[np.ndarray, "t h w 3"]:
    """Show a table of clips that play together.

    Args:
        clips: Rows of clips; sizes and lengths may differ, smaller ones stand centred.
        column_labels: What stands above each column.
        row_labels: What stands below each row; without them nothing.
        scale: Whole factor by which all clips are enlarged.
        title: One line above all; what does not fit is cut off with dots.
        has_counter: Whether the number of the frame stands below.

    Returns:
        A clip on white paper as long as the shortest one, sides even as mp4 wants them.

    Raises:
        ValueError: If there is no clip, or a row has not one clip for each label.

    Ours: the common frames only, for a clip that waits on its last frame looks frozen.
    """
    if not clips or not column_labels or any(len(row) != len(column_labels) for row in clips):
        lengths = [len(row) for row in clips]
        raise ValueError(f"need a clip for each of {len(column_labels)} labels, got {lengths}")
    layout = _lay_out(clips, scale, bool(title), bool(row_labels), has_counter)
    num_frames = min(len(frames) for row in clips for frames in row)
    film = np.repeat(_page(layout, title, column_labels, row_labels)[None], num_frames, axis=0)
    for row, row_clips in enumerate(clips):
        for column, frames in enumerate(row_clips):
            large = enlarge(frames[:num_frames], scale)
            height, width = large.shape[1:3]
            top = layout.top(row) + (layout.height - height) // 2
            left = layout.left(column) + (layout.width - width) // 2
            film[:, top : top + height, left : left + width] = large
    for number, picture in enumerate(film if has_counter else ()):
        place = (layout.top(len(clips)) - layout.gap / 2, layout.gap)
        draw_text(picture, f"frame {number}", place, size=layout.size, ink=MUTED_INK)
    return film


@dataclass(frozen=True)
class _Layout:
    """Where things stand on the page, in pixels."""

    height: int
    width: int
    gap: int
    size: int
    head: int
    row_foot: int
    page: tuple[int, int]

    def top(self, row: int) -> int:
        """Return the first row of pixels of a row of clips."""
        return self.head + row * (self.height + self.row_foot + self.gap)

    def left(self, column: int) -> int:
        """Return the first column of pixels of a column of clips."""
        return self.gap + column * (self.width + self.gap)


def _lay_out(
    clips: Sequence[Sequence[np.ndarray]],
    scale: int,
    has_title: bool,
    has_row_labels: bool,
    has_counter: bool,
) -> _Layout:
    height = scale * max(frames.shape[1] for row in clips for frames in row)
    width = scale * max(frames.shape[2] for row in clips for frames in row)
    size = int(np.clip(width // 14, 11, 20))
    line = text_size("0", size)[0]
    gap = max(4, width // 24)
    head = gap // 2 + line + gap // 2 + has_title * (line + gap // 2)
    row_foot = has_row_labels * line
    rows = head + len(clips) * (height + row_foot + gap) + has_counter * (line + gap // 2)
    columns = gap + len(clips[0]) * (width + gap)
    page = (rows + rows % 2, columns + columns % 2)
    return _Layout(height, width, gap, size, head, row_foot, page)


def _page(
    layout: _Layout, title: str, column_labels: Sequence[str], row_labels: Sequence[str]
) -> UInt8[np.ndarray, "h w 3"]:
    """Write all that stays the same in every frame."""
    page = np.full((*layout.page, 3), 255, dtype=np.uint8)
    size, gap = layout.size, layout.gap
    room = layout.page[1] - 2 * gap
    draw_text(
        page, fit_text(title, size, room, is_bold=True), (gap / 2, gap), size=size, is_bold=True
    )
    for column, label in enumerate(column_labels):
        place = (layout.head - gap / 2, layout.left(column) + layout.width / 2)
        text = fit_text(label, size, layout.width)
        draw_text(page, text, place, size=size, anchor=("end", "middle"))
    for row, label in enumerate(row_labels):
        place = (layout.top(row) + layout.height, gap)
        draw_text(page, fit_text(label, size, room), place, size=size, ink=MUTED_INK)
    return page
