import torch

from benchmarks.denoiser import EQUAL
from benchmarks.peers import count_parameters
from benchmarks.peers.diffusers_networks import picture_decoder, video_unet
from olvdm.denoiser import VideoDenoiser


def test_unet_is_as_large_as_the_shipped_denoiser() -> None:
    with torch.device("meta"):
        ours = VideoDenoiser()
        peer = video_unet(8, 256, torch.float32).network
    assert abs(count_parameters(peer) / count_parameters(ours) - 1) <= EQUAL


def test_decoder_draws_pictures_of_eight_times_the_side() -> None:
    with torch.no_grad():
        pictures = picture_decoder(torch.float32).network(torch.randn(2, 4, 3, 4))
    assert pictures.shape == (2, 3, 24, 32)
