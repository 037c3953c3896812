import pytest
import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from olvdm.convolution import Downsample, ResidualBlock, SpatialConv, TimeMix, Upsample
from tests.tiny_networks import shaken


def features(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_spatial_convolution_is_that_of_every_single_frame() -> None:
    convolution = SpatialConv(3, 5)
    clip = features(2, 4, 6, 7, 3)
    frame = rearrange(clip[1, 2], "h w c -> 1 c h w")
    wanted = F.conv2d(frame, convolution.weight, convolution.bias, padding=1)
    torch.testing.assert_close(
        convolution(clip)[1, 2], rearrange(wanted, "1 c h w -> h w c"), atol=1e-6, rtol=1e-5
    )


@pytest.mark.parametrize(("is_causal", "before", "after"), [(True, 2, 0), (False, 1, 1)])
def test_time_mix_is_a_convolution_over_time_that_repeats_the_ends(
    is_causal: bool, before: int, after: int
) -> None:
    mix = TimeMix(3, is_causal)
    clip = features(2, 5, 2, 2, 3)
    kernel = rearrange(mix.weight, "d (f c) -> d c f 1 1", f=3)
    padded = F.pad(
        rearrange(clip, "b t h w c -> b c t h w"), (0, 0, 0, 0, before, after), mode="replicate"
    )
    wanted = F.conv3d(padded, kernel, mix.bias)
    torch.testing.assert_close(
        mix(clip), rearrange(wanted, "b c t h w -> b t h w c"), atol=1e-6, rtol=1e-5
    )


def test_causal_time_mix_never_looks_ahead() -> None:
    block = shaken(ResidualBlock(4))
    clip = features(1, 6, 2, 2, 4)
    changed = clip.clone()
    changed[:, 3:] += 1
    assert torch.equal(block(clip)[:, :3], block(changed)[:, :3])


@pytest.mark.parametrize("length", [1, 2, 3])
def test_block_goes_on_where_the_chunk_before_ended(length: int) -> None:
    block, past = shaken(ResidualBlock(4)), {}
    clip = features(1, 6, 2, 2, 4)
    chunks = [block(chunk, past) for chunk in clip.split(length, dim=1)]
    torch.testing.assert_close(torch.cat(chunks, dim=1), block(clip))


def test_fresh_block_adds_nothing() -> None:
    clip = features(1, 3, 4, 4, 4)
    assert torch.equal(ResidualBlock(4)(clip), clip)


def test_block_without_time_leaves_every_frame_alone() -> None:
    block = shaken(ResidualBlock(4, has_time=False))
    clip = features(1, 3, 4, 4, 4)
    torch.testing.assert_close(block(clip)[:, 1:2], block(clip[:, 1:2]))


@pytest.mark.parametrize("temporal_factor", [1, 2])
def test_downsampling_reads_one_block_of_the_clip_a_position(temporal_factor: int) -> None:
    down = Downsample(3, 7, temporal_factor)
    clip = features(1, 4, 6, 8, 3)
    changed = clip.clone()
    changed[0, 1, 2:4, 4:6] += 1
    moved = (down(clip) != down(changed)).any(dim=-1)[0].nonzero().tolist()
    assert moved == [[1 // temporal_factor, 1, 2]]


@pytest.mark.parametrize("temporal_factor", [1, 2])
def test_upsampling_undoes_downsampling(temporal_factor: int) -> None:
    width = 4 * temporal_factor * 3
    down, up = Downsample(3, width, temporal_factor), Upsample(width, 3, temporal_factor)
    for layer in (down.mix, up.mix):
        torch.nn.init.eye_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    clip = features(2, 4, 6, 8, 3)
    torch.testing.assert_close(up(down(clip)), clip)
