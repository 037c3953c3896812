"""Predict, from noisy latents and a prompt, the way to clean ones: the network that draws."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from olvdm.attention import PromptAttention, SpatialAttention, TemporalAttention
from olvdm.clip_layer import CLIP_LAYERS, Tracks
from olvdm.convolution import Downsample, SpatialConv, TimeMix, Upsample
from olvdm.diffusers_api import ConfigMixin, ModelMixin, register_to_config
from olvdm.embeddings import NoiseLevelEmbedding, frame_positions
from olvdm.noise_schedule import SCHEDULES

SIDES = range(2, 257, 2)  # latent rows or columns; a training knows no clips with more


class MidTrunk(NamedTuple):
    """What a denoiser knows half way, which a training may put a loss on.

    Attributes:
        features: At half the latents' resolution.
        tracks: The objects that its slots follow, where it has slots.
    """

    features: Float[Tensor, "b t h2 w2 d"]
    tracks: Tracks | None


class VideoDenoiser(ModelMixin, ConfigMixin):
    """Predict the way from noisy latents to clean ones; every frame may have its own noise level.

    An hourglass: convolutions at full latent resolution on both sides draw the detail and mix
    neighbouring frames, a trunk at half resolution decides what is where. LVDM and OLVDM are both
    this network; slots are no input of it, so nothing differs but what the training asked for, and,
    where one is named, the layer in mid trunk that sees the whole clip.

    Args:
        latent_channels: Channels of the latents.
        local_dim: Width at full resolution.
        dim: Width of the trunk, a multiple of 8.
        num_local_blocks: Convolution blocks on each side.
        num_blocks: Blocks of the trunk.
        num_heads: Attention heads in the trunk.
        prompt_dim: Width of the prompt embeddings.
        attention_blocks: Which trunk blocks read the prompt, and mix time by attention over all
            frames where the others mix neighbours: attention over few frames is slow on CPUs.
        num_frames: Latent frames of the clips it was trained on; longer ones are drawn in windows.
        height: Latent rows of those clips, an even number.
        width: Latent columns, likewise.
        mixes_time_locally: Whether frames are mixed at full resolution; off is an ablation
            (LVDM's unconditional network mixes none there).
        prediction_type: What it predicts, a key of `SCHEDULES`.
        clip_layer: What relates all frames in mid trunk, a key of `CLIP_LAYERS`, or ``"none"``.

    Attributes:
        ignore_for_config: Settings that are not written where they have their default; a network
            of the first version knows neither of them.

    Raises:
        ValueError: If 8 does not divide the width, the size is not one of clips, or nobody knows
            the `prediction_type` or the `clip_layer`.

    Source: OLVDM section 3 (the denoiser of LVDM). Ours: the network, built for kernels that are
    fast on CPUs; per-frame noise levels from diffusion forcing (Chen et al. 2024).
    """

    ignore_for_config: ClassVar[list[str]] = ["prediction_type", "clip_layer"]

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 8,
        local_dim: int = 96,
        dim: int = 256,
        num_local_blocks: int = 2,
        num_blocks: int = 4,
        num_heads: int = 4,
        prompt_dim: int = 256,
        attention_blocks: Sequence[int] = (1, 3),
        num_frames: int = 8,
        height: int = 16,
        width: int = 16,
        mixes_time_locally: bool = True,
        prediction_type: str = "flow_prediction",
        clip_layer: str = "none",
    ) -> None:
        super().__init__()
        if dim % 8 or num_frames < 1 or not {height, width} <= set(SIDES):
            raise ValueError(
                f"need a dim that 8 divides, frames, and even sides up to {SIDES[-1]}, got {dim} "
                f"and {num_frames}x{height}x{width}"
            )
        if prediction_type not in SCHEDULES:
            raise ValueError(f"need one of {', '.join(SCHEDULES)}, got {prediction_type[:64]!r}")
        if clip_layer not in ("none", *CLIP_LAYERS):
            raise ValueError(f"need none, {', '.join(CLIP_LAYERS)}, got {clip_layer[:64]!r}")
        if prediction_type != "flow_prediction":
            self.register_to_config(prediction_type=prediction_type)
        if clip_layer != "none":
            self.register_to_config(clip_layer=clip_layer)
        self.schedule = SCHEDULES[prediction_type]
        self.dim = dim
        self.embed_level = NoiseLevelEmbedding(dim)
        self.embed_prompt = nn.Linear(prompt_dim, dim)
        self.modulate_local = nn.Linear(dim, 2 * local_dim)
        self.modulate_trunk = nn.Linear(dim, 6 * dim)
        self.stem = SpatialConv(latent_channels, local_dim)
        self.entry = nn.ModuleList(
            LocalBlock(local_dim, mixes_time_locally) for _ in range(num_local_blocks)
        )
        self.down = Downsample(local_dim, dim)
        self.trunk = nn.ModuleList(
            TrunkBlock(dim, num_heads, prompt_dim if index in tuple(attention_blocks) else None)
            for index in range(num_blocks)
        )
        self.whole_clip = None
        if clip_layer != "none":
            self.whole_clip = CLIP_LAYERS[clip_layer](dim, num_heads, prompt_dim)
        self.up = Upsample(dim, local_dim)
        self.exit = nn.ModuleList(
            LocalBlock(local_dim, mixes_time_locally) for _ in range(num_local_blocks)
        )
        self.norm = nn.LayerNorm(local_dim)
        self.head = SpatialConv(local_dim, latent_channels)
        nn.init.zeros_(self.head.weight)

    def forward(
        self,
        noisy_latents: Float[Tensor, "b c t h w"],
        timesteps: Float[Tensor, "b t"],
        prompt_embeds: Float[Tensor, "b l e"],
        returns_mid_trunk: bool = False,
    ) -> Float[Tensor, "b c t h w"] | tuple[Float[Tensor, "b c t h w"], MidTrunk]:
        """Return what the schedule asks for: by default the velocity, noise minus clean latents.

        Args:
            noisy_latents: Latents with height and width even, mixed with noise as the schedule
                does; by default each frame is ``(1 - s) clean + s noise``.
            timesteps: Noise level of every frame, ``1000 s``; a given frame has 0.
            prompt_embeds: Embedded prompt, as the text encoder returns it.
            returns_mid_trunk: Whether what it knows half way is wanted too.

        Returns:
            The prediction, of the latents' shape; and what it knows half way, where that is wanted.

        Source: rectified flow (Liu et al. 2022), the convention of diffusers' flow matching.
        """
        condition = self.embed_level(timesteps) + self.embed_prompt(prompt_embeds.mean(1))[:, None]
        condition = F.silu(rearrange(condition, "b t d -> b t 1 1 d"))
        local, trunk = self.modulate_local(condition), self.modulate_trunk(condition)
        # contiguous, so that every later convolution sees channels-last memory without a copy
        features = self.stem(rearrange(noisy_latents, "b c t h w -> b t h w c").contiguous())
        for block in self.entry:
            features = block(features, local)
        coarse = self.down(features)
        _, num_frames, height, width, dim = coarse.shape
        places = frame_positions(num_frames, height, width, dim, coarse.device)
        coarse = coarse + places.to(coarse.dtype)
        blocks, middle = [*self.trunk], len(self.trunk) // 2
        for block in blocks[:middle]:
            coarse = block(coarse, trunk, prompt_embeds)
        tracks = None
        if self.whole_clip is not None:
            coarse, tracks = self.whole_clip(coarse, prompt_embeds)
        mid_trunk = MidTrunk(coarse, tracks)
        for block in blocks[middle:]:
            coarse = block(coarse, trunk, prompt_embeds)
        features = features + self.up(coarse)
        for block in self.exit:
            features = block(features, local)
        prediction = self.head(F.silu(self.norm(features)))
        prediction = rearrange(prediction, "b t h w c -> b c t h w")
        return (prediction, mid_trunk) if returns_mid_trunk else prediction

    def with_clip_layer(self, clip_layer: str) -> "VideoDenoiser":
        """Return the same network with a fresh layer in mid trunk, so that it predicts the same.

        Args:
            clip_layer: A key of `CLIP_LAYERS`.

        Returns:
            A new network; this one stays as it is.

        Raises:
            ValueError: If it has such a layer already, or nobody knows that one.
        """
        if self.whole_clip is not None:
            raise ValueError(f"the denoiser has the layer {self.config['clip_layer']!r} already")
        own: dict[str, Any] = {
            name: value for name, value in self.config.items() if not name.startswith("_")
        }
        own["clip_layer"] = clip_layer
        grown = VideoDenoiser(**own)
        grown.load_state_dict(self.state_dict(), strict=False)  # the fresh layer alone is missing
        return grown.train(self.training)


class LocalBlock(nn.Module):
    """Convolve each frame and mix it with its neighbours, at full latent resolution.

    Args:
        dim: Width.
        has_time: Whether neighbouring frames are mixed.
    """

    def __init__(self, dim: int, has_time: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim, elementwise_affine=False)
        self.scale_shift = nn.Parameter(torch.zeros(2 * dim))
        self.space = SpatialConv(dim, dim)
        self.time = TimeMix(dim, is_causal=False) if has_time else nn.Linear(dim, dim)
        nn.init.zeros_(self.time.weight)
        nn.init.zeros_(self.time.bias)

    def forward(
        self, features: Float[Tensor, "b t h w d"], modulation: Float[Tensor, "b t 1 1 m"]
    ) -> Float[Tensor, "b t h w d"]:
        """Return the refined features, modulated by noise level and prompt."""
        scale, shift = (modulation + self.scale_shift).chunk(2, dim=-1)
        hidden = self.space(F.silu(_modulate(self.norm(features), scale, shift)))
        return features + self.time(F.silu(hidden))


class TrunkBlock(nn.Module):
    """Relate positions, frames and words, then think about each position alone.

    Modulation is shared by all blocks, each of which adds its own offset to it.

    Args:
        dim: Width.
        num_heads: Heads of each attention.
        prompt_dim: Width of the prompt embeddings; none where the block reads no prompt and mixes
            neighbouring frames only.

    Source: Peebles and Xie 2023 (adaLN-zero), with the sharing of Chen et al. 2023 (PixArt).
    """

    def __init__(self, dim: int, num_heads: int, prompt_dim: int | None) -> None:
        super().__init__()
        self.norm_space = nn.LayerNorm(dim, elementwise_affine=False)
        self.space = SpatialAttention(dim, num_heads)
        self.norm_time = nn.LayerNorm(dim)
        if prompt_dim is None:
            self.time, self.norm_prompt, self.prompt = TimeMix(dim, is_causal=False), None, None
            nn.init.zeros_(self.time.weight)
            nn.init.zeros_(self.time.bias)
        else:
            self.time = TemporalAttention(dim, num_heads)
            self.norm_prompt = nn.LayerNorm(dim)
            self.prompt = PromptAttention(dim, num_heads, prompt_dim)
        self.norm_mlp = nn.LayerNorm(dim, elementwise_affine=False)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))
        offset = torch.zeros(6 * dim)
        offset[2 * dim : 3 * dim] = 1.0  # both gates open; the layers behind them start at zero
        offset[5 * dim :] = 1.0
        self.offset = nn.Parameter(offset)
        nn.init.zeros_(self.mlp[2].weight)  # pyright: ignore[reportArgumentType]

    def forward(
        self,
        features: Float[Tensor, "b t h w d"],
        modulation: Float[Tensor, "b t 1 1 m"],
        prompt_embeds: Float[Tensor, "b l e"],
    ) -> Float[Tensor, "b t h w d"]:
        """Return the refined features."""
        scale, shift, gate, mlp_scale, mlp_shift, mlp_gate = (modulation + self.offset).chunk(
            6, dim=-1
        )
        features = features + gate * self.space(_modulate(self.norm_space(features), scale, shift))
        features = features + self.time(self.norm_time(features))
        if self.prompt is not None and self.norm_prompt is not None:
            features = features + self.prompt(self.norm_prompt(features), prompt_embeds)
        return features + mlp_gate * self.mlp(
            _modulate(self.norm_mlp(features), mlp_scale, mlp_shift)
        )


def _modulate(features: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return torch.addcmul(shift.to(features.dtype), features, 1 + scale.to(features.dtype))
