"""What handlers are given to show: a clip with what its slots say, and how far a job is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8


@dataclass(frozen=True, eq=False)
class ShownClip:
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


@dataclass(frozen=True, eq=False)
class Progress:
    """How far a job is.

    Attributes:
        text: One line.
        share: Of the job that is done, 0 to 1; None where nobody knows.
        previews: Clips on their way, in the order of the players; empty for no new ones.
    """

    text: str
    share: float | None = None
    previews: tuple[UInt8[np.ndarray, "t h w 3"], ...] = ()


@dataclass(frozen=True, eq=False)
class Finished:
    """The result of a job.

    Attributes:
        clips: One or two.
        badge: Where it comes from, a few words.
        caption: The prompt or the name of the clip; it may be a person's own text.
        text: The last line of the status.
        notes: What was changed on the way.
        warning: What to know before reading the result; empty for nothing.
    """

    clips: tuple[ShownClip, ...]
    badge: str = ""
    caption: str = ""
    text: str = "Done."
    notes: tuple[str, ...] = ()
    warning: str = ""


@dataclass(frozen=True)
class Choice:
    """Something to choose from.

    Attributes:
        key: What the program calls it.
        label: What the person reads.
    """

    key: str
    label: str


@dataclass(frozen=True)
class ReadClip:
    """A clip that was read and waits to be inspected.

    Attributes:
        clip_id: Its random name.
        notes: What was changed on the way.
    """

    clip_id: str
    notes: tuple[str, ...] = ()
