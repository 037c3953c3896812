"""The measures of one clip of a prompt: what each is called, and which way is better."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from olvdm.data.moving_shapes import PromptObject
from olvdm.evaluation.object_flicker import object_flicker
from olvdm.evaluation.optical_flow import Flow, estimate_flow
from olvdm.evaluation.tracker import Track, judge_prompt, object_stability, track
from olvdm.evaluation.video_quality import score_video

Goal = Literal["higher", "lower", "real"]

# A clip without any object has none that could hold together or fall apart.
NEED_OBJECTS = (
    "identity_switches",
    "vanishing",
    "appearing",
    "colour_drift",
    "area_drift",
    "area_variation",
)


@dataclass(frozen=True)
class Measure:
    """One number of a clip.

    Attributes:
        name: As in ``Agreement``, ``VideoScores``, ``ObjectStability``, ``ObjectFlicker`` and
            ``SlotConsistency``.
        title: As tables print it.
        group: Table that it belongs to.
        goal: Whether more is better, or less, or what is nearer to the real clip.
    """

    name: str
    title: str
    group: str
    goal: Goal


MEASURES = (
    Measure("count", "count agrees", "agreement", "higher"),
    Measure("colour", "colour agrees", "agreement", "higher"),
    Measure("shape", "shape agrees", "agreement", "higher"),
    Measure("direction", "direction agrees", "agreement", "higher"),
    Measure("flickering", "VBench temporal flickering", "flicker", "higher"),
    Measure("warp_error", "warp error", "flicker", "lower"),
    Measure("high_frequency", "high-frequency energy", "flicker", "lower"),
    Measure("object_warp_error", "warp error of the objects", "flicker", "lower"),
    Measure("object_high_frequency", "high-frequency energy of the objects", "flicker", "lower"),
    Measure("mean_flow", "mean flow, px a frame", "motion", "real"),
    Measure("dynamic_degree", "dynamic degree", "motion", "real"),
    Measure("track_length", "track length, px", "motion", "real"),
    Measure("identity_switches", "identity switches a clip", "stability", "lower"),
    Measure("vanishing", "vanishing objects a clip", "stability", "lower"),
    Measure("appearing", "appearing objects a clip", "stability", "lower"),
    Measure("colour_drift", "drift of colour", "stability", "lower"),
    Measure("area_drift", "drift of area", "stability", "lower"),
    Measure("area_variation", "variation of area", "stability", "lower"),
    Measure("empty_frames", "frames without objects", "stability", "lower"),
    Measure("count_changes", "changes of the count", "stability", "lower"),
)
# Of tiny pictures of the clips; what was drawn by an earlier version may lack it.
THUMBNAIL_MEASURES = (
    Measure(
        "nearest_thumbnail",
        "distance to the nearest training clip on thumbnails",
        "memorisation",
        "real",
    ),
)
# Of judges that bring networks of their own; a report without those judges lacks them.
NETWORK_MEASURES = (
    Measure(
        "slot_consistency",
        "slot consistency by the independent encoder",
        "independent_slots",
        "higher",
    ),
    Measure(
        "slot_switches",
        "slot switches a clip by the independent encoder",
        "independent_slots",
        "lower",
    ),
    Measure(
        "slot_flicker",
        "flicker of the objects by the independent encoder",
        "independent_slots",
        "lower",
    ),
    Measure(
        "nearest_training",
        "distance to the nearest training clip on the attribute network's features",
        "memorisation",
        "real",
    ),
)
ALL_MEASURES = (*MEASURES, *THUMBNAIL_MEASURES, *NETWORK_MEASURES)


def measure_clip(
    frames: UInt8[np.ndarray, "t h w 3"],
    expected: Sequence[PromptObject],
    flow: Flow | None = None,
    tracks: Sequence[Track] | None = None,
) -> dict[str, float]:
    """Take every measure of one clip that needs no network.

    Args:
        frames: The clip, drawn or real.
        expected: What its prompt asks for.
        flow: Its optical flow, where the caller has it already.
        tracks: Its objects by the tracker, likewise.

    Returns:
        Values by the names of ``MEASURES``; NaN where one cannot be measured, such as the drift of
        objects that are not there, since an empty clip must not count as a steady one.

    Source: method.md section 7.
    """
    flow = flow or estimate_flow(frames)
    tracks = track(frames) if tracks is None else tracks
    asked = [(one.colour, one.shape, one.motion) for one in expected]
    agreement = judge_prompt(frames, asked, tracks)
    stability = asdict(object_stability(frames, tracks))
    if stability["empty_frames"] == 1:
        stability.update(dict.fromkeys(NEED_OBJECTS, math.nan))
    found = asdict(agreement) | asdict(score_video(frames, flow)) | stability
    found |= asdict(object_flicker(frames, tracks, flow))
    return {measure.name: float(found[measure.name]) for measure in MEASURES}
