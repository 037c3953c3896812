"""Several clips of one prompt below each other, each as a row of its frames."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from visualize.figure import INK_HEX, SMALL_SIZE, TEXT_SIZE, new_figure, plain
from visualize.filmstrip import spaced_frames
from visualize.pixels import enlarge

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH, _LABEL_WIDTH = 8.3, 1.3  # inches


def clip_rows_figure(
    clips: Mapping[str, UInt8[np.ndarray, "t h w 3"]],
    *,
    most: int = 8,
    title: str = "",
    caption: str = "",
) -> "Figure":
    """Draw clips as rows of frames.

    Args:
        clips: By what stands at the left of each row, in one or more lines; equal lengths and
            sizes, at least one clip.
        most: Frames at the most, evenly spaced from the first to the last.
        title: One line above.
        caption: What is to be seen, below.

    Returns:
        The figure, the same frames below each other.

    Ours: the row of frames of every video paper, with the clips of one prompt aligned in time.
    """
    first = next(iter(clips.values()))
    places = spaced_frames(len(first), most)
    scale = max(1, round(192 / max(first.shape[1:3])))
    cell = (_WIDTH - _LABEL_WIDTH) / len(places)
    row_height = cell * first.shape[1] / first.shape[2] + 0.05
    figure = new_figure(_WIDTH, row_height * len(clips) + 0.3, title=title, caption=caption)
    grid = figure.subplots(len(clips), len(places), squeeze=False)
    for row, (label, frames) in enumerate(clips.items()):
        for axes, picture in zip(grid[row], enlarge(frames[places], scale), strict=True):
            axes.imshow(picture, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        grid[row][0].set_ylabel(
            "\n".join(map(plain, label.split("\n"))),
            rotation=0,
            ha="right",
            va="center",
            size=TEXT_SIZE,
            color=INK_HEX,
        )
    for axes, place in zip(grid[0], places, strict=True):
        label = f"frame {place}" if place == places[0] else str(place)
        axes.set_title(label, size=SMALL_SIZE, color=INK_HEX, pad=2)
    return figure
