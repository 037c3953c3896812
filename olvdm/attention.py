"""Attention over space, over time, and to the words of the prompt."""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn


class Attention(nn.Module):
    """Let queries read from a context (themselves, where none is given), by several heads.

    The output starts at zero and nothing else does: with zero keys *and* output no weight would
    learn.

    Args:
        dim: Width of the queries.
        num_heads: Heads; must divide ``dim``.
        context_dim: Width of the context, where it is not ``dim``.

    Raises:
        ValueError: If the heads do not divide the width.

    Source: Vaswani et al. 2017.
    """

    def __init__(self, dim: int, num_heads: int, context_dim: int | None = None) -> None:
        super().__init__()
        if dim % num_heads:
            raise ValueError(f"num_heads must divide {dim}, got {num_heads}")
        self.num_heads = num_heads
        self.to_query = nn.Linear(dim, dim)
        self.to_key_value = nn.Linear(context_dim or dim, 2 * dim)
        self.to_output = nn.Linear(dim, dim)
        nn.init.zeros_(self.to_output.weight)
        nn.init.zeros_(self.to_output.bias)

    def forward(
        self, queries: Float[Tensor, "n q d"], context: Float[Tensor, "n l e"] | None = None
    ) -> Float[Tensor, "n q d"]:
        """Return what each query reads."""
        context = queries if context is None else context
        heads = self.num_heads
        query = rearrange(self.to_query(queries), "n q (a d) -> n a q d", a=heads)
        pattern = "n l (two a d) -> two n a l d"
        key, value = rearrange(self.to_key_value(context), pattern, two=2, a=heads)
        read = _attend(query, key, value)
        return self.to_output(rearrange(read, "n a q d -> n q (a d)"))


def _attend(
    query: Float[Tensor, "n a q d"], key: Float[Tensor, "n a l d"], value: Float[Tensor, "n a l d"]
) -> Float[Tensor, "n a q d"]:
    if query.device.type != "cpu" or not torch.is_grad_enabled():
        return F.scaled_dot_product_attention(query, key, value)
    # On a CPU the fused kernel's backward pass takes 1.4 to 14 times as long as these products.
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    return scores.softmax(dim=-1).to(value.dtype) @ value


class SpatialAttention(Attention):
    """Let the positions of each frame read from each other."""

    def forward(self, features: Float[Tensor, "b t h w d"]) -> Float[Tensor, "b t h w d"]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return what each position reads from its own frame."""
        batch, _, height, _, _ = features.shape
        read = super().forward(rearrange(features, "b t h w d -> (b t) (h w) d"))
        return rearrange(read, "(b t) (h w) d -> b t h w d", b=batch, h=height)


class TemporalAttention(Attention):
    """Let each position read from the same position of every frame."""

    def forward(self, features: Float[Tensor, "b t h w d"]) -> Float[Tensor, "b t h w d"]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return what each position reads along time."""
        batch, _, height, _, _ = features.shape
        read = super().forward(rearrange(features, "b t h w d -> (b h w) t d"))
        return rearrange(read, "(b h w) t d -> b t h w d", b=batch, h=height)


class PromptAttention(Attention):
    """Let every position read from the words of the prompt."""

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, features: Float[Tensor, "b t h w d"], prompt_embeds: Float[Tensor, "b l e"]
    ) -> Float[Tensor, "b t h w d"]:
        """Return what each position reads from its clip's prompt."""
        _, num_frames, height, _, _ = features.shape
        read = super().forward(rearrange(features, "b t h w d -> b (t h w) d"), prompt_embeds)
        return rearrange(read, "b (t h w) d -> b t h w d", t=num_frames, h=height)
