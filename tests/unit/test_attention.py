import math

import pytest
import torch
from torch import Tensor

from olvdm.attention import Attention, PromptAttention, SpatialAttention, TemporalAttention
from tests.tiny_networks import shaken


def features(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def attend_by_hand(attention: Attention, queries: Tensor, context: Tensor) -> Tensor:
    """Write out Vaswani et al. 2017, equation 1, head by head and query by query."""
    dim = queries.shape[-1] // attention.num_heads
    query = attention.to_query(queries)
    key, value = attention.to_key_value(context).chunk(2, dim=-1)
    read = torch.zeros_like(query)
    for head in range(attention.num_heads):
        part = slice(head * dim, (head + 1) * dim)
        for place in range(len(queries)):
            shares = (key[:, part] @ query[place, part] / math.sqrt(dim)).softmax(0)
            read[place, part] = shares @ value[:, part]
    return attention.to_output(read)


@pytest.mark.parametrize("has_gradient", [False, True])
def test_attention_is_the_textbook_sum(has_gradient: bool) -> None:
    attention = shaken(Attention(8, 2, context_dim=5))
    queries, context = features(1, 3, 8), features(1, 4, 5, seed=1)
    wanted = attend_by_hand(attention, queries[0], context[0])
    with torch.set_grad_enabled(has_gradient):
        read = attention(queries, context)[0]
    torch.testing.assert_close(read, wanted, atol=1e-5, rtol=1e-5)


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValueError, match="must divide 8, got 3"):
        Attention(8, 3)


@pytest.mark.parametrize("kind", [SpatialAttention, TemporalAttention])
def test_fresh_attention_adds_nothing(kind: type[SpatialAttention | TemporalAttention]) -> None:
    assert not kind(8, 2)(features(1, 3, 4, 4, 8)).any()


def test_only_the_output_begins_at_zero() -> None:
    attention = Attention(8, 2)
    zero = {name for name, weight in attention.named_parameters() if not weight.any()}
    assert zero == {"to_output.weight", "to_output.bias"}


def test_spatial_attention_stays_in_its_frame() -> None:
    attention = shaken(SpatialAttention(8, 2))
    clip = features(2, 3, 4, 5, 8)
    torch.testing.assert_close(attention(clip)[:, 1:2], attention(clip[:, 1:2]))


def test_temporal_attention_stays_at_its_position() -> None:
    attention = shaken(TemporalAttention(8, 2))
    clip = features(2, 3, 4, 5, 8)
    torch.testing.assert_close(
        attention(clip)[:, :, 1:2, 2:3], attention(clip[:, :, 1:2, 2:3].contiguous())
    )


def test_temporal_attention_sees_every_frame() -> None:
    attention = shaken(TemporalAttention(8, 2))
    clip = features(1, 5, 1, 1, 8)
    changed = clip.clone()
    changed[:, 4] += features(8, seed=1)
    assert (attention(clip) - attention(changed)).abs().amax(dim=(0, 2, 3, 4)).min() > 0


def test_prompt_attention_reads_the_prompt_of_its_own_clip() -> None:
    attention = shaken(PromptAttention(8, 2, 6))
    clip, prompts = features(2, 3, 4, 4, 8), features(2, 5, 6, seed=1)
    torch.testing.assert_close(
        attention(clip, prompts)[1:], attention(clip[1:], prompts[1:]), atol=1e-6, rtol=1e-5
    )
