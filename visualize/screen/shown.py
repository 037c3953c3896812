"""What handlers are given to show: how far a job is, what came out, what can be chosen."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from jaxtyping import UInt8

from visualize.inspected import InspectedClip
from visualize.payload import DenoisingView, Metric, Start

REVERSED = "-ba"  # ends the name of a run whose two clips are shown in the other order


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
        run_id: Names the run; empty for one that has its own place in the repository.
        badge: Where it comes from, a few words.
        caption: The prompt or the name of the clip; it may be a person's own text.
        text: The last line of the status.
        notes: What was changed on the way.
        warning: What to know before reading the result; empty for nothing.
        metrics: Rows of the verdict card.
        denoising: What the models expected on the way.
        settings: All that the result follows from, as text.
        sources: Run and clip of each clip, as ``run/clip``.
        is_blind: Whether nothing may tell one model from the other.
    """

    clips: tuple[InspectedClip, ...]
    run_id: str = ""
    badge: str = ""
    caption: str = ""
    text: str = "Done."
    notes: tuple[str, ...] = ()
    warning: str = ""
    metrics: tuple[Metric, ...] = ()
    denoising: tuple[DenoisingView, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    is_blind: bool = False

    def reversed(self) -> Self:
        """Return the same result with its clips in the other order, under a name that says so."""
        name, was_reversed = split_order(self.run_id)
        return replace(
            self,
            clips=self.clips[::-1],
            run_id=name if was_reversed else name + REVERSED,
            metrics=tuple(row.reversed() for row in self.metrics),
            denoising=tuple(view.reversed() for view in self.denoising),
            sources=self.sources[::-1],
        )


def split_order(run_id: str) -> tuple[str, bool]:
    """Return the name of a run itself, and whether its clips are wanted in the other order."""
    return run_id.removesuffix(REVERSED), run_id.endswith(REVERSED)


@dataclass(frozen=True)
class Choice:
    """Something to choose from.

    Attributes:
        key: What the program calls it.
        label: What the person reads.
        detail: What a longer list adds to it.
    """

    key: str
    label: str
    detail: str = ""


@dataclass(frozen=True)
class ReadClip:
    """A clip that was read and waits to be inspected.

    Attributes:
        clip_id: Its random name.
        notes: What was changed on the way.
    """

    clip_id: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PinnedRun:
    """A run that is kept at hand for comparisons.

    Attributes:
        run_id: Its name.
        label: What was drawn, or the name of the clip; it may be a person's own text.
        clips: Its clips to choose from.
    """

    run_id: str
    label: str
    clips: tuple[Choice, ...]


@dataclass(frozen=True)
class Link:
    """What the address of the page asks for; every value is a stranger's until it is checked.

    Attributes:
        run_id: Of the run to show.
        place: Where to open it.
        settings: To fill the form with where the run is gone.
    """

    run_id: str
    place: Start
    settings: Mapping[str, Any]
