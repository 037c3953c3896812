"""Names the way in which an object travels, from the places where it was seen."""

import numpy as np
from jaxtyping import Bool, Float, Float32

# Pixels, of 64, that an object may drift and shake and still count as resting.
STILL_DRIFT = 5.0
STILL_SHAKE = 2.0
# A path is straight if it strays by less than this share of its length.
STRAIGHT = 0.14
# A straight path along neither axis has none of the four directions.
ALONG_AXIS = 1.4
# Pixels that a circling object may stray from its circle, and the angle that it must have covered.
ROUND = 1.2
ARC = 1.8


def name_motion(positions: Float32[np.ndarray, "t 2"], is_known: Bool[np.ndarray, " t"]) -> str:
    """Say how an object moves.

    Args:
        positions: Centre (x, y) in pixels of clips whose shorter side is 64.
        is_known: Frames whose centre is sure, at least one.

    Returns:
        ``still``, ``left``, ``right``, ``up``, ``down``, ``circle`` or, for all other paths,
        ``bounce``.

    Ours: the words of the captions; thresholds lie between what the data set draws.
    """
    frames = np.flatnonzero(is_known)
    points = positions[frames].astype(np.float64)
    travel, shake = _fit_line(frames, points)
    length = float(np.linalg.norm(travel))
    if length < STILL_DRIFT and shake < STILL_SHAKE:
        return "still"
    if shake > STRAIGHT * length + 0.5:
        return "circle" if _is_circle(points) else "bounce"
    across, down = np.abs(travel)
    if max(across, down) < ALONG_AXIS * min(across, down):
        return "bounce"
    if across > down:
        return "right" if travel[0] > 0 else "left"
    return "down" if travel[1] > 0 else "up"


def _fit_line(
    frames: np.ndarray, points: Float[np.ndarray, "n 2"]
) -> tuple[Float[np.ndarray, "2"], float]:
    """Fit steady motion: how far it leads, and how far the points stray from it."""
    if len(frames) < 2:
        return np.zeros(2), 0.0
    speed, start = np.polyfit(frames, points, 1)
    away = points - start - speed * frames[:, None]
    travel = speed * (frames[-1] - frames[0])
    return travel, float(np.sqrt((away**2).sum(axis=1).mean()))


def _is_circle(points: Float[np.ndarray, "n 2"]) -> bool:
    """Whether points lie on one circle, and on enough of it to tell.

    Source: Kasa 1976, the circle of least squares.
    """
    if len(points) < 4:
        return False
    system = np.concatenate([2 * points, np.ones((len(points), 1))], axis=1)
    *centre, rest = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0]
    away = points - centre
    radius = np.sqrt(max(rest + np.sum(np.square(centre)), 0.0))
    stray = np.hypot(*away.T) - radius
    angles = np.unwrap(np.arctan2(away[:, 1], away[:, 0]))
    return bool(np.sqrt((stray**2).mean()) < ROUND and np.ptp(angles) > ARC)
