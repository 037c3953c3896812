"""Scores clips without any learned part: likeness, flicker, motion, and distances of features."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, Float64, UInt8
from scipy.fft import dct, idct
from scipy.ndimage import correlate1d

from olvdm.evaluation.optical_flow import Flow, estimate_flow, sample, warp

# Equal clips have no noise at all; a number keeps means and JSON finite.
HIGHEST_PSNR = 100.0
# A slot with a smaller share of a frame is not there, and its flicker is undefined.
SMALLEST_SHARE = 0.005
# Shorter side at which flicker and motion of larger clips are measured.
LARGEST_SIDE = 128


@dataclass(frozen=True, kw_only=True)
class VideoScores:
    """Flicker and motion of one clip; read them together, for a frozen clip does not flicker.

    Attributes:
        flickering: VBench's temporal flickering, 1 for a still clip; blur raises it.
        warp_error: Mean squared distance of colours, sides of 1, after following the flow.
        high_frequency: Mean square of what changes faster than half the Nyquist frequency.
        mean_flow: Mean length of the flow in pixels a frame.
        dynamic_degree: 1 if the clip moves by VBench's rule, else 0; with DIS flow in place of
            RAFT, so it compares our clips with each other alone.
        track_length: Mean way in pixels of the twentieth of all points that travel farthest.
    """

    flickering: float
    warp_error: float
    high_frequency: float
    mean_flow: float
    dynamic_degree: float
    track_length: float


@dataclass(frozen=True, kw_only=True, eq=False)
class SlotFlicker:
    """Which slot flickers, and when; NaN at the ends of the clip and where a slot is absent.

    Attributes:
        appearance: Mean distance of its pixels, of 1, from what the frames before and after it
            show once they have followed the flow.
        area: Second difference of its area as a share of the area.
        shape: Second difference of its proportions, whatever its size, as a share of them.
        total: Sum of the three; lower is steadier.
        whole_frame: Appearance of the whole frame.
    """

    appearance: Float32[np.ndarray, "t k"]
    area: Float32[np.ndarray, "t k"]
    shape: Float32[np.ndarray, "t k"]
    total: Float32[np.ndarray, "t k"]
    whole_frame: Float32[np.ndarray, " t"]


def psnr(frames: UInt8[np.ndarray, "t h w 3"], others: UInt8[np.ndarray, "t h w 3"]) -> float:
    """Measure how near two clips are, pixel for pixel.

    Args:
        frames: One clip.
        others: The other.

    Returns:
        Peak signal-to-noise ratio over the whole clip in dB; 100 for equal clips.

    Source: the definition, with peak 255.
    """
    error = np.mean((frames.astype(np.float64) - others) ** 2)
    return HIGHEST_PSNR if error == 0 else float(min(HIGHEST_PSNR, 10 * np.log10(255**2 / error)))


def ssim(frames: UInt8[np.ndarray, "t h w 3"], others: UInt8[np.ndarray, "t h w 3"]) -> float:
    """Measure how near two clips are in structure.

    Args:
        frames: One clip, at least 11 pixels on each side.
        others: The other.

    Returns:
        Mean over frames, colours and all places of the 11 x 11 window that fit; 1 for equal clips.

    Raises:
        ValueError: If a side is smaller than the window.

    Source: Wang et al. 2004, section III-C (Gaussian window of 1.5, K1 = 0.01, K2 = 0.03); there
    for grey images, here for each colour.
    """
    if min(frames.shape[1:3]) < 11:
        raise ValueError(f"need sides of at least 11, got {min(frames.shape[1:3])}")
    first, second = frames.astype(np.float64), others.astype(np.float64)
    mean_first, mean_second = _window(first), _window(second)
    variances = _window(first**2) - mean_first**2 + _window(second**2) - mean_second**2
    covariance = _window(first * second) - mean_first * mean_second
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    luminance = (2 * mean_first * mean_second + c1) / (mean_first**2 + mean_second**2 + c1)
    structure = (2 * covariance + c2) / (variances + c2)
    return float((luminance * structure).mean())


def score_video(
    frames: UInt8[np.ndarray, "t h w 3"], flow: Flow | None = None, fps: float = 8.0
) -> VideoScores:
    """Measure flicker and motion of one clip.

    Args:
        frames: At least two frames.
        flow: Its optical flow, where the caller has it already.
        fps: Frames a second, for the thinning of VBench's dynamic degree.

    Returns:
        All scores.

    Source: VBench (Huang et al. 2024) for the first and the dynamic degree; Lai et al. 2018 for
    the warp error. Ours: the rest, as method.md section 7 names it.
    """
    flow = flow or estimate_flow(frames)
    return VideoScores(
        flickering=1 - float(difference_map(frames).mean()),
        warp_error=_finite_mean(warp_error_map(frames, flow)),
        high_frequency=float(high_frequency_map(frames).mean()),
        mean_flow=float(np.linalg.norm(flow.forward, axis=-1).mean()),
        dynamic_degree=float(_is_dynamic(frames, flow, fps)),
        track_length=_track_length(flow),
    )


def difference_map(frames: UInt8[np.ndarray, "t h w 3"]) -> Float32[np.ndarray, "p h w"]:
    """Show how much each pixel changes from one frame to the next.

    Args:
        frames: At least two frames.

    Returns:
        Mean absolute change over the colours, between 0 and 1, for each pair of frames.

    Source: VBench's temporal flickering, which is 1 less the mean of this.
    """
    return (np.abs(np.diff(frames.astype(np.float32), axis=0)) / 255).mean(axis=-1)


def warp_error_map(
    frames: UInt8[np.ndarray, "t h w 3"], flow: Flow
) -> Float32[np.ndarray, "p h w"]:
    """Show what is left of the change once each pixel has followed its flow.

    Args:
        frames: The clip.
        flow: Its optical flow.

    Returns:
        Squared distance in colour space, sides of 1, for each pair, at the places of the earlier
        frame; NaN where the flow does not hold.

    Source: Lai et al. 2018, equation 11, with a forward-backward check.
    """
    images = frames.astype(np.float32) / 255
    later = np.stack(
        [warp(image, way) for image, way in zip(images[1:], flow.forward, strict=True)]
    )
    error = ((images[:-1] - later) ** 2).sum(axis=-1)
    return np.where(flow.forward_holds, error, np.float32(np.nan))


def high_frequency_map(frames: UInt8[np.ndarray, "t h w 3"]) -> Float32[np.ndarray, "t h w"]:
    """Show what changes faster than half the Nyquist frequency.

    Args:
        frames: The clip.

    Returns:
        Mean square over the colours of that part of the signal, for pixels in [0, 1].

    Ours: by a cosine transform, which has no jump from the last frame to the first; so a slow fade
    has next to nothing here, as it should.
    """
    spectrum = np.asarray(dct(frames.astype(np.float32) / 255, axis=0, norm="ortho"))
    spectrum[: len(frames) // 2 + 1] = 0
    fast = np.asarray(idct(spectrum, axis=0, norm="ortho"))
    return (fast**2).mean(axis=-1)


def average_by_slot(
    values: Float32[np.ndarray, "p h w"], masks: Float[np.ndarray, "p k h w"]
) -> Float32[np.ndarray, "p k"]:
    """Split a map by slot: whose pixels are these?

    Args:
        values: Any of the maps of this module; NaN is left out.
        masks: Share of each slot in each pixel, of the same frames.

    Returns:
        Mean over each slot's pixels; NaN where a slot has less than half a percent of them.

    Ours: method.md section 7, "which object flickers, at which frame".
    """
    known = np.isfinite(values)
    weights = masks * known[:, None]
    totals = np.einsum("pkhw,phw->pk", weights, np.where(known, values, 0))
    area = weights.sum(axis=(2, 3))
    is_there = area > SMALLEST_SHARE * values[0].size
    return np.where(is_there, totals / np.where(is_there, area, 1), np.nan).astype(np.float32)


def measure_flicker(
    frames: UInt8[np.ndarray, "t h w 3"],
    masks: Float[np.ndarray, "t k h w"],
    flow: Flow | None = None,
) -> SlotFlicker:
    """Measure how unsteady each slot is and in what, leaving steady motion unpunished.

    Args:
        frames: The clip; a large one is measured at a shorter side of 128.
        masks: Share of each slot in each pixel.
        flow: Optical flow of a clip that is no larger, where the caller has it already.

    Returns:
        Flicker by slot and frame.

    Ours: second differences throughout, so that a steady pan, growth or turn costs nothing; the
    mean of both neighbours, each brought along by its flow, is what a steady clip would show.
    """
    frames, masks = _shrink(frames), _shrink_masks(masks)
    num_frames, num_slots = masks.shape[:2]
    parts = np.full((3, num_frames, num_slots), np.nan, np.float32)
    whole_frame = np.full(num_frames, np.nan, np.float32)
    if num_frames > 2:
        surprise = _surprise_map(frames, flow or estimate_flow(frames))
        whole_frame[1:-1] = average_by_slot(surprise, np.ones_like(masks[1:-1, :1]))[:, 0]
        areas, spreads = _measure_masks(masks.astype(np.float64))
        parts[0, 1:-1] = average_by_slot(surprise, masks[1:-1])
        parts[1, 1:-1] = _second_difference(areas[..., None])
        parts[2, 1:-1] = _second_difference(spreads)
        is_there = areas > SMALLEST_SHARE * masks[0, 0].size
        parts[:, 1:-1][:, ~(is_there[:-2] & is_there[1:-1] & is_there[2:])] = np.nan
    return SlotFlicker(
        appearance=parts[0],
        area=parts[1],
        shape=parts[2],
        total=parts.sum(axis=0),
        whole_frame=whole_frame,
    )


def slot_flicker(
    frames: UInt8[np.ndarray, "t h w 3"], masks: Float[np.ndarray, "t k h w"]
) -> Float32[np.ndarray, "t k"]:
    """Measure how unsteady each slot is in each frame, in one number.

    Args:
        frames: The clip.
        masks: Share of each slot in each pixel.

    Returns:
        The total of ``measure_flicker``: 0 for steady, NaN at both ends and where a slot is absent.

    Ours: see ``measure_flicker``.
    """
    return measure_flicker(frames, masks).total


def frame_flicker(frames: UInt8[np.ndarray, "t h w 3"]) -> Float32[np.ndarray, " t"]:
    """Measure how unsteady each frame is as a whole.

    Args:
        frames: The clip.

    Returns:
        Mean distance of its pixels, of 1, from what its neighbours show; NaN at both ends.

    Ours: see ``measure_flicker``.
    """
    everything = np.ones((len(frames), 1, *frames.shape[1:3]), np.float32)
    return measure_flicker(frames, everything).whole_frame


def frame_motion(frames: UInt8[np.ndarray, "t h w 3"]) -> Float32[np.ndarray, " t"]:
    """Measure how much each frame moves, which belongs beside any flicker.

    Args:
        frames: The clip; a large one is measured at a shorter side of 128.

    Returns:
        Mean length of the flow to the frames before and after it, in pixels of the clip; 0 for a
        clip of one frame.

    Ours: method.md section 7, motion.
    """
    if len(frames) < 2:
        return np.zeros(len(frames), np.float32)
    small = _shrink(frames)
    length = np.linalg.norm(estimate_flow(small).forward, axis=-1).mean(axis=(1, 2))
    around = np.concatenate([length[:1], (length[1:] + length[:-1]) / 2, length[-1:]])
    return (around * (frames.shape[1] / small.shape[1])).astype(np.float32)


def _shrink(frames: UInt8[np.ndarray, "t h w 3"]) -> UInt8[np.ndarray, "t h2 w2 3"]:
    """Bring a large clip down to a size at which flow is fast and flicker still shows."""
    size = _small_size(frames.shape[1], frames.shape[2])
    if size == frames.shape[1:3]:
        return frames
    shrunk = [cv2.resize(one, size[::-1], interpolation=cv2.INTER_AREA) for one in frames]
    return np.stack(shrunk).astype(np.uint8)


def _shrink_masks(masks: Float[np.ndarray, "t k h w"]) -> Float[np.ndarray, "t k h2 w2"]:
    size = _small_size(masks.shape[2], masks.shape[3])
    if size == masks.shape[2:]:
        return masks
    planes = masks.reshape(-1, *masks.shape[2:])
    shrunk = [cv2.resize(one, size[::-1], interpolation=cv2.INTER_AREA) for one in planes]
    return np.stack(shrunk).reshape(*masks.shape[:2], *size)


def _small_size(height: int, width: int) -> tuple[int, int]:
    scale = min(1.0, LARGEST_SIDE / min(height, width))
    return round(height * scale), round(width * scale)


def _window(images: Float64[np.ndarray, "t h w 3"]) -> Float64[np.ndarray, "t h2 w2 3"]:
    """Average under a Gaussian window wherever all of it fits."""
    weights = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    weights /= weights.sum()
    across = correlate1d(images, weights, axis=2)[:, :, 5:-5]
    return correlate1d(across, weights, axis=1)[:, 5:-5]


def _finite_mean(values: Float32[np.ndarray, "p h w"]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def _is_dynamic(frames: UInt8[np.ndarray, "t h w 3"], flow: Flow, fps: float) -> bool:
    """Say whether a clip moves, by the rule of VBench for clips that were thinned to 8 fps."""
    thinning = max(1, round(fps / 8))
    if thinning > 1 and len(frames) > thinning:
        frames = frames[::thinning]
        flow = estimate_flow(frames)
    length = np.sort(np.linalg.norm(flow.forward, axis=-1).reshape(len(flow.forward), -1), axis=1)
    fastest = length[:, -max(1, int(0.05 * length.shape[1])) :].mean(axis=1)
    num_moving = int((fastest > 6 * min(frames.shape[1:3]) / 256).sum())
    return num_moving >= round(4 * len(frames) / 16)


def _track_length(flow: Flow) -> float:
    """Let a grid of points drift with the flow, and average the longest ways."""
    height, width = flow.forward.shape[1:3]
    rows, columns = np.mgrid[2:height:4, 2:width:4].astype(np.float32)
    places = np.stack([columns, rows], axis=-1)
    length = np.zeros(places.shape[:2], np.float32)
    for way in flow.forward:
        step = sample(way, places)
        places = np.clip(places + step, 0, np.array([width - 1, height - 1], np.float32))
        length += np.linalg.norm(step, axis=-1)
    longest = np.sort(length.ravel())[-max(1, length.size // 20) :]
    return float(longest.mean())


def _surprise_map(frames: UInt8[np.ndarray, "t h w 3"], flow: Flow) -> Float32[np.ndarray, "p h w"]:
    """Show how far each pixel of the inner frames is from what its two neighbours agree on."""
    images = frames.astype(np.float32) / 255
    later = _warp_all(images[2:], flow.forward[1:])
    earlier = _warp_all(images[:-2], flow.backward[:-1])
    surprise = np.abs(images[1:-1] - (earlier + later) / 2).mean(axis=-1)
    holds = flow.forward_holds[1:] & flow.backward_holds[:-1]
    return np.where(holds, surprise, np.float32(np.nan))


def _warp_all(
    images: Float32[np.ndarray, "p h w 3"], flow: Float32[np.ndarray, "p h w 2"]
) -> Float32[np.ndarray, "p h w 3"]:
    return np.stack([warp(image, way) for image, way in zip(images, flow, strict=True)])


def _measure_masks(
    masks: Float64[np.ndarray, "t k h w"],
) -> tuple[Float64[np.ndarray, "t k"], Float64[np.ndarray, "t k 3"]]:
    """Measure the area of each mask, and its proportions: second moments over the area."""
    areas = masks.sum(axis=(2, 3))
    rows, columns = np.mgrid[: masks.shape[2], : masks.shape[3]].astype(np.float64)
    scale = np.maximum(areas, 1e-6)[..., None]
    first = np.einsum("tkhw,chw->tkc", masks, np.stack([rows, columns])) / scale
    products = np.stack([rows**2, columns**2, rows * columns])
    second = np.einsum("tkhw,chw->tkc", masks, products) / scale
    row, column = first[..., 0], first[..., 1]
    spread = second - np.stack([row**2, column**2, row * column], axis=-1)
    return areas, spread / scale


def _second_difference(values: Float64[np.ndarray, "t k m"]) -> Float64[np.ndarray, "p k"]:
    """Measure how far the middle of three values is from steady change, from 0 to 1."""
    bend = np.linalg.norm(values[:-2] - 2 * values[1:-1] + values[2:], axis=-1)
    size = np.linalg.norm(values, axis=-1)
    return bend / np.maximum(size[:-2] + 2 * size[1:-1] + size[2:], 1e-9)
