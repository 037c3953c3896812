"""Frames and masks -> frames in which every slot has its colour."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from visualize.palette import INK, PAPER, RGB, ink_on, slot_mark, slot_styles
from visualize.pixels import draw_text, enlarge, mix, resize_masks, stripes

_LEAST_SLOPE = 0.01  # a share that changes less from pixel to pixel draws no line
_PRESENT_SHARE = 0.005  # a slot with fewer of the pixels is absent and gets no number


@dataclass(frozen=True)
class _Layer:
    """What is drawn over every frame of a clip."""

    background: int | None
    shown: tuple[int, ...]
    opacity: float
    contours: bool
    width: float


def overlay_masks(
    frames: UInt8[np.ndarray, "t h w 3"],
    masks: Float[np.ndarray, "t k mh mw"],
    *,
    background: int | None = None,
    slots: Sequence[int] | None = None,
    opacity: float = 0.5,
    contours: bool = False,
    numbers: bool = False,
    scale: int = 1,
) -> UInt8[np.ndarray, "t sh sw 3"]:
    """Tint every pixel of a clip with the colour of the slot that holds it.

    The winning slot gives the colour and its share the strength, so a pixel that two slots dispute
    is paler. Frames are enlarged crisply, masks smoothly.

    Args:
        frames: The clip as it is shown.
        masks: Shares in [0, 1] that sum to 1 over the slots, at the size of the frames or any
            other.
        background: The slot that holds the background: grey, and hidden unless asked for.
        slots: The slots to show; without it all but the background. The others keep their pixels,
            which show the raw frame.
        opacity: Strength of the tint where a slot holds all of a pixel, 0 to 1.
        contours: Whether to draw a line where a slot's share is one half.
        numbers: Whether to write each slot's number on its object.
        scale: Whole factor by which the clip is enlarged.

    Returns:
        The tinted clip. With opacity 0 and neither contours nor numbers it is the enlarged clip.

    Raises:
        ValueError: If the masks have another number of frames, the opacity lies outside of [0, 1],
            or a slot does not exist.

    Ours: hidden slots still compete, so hiding one changes no pixel that another holds.
    """
    if len(masks) != len(frames):
        raise ValueError(f"need masks for {len(frames)} frames, got {len(masks)}")
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity must be in [0, 1], got {opacity}")
    large = enlarge(frames, scale)
    height, width = large.shape[1:3]
    shown = _shown_slots(masks.shape[1], background, slots)
    layer = _Layer(background, shown, opacity, contours, max(1.0, min(height, width) / 140))
    for frame, frame_masks in zip(large, masks, strict=True):
        frame[:] = _overlay_frame(frame, resize_masks(frame_masks, height, width), layer)
        if numbers:
            _draw_numbers(frame, frame_masks, layer)
    return large


def mask_centres(
    masks: Float[np.ndarray, "k h w"],
) -> tuple[Int[np.ndarray, "k 2"], Bool[np.ndarray, " k"]]:
    """Find where to write each slot's number in one frame.

    Args:
        masks: Shares of one frame that sum to 1 over the slots.

    Returns:
        Row and column of the pixel of the slot's own region that is nearest to the region's centre,
        and whether the slot holds more than 0.5 % of the pixels; without that the place is 0, 0.

    Ours: the centre of a ring or of two parts lies outside of them, where another slot is.
    """
    winner = masks.argmax(axis=0)
    places = np.zeros((len(masks), 2), dtype=np.int64)
    is_present = np.zeros(len(masks), dtype=bool)
    for slot in range(len(masks)):
        region = np.argwhere(winner == slot)
        is_present[slot] = len(region) > _PRESENT_SHARE * winner.size
        if is_present[slot]:
            centre = region.mean(axis=0)
            places[slot] = region[np.square(region - centre).sum(axis=1).argmin()]
    return places, is_present


def contour_distance(mask: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Measure how far each pixel lies from the line along which a mask is one half.

    Args:
        mask: Shares in [0, 1].

    Returns:
        Pixels, right near the line; infinite where the mask is flat, which has no line.

    Ours: value over slope is the distance, which needs no tracing of paths.
    """
    if min(mask.shape) < 2:  # too thin for a slope
        return np.full(mask.shape, np.inf, dtype=np.float32)
    slope = np.hypot(*np.gradient(mask))
    flat = slope < _LEAST_SLOPE
    return np.where(flat, np.inf, np.abs(mask - 0.5) / np.where(flat, 1, slope)).astype(np.float32)


def _shown_slots(
    num_slots: int, background: int | None, slots: Sequence[int] | None
) -> tuple[int, ...]:
    if slots is None:
        return tuple(slot for slot in range(num_slots) if slot != background)
    unknown = [slot for slot in slots if not 0 <= slot < num_slots]
    if unknown:
        raise ValueError(f"slots must be in [0, {num_slots - 1}], got {unknown[0]}")
    return tuple(slots)


def _overlay_frame(
    frame: UInt8[np.ndarray, "h w 3"], masks: Float[np.ndarray, "k h w"], layer: _Layer
) -> UInt8[np.ndarray, "h w 3"]:
    styles = slot_styles(len(masks), layer.background)
    colours = np.array([style.rgb for style in styles], dtype=np.float32)
    winner, share = _winner(masks)
    share *= layer.opacity * np.isin(winner, layer.shown)
    patterned = [slot for slot, style in enumerate(styles) if style.is_patterned]
    if patterned:
        bands = stripes(*winner.shape, period=max(4, round(5 * layer.width)))
        share *= np.where(np.isin(winner, patterned), 0.35 + 0.65 * bands, 1.0)
    tinted = mix(frame, colours[winner], share)
    return _draw_contours(tinted, masks, layer) if layer.contours else tinted


def _winner(
    masks: Float[np.ndarray, "k h w"],
) -> tuple[Int[np.ndarray, "h w"], Float[np.ndarray, "h w"]]:
    """Return the slot that holds most of each pixel, and its share: argmax and max in one pass."""
    share = masks[0].copy()
    winner = np.zeros(share.shape, dtype=np.int64)
    for slot in range(1, len(masks)):
        winner[masks[slot] > share] = slot
        np.maximum(share, masks[slot], out=share)
    return winner, share


def _draw_contours(
    frame: UInt8[np.ndarray, "h w 3"], masks: Float[np.ndarray, "k h w"], layer: _Layer
) -> UInt8[np.ndarray, "h w 3"]:
    styles = slot_styles(len(masks), layer.background)
    for slot in layer.shown:  # a later slot's line lies on top
        box = _box(masks[slot], margin=round(layer.width) + 2)
        distance = contour_distance(masks[slot][box])
        is_near = distance < layer.width / 2 + 1.5
        near = distance[is_near]
        rim = 0.7 * np.clip(layer.width / 2 + 1.5 - near, 0, 1)  # or yellow on white is lost
        line = np.clip(layer.width / 2 + 0.5 - near, 0, 1)
        frame[box][is_near] = mix(mix(frame[box][is_near], INK, rim), styles[slot].rgb, line)
    return frame


def _box(mask: Float[np.ndarray, "h w"], margin: int) -> tuple[slice, slice]:
    """Return the rectangle outside of which a mask is far below one half."""
    inside = mask > 0.25
    spans: list[slice] = []
    for axis in (1, 0):
        (places,) = np.nonzero(inside.any(axis=axis))
        first, last = (places[0], places[-1]) if len(places) else (0, 0)
        spans.append(slice(max(0, first - margin), last + margin + 1))
    return spans[0], spans[1]


def _draw_numbers(
    frame: UInt8[np.ndarray, "h w 3"], masks: Float[np.ndarray, "k mh mw"], layer: _Layer
) -> None:
    """Write the numbers, each on a disc of its slot's colour, in place."""
    styles = slot_styles(len(masks), layer.background)
    places, is_present = mask_centres(masks)
    zoom = np.array(frame.shape[:2]) / masks.shape[1:]
    radius = max(5.0, min(frame.shape[:2]) / 24)
    for slot in (slot for slot in layer.shown if is_present[slot]):
        centre = (places[slot] + 0.5) * zoom - 0.5
        row, column = centre.clip(radius, np.array(frame.shape[:2]) - 1 - radius)
        _draw_disc(frame, (row, column), radius, styles[slot].rgb)
        draw_text(
            frame,
            slot_mark(slot, layer.background),
            (row, column + 0.5),
            size=round(1.35 * radius),
            ink=ink_on(styles[slot].rgb),
            anchor=("middle", "middle"),
            is_bold=True,
        )


def _draw_disc(
    frame: UInt8[np.ndarray, "h w 3"], centre: tuple[float, float], radius: float, rgb: RGB
) -> None:
    """Draw a disc with a white rim, in place."""
    first = [max(0, int(place - radius - 3)) for place in centre]
    box = tuple(
        slice(start, int(place + radius + 4)) for start, place in zip(first, centre, strict=True)
    )
    under = frame[box]
    rows, columns = np.ogrid[: under.shape[0], : under.shape[1]]
    distance = np.hypot(rows + first[0] - centre[0], columns + first[1] - centre[1])
    rim, disc = (np.clip(edge - distance, 0, 1) for edge in (radius + 1.5, radius))
    frame[box] = mix(mix(under, PAPER, rim.astype(np.float32)), rgb, disc.astype(np.float32))
