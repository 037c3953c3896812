"""Says how unsteady the objects of a clip are, each on its own pixels, by the classical tracker."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from olvdm.evaluation.optical_flow import Flow
from olvdm.evaluation.tracker import Track
from olvdm.evaluation.video_quality import average_by_slot, high_frequency_map, warp_error_map


@dataclass(frozen=True, kw_only=True)
class ObjectFlicker:
    """Flicker of a clip's objects; NaN where there are none, since nothing is not steady.

    Attributes:
        object_warp_error: Mean over objects of the warp error on their pixels.
        object_high_frequency: Mean over objects of the high-frequency energy on their pixels.
    """

    object_warp_error: float
    object_high_frequency: float


def object_flicker(
    frames: UInt8[np.ndarray, "t h w 3"], tracks: Sequence[Track], flow: Flow
) -> ObjectFlicker:
    """Measure the flicker of each object where the tracker sees it.

    Args:
        frames: The clip.
        tracks: Its objects.
        flow: Its optical flow.

    Returns:
        Means over the objects, each counting once, however small: in the mean over a whole frame
        the background hides them.

    Ours: method.md section 7, flicker, object by object; the maps are those of the whole frame. An
    object that moves has high-frequency energy, steady or not, so read it beside real clips.
    """
    if not tracks:
        return ObjectFlicker(object_warp_error=np.nan, object_high_frequency=np.nan)
    masks = np.stack([one.masks for one in tracks], axis=1).astype(np.float32)
    warp_error = average_by_slot(warp_error_map(frames, flow), masks[:-1])
    fast = average_by_slot(high_frequency_map(frames), masks)
    return ObjectFlicker(
        object_warp_error=_mean_over_objects(warp_error),
        object_high_frequency=_mean_over_objects(fast),
    )


def _mean_over_objects(values: Float32[np.ndarray, "p n"]) -> float:
    """Average over frames, then over objects, leaving out what could not be measured."""
    by_object = [column[np.isfinite(column)] for column in values.T]
    known = [float(column.mean()) for column in by_object if column.size]
    return float(np.mean(known)) if known else float("nan")
