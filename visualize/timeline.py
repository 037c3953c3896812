"""Which slot holds which object, frame by frame: the identity timeline, K objects x T frames."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int

from visualize.figure import (
    INK_HEX,
    MUTED_HEX,
    SMALL_SIZE,
    TEXT_SIZE,
    frame_ticks,
    new_figure,
    style_axes,
)
from visualize.palette import SlotStyle, ink_on, slot_label, slot_mark, slot_styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT = 0.72  # of a ribbon whose object looks exactly as in its first frame
_CAPTION = (
    "One row an object, coloured by the slot that holds it in each frame; the ribbon is as high as"
    " the object's correlation with its own first appearance. A black mark is a switch: from there"
    " on another slot, whose number is given, holds the object. Dotted: absent."
)


def identity_switches(assignment: Int[np.ndarray, "t k"]) -> Bool[np.ndarray, "t k"]:
    """Find where an object passes to another slot.

    Args:
        assignment: Slot of each frame that continues slot k of frame 0, -1 where absent.

    Returns:
        True at the first frame in the new slot; an object that returns after a gap is compared with
        the slot that it had before.

    Ours: the marks of the timeline.
    """
    switches = np.zeros(assignment.shape, dtype=bool)
    held = assignment[0].copy()
    for frame in range(1, len(assignment)):
        now = assignment[frame]
        switches[frame] = (now >= 0) & (held >= 0) & (now != held)
        held = np.where(now >= 0, now, held)
    return switches


def likeness(
    assignment: Int[np.ndarray, "t k"], correlation: Float[np.ndarray, "t t k k"]
) -> Float[np.ndarray, "t k"]:
    """Follow how much each object still looks like its first appearance.

    Args:
        assignment: Slot of each frame that continues slot k of frame 0, -1 where absent.
        correlation: ``[t, u, i, j]`` compares slot i of frame t with slot j of frame u.

    Returns:
        Correlation in [-1, 1], NaN where the object is absent.

    Ours: read along the match, not along the index, so a clean swap keeps its value.
    """
    num_frames, num_slots = assignment.shape
    first = (assignment >= 0).argmax(axis=0)
    held = assignment[first, np.arange(num_slots)]
    frames = np.arange(num_frames)[:, None]
    values = correlation[first[None], frames, held[None], assignment]
    return np.where(assignment >= 0, values, np.nan)


def identity_timeline_figure(
    assignment: Int[np.ndarray, "t k"],
    correlation: Float[np.ndarray, "t t k k"],
    presence: Bool[np.ndarray, "t k"],
    *,
    background: int | None = None,
    palette: Sequence[int] | None = None,
    title: str = "",
) -> "Figure":
    """Draw which slot holds each object in each frame.

    Args:
        assignment: Slot of each frame that continues slot k of frame 0, -1 where absent.
        correlation: ``[t, u, i, j]`` compares slot i of frame t with slot j of frame u.
        presence: Which slots hold an object in each frame.
        background: The slot that holds the background.
        palette: Place of each slot in the palette, where clips share one; else in their order.
        title: One line above.

    Returns:
        The figure.

    Ours: colour, height and mark say the same thing three ways, so none needs the others.
    """
    num_frames, num_slots = assignment.shape
    is_held = (assignment >= 0) & np.take_along_axis(presence, assignment.clip(0), axis=1)
    held = np.where(is_held, assignment, -1)
    caption = _CAPTION
    figure = new_figure(5.6, 0.65 + 0.3 * num_slots, title=title, caption=caption)
    axes = figure.subplots()
    style_axes(axes)
    for slot in range(num_slots):
        axes.axhline(slot, color="#c8c8c8", linewidth=0.8, linestyle=(0, (1, 2)), zorder=0)
    styles = slot_styles(num_slots, background, palette)
    _draw_ribbons(axes, held, likeness(held, correlation), styles)
    _mark_switches(axes, held, styles, background)
    labels = [slot_label(slot, background) for slot in range(num_slots)]
    axes.set_yticks(range(num_slots), labels)
    axes.set(xlim=(-0.5, num_frames - 0.5), ylim=(num_slots - 0.4, -0.6))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_ylabel("object (slot in frame 0)", size=TEXT_SIZE, color=INK_HEX)
    frame_ticks(axes, num_frames)
    return figure


def _draw_ribbons(
    axes: "Axes",
    held: Int[np.ndarray, "t k"],
    values: Float[np.ndarray, "t k"],
    styles: Sequence[SlotStyle],
) -> None:
    for slot, style in enumerate(styles):
        frames, objects = np.nonzero(held == slot)
        heights = _HEIGHT * np.nan_to_num(values[frames, objects]).clip(0.12, 1)
        axes.bar(
            frames,
            heights,
            width=1.0,
            bottom=objects - heights / 2,
            color=style.hex,
            hatch=style.hatch,
            edgecolor="white" if style.hatch else style.hex,
            linewidth=0.0,
        )


def _mark_switches(
    axes: "Axes",
    held: Int[np.ndarray, "t k"],
    styles: Sequence[SlotStyle],
    background: int | None,
) -> None:
    for frame, item in np.argwhere(identity_switches(held)):
        slot = int(held[frame, item])
        top = item - _HEIGHT / 2
        axes.plot([frame - 0.5] * 2, [top, item + _HEIGHT / 2], color=INK_HEX, linewidth=1.4)
        axes.plot(
            [frame - 0.5], [top - 0.02], marker="v", markersize=4.5, color=INK_HEX, clip_on=False
        )
        axes.text(
            frame,
            item,
            slot_mark(slot, background),
            size=SMALL_SIZE,
            weight="bold",
            color=np.array(ink_on(styles[slot].rgb)) / 255,
            ha="center",
            va="center_baseline",
        )
    if not identity_switches(held).any():
        axes.annotate(
            "no switch",
            (1.0, 1.01),
            xycoords="axes fraction",
            ha="right",
            size=SMALL_SIZE,
            color=MUTED_HEX,
        )
