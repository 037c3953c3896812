"""Tell a network where it is: the noise level of a frame, its place in the clip, a place in it."""

import math

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn


def sinusoids(values: Float[Tensor, "*shape"], dim: int, longest: float) -> Float[Tensor, "*s d"]:
    """Return sines and cosines of each value at geometrically spaced wavelengths.

    Args:
        values: Numbers of any shape, in units of which ``longest`` is the longest wavelength
            over 2 pi.
        dim: Even number of features.
        longest: The largest divisor; the smallest is 1.

    Returns:
        Features in [-1, 1], float32, one more axis than ``values``.

    Source: Vaswani et al. 2017, section 3.5.
    """
    exponents = torch.arange(dim // 2, device=values.device) / (dim // 2)
    angles = values.float()[..., None] * torch.exp(-math.log(longest) * exponents)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class NoiseLevelEmbedding(nn.Module):
    """Describe the noise level of every frame.

    Args:
        dim: Width of the description.
        num_features: Sinusoids that a level is written in first.
    """

    def __init__(self, dim: int, num_features: int = 128) -> None:
        super().__init__()
        self.num_features = num_features
        self.mlp = nn.Sequential(nn.Linear(num_features, dim), nn.SiLU(), nn.Linear(dim, dim))

    def forward(self, timesteps: Float[Tensor, "b t"]) -> Float[Tensor, "b t d"]:
        """Return the description of noise levels from 0 (clean) to 1000."""
        features = sinusoids(timesteps, self.num_features, longest=10_000.0)
        return self.mlp(features.to(next(self.mlp.parameters()).dtype))


def frame_positions(
    num_frames: int, height: int, width: int, dim: int, device: torch.device
) -> Float[Tensor, "1 t h w d"]:
    """Return where each position of a clip lies in time and space, for clips of any size.

    Args:
        num_frames: Frames.
        height: Rows.
        width: Columns.
        dim: Features, a multiple of 8: half of them for time, a quarter for each side.
        device: Where to make it.

    Returns:
        Features in [-1, 1].
    """
    time = sinusoids(torch.arange(num_frames, device=device).float(), dim // 2, longest=100.0)
    rows = sinusoids(torch.arange(height, device=device).float(), dim // 4, longest=100.0)
    columns = sinusoids(torch.arange(width, device=device).float(), dim // 4, longest=100.0)
    parts = (
        rearrange(time, "t d -> 1 t 1 1 d").expand(1, num_frames, height, width, -1),
        rearrange(rows, "h d -> 1 1 h 1 d").expand(1, num_frames, height, width, -1),
        rearrange(columns, "w d -> 1 1 1 w d").expand(1, num_frames, height, width, -1),
    )
    return torch.cat(parts, dim=-1)


class GridEmbedding(nn.Module):
    """Add to each position of a frame a learned code of its distance to the four edges.

    Args:
        dim: Width of the features.

    Source: Locatello et al. 2020, appendix E.2, "soft position embedding".
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.project = nn.Linear(4, dim)

    def forward(self, features: Float[Tensor, "n h w d"]) -> Float[Tensor, "n h w d"]:
        """Return the features plus the code of their place."""
        _, height, width, _ = features.shape
        rows = torch.linspace(0, 1, height, device=features.device)
        columns = torch.linspace(0, 1, width, device=features.device)
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        grid = torch.stack([x, y, 1 - x, 1 - y], dim=-1)
        return features + self.project(grid.to(features.dtype))
