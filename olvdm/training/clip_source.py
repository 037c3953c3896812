"""One door to the clips of a training, whether from the synthetic world or from a folder."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from olvdm.autoencoder import VideoAutoencoder
from olvdm.data.moving_shapes import MovingShapes
from olvdm.training.config import TrainingConfig
from olvdm.training.latents import LatentsDataset, encode_dataset, weights_sha256
from olvdm.video import frames_to_clip

DATA_FIELDS = ("level", "videos", "num_frames", "height", "width")


class ClipSource:
    """Read clips by index, as the settings of a training describe them.

    The clips are the same whatever the training's seed, which decides order and noise alone.

    Args:
        config: Settings of the training; ``videos`` chooses a folder over the synthetic world.
        split: ``"train"``, ``"val"`` or ``"test"``.
        num_clips: How many clips, where it is not the settings' own number.
    """

    def __init__(
        self, config: TrainingConfig, split: str = "train", num_clips: int | None = None
    ) -> None:
        self.config, self.split = config, split
        self.num_clips = num_clips
        if config.videos is None:
            self.data = MovingShapes(
                level=config.level,
                split=split,
                num_clips=num_clips or config.num_clips,
                num_frames=config.num_frames,
                height=config.height,
                width=config.width,
            )
        else:
            from olvdm.data.clips import FolderClips  # it brings the video decoder

            self.data = FolderClips(
                config.videos,
                num_frames=config.num_frames,
                height=config.height,
                width=config.width,
                split=split,
            )
            if split == "train":  # every split looks at the same folder
                self.data.warn()

    def __len__(self) -> int:
        """Count the clips; a folder may hold fewer than were asked for."""
        return min(len(self.data), self.num_clips or len(self.data))

    def frames(self, indices: Sequence[int]) -> UInt8[np.ndarray, "b t h w 3"]:
        """Return the frames of some clips.

        Args:
            indices: Places in the data set.

        Returns:
            Their frames, in that order.
        """
        return np.stack([self.data[index].frames for index in indices])

    def encoded(
        self,
        autoencoder: VideoAutoencoder,
        layout: str,
        arrange: Callable[[Float[Tensor, "b 3 t h w"]], Sequence[Float[Tensor, "b 3 t2 h w"]]],
    ) -> LatentsDataset:
        """Return the latents of every clip, encoded now where that was not done before.

        Args:
            autoencoder: Trained and frozen.
            layout: Name of the arrangement; another one is another cache.
            arrange: Turns clips into the pieces to encode, each as a clip of its own; their latent
                frames follow each other in what is kept.

        Returns:
            Latents and prompts by index.
        """

        @torch.no_grad()
        def encode(frames: UInt8[Tensor, "b t h w 3"]) -> Float[Tensor, "b c lt lh lw"]:
            clip = frames_to_clip(frames).to(next(autoencoder.parameters()))
            is_bf16 = self.config.precision == "bf16"
            with torch.autocast(clip.device.type, torch.bfloat16, enabled=is_bf16):
                return torch.cat([autoencoder.encode(piece) for piece in arrange(clip)], 2).float()

        settings = asdict(self.config)
        made_from = {name: settings[name] for name in DATA_FIELDS} | {
            "split": self.split,
            "layout": layout,
            "weights_sha256": weights_sha256(autoencoder),
        }
        root = Path(self.config.latents or "runs/latents")
        return encode_dataset(root, self.data, encode, made_from)
