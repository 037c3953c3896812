"""Compress a clip into latents and bring it back: the first and the last step of every clip."""

import math
from collections.abc import Iterator, Sequence
from typing import cast

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from olvdm.convolution import Downsample, PastFrames, ResidualBlock, SpatialConv, Upsample
from olvdm.diffusers_api import ConfigMixin, ModelMixin, register_to_config

LOG_VARIANCE_RANGE = (-20.0, 6.0)  # keeps exp() finite in bf16, and the KL term with it
POSITIONS_AT_ONCE = 16_384  # latent positions of a clip that are decoded together


class VideoAutoencoder(ModelMixin, ConfigMixin):
    """Turn a clip into latents with fewer frames and pixels, and latents back into a clip.

    Both halves are causal in time: no frame depends on a later one. Latents leave `encode`
    standardised per channel by the mean and deviation that the configuration stores, so that
    nothing else needs to know them.

    Args:
        spatial_factor: The paper's f_s, a power of two of at least 2.
        temporal_factor: The paper's f_t, a power of two, at most half of ``spatial_factor``.
        latent_channels: Channels of the latents, the paper's c.
        widths: Channels at each spatial resolution, finest first; one per factor of two.
        num_blocks: Residual blocks at each resolution.
        latents_mean: Mean of the raw latents per channel, measured on training clips.
        latents_std: Their standard deviation per channel.

    Raises:
        ValueError: If a number is not positive, the factors are not powers of two, or they do not
            fit the widths.

    Source: OLVDM section 3.1. Ours: each 3-D convolution in two factors, for speed on CPUs.
    """

    @register_to_config
    def __init__(
        self,
        spatial_factor: int = 4,
        temporal_factor: int = 2,
        latent_channels: int = 8,
        widths: Sequence[int] = (64, 128),
        num_blocks: int = 3,
        latents_mean: Sequence[float] | None = None,
        latents_std: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        widths = tuple(widths)
        if min((*widths, num_blocks, latent_channels)) < 1:
            raise ValueError(f"widths, blocks and channels must be positive, got {widths}")
        time_factors = _time_factors(spatial_factor, temporal_factor, len(widths))
        self.encoder = _Encoder(widths, time_factors, num_blocks, latent_channels)
        self.decoder = _Decoder(widths, time_factors, num_blocks, latent_channels)
        self.set_latent_statistics(
            latents_mean or [0.0] * latent_channels, latents_std or [1.0] * latent_channels
        )

    @property
    def spatial_factor(self) -> int:
        """Pixels of the clip per latent position, along each side."""
        return self.config["spatial_factor"]

    @property
    def temporal_factor(self) -> int:
        """Frames of the clip per latent frame."""
        return self.config["temporal_factor"]

    @property
    def latent_channels(self) -> int:
        """Channels of the latents."""
        return self.config["latent_channels"]

    def set_latent_statistics(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Store the raw latents' mean and deviation, in the configuration too.

        Args:
            mean: One number per latent channel.
            std: One positive number per latent channel.

        Raises:
            ValueError: If a number is not finite, a deviation not positive or a length wrong.
        """
        if len(mean) != self.latent_channels or len(std) != self.latent_channels:
            raise ValueError(f"need {self.latent_channels} numbers, got {len(mean)}, {len(std)}")
        if not all(math.isfinite(value) for value in (*mean, *std)) or min(std) <= 0:
            raise ValueError("latent means must be finite, and deviations positive too")
        self.register_to_config(latents_mean=list(mean), latents_std=list(std))

    def encode_moments(
        self, clip: Float[Tensor, "b 3 t h w"]
    ) -> tuple[Float[Tensor, "b c lt lh lw"], Float[Tensor, "b c lt lh lw"]]:
        """Return mean and log-variance of the raw latents, before they are standardised.

        Args:
            clip: Values in [-1, 1]; frames and sides must be multiples of the factors.

        Returns:
            Mean and log-variance of a Gaussian per latent number.

        Raises:
            ValueError: If a length is not a multiple of its factor.
        """
        _, _, num_frames, height, width = clip.shape
        factors = (self.temporal_factor, self.spatial_factor, self.spatial_factor)
        if any(n % f for n, f in zip((num_frames, height, width), factors, strict=True)):
            raise ValueError(f"{num_frames}x{height}x{width} is not a multiple of {factors}")
        moments = self.encoder(rearrange(clip, "b c t h w -> b t h w c"))
        mean, log_variance = rearrange(moments, "b t h w (two c) -> two b c t h w", two=2)
        return mean, log_variance.clamp(*LOG_VARIANCE_RANGE)

    def encode(self, clip: Float[Tensor, "b 3 t h w"]) -> Float[Tensor, "b c lt lh lw"]:
        """Return the standardised latents of a clip: the mean, without sampling.

        Args:
            clip: Values in [-1, 1]; frames and sides must be multiples of the factors.

        Returns:
            Latents of about unit variance.
        """
        mean, _ = self.encode_moments(clip)
        return self.standardise(mean)

    def standardise(self, raw: Float[Tensor, "b c lt lh lw"]) -> Float[Tensor, "b c lt lh lw"]:
        """Return raw latents with mean 0 and deviation 1 per channel."""
        mean, std = self._statistics(raw)
        return (raw - mean) / std

    def decode(self, latents: Float[Tensor, "b c lt lh lw"]) -> Float[Tensor, "b 3 t h w"]:
        """Return the clip of standardised latents, about in [-1, 1] (not clamped)."""
        if torch.is_grad_enabled():
            return self.decode_raw(self._unstandardise(latents))
        return torch.cat(list(self.decode_chunks(latents)), dim=2)

    @torch.no_grad()
    def decode_chunks(
        self, latents: Float[Tensor, "b c lt lh lw"]
    ) -> Iterator[Float[Tensor, "b 3 t h w"]]:
        """Decode a clip piece by piece, so that a longer one takes no more memory.

        Args:
            latents: Standardised latents.

        Yields:
            The clip's frames in order, as many at a time as its size allows; together they are what
            one pass would give, since no frame depends on a later one.

        Ours: every block hands its last two frames on to the next chunk.
        """
        *_, height, width = latents.shape
        past: PastFrames = {}
        for chunk in latents.split(max(POSITIONS_AT_ONCE // (height * width), 1), dim=2):
            yield self.decode_raw(self._unstandardise(chunk), past)

    def decode_raw(
        self, raw: Float[Tensor, "b c lt lh lw"], past: PastFrames | None = None
    ) -> Float[Tensor, "b 3 t h w"]:
        """Return the clip of raw latents, about in [-1, 1] (not clamped).

        Args:
            raw: Latents before they are standardised.
            past: Where a clip that comes in chunks is remembered from one to the next.

        Returns:
            The clip, or that chunk of it.
        """
        clip = self.decoder(rearrange(raw, "b c t h w -> b t h w c").contiguous(), past)
        return rearrange(clip, "b t h w c -> b c t h w")

    def forward(self, clip: Float[Tensor, "b 3 t h w"]) -> Float[Tensor, "b 3 t h w"]:
        """Return the reconstruction of a clip."""
        return self.decode(self.encode(clip))

    def _unstandardise(self, latents: Tensor) -> Tensor:
        mean, std = self._statistics(latents)
        return latents * std + mean

    def _statistics(self, like: Tensor) -> tuple[Tensor, Tensor]:
        shape = (1, -1, 1, 1, 1)
        mean = like.new_tensor(self.config["latents_mean"]).view(shape)
        return mean, like.new_tensor(self.config["latents_std"]).view(shape)


class _Encoder(nn.Module):
    """Clip, channels last -> moments of the raw latents, channels last."""

    def __init__(
        self, widths: tuple[int, ...], time_factors: tuple[int, ...], num_blocks: int, latents: int
    ) -> None:
        super().__init__()
        self.stem = SpatialConv(12, widths[0])
        self.levels = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(width) for _ in range(num_blocks))) for width in widths
        )
        self.downs = nn.ModuleList(
            Downsample(fine, coarse, factor)
            for fine, coarse, factor in zip(widths, widths[1:], time_factors, strict=False)
        )
        self.head = nn.Sequential(nn.LayerNorm(widths[-1]), nn.Linear(widths[-1], 2 * latents))

    def forward(self, clip: Float[Tensor, "b t h w 3"]) -> Float[Tensor, "b lt lh lw c"]:
        pixels = rearrange(clip, "b t (h p) (w q) c -> b t h w (p q c)", p=2, q=2)
        features = self.levels[0](self.stem(pixels))
        for down, level in zip(self.downs, self.levels[1:], strict=True):
            features = level(down(features))
        return self.head(features)


class _Decoder(nn.Module):
    """Raw latents, channels last -> clip, channels last; the mirror of the encoder."""

    def __init__(
        self, widths: tuple[int, ...], time_factors: tuple[int, ...], num_blocks: int, latents: int
    ) -> None:
        super().__init__()
        self.stem = SpatialConv(latents, widths[-1])
        self.levels = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(width) for _ in range(num_blocks)))
            for width in reversed(widths)
        )
        self.ups = nn.ModuleList(
            Upsample(coarse, fine, factor)
            for fine, coarse, factor in reversed(
                list(zip(widths, widths[1:], time_factors, strict=False))
            )
        )
        self.norm = nn.LayerNorm(widths[0])
        self.head = SpatialConv(widths[0], 12)

    def forward(
        self, latents: Float[Tensor, "b lt lh lw c"], past: PastFrames | None = None
    ) -> Float[Tensor, "b t h w 3"]:
        features = self.stem(latents)
        for up, level in zip((nn.Identity(), *self.ups), self.levels, strict=True):
            features = up(features)
            for block in cast("nn.Sequential", level):
                features = block(features, past)
        pixels = self.head(nn.functional.silu(self.norm(features)))
        return rearrange(pixels, "b t h w (p q c) -> b t (h p) (w q) c", p=2, q=2)


def _time_factors(spatial_factor: int, temporal_factor: int, num_levels: int) -> tuple[int, ...]:
    """Return how many frames each downsampling folds: the coarsest ones fold time too."""
    halvings = int(math.log2(spatial_factor)) if spatial_factor > 0 else 0
    folds = int(math.log2(temporal_factor)) if temporal_factor > 0 else -1
    if 2**halvings != spatial_factor or halvings != num_levels or not halvings:
        raise ValueError(f"spatial_factor must be 2**{num_levels}, got {spatial_factor}")
    if 2 ** max(folds, 0) != temporal_factor or folds > halvings - 1:
        raise ValueError(
            f"temporal_factor must be a power of two up to {2 ** (halvings - 1)}, "
            f"got {temporal_factor}"
        )
    return tuple(2 if level >= halvings - 1 - folds else 1 for level in range(halvings - 1))
