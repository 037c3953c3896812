"""The verdict card: what one pair of clips measures, beside what many prompts say."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from olvdm.evaluation.measures import MEASURES, Measure
from olvdm.evaluation.tracker import object_stability
from olvdm.evaluation.video_quality import score_video
from olvdm.limits import JSON_BODY
from visualize.payload import Direction, Metric, Spread

COMPARISON_NAME = "comparison.json"
SHOWN = ("warp_error", "vanishing", "identity_switches", "area_drift", "colour_drift", "mean_flow")
JUDGES = {
    "flicker": "optical flow",
    "motion": "optical flow",
    "stability": "colour tracker, never trained against",
}
CONTEXT = [measure.name for measure in MEASURES if measure.goal == "real"]  # no better or worse
OWN_SLOTS = "this model's slots, which it was trained against"


def verdict_rows(
    clips: Sequence[UInt8[np.ndarray, "_ _ _ 3"]], spreads: Mapping[str, Spread]
) -> list[Metric]:
    """Measure clips that were drawn together.

    Args:
        clips: Frames of the first model, then of the second.
        spreads: What many prompts say, by the name of the measure.

    Returns:
        One row a measure; motion last, beside which all flicker is to be read.

    Ours: the judges are classical, so no model is scored by slots that it was trained against.
    """
    measured = [asdict(score_video(one)) | asdict(object_stability(one)) for one in clips]
    named = {measure.name: measure for measure in MEASURES}
    return [_row(named[name], measured, spreads.get(name)) for name in SHOWN]


def slot_rows(
    flicker: Sequence[Float[np.ndarray, "_ k"]],
    backgrounds: Sequence[int],
    motion: Sequence[Float[np.ndarray, " _"]],
    scores: Mapping[str, Sequence[float]],
) -> list[Metric]:
    """Sum up what the slots of clips from any source say.

    Args:
        flicker: Unsteadiness of each slot in each frame, one array a clip.
        backgrounds: Slot of the background, one a clip.
        motion: Pixels a frame, one array a clip.
        scores: Further numbers by label, one value a clip.

    Returns:
        One row a measure.
    """
    objects = [np.delete(one, slot, axis=1) for one, slot in zip(flicker, backgrounds, strict=True)]
    return [
        Metric(
            id="slot_flicker",
            label="flicker of the objects",
            better="lower",
            values=tuple(_known_mean(one) for one in objects),
            judge=OWN_SLOTS,
        ),
        *(
            Metric(
                id=label.replace(" ", "_"),
                label=label,
                better="context",
                values=tuple(_known(value) for value in values),
                judge="the autoencoder and the slots",
            )
            for label, values in scores.items()
        ),
        Metric(
            id="mean_flow",
            label="motion",
            unit="pixels a frame",
            better="context",
            values=tuple(_known_mean(one) for one in motion),
            judge=JUDGES["motion"],
        ),
    ]


def read_spreads(checkpoints: Path) -> dict[str, Spread]:
    """Read what the last evaluation of both checkpoints says; nothing where there was none.

    Args:
        checkpoints: Folder with the ``comparison.json`` that ``olvdm evaluate --compare`` wrote.

    Returns:
        Spreads by the name of their measure.
    """
    try:
        with (checkpoints / COMPARISON_NAME).open("rb") as file:
            rows = json.loads(file.read(JSON_BODY))["measures"]
        return {str(row["name"]): _spread(row) for row in rows if row["name"] not in CONTEXT}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _spread(row: Mapping[str, Any]) -> Spread:
    return Spread(
        num_prompts=row["num_prompts"],
        a=row["first"],
        b=row["second"],
        low=row["difference"]["low"],
        high=row["difference"]["high"],
        num_lower=row["num_lower"],
    )


def _row(
    measure: Measure, measured: Sequence[Mapping[str, float]], spread: Spread | None
) -> Metric:
    goals: dict[str, Direction] = {"lower": "lower", "higher": "higher", "real": "context"}
    return Metric(
        id=measure.name,
        label=measure.title,
        better=goals[measure.goal],
        values=tuple(_known(float(one[measure.name])) for one in measured),
        judge=JUDGES[measure.group],
        spread=spread,
    )


def _known_mean(values: Float[np.ndarray, "..."]) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else None


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
