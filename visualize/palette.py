"""One colour a slot, safe for colour-blind eyes, the same in every view."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

RGB = tuple[int, int, int]

BACKGROUND_COLOUR: RGB = (153, 153, 153)
OBJECT_COLOURS: tuple[RGB, ...] = (  # Okabe and Ito 2008, without their black
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
INK: RGB = (26, 26, 26)
MUTED_INK: RGB = (95, 95, 95)
PAPER: RGB = (255, 255, 255)

_HATCHES = ("", "////", "....", "xxxx")
_MARKERS = ("", "o", "s", "^")


@dataclass(frozen=True)
class SlotStyle:
    """How one slot looks in every view.

    Attributes:
        index: Place in the palette: 0 is the grey background, 1 to 7 are plain colours, from 8 on
            the colours return with a pattern.
        rgb: The colour, 0 to 255 a channel.
        lap: How often the colours have been used up before: 0 is plain.
    """

    index: int
    rgb: RGB
    lap: int

    @property
    def hex(self) -> str:
        """Return the colour as ``#rrggbb``."""
        return "#{:02x}{:02x}{:02x}".format(*self.rgb)

    @property
    def hatch(self) -> str:
        """Return the fill pattern in matplotlib's notation, empty for a plain colour."""
        return _HATCHES[min(self.lap, len(_HATCHES) - 1)]

    @property
    def marker(self) -> str:
        """Return the marker that tells a patterned slot's line apart, empty for a plain colour."""
        return _MARKERS[min(self.lap, len(_MARKERS) - 1)]

    @property
    def is_patterned(self) -> bool:
        """Return whether the colour alone does not name the slot."""
        return self.lap > 0


def palette_indices(num_slots: int, background: int | None = None) -> tuple[int, ...]:
    """Give every slot its place in the palette.

    Args:
        num_slots: Number of slots, the background slot included.
        background: The slot that holds the background; it alone becomes grey.

    Returns:
        One index a slot: 0 for the background, 1, 2, 3 ... for the others in their order.

    Raises:
        ValueError: If the background is not one of the slots.

    Ours: grey means background and nothing else, so without a background nothing is grey.
    """
    if background is not None and not 0 <= background < num_slots:
        raise ValueError(f"background must be in [0, {num_slots - 1}], got {background}")
    indices = list(range(1, num_slots + 1))
    if background is not None:
        indices.insert(background, 0)
    return tuple(indices[:num_slots])


def slot_styles(
    num_slots: int, background: int | None = None, palette: Sequence[int] | None = None
) -> tuple[SlotStyle, ...]:
    """Return the colour and the pattern of every slot.

    Args:
        num_slots: Number of slots, the background slot included.
        background: The slot that holds the background, drawn in grey.
        palette: Place of each slot in the palette, where clips share one; else in their order.

    Returns:
        One style a slot, in the order of the slots.

    Source: Okabe and Ito 2008 for the colours. Ours: from the ninth slot on a pattern, because an
    eighth hue would look like one of the seven to some eyes.
    """
    places = palette_indices(num_slots, background) if palette is None else palette
    return tuple(style_of(index) for index in places)


def slot_colours(
    num_slots: int, background: int | None = None, palette: Sequence[int] | None = None
) -> UInt8[np.ndarray, "k 3"]:
    """Return the colour of every slot as an array.

    Args:
        num_slots: Number of slots, the background slot included.
        background: The slot that holds the background, drawn in grey.
        palette: Place of each slot in the palette, where clips share one; else in their order.

    Returns:
        Red, green and blue, 0 to 255, a row a slot.

    Ours: the array that the pixel views index.
    """
    styles = slot_styles(num_slots, background, palette)
    return np.array([style.rgb for style in styles], dtype=np.uint8).reshape(num_slots, 3)


def slot_label(slot: int, background: int | None = None) -> str:
    """Return the slot's name for a legend.

    Args:
        slot: Index of the slot, counted from 0 as in the arrays.
        background: The slot that holds the background.

    Returns:
        ``slot 3``, or ``background``.

    Ours: one wording for every view.
    """
    return "background" if slot == background else f"slot {slot}"


def slot_mark(slot: int, background: int | None = None) -> str:
    """Return the slot's name for a narrow place, such as an axis or an object in a frame.

    Args:
        slot: Index of the slot, counted from 0 as in the arrays.
        background: The slot that holds the background.

    Returns:
        ``3``, or ``bg``.

    Ours: the same numbers as `slot_label`.
    """
    return "bg" if slot == background else str(slot)


def ink_on(rgb: RGB) -> RGB:
    """Return the text colour, near black or white, that reads better on a colour.

    Args:
        rgb: The colour under the text, 0 to 255 a channel.

    Returns:
        `INK` or `PAPER`.

    Source: WCAG 2.2, relative luminance and contrast ratio.
    """
    return INK if contrast(rgb, INK) >= contrast(rgb, PAPER) else PAPER


def contrast(first: RGB, second: RGB) -> float:
    """Return the contrast ratio of two colours.

    Args:
        first: A colour, 0 to 255 a channel.
        second: Another one.

    Returns:
        From 1 (equally bright) to 21 (black and white).

    Source: WCAG 2.2, contrast ratio.
    """
    darker, lighter = sorted((_luminance(first), _luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(rgb: RGB) -> float:
    channels = np.asarray(rgb, dtype=np.float64) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))


def style_of(index: int) -> SlotStyle:
    """Return the style at a place of the palette, 0 for the background."""
    if index == 0:
        return SlotStyle(0, BACKGROUND_COLOUR, 0)
    lap, place = divmod(index - 1, len(OBJECT_COLOURS))
    return SlotStyle(index, OBJECT_COLOURS[place], lap)
