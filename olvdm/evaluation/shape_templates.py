"""Names the shape of an object from its silhouette, by the best overlap with drawn templates."""

import functools
import math

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from olvdm.data.moving_shapes import SHAPES
from olvdm.data.rendering import DISTANCES

# Samples along the side of a template, and its half side in roots of the object's area.
SIDE = 24
REACH = 1.0
# Degrees after which a turned shape looks the same, and the step in between.
SYMMETRIES = {"circle": 10, "square": 90, "triangle": 120, "diamond": 180, "star": 72, "cross": 90}
STEP = 10

Patch = Float32[np.ndarray, "24 24"]


def match_shapes(
    silhouettes: list[Bool[np.ndarray, "h w"]],
) -> Float32[np.ndarray, " s"]:
    """Score every shape of the world on views of one object.

    Args:
        silhouettes: Where the object is seen, whole, in one or more frames.

    Returns:
        Overlap (intersection over union) with each of ``SHAPES`` at the same area and place and
        the best rotation, averaged over the views; between 0 and 1.

    Ours: templates are drawn from the data set's own distances, so they follow any change there.
    """
    templates, shapes = _templates()
    views = np.stack([_normalise(silhouette) for silhouette in silhouettes])[:, None]
    shared = np.minimum(views, templates).sum(axis=(2, 3))
    overlap = shared / (views.sum(axis=(2, 3)) + templates.sum(axis=(1, 2)) - shared)
    scores = [overlap[:, shapes == number].max(axis=1).mean() for number in range(len(SHAPES))]
    return np.array(scores, np.float32)


@functools.cache
def _templates() -> tuple[Float32[np.ndarray, "n 24 24"], np.ndarray]:
    """Draw each shape at every step of rotation, with the number of its shape."""
    patches: list[Patch] = []
    shapes: list[int] = []
    for number, shape in enumerate(SHAPES):
        for angle in range(0, SYMMETRIES.get(shape, 360), STEP):
            patches.append(_normalise(_draw(shape, math.radians(angle))))
            shapes.append(number)
    return np.stack(patches), np.array(shapes)


def _draw(shape: str, angle: float) -> Bool[np.ndarray, "h w"]:
    """Draw a silhouette far larger than any object, so that its own pixels do not matter."""
    y, x = np.mgrid[-1.6:1.6:120j, -1.6:1.6:120j].astype(np.float32)[:, None]
    cosine, sine = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    return DISTANCES[shape](x * cosine + y * sine, y * cosine - x * sine)[0] < 0


def _normalise(silhouette: Bool[np.ndarray, "h w"]) -> Patch:
    """Resample a silhouette to unit area around its centre of mass."""
    mask = silhouette.astype(np.float32)
    row, column = (float(place.mean()) for place in np.nonzero(silhouette))
    step = 2 * REACH / SIDE * math.sqrt(float(mask.sum()))
    corner = step * (SIDE - 1) / 2
    to_source = np.array([[step, 0, column - corner], [0, step, row - corner]], np.float32)
    # A template has many pixels to one sample: blur it as much as an object is blurred by its own.
    if step > 1:
        mask = cv2.GaussianBlur(mask, (0, 0), step / 2)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(mask, to_source, (SIDE, SIDE), flags=flags)
