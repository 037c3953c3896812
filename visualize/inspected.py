"""One clip with what its slots say of it, and how two clips are shown with one colour an object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from visualize.palette import palette_indices

SAME_COLOUR = 0.35  # of the range of a colour; slots that differ by more hold different objects


@dataclass(frozen=True, eq=False)
class InspectedClip:
    """One clip and what its slots say of it.

    Attributes:
        name: Of the model or of the clip, a few words.
        what: One short line below the name.
        frames: The clip.
        alpha_masks: Share of each pixel over the slots, sum 1.
        correlation: ``[t, u, i, j]`` compares slot i of frame t with slot j of frame u.
        presence: Which slots hold an object.
        assignment: Slot of each frame that continues slot k of frame 0, -1 where absent.
        flicker: Unsteadiness of each slot in each frame, NaN where undefined.
        flicker_all: Unsteadiness of the whole picture.
        motion: How much moves in each frame.
        switches: How often an object passes to another slot.
        background: The slot that holds the background.
        fps: Frames a second.
        scores: Further numbers by name.
    """

    name: str
    what: str
    frames: UInt8[np.ndarray, "t h w 3"]
    alpha_masks: Float[np.ndarray, "t k h w"]
    correlation: Float[np.ndarray, "t t k k"]
    presence: Bool[np.ndarray, "t k"]
    assignment: Int[np.ndarray, "t k"]
    flicker: Float[np.ndarray, "t k"]
    flicker_all: Float[np.ndarray, " t"]
    motion: Float[np.ndarray, " t"]
    switches: int
    background: int
    fps: float
    scores: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        name: str,
        what: str,
        found: Mapping[str, Any],
        scores: Mapping[str, float] | None = None,
    ) -> Self:
        """Take what is shown from the fields of an inspection.

        Args:
            name: Of the model or of the clip.
            what: One short line below the name.
            found: Arrays and numbers by name; what is not shown is left out.
            scores: Further numbers by name.

        Returns:
            The clip.
        """
        shown = {each.name for each in fields(cls)} & set(found)
        return cls(name=name, what=what, scores=scores or {}, **{key: found[key] for key in shown})

    @property
    def num_slots(self) -> int:
        """Slots of a frame."""
        return self.alpha_masks.shape[1]


def shared_palette(clips: Sequence[InspectedClip]) -> list[tuple[int, ...]]:
    """Give every slot of every clip its place in the palette, one object one colour in all clips.

    Args:
        clips: One or more; the first one decides.

    Returns:
        Palette indices of the slots of each clip, 0 for the background.

    Ours: slots of two clips have no common order, so the objects are matched by their mean colour
    in the picture; who has no partner gets a colour of their own.
    """
    first = clips[0]
    palettes = [palette_indices(first.num_slots, first.background)]
    looks = _mean_colours(first)
    for clip in clips[1:]:
        palettes.append(_matched_palette(clip, first, looks, palettes[0]))
    return palettes


def _matched_palette(
    clip: InspectedClip,
    first: InspectedClip,
    looks: Float[np.ndarray, "k 3"],
    palette: tuple[int, ...],
) -> tuple[int, ...]:
    from scipy.optimize import linear_sum_assignment

    own = [slot for slot in range(clip.num_slots) if slot != clip.background]
    theirs = [slot for slot in range(first.num_slots) if slot != first.background]
    distances = np.abs(_mean_colours(clip)[own][:, None] - looks[theirs][None]).mean(axis=2)
    pairs = zip(*linear_sum_assignment(distances), strict=True)
    given = {
        own[row]: palette[theirs[column]]
        for row, column in pairs
        if distances[row, column] < SAME_COLOUR
    }
    free = (index for index in range(1, 64) if index not in palette)
    return tuple(
        0 if slot == clip.background else given[slot] if slot in given else next(free)
        for slot in range(clip.num_slots)
    )


def _mean_colours(clip: InspectedClip) -> Float[np.ndarray, "k 3"]:
    """Return the mean colour of what each slot holds, 0 to 1."""
    shares = clip.alpha_masks.sum(axis=(0, 2, 3))
    sums = np.einsum("tkhw,thwc->kc", clip.alpha_masks, clip.frames / 255, optimize=True)
    return sums / np.maximum(shares, 1e-6)[:, None]
