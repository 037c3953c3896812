"""A run -> the inspector as one HTML file that opens from the disk."""

from collections.abc import Mapping
from pathlib import Path

from olvdm.commands.record import finite, scores_of
from olvdm.evaluation.inspection import Inspection
from visualize.inspected import InspectedClip
from visualize.payload import Direction, Metric, Payload, done_payload

LONGEST_NAME = 80  # characters
SUMS: tuple[tuple[str, str, str, Direction, str], ...] = (
    ("flicker", "Flicker of the picture", "", "lower", "optical flow"),
    ("switches", "Identity switches", "", "lower", "this model's own slots"),
    ("motion", "Motion, beside which flicker is read", "px", "context", "optical flow"),
)


def write_report(path: Path, payload: Payload) -> None:
    """Write the inspector with a result inside.

    Args:
        path: The HTML file.
        payload: What it shows.
    """
    from visualize.report import report_html

    path.write_text(report_html(payload), encoding="utf-8")


def report_payload(
    clips: Mapping[str, Inspection],
    *,
    caption: str = "",
    settings: Mapping[str, object] | None = None,
    notes: tuple[str, ...] = (),
) -> Payload:
    """Return what the inspector shows of a run.

    Args:
        clips: One or two clips and their slots, by name.
        caption: The prompt, or the clip's name.
        settings: All that the result follows from.
        notes: What was changed on the way.

    Returns:
        The value, with the sums of each clip as its numbers.
    """
    shown = [
        InspectedClip.of(name[:LONGEST_NAME], _what(found), vars(found))
        for name, found in clips.items()
    ]
    sums = [scores_of(found) for found in clips.values()]
    metrics = [
        Metric(
            id=name,
            label=label,
            unit=unit,
            better=better,
            values=tuple(None if one[name] is None else float(one[name] or 0) for one in sums),
            judge=judge,
        )
        for name, label, unit, better, judge in SUMS
    ]
    told = {name: str(value) for name, value in finite(dict(settings or {})).items()}
    return done_payload(shown, metrics=metrics, caption=caption, settings=told, notes=notes)


def _what(found: Inspection) -> str:
    count, height, width = found.frames.shape[:3]
    return f"{count} frames, {width} x {height}"
