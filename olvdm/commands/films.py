"""A comparison -> one film: the clips beside each other, their objects below, each named."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, UInt8

from olvdm.evaluation.inspection import Inspection
from visualize.comparison import arrange_clips
from visualize.inspected import InspectedClip, shared_palette
from visualize.overlay import overlay_masks
from visualize.pixels import display_scale, enlarge

ROWS = ("frames", "objects, coloured alike where they look alike")
LETTERS = "ABCD"


def comparison_film(
    clips: Mapping[str, Inspection], title: str = ""
) -> UInt8[np.ndarray, "t h w 3"]:
    """Lay out clips as one film: A left of B, below each its objects, and the frame's number.

    Args:
        clips: One or two clips and their slots, by the name that stands above each.
        title: One line above all; what does not fit is cut off with dots.

    Returns:
        As many frames as the shortest clip has, small clips enlarged.

    Ours: no numbers on the objects, since slots of two clips have no common order; an object is
    known by its colour.
    """
    found = list(clips.values())
    sides = np.max([one.frames.shape[1:3] for one in found], axis=0)
    scale = display_scale(*map(int, sides))
    labels = [f"{letter}  {name}" for letter, name in zip(LETTERS, clips, strict=False)]
    shown = [InspectedClip.of(name, "", vars(one)) for name, one in clips.items()]
    objects = [
        overlay_masks(
            one.frames,
            in_palette_order(one.alpha_masks, palette),
            background=0,
            contours=True,
            scale=scale,
        )
        for one, palette in zip(found, shared_palette(shown), strict=True)
    ]
    return arrange_clips(
        [[enlarge(one.frames, scale) for one in found], objects],
        labels if len(found) > 1 else list(clips),
        ROWS if len(found) > 1 else (ROWS[0], "objects"),
        title=title,
    )


def in_palette_order(
    masks: Float[np.ndarray, "t k h w"], palette: tuple[int, ...]
) -> Float[np.ndarray, "t p h w"]:
    """Renumber slots by their place in the palette, the background first.

    Args:
        masks: Shares of the slots.
        palette: Place of each slot, each at most once.

    Returns:
        Shares by place; a place that no slot has holds nothing.
    """
    ordered = np.zeros((len(masks), max(palette) + 1, *masks.shape[2:]), masks.dtype)
    ordered[:, list(palette)] = masks
    return ordered
