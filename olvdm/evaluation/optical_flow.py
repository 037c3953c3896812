"""Where each pixel goes from one frame to the next, and whether that can be trusted."""

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

# OpenCV's estimator needs room for its patches.
SMALLEST_SIDE = 16


@dataclass(frozen=True, eq=False)
class Flow:
    """Optical flow between successive frames, one entry for each pair.

    Attributes:
        forward: Way (x, y) in pixels of each pixel of the earlier frame into the later one.
        backward: Way of each pixel of the later frame back into the earlier one.
        forward_holds: Whether a pixel of the earlier frame comes back to itself there and back;
            where it does not, it is hidden or the estimate is wrong.
        backward_holds: The same for pixels of the later frame.
    """

    forward: Float32[np.ndarray, "p h w 2"]
    backward: Float32[np.ndarray, "p h w 2"]
    forward_holds: Bool[np.ndarray, "p h w"]
    backward_holds: Bool[np.ndarray, "p h w"]


def estimate_flow(frames: UInt8[np.ndarray, "t h w 3"]) -> Flow:
    """Estimate optical flow both ways between all successive frames.

    Args:
        frames: At least two frames.

    Returns:
        The flow of each pair.

    Raises:
        ValueError: If there are too few frames.

    Source: Kroeger et al. 2016 (DIS, as in OpenCV); the check is that of Sundaram et al. 2010.
    """
    if len(frames) < 2:
        raise ValueError(f"need at least 2 frames, got {len(frames)}")
    estimator = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    # The preset begins at half resolution, where an object of these clips is a few pixels.
    estimator.setFinestScale(0)
    pairs = list(itertools.pairwise(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames))
    forward = np.stack([_calculate(estimator, first, second) for first, second in pairs])
    backward = np.stack([_calculate(estimator, second, first) for first, second in pairs])
    return Flow(
        forward=forward,
        backward=backward,
        forward_holds=_check(forward, backward),
        backward_holds=_check(backward, forward),
    )


def warp(
    image: Float32[np.ndarray, "h w c"], flow: Float32[np.ndarray, "h w 2"]
) -> Float32[np.ndarray, "h w c"]:
    """Fetch each pixel from where its flow leads.

    Args:
        image: What is read, bilinearly; the border goes on outside.
        flow: Way (x, y) from each pixel to the place to read.

    Returns:
        The image as seen from where the flow begins.

    Source: Jaderberg et al. 2015.
    """
    rows, columns = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    return sample(image, flow + np.stack([columns, rows], axis=-1))


def sample(
    image: Float32[np.ndarray, "h w c"], places: Float32[np.ndarray, "rows columns 2"]
) -> Float32[np.ndarray, "rows columns c"]:
    """Read an image between its pixels.

    Args:
        image: What is read, bilinearly; the border goes on outside.
        places: Where (x, y), in pixels; whole numbers are the middles of pixels.

    Returns:
        The values there.

    Source: the definition of bilinear interpolation.
    """
    x, y = np.ascontiguousarray(places[..., 0]), np.ascontiguousarray(places[..., 1])
    values = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(values, np.float32).reshape(*places.shape[:2], image.shape[-1])


def _calculate(
    estimator: cv2.DISOpticalFlow, first: UInt8[np.ndarray, "h w"], second: UInt8[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w 2"]:
    missing = [(0, max(0, SMALLEST_SIDE - side)) for side in first.shape]
    flow = estimator.calc(
        np.pad(first, missing, "edge"), np.pad(second, missing, "edge"), np.empty(0, np.float32)
    )
    return np.asarray(flow, np.float32)[: first.shape[0], : first.shape[1]]


def _check(
    there: Float32[np.ndarray, "p h w 2"], back: Float32[np.ndarray, "p h w 2"]
) -> Bool[np.ndarray, "p h w"]:
    """Follow each pixel there and back; it has to land near where it began."""
    returned = np.stack([warp(image, flow) for image, flow in zip(back, there, strict=True)])
    missed = ((there + returned) ** 2).sum(axis=-1)
    size = (there**2).sum(axis=-1) + (returned**2).sum(axis=-1)
    return missed < 0.01 * size + 0.5
