"""Two networks of diffusers: its U-Net for video, and its small autoencoder for pictures."""

import torch
from torch import Tensor, nn

from benchmarks.peers import Peer
from olvdm import diffusers_api as diffusers_api  # first of all makes torchvision importable

# isort: split
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny  # noqa: TID251
from diffusers.models.unets.unet_3d_condition import UNet3DConditionModel  # noqa: TID251

# Of twelve shapes within 15 % of our parameters this was the fastest in bf16: 138 ms where the
# slowest took 290, by CPU time on one core.
WIDTHS = (32, 64, 128)
HEADS = 16


class VideoUnet(nn.Module):
    """Call diffusers' video U-Net as ours is called, without the wrapper of its output.

    Args:
        latent_channels: Channels of the latents.
        prompt_dim: Width of the prompt's embeddings.
    """

    def __init__(self, latent_channels: int, prompt_dim: int) -> None:
        super().__init__()
        num_coarse = len(WIDTHS) - 1
        self.unet = UNet3DConditionModel(
            in_channels=latent_channels,
            out_channels=latent_channels,
            down_block_types=("CrossAttnDownBlock3D",) * num_coarse + ("DownBlock3D",),
            up_block_types=("UpBlock3D",) + ("CrossAttnUpBlock3D",) * num_coarse,
            block_out_channels=WIDTHS,
            layers_per_block=1,
            cross_attention_dim=prompt_dim,
            attention_head_dim=HEADS,
        )

    def forward(self, noisy_latents: Tensor, timesteps: Tensor, prompt_embeds: Tensor) -> Tensor:
        """Return the prediction; it knows one noise level a clip."""
        return self.unet(noisy_latents, timesteps[:, 0], prompt_embeds, return_dict=False)[0]


class PictureDecoder(nn.Module):
    """Decode every frame of a clip on its own by diffusers' AutoencoderTiny, as TAESD does."""

    def __init__(self) -> None:
        super().__init__()
        self.autoencoder = AutoencoderTiny()

    def forward(self, latents: Tensor) -> Tensor:
        """Return pictures, `n 3 h w`, of latents `n 4 h/8 w/8`."""
        return self.autoencoder.decode(latents, return_dict=False)[0]


def video_unet(latent_channels: int, prompt_dim: int, dtype: torch.dtype) -> Peer:
    """Return the video U-Net.

    Args:
        latent_channels: Channels of the latents.
        prompt_dim: Width of the prompt's embeddings.
        dtype: Of the weights.

    Returns:
        A network about as large as our shipped one.
    """
    torch.manual_seed(0)
    return Peer("UNet3DConditionModel", VideoUnet(latent_channels, prompt_dim).to(dtype).eval())


def picture_decoder(dtype: torch.dtype) -> Peer:
    """Return the decoder for pictures, in its published size.

    Args:
        dtype: Of the weights.

    Returns:
        The decoder; its encoder is there too, and never called.
    """
    torch.manual_seed(0)
    return Peer("AutoencoderTiny", PictureDecoder().to(dtype).eval())
