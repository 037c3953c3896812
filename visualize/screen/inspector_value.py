"""Results -> the values that the inspector on the page is given."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import UInt8

from visualize.inspected import InspectedClip
from visualize.payload import PREVIEW_QUALITY, Metric, Payload, Start, done_payload, sheet
from visualize.screen import texts
from visualize.screen.shown import Finished

SAME = 0.02  # two values are about equal where they differ by less than this share


def empty_value(message: str) -> dict[str, Any]:
    """Return the value of an inspector that has shown nothing yet.

    Args:
        message: What to do now.

    Returns:
        A value of the inspector.
    """
    return Payload(phase="empty", message=message).as_json()


def restored_value() -> dict[str, Any]:
    """Return the value that puts the last finished result back.

    Ours: the browser has it still, so nothing is kept here.
    """
    return Payload(phase="restore", message=texts.NOTHING_YET).as_json()


def running_value(
    previews: Sequence[UInt8[np.ndarray, "t h w 3"]], job_id: str = ""
) -> dict[str, Any]:
    """Return the value that shows clips on their way.

    Args:
        previews: In the order of the players; none only dims what is shown.
        job_id: Names the job, so that a step that comes after its cancel is known.

    Returns:
        A value of the inspector.
    """
    sheets = tuple(sheet(frames, quality=PREVIEW_QUALITY) for frames in previews)
    return Payload(phase="running", previews=sheets, run_id=job_id).as_json()


def finished_value(
    finished: Finished,
    *,
    plays: bool,
    place: Start | None = None,
) -> dict[str, Any]:
    """Return the value that shows a result.

    Args:
        finished: The result.
        plays: Whether the clips begin to play by themselves.
        place: Where to open, if a link says so; a cell that this result has not is left out.

    Returns:
        A value of the inspector.
    """
    start = None if place is None else _within(finished.clips, place)
    return payload_of(finished, plays=plays, start=start).as_json()


def payload_of(finished: Finished, *, plays: bool = False, start: Start | None = None) -> Payload:
    """Return a result as the inspector and the report show it.

    Args:
        finished: The result.
        plays: Whether the clips begin to play by themselves.
        start: Where to open, none to choose.

    Returns:
        The value, typed.
    """
    from_the_start = plays or finished.is_blind  # a reason to open elsewhere would name a model
    chosen = Start() if from_the_start else start_of(finished.clips)
    return done_payload(
        finished.clips,
        metrics=finished.metrics,
        start=start or chosen,
        denoising=finished.denoising,
        run_id="" if finished.is_blind else finished.run_id,  # which leads to the names
        is_blind=finished.is_blind,
        caption=finished.caption,
        badge=finished.badge,
        notes=finished.notes,
        warning=finished.warning,
        verdict=verdict(finished.clips, finished.metrics),
        settings=dict(finished.settings),
        sources=() if finished.is_blind else finished.sources,
        plays=plays,
    )


def start_of(clips: Sequence[InspectedClip]) -> Start:
    """Choose where a paused page opens: on the frame where the clips differ most in flicker.

    Args:
        clips: The clips.

    Returns:
        Frame and reason; for a single clip the frame that flickers most.
    """
    num_frames = min(len(clip.frames) for clip in clips)
    curves = [np.nan_to_num(clip.flicker_all[:num_frames]) for clip in clips[:2]]
    if len(curves) < 2:
        frame = int(curves[0].argmax())
        return Start(frame=frame, reason=texts.OPENED_SINGLE.format(frame=frame))
    gap = curves[0] - curves[1]
    frame = int(np.abs(gap).argmax())
    steadier = clips[1] if gap[frame] > 0 else clips[0]
    return Start(frame=frame, reason=texts.OPENED.format(frame=frame, name=steadier.name))


def _within(clips: Sequence[InspectedClip], place: Start) -> Start:
    """Return where a link opens, as far as these clips have such a place."""
    last = min(len(clip.frames) for clip in clips) - 1
    frame = min(place.frame, last)
    if place.side >= len(clips):
        return Start(frame=frame)
    cell, slots = place.cell, clips[place.side].num_slots
    is_there = cell is not None and max(cell[::2]) <= last and max(cell[1::2]) < slots
    return Start(frame=frame, cell=cell if is_there else None, side=place.side)


def verdict(clips: Sequence[InspectedClip], metrics: Sequence[Metric]) -> str:
    """Say in words what the rows of two clips say; nothing for one.

    Args:
        clips: The clips.
        metrics: Rows of the card.

    Returns:
        One or two sentences that claim no more than one seed can show.
    """
    judged = [row for row in metrics if row.better != "context" and None not in row.values]
    if len(clips) < 2 or not judged:
        return ""
    names = {"better": [], "worse": [], "alike": []}
    for row in judged:
        names[_outcome(row)].append(row.label)
    parts = [
        texts.OUTCOMES[outcome].format(measures=", ".join(found))
        for outcome, found in names.items()
        if found
    ]
    words = texts.VERDICT if any(row.spread for row in judged) else texts.VERDICT_ALONE
    return words.format(second=clips[1].name, first=clips[0].name, parts="; ".join(parts))


def _outcome(row: Metric) -> str:
    """Say whether the second clip is better in a measure."""
    first, second = (value or 0.0 for value in row.values[:2])
    if abs(first - second) <= SAME * max(abs(first), abs(second)):
        return "alike"
    return "better" if (second < first) == (row.better == "lower") else "worse"
