"""Stage 1: teach the autoencoder to bring clips back, frame by frame and from frame to frame."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from olvdm.autoencoder import VideoAutoencoder
from olvdm.losses import gaussian_divergence, reconstruction_loss, temporal_difference_loss
from olvdm.training.clip_source import ClipSource
from olvdm.training.config import AutoencoderConfig
from olvdm.training.sizes import check_clip_size, fresh_network
from olvdm.training.stage import Batch, Stage
from olvdm.video import clip_to_frames, frames_to_clip

NUM_VALIDATION_CLIPS = 32
NUM_PREVIEW_CLIPS = 4


class AutoencoderStage(Stage):
    """Reconstruct clips under a weak pull of the latents towards a Gaussian.

    Args:
        config: Settings of the training.
        autoencoder: Network to go on with, or none for a fresh one.

    Settings that describe no autoencoder, or one that the clips do not fit, are an ``InputError``.

    Source: OLVDM section 3.1. Ours: the temporal term, since an autoencoder whose losses see only
    single frames is one of LVDM's two causes of flicker.
    """

    def __init__(
        self, config: AutoencoderConfig, autoencoder: VideoAutoencoder | None = None
    ) -> None:
        super().__init__()
        check_clip_size(config, config.temporal_factor, config.spatial_factor)
        self.config = config
        self.clips = ClipSource(config, split="train")
        self.validation_clips = ClipSource(config, split="val", num_clips=NUM_VALIDATION_CLIPS)
        self.autoencoder = autoencoder or fresh_network(
            VideoAutoencoder,
            "autoencoder",
            "widths or num_blocks",
            spatial_factor=config.spatial_factor,
            temporal_factor=config.temporal_factor,
            latent_channels=config.latent_channels,
            widths=config.widths,
            num_blocks=config.num_blocks,
        )
        self.autoencoder.encoder.requires_grad_(config.trains_encoder)

    @property
    def num_examples(self) -> int:
        """The number of clips in one epoch."""
        return len(self.clips)

    def networks(self) -> Mapping[str, VideoAutoencoder]:
        """Return the autoencoder."""
        return {"autoencoder": self.autoencoder}

    def fetch(self, indices: Sequence[int]) -> Batch:
        """Read clips as frames.

        Args:
            indices: Places in the data set.

        Returns:
            ``frames``, uint8 `b t h w 3`.
        """
        return {"frames": torch.from_numpy(self.clips.frames(indices))}

    def forward(
        self,
        batch: Batch,
        generators: Sequence[torch.Generator],
        progress: float,
    ) -> dict[str, Float[Tensor, ""]]:
        """Return the reconstruction losses of a batch.

        Args:
            batch: ``frames`` of the clips.
            generators: One a clip; they draw the latents from their distribution.
            progress: Not used: nothing here is ramped.

        Returns:
            The total as ``loss``, and its parts.
        """
        frames = batch["frames"]
        assert isinstance(frames, Tensor)
        clip = frames_to_clip(frames)
        mean, log_variance = self.autoencoder.encode_moments(clip)
        noise = torch.stack(
            [torch.randn(mean.shape[1:], generator=generator) for generator in generators]
        ).to(mean)
        reconstruction = self.autoencoder.decode_raw(mean + noise * (0.5 * log_variance).exp())
        reconstruction = reconstruction.float()
        parts = {
            "reconstruction": reconstruction_loss(reconstruction, clip),
            "temporal": temporal_difference_loss(reconstruction, clip),
            "divergence": gaussian_divergence(mean.float(), log_variance.float()),
        }
        loss = (
            parts["reconstruction"]
            + self.config.temporal_weight * parts["temporal"]
            + self.config.kl_weight * parts["divergence"]
        )
        return {"loss": loss, **parts}

    def prepare_networks(self) -> None:
        """Measure the latents' statistics, which belong to the weights that are saved.

        A frozen encoder keeps what it has: other networks are trained on its latents.
        """
        if self.config.trains_encoder:
            self.measure_latents()

    def preview(self, step: int) -> dict[str, UInt8[np.ndarray, "t h w 3"]]:
        """Return held-out clips over their reconstructions.

        Args:
            step: Not used: the same clips are shown every time.

        Returns:
            One video, truth above, reconstruction below.
        """
        count = min(NUM_PREVIEW_CLIPS, len(self.validation_clips))
        frames = self.validation_clips.frames(range(count))
        reconstruction = self._reconstruct(frames)
        rows = [np.concatenate(list(clips), axis=2) for clips in (frames, reconstruction)]
        return {"reconstruction": np.concatenate(rows, axis=1)}

    def validate(self) -> dict[str, float]:
        """Return the mean PSNR of held-out clips in dB, with the latents' statistics up to date.

        Returns:
            ``psnr``, and the same as ``score``.
        """
        self.prepare_networks()
        errors = [
            np.square((self._reconstruct(frames) - frames.astype(np.float32)) / 255).mean(
                axis=(1, 2, 3, 4)
            )
            for frames in self._validation_batches()
        ]
        psnr = float((-10 * np.log10(np.concatenate(errors))).mean())
        return {"psnr": psnr, "score": psnr}

    @torch.no_grad()
    def measure_latents(self) -> None:
        """Store the raw latents' mean and deviation per channel in the autoencoder's settings."""
        raw = torch.cat(
            [
                self.autoencoder.encode_moments(self._clip(frames))[0].float()
                for frames in self._validation_batches()
            ]
        )
        mean, std = raw.mean(dim=(0, 2, 3, 4)), raw.std(dim=(0, 2, 3, 4)).clamp(min=1e-6)
        self.autoencoder.set_latent_statistics(mean.tolist(), std.tolist())

    def _validation_batches(self) -> Iterator[UInt8[np.ndarray, "b t h w 3"]]:
        for start in range(0, len(self.validation_clips), 8):
            stop = min(start + 8, len(self.validation_clips))
            yield self.validation_clips.frames(range(start, stop))

    @torch.no_grad()
    def _reconstruct(
        self, frames: UInt8[np.ndarray, "b t h w 3"]
    ) -> UInt8[np.ndarray, "b t h w 3"]:
        return clip_to_frames(self.autoencoder(self._clip(frames)).float())

    def _clip(self, frames: UInt8[np.ndarray, "b t h w 3"]) -> Float[Tensor, "b 3 t h w"]:
        weights = next(self.autoencoder.parameters())
        return frames_to_clip(torch.from_numpy(frames)).to(weights)
