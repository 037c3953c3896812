"""Convolutions over space and mixing over time, on channels-last tensors from end to end."""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn


class SpatialConv(nn.Conv2d):
    """Convolve every frame on its own, channels last.

    Ours: a 3-D convolution in two factors, this one over space and `TimeMix` over time,
    because full 3-D convolutions fall into slow kernels on CPUs. Channels-last tensors reach the
    2-D kernel as a view, so nothing is copied.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=kernel_size // 2)

    def forward(self, features: Float[Tensor, "b t h w c"]) -> Float[Tensor, "b t h w d"]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the convolved features, frame by frame."""
        num_frames = features.shape[1]
        flat = rearrange(features, "b t h w c -> (b t) c h w")
        convolved = super().forward(flat)
        return rearrange(convolved, "(b t) c h w -> b t h w c", t=num_frames)


class TimeMix(nn.Linear):
    """Mix each frame with its neighbours in time, in one matrix product.

    Ours: a 3x1x1 convolution written as a linear layer on the concatenation of three frames, which
    runs at full matrix speed, where attention over a few frames does not.

    Args:
        channels: Width of the features, kept.
        is_causal: Whether a frame sees the two frames before it, or one on each side. The first
            (and last) frame stands in for what lies outside the clip.
    """

    def __init__(self, channels: int, is_causal: bool) -> None:
        super().__init__(3 * channels, channels)
        self.is_causal = is_causal

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        features: Float[Tensor, "b t h w c"],
        past: Float[Tensor, "b 2 h w c"] | None = None,
    ) -> Float[Tensor, "b t h w c"]:
        """Mix each frame with its neighbours.

        Args:
            features: Of successive frames.
            past: The two frames before them, which a causal mix can go on from; none at the
                beginning of a clip.

        Returns:
            The mixed features.
        """
        first, last = features[:, :1], features[:, -1:]
        sides = (first, first, features) if self.is_causal else (first, features, last)
        padded = torch.cat(sides if past is None else (past, features), dim=1)
        neighbours = torch.cat([padded[:, :-2], padded[:, 1:-1], padded[:, 2:]], dim=-1)
        return super().forward(neighbours)


class ResidualBlock(nn.Module):
    """Refine features by one convolution over space and one causal step over time.

    Args:
        channels: Width of the features, kept.
        has_time: Whether frames are mixed at all; without it every frame is alone.
    """

    def __init__(self, channels: int, has_time: bool = True) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.space = SpatialConv(channels, channels)
        self.time = TimeMix(channels, is_causal=True) if has_time else nn.Linear(channels, channels)
        nn.init.zeros_(self.time.weight)
        nn.init.zeros_(self.time.bias)

    def forward(
        self, features: Float[Tensor, "b t h w c"], past: "PastFrames | None" = None
    ) -> Float[Tensor, "b t h w c"]:
        """Refine a clip, or one chunk of its frames after the other.

        Args:
            features: Of the clip or chunk.
            past: Where a block that is given a clip in chunks keeps the last frames of each.

        Returns:
            The features plus what the block adds; a fresh block adds nothing.
        """
        hidden = F.silu(self.space(F.silu(self.norm(features))))
        if past is None or not isinstance(self.time, TimeMix):
            return features + self.time(hidden)
        before = past.get(self, hidden[:, [0, 0]])  # the first frame stands in for those before it
        past[self] = torch.cat([before, hidden[:, -2:]], dim=1)[:, -2:]
        return features + self.time(hidden, before)


PastFrames = dict[ResidualBlock, Tensor]  # of each block two frames, of its own size


class Downsample(nn.Module):
    """Fold small blocks of space (and time) into channels, then mix them.

    Args:
        in_channels: Width before.
        out_channels: Width after.
        temporal_factor: Frames folded into one.
    """

    def __init__(self, in_channels: int, out_channels: int, temporal_factor: int = 1) -> None:
        super().__init__()
        self.temporal_factor = temporal_factor
        self.mix = nn.Linear(4 * temporal_factor * in_channels, out_channels)

    def forward(self, features: Float[Tensor, "b t h w c"]) -> Float[Tensor, "b t2 h2 w2 d"]:
        """Return features at half the height and width, and fewer frames."""
        pattern = "b (t f) (h p) (w q) c -> b t h w (f p q c)"
        return self.mix(rearrange(features, pattern, f=self.temporal_factor, p=2, q=2))


class Upsample(nn.Module):
    """Spread channels over small blocks of space (and time): the mirror of `Downsample`.

    Args:
        in_channels: Width before.
        out_channels: Width after.
        temporal_factor: Frames made from one.
    """

    def __init__(self, in_channels: int, out_channels: int, temporal_factor: int = 1) -> None:
        super().__init__()
        self.temporal_factor = temporal_factor
        self.mix = nn.Linear(in_channels, 4 * temporal_factor * out_channels)

    def forward(self, features: Float[Tensor, "b t h w c"]) -> Float[Tensor, "b t2 h2 w2 d"]:
        """Return features at twice the height and width, and more frames."""
        pattern = "b t h w (f p q c) -> b (t f) (h p) (w q) c"
        return rearrange(self.mix(features), pattern, f=self.temporal_factor, p=2, q=2)
