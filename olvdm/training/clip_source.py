"""One door to the clips of a training, whether from the synthetic world or from a folder."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from olvdm.data.moving_shapes import MovingShapes
from olvdm.training.config import TrainingConfig


class ClipSource:
    """Read clips and their prompts by index, as the settings of a training describe them.

    Args:
        config: Settings of the training; ``videos`` chooses a folder over the synthetic world.
        split: ``"train"``, ``"val"`` or ``"test"``.
        num_clips: How many clips, where it is not the settings' own number.
    """

    def __init__(
        self, config: TrainingConfig, split: str = "train", num_clips: int | None = None
    ) -> None:
        sizes = {
            "num_frames": config.num_frames,
            "height": config.height,
            "width": config.width,
            "seed": config.seed,
            "split": split,
        }
        count = num_clips or config.num_clips
        if config.videos is None:
            self.data = MovingShapes(level=config.level, num_clips=count, **sizes)
        else:
            from olvdm.data.clips import FolderClips  # it brings the video decoder

            self.data = FolderClips(config.videos, **sizes)

    def __len__(self) -> int:
        return len(self.data)

    def frames(self, indices: Sequence[int]) -> UInt8[np.ndarray, "b t h w 3"]:
        """Return the frames of some clips.

        Args:
            indices: Places in the data set.

        Returns:
            Their frames, in that order.
        """
        return np.stack([self.data[index].frames for index in indices])

    def prompts(self, indices: Sequence[int]) -> list[str]:
        """Return the prompts of some clips, empty where a clip has none."""
        return [self.data[index].prompt for index in indices]
