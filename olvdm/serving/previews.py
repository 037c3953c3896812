"""Pictures of clips on their way through the denoising: not too many, and not too dear."""

import time
from collections.abc import Mapping

import numpy as np
from jaxtyping import UInt8

from olvdm.pipeline import OLVDMPipeline
from olvdm.sampling import DenoisingStep

LEAST_SECONDS = 0.2  # between two previews: five a second are enough for an eye
LEAST_SHARE = 4  # times as long as the last preview took goes to the denoising first


class Previews:
    """Decode what the models expect, as often as it is due.

    Args:
        pipelines: Models by name.

    Ours: on a slow machine a preview may take as long as a step.
    """

    def __init__(self, pipelines: Mapping[str, OLVDMPipeline]) -> None:
        self._pipelines = pipelines
        self._due = 0.0

    def pictures(
        self, reached: Mapping[str, DenoisingStep]
    ) -> tuple[UInt8[np.ndarray, "t h w 3"], ...]:
        """Return the clips as the models expect them, or nothing where none is due.

        Args:
            reached: The step of each model.

        Returns:
            One clip a model, in the order of the models.
        """
        begun = time.monotonic()
        if begun < self._due:
            return ()
        pictures = tuple(
            self._pipelines[name].decode_latents(step.predicted)[0]
            for name, step in reached.items()
        )
        ended = time.monotonic()
        self._due = ended + max(LEAST_SECONDS, LEAST_SHARE * (ended - begun))
        return pictures
