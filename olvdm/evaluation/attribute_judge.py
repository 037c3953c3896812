"""Compares clips by the features of the attribute network: distances of sets, nearest clips."""

import base64
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from olvdm.attribute_network import ATTRIBUTES, AttributeNetwork, are_right, attribute_targets
from olvdm.data.moving_shapes import MovingShapes, ShapesClip
from olvdm.evaluation.bootstrap import as_number
from olvdm.evaluation.feature_distance import compare_sets, diversity, nearest_clips
from olvdm.video import frames_to_clip

FEATURES = "features of the attribute network"
SMALLEST_DEVIATION = 1e-6  # of a feature that is the same in all clips
# Share of real clips of which every attribute must be read without an error, stated beforehand.
NEEDED = 0.8
BATCH = 8


class AttributeJudge:
    """Compares clips by what the attribute network sees in them.

    Args:
        network: The network, which no model was trained against.
        training_clips: Real clips of the training, among which the nearest is sought; they are
            drawn when they are first needed.
        other_clips: Real clips like those of the test, as many as there are prompts, none of them
            shared.
        device: Where the network shall work.
    """

    def __init__(
        self,
        network: AttributeNetwork,
        training_clips: MovingShapes,
        other_clips: MovingShapes,
        device: torch.device,
    ) -> None:
        self.network = network.float().eval()
        cast("Any", self.network).to(device)  # diffusers hides its signature from types
        self.training_clips = training_clips
        self.other_clips = other_clips
        self.device = device

    @cached_property
    def training_features(self) -> Float32[np.ndarray, "m d"]:
        """Features of the training clips, of mean 0 and variance 1."""
        mean, deviation = self._statistics
        return (self._training_sights - mean) / deviation

    def features(self, clips: Sequence[UInt8[np.ndarray, "t h w 3"]]) -> Float32[np.ndarray, "b d"]:
        """Return what the network sees in clips of one size.

        Args:
            clips: The clips.

        Returns:
            One row for each, in units of the training clips' own spread.

        Ours: otherwise a distance would have the scale of weights that nobody chose.
        """
        mean, deviation = self._statistics
        return (self._see(clips) - mean) / deviation

    def measure(self, features: Float32[np.ndarray, " d"]) -> dict[str, float]:
        """Say how far a clip is from the nearest training clip.

        Args:
            features: Of the clip.

        Returns:
            The distance as ``nearest_training``. A model that copies is nearer than real clips are
            that no training saw.

        Ours: method.md section 7, memorisation.
        """
        _, distances = nearest_clips(features[None], self.training_features)
        return {"nearest_training": float(distances[0])}

    @torch.no_grad()
    def validate(self, clips: Iterable[ShapesClip], advance: Callable[[], None]) -> dict[str, Any]:
        """Try the network on real clips, and say whether distances by its features are reported.

        Args:
            clips: Real clips with their truth.
            advance: Called after each clip.

        Returns:
            Share of the clips of which each attribute is read without any error, the bar, and
            whether all pass it.
        """
        rows: list[list[float]] = []
        for clip in clips:
            pixels = torch.from_numpy(clip.frames[None]).to(self.device)
            logits = self.network(frames_to_clip(pixels))
            targets = {name: one[None] for name, one in attribute_targets(clip.objects).items()}
            right = are_right({name: one.cpu() for name, one in logits.items()}, targets)
            rows.append([float(right[name]) for name in ATTRIBUTES])
            advance()
        shares = np.array(rows).mean(axis=0)
        is_trusted = bool(shares.min() >= NEEDED)
        return {
            "num_clips": len(rows),
            "needed": NEEDED,
            "agreement": {
                name: as_number(float(share))
                for name, share in zip(ATTRIBUTES, shares, strict=True)
            },
            "may_judge": dict.fromkeys(("nearest_training", "distances"), is_trusted),
        }

    def compare_sets(
        self, drawn: Float32[np.ndarray, "n d"], real: Float32[np.ndarray, "n d"]
    ) -> dict[str, Any]:
        """Compare the drawn clips of all prompts with the real clips of the same prompts.

        Args:
            drawn: Features of the drawn clips.
            real: Features of the real ones.

        Returns:
            Frechet and kernel distance of the drawn from the real clips, beside those of as many
            other real clips from them: the least that a perfect model could reach. And how far
            apart the clips of each set are.

        Source: Heusel et al. 2017, Binkowski et al. 2018, on other features.
        """
        mean, deviation = self._statistics
        others = (self._see_all(self.other_clips) - mean) / deviation
        return {
            "features": FEATURES,
            "num_clips": len(real),
            **compare_sets(drawn, real, others),
            "diversity": {
                "generated": as_number(diversity(drawn)),
                "real": as_number(diversity(real)),
            },
        }

    @cached_property
    def _training_sights(self) -> Float32[np.ndarray, "m d"]:
        return self._see_all(self.training_clips)

    @cached_property
    def _statistics(self) -> tuple[Float32[np.ndarray, " d"], Float32[np.ndarray, " d"]]:
        """Mean and standard deviation of each feature over the training clips."""
        seen = self._training_sights
        return seen.mean(axis=0), np.maximum(seen.std(axis=0), np.float32(SMALLEST_DEVIATION))

    @torch.no_grad()
    def _see(self, clips: Sequence[UInt8[np.ndarray, "t h w 3"]]) -> Float32[np.ndarray, "b d"]:
        pixels = torch.from_numpy(np.stack(clips)).to(self.device)
        return self.network.features(frames_to_clip(pixels)).cpu().numpy()

    def _see_all(self, clips: MovingShapes) -> Float32[np.ndarray, "m d"]:
        found: list[Float32[np.ndarray, "b d"]] = []
        for start in range(0, len(clips), BATCH):
            places = range(start, min(start + BATCH, len(clips)))
            found.append(self._see([clips[place].frames for place in places]))
        return np.concatenate(found)


def pack_features(features: Float32[np.ndarray, " d"]) -> str:
    """Write the features of a clip as text, bit for bit.

    Args:
        features: Of one clip.

    Returns:
        Base64 of little-endian fp32.
    """
    return base64.b64encode(features.astype("<f4").tobytes()).decode("ascii")


def unpack_features(texts: Sequence[str]) -> Float32[np.ndarray, "n d"]:
    """Read what ``pack_features`` wrote.

    Args:
        texts: One for each clip.

    Returns:
        One row for each clip.
    """
    rows = [np.frombuffer(base64.b64decode(text), "<f4") for text in texts]
    return np.stack(rows).astype(np.float32)
