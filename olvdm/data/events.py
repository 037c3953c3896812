"""What happens between the objects of a drawn clip: who hides whom, who leaves, who returns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from jaxtyping import Float, Float32

from olvdm.data.rendering import Rendering
from olvdm.data.scene import ShapesObject

HIDDEN_SHARE = 0.5
CLEAR_SHARE = 0.25
GONE_SHARE = 0.005


@dataclass(frozen=True)
class ShapesEvent:
    """Something that happens to an object.

    Attributes:
        kind: ``occludes``, ``leaves`` or ``returns``.
        object: Index of the object that does it.
        other: Index of the object that it hides, none for the other kinds.
        frame: Where it hides most, where nothing is left in the frame, or where half is back.
    """

    kind: str
    object: int
    other: int | None
    frame: int


def find_events(rendering: Rendering, objects: Sequence[ShapesObject]) -> tuple[ShapesEvent, ...]:
    """List what happens in a clip, in the order of its frames.

    Args:
        rendering: The drawn clip.
        objects: Its objects.

    Returns:
        One event for each pair where the nearer object hides at least half of the farther one,
        and one each time that an object leaves the frame completely or comes back by half.

    Ours: measured on what is drawn, not on what was planned, so that no caption can be wrong.
    """
    events = [
        ShapesEvent("occludes", front, behind, int(hidden.argmax()))
        for front, behind, hidden in _hidden_shares(rendering, objects)
        if hidden.max() >= HIDDEN_SHARE
    ]
    for index, inside in enumerate(_inside_shares(rendering).T):
        events.extend(_absences(index, inside))
    return tuple(sorted(events, key=lambda event: event.frame))


def find_passings(
    rendering: Rendering, objects: Sequence[ShapesObject]
) -> tuple[tuple[int, int], ...]:
    """List the pairs of which one passes the other: clear, then hiding half of it, then clear.

    Args:
        rendering: The drawn clip.
        objects: Its objects.

    Returns:
        The nearer and the farther object of each pair.

    Ours: "passes behind" is true only if we see both before and after.
    """
    inside_at_ends = _inside_shares(rendering)[[0, -1]].min(0)
    return tuple(
        (front, behind)
        for front, behind, hidden in _hidden_shares(rendering, objects)
        if hidden.max() >= HIDDEN_SHARE
        and hidden[[0, -1]].max() < CLEAR_SHARE
        and inside_at_ends[[front, behind]].min() > HIDDEN_SHARE
    )


def _inside_shares(rendering: Rendering) -> Float32[np.ndarray, "t n"]:
    return rendering.coverage.sum((2, 3)).T / rendering.area


def _hidden_shares(
    rendering: Rendering, objects: Sequence[ShapesObject]
) -> Iterator[tuple[int, int, Float[np.ndarray, " t"]]]:
    """Yield the nearer and the farther of each pair, and how much of the latter is hidden when."""
    for front, behind in permutations(range(len(objects)), 2):
        if objects[front].depth < objects[behind].depth:
            hidden = np.einsum("thw,thw->t", rendering.coverage[front], rendering.coverage[behind])
            yield front, behind, hidden / rendering.area[:, behind]


def _absences(index: int, inside: Float32[np.ndarray, " t"]) -> Iterator[ShapesEvent]:
    was_inside, is_away = False, False
    for frame, share in enumerate(inside):
        if was_inside and not is_away and share <= GONE_SHARE:
            is_away = True
            yield ShapesEvent("leaves", index, None, frame)
        elif is_away and share >= 0.5:
            is_away = False
            yield ShapesEvent("returns", index, None, frame)
        was_inside = was_inside or share >= 0.5
