"""Tiny pictures of clips, by which sets of clips are compared without any network."""

import base64
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from scipy.fft import dctn

from olvdm.data.motion import World
from olvdm.data.moving_shapes import MovingShapes
from olvdm.evaluation.feature_distance import compare_sets, nearest_clips

FRAMES, SIDE = 4, 8
SHAPE = (FRAMES, SIDE, SIDE, 3)
FEATURES = f"{FRAMES} frames of {SIDE} x {SIDE} pixels, colours in [0, 1], root mean square"
# So few that the covariance of some hundred clips is known.
NUM_WAVES = (2, 3, 3)
WAVE_FEATURES = (
    f"slowest waves ({' x '.join(map(str, NUM_WAVES))} of time, height and width, each colour) of "
    f"{FRAMES} frames of {SIDE} x {SIDE} pixels"
)


def thumbnail(frames: UInt8[np.ndarray, "t h w 3"]) -> UInt8[np.ndarray, "t2 h2 w2 3"]:
    """Reduce a clip to a few tiny frames, by which clips can be compared with each other.

    Args:
        frames: The clip.

    Returns:
        Four frames of 8 x 8 pixels, evenly over the clip, its first and last among them.

    Ours: features that nobody trained, stated wherever they are used.
    """
    places = np.linspace(0, len(frames) - 1, FRAMES).round().astype(int)
    small = [cv2.resize(frames[one], (SIDE, SIDE), interpolation=cv2.INTER_AREA) for one in places]
    return np.stack(small).astype(np.uint8)


def thumbnail_features(
    thumbnails: Sequence[UInt8[np.ndarray, "t h w 3"]],
) -> Float32[np.ndarray, "n d"]:
    """Lay thumbnails out as features whose Euclidean distance is a root mean square of colours.

    Args:
        thumbnails: One for each clip, at least one.

    Returns:
        One row for each clip.
    """
    flat = _colours(thumbnails).reshape(len(thumbnails), -1)
    return flat / np.float32(np.sqrt(flat.shape[1]))


def wave_features(
    thumbnails: Sequence[UInt8[np.ndarray, "t h w 3"]],
) -> Float32[np.ndarray, "n d"]:
    """Return the slowest waves of thumbnails: where colours are, and how they move, coarsely.

    Args:
        thumbnails: One for each clip, at least one.

    Returns:
        One row for each clip; the waves of colours in [-0.5, 0.5], none of which dwarfs the others
        so far that a kernel would see nothing else.

    Source: Ahmed et al. 1974 (discrete cosine transform). Ours: a distance of distributions needs
    fewer features than clips, and fixed ones need no fit.
    """
    waves = np.asarray(dctn(_colours(thumbnails) - 0.5, axes=(1, 2, 3), norm="ortho"))
    slowest = waves[:, : NUM_WAVES[0], : NUM_WAVES[1], : NUM_WAVES[2]]
    return slowest.reshape(len(thumbnails), -1).astype(np.float32)


def pack_thumbnail(pixels: UInt8[np.ndarray, "t h w 3"]) -> str:
    """Write a thumbnail as base64."""
    return base64.b64encode(pixels.tobytes()).decode("ascii")


def unpack_thumbnails(texts: Sequence[str]) -> list[UInt8[np.ndarray, "t h w 3"]]:
    """Read what ``pack_thumbnail`` wrote."""
    return [np.frombuffer(base64.b64decode(text), np.uint8).reshape(SHAPE) for text in texts]


class ThumbnailSpace:
    """Compares drawn clips with real ones by their thumbnails.

    Args:
        training_clips: Among which the nearest to each drawn one is sought.
        other_clips: Real clips like those of the test, as many as there are prompts, none of them
            shared.
    """

    def __init__(self, training_clips: MovingShapes, other_clips: MovingShapes) -> None:
        self.training_clips = training_clips
        self.other_clips = other_clips

    def nearest(self, thumbnails: Sequence[UInt8[np.ndarray, "t h w 3"]]) -> list[float]:
        """Say how far each clip is from the training clip that is most like it.

        Args:
            thumbnails: Of the clips.

        Returns:
            Root mean square of the colours' difference. A model that copies is nearer than real
            clips are that no training saw.

        Ours: method.md section 7, memorisation.
        """
        training = thumbnail_features(_thumbnails_of(self.training_clips))
        return nearest_clips(thumbnail_features(thumbnails), training)[1].tolist()

    def compare(
        self,
        drawn: Sequence[UInt8[np.ndarray, "t h w 3"]],
        real: Sequence[UInt8[np.ndarray, "t h w 3"]],
    ) -> dict[str, Any]:
        """Compare the drawn clips of all prompts with the real clips of the same prompts.

        Args:
            drawn: Thumbnails of the drawn clips, at least two.
            real: Thumbnails of the real ones.

        Returns:
            Frechet and kernel distance on ``WAVE_FEATURES``, as ``compare_sets`` returns them.
        """
        others = wave_features(_thumbnails_of(self.other_clips))
        return {
            "features": WAVE_FEATURES,
            "num_clips": len(real),
            **compare_sets(wave_features(drawn), wave_features(real), others),
        }


def _colours(
    thumbnails: Sequence[UInt8[np.ndarray, "t h w 3"]],
) -> Float32[np.ndarray, "n t h w 3"]:
    """Return colours in [0, 1]."""
    return np.stack(thumbnails).astype(np.float32) / 255


def _thumbnails_of(clips: MovingShapes) -> Sequence[UInt8[np.ndarray, "t h w 3"]]:
    return _draw_thumbnails(clips.level, clips.split, clips.num_clips, clips.seed, clips.world)


@lru_cache(maxsize=8)  # to draw a thousand clips takes seconds, and all branches ask for the same
def _draw_thumbnails(
    level: str, split: str, num_clips: int, seed: int, world: World
) -> Sequence[UInt8[np.ndarray, "t h w 3"]]:
    size = (world.num_frames, world.height, world.width)
    clips = MovingShapes(level, split, num_clips, seed, *size)
    return [thumbnail(clips[place].frames) for place in range(num_clips)]
