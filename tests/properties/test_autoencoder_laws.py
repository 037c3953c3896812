import torch
from hypothesis import given
from hypothesis import strategies as st

from olvdm.autoencoder import VideoAutoencoder
from tests.tiny_networks import shaken

FACTORS = [(2, 1), (4, 1), (4, 2), (8, 1), (8, 4)]
NETWORKS = {
    (space, time): shaken(
        VideoAutoencoder(
            spatial_factor=space,
            temporal_factor=time,
            latent_channels=2,
            widths=[3] * (space.bit_length() - 1),
            num_blocks=1,
        )
    )
    for space, time in FACTORS
}


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@given(
    factors=st.sampled_from(FACTORS),
    num_frames=st.integers(1, 4),
    height=st.integers(1, 4),
    width=st.integers(1, 4),
)
def test_every_legal_size_survives_encode_and_decode(
    factors: tuple[int, int], num_frames: int, height: int, width: int
) -> None:
    space, time = factors
    clip = noise(1, 3, num_frames * time, height * space, width * space)
    latents = NETWORKS[factors].encode(clip)
    assert latents.shape == (1, 2, num_frames, height, width)
    assert NETWORKS[factors].decode(latents).shape == clip.shape


@given(factors=st.sampled_from(FACTORS), frame=st.integers(0, 7))
def test_later_frame_never_changes_an_earlier_latent(factors: tuple[int, int], frame: int) -> None:
    space, time = factors
    clip = noise(1, 3, 8, 2 * space, 2 * space)
    changed = clip.clone()
    changed[:, :, frame:] += 1
    first, second = NETWORKS[factors].encode(clip), NETWORKS[factors].encode(changed)
    moved = (first != second).any(dim=(0, 1, 3, 4)).nonzero()[0]
    assert int(moved) == frame // time


@given(factors=st.sampled_from(FACTORS), place=st.integers(0, 2))
def test_later_latent_never_changes_an_earlier_frame(factors: tuple[int, int], place: int) -> None:
    _, time = factors
    latents = noise(1, 2, 3, 2, 2)
    changed = latents.clone()
    changed[:, :, place:] += 1
    first, second = NETWORKS[factors].decode(latents), NETWORKS[factors].decode(changed)
    moved = (first != second).any(dim=(0, 1, 3, 4)).nonzero()[0]
    assert int(moved) == place * time


@given(factors=st.sampled_from(FACTORS))
def test_two_clips_at_once_are_two_clips(factors: tuple[int, int]) -> None:
    space, time = factors
    clips = noise(2, 3, 2 * time, 2 * space, 2 * space)
    network = NETWORKS[factors]
    torch.testing.assert_close(
        network(clips), torch.cat([network(clips[:1]), network(clips[1:])]), atol=1e-5, rtol=1e-5
    )
