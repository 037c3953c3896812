"""LVDM's own U-Net, from a checkout of its repository."""

import importlib
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.peers import MissingPeerError, Peer

FOLDER = "LVDM"
PATCHES = (
    "kernel_size_t=1 with padding_t=0: its defaults let every convolution add two frames",
    "num_heads=4 and num_head_channels=-1 are given: it has no default that runs",
    "channels in multiples of 32, for its group norm",
    "use_checkpoint=False",
)
BF16_PATCHES = (
    "the sinusoids of the time step are cast to bf16",
    "its attribute dtype is set to bf16",
    "the weights of its group norms stay fp32: they compute in fp32",
)


class LvdmUnet(nn.Module):
    """Call LVDM's U-Net as ours is called; it reads no prompt.

    Args:
        unet: The network.
    """

    def __init__(self, unet: nn.Module) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, noisy_latents: Tensor, timesteps: Tensor, prompt_embeds: Tensor) -> Tensor:
        """Return the prediction; it knows one noise level a clip."""
        del prompt_embeds
        return self.unet(noisy_latents, timesteps[:, 0])


def lvdm_unet(
    peers: Path | None, latent_channels: int, num_frames: int, dtype: torch.dtype
) -> Peer:
    """Return the U-Net of LVDM.

    Args:
        peers: The folder that holds the checkout.
        latent_channels: Channels of the latents.
        num_frames: Latent frames of a clip.
        dtype: Of the weights.

    Returns:
        The network at 64 channels, multiplied by 1, 1 and 2, with two blocks a level.

    Raises:
        MissingPeerError: If there is no checkout, or it does not run here.
    """
    folder = peers / FOLDER if peers else None
    if folder is None or not (folder / "lvdm").is_dir():
        raise MissingPeerError(
            f"LVDM's U-Net skipped: no checkout of YingqingHe/LVDM; put it in PEERS/{FOLDER} and "
            "say --peers PEERS"
        )
    sys.path.append(str(folder))
    try:
        module = importlib.import_module("lvdm.models.modules.openaimodel3d")
    except ImportError as error:
        raise MissingPeerError(f"LVDM's U-Net skipped: its code asks for {error.name}") from error
    finally:
        sys.path.remove(str(folder))
    torch.manual_seed(0)
    unet = module.UNetModel(
        image_size=0,  # it does not read it
        in_channels=latent_channels,
        model_channels=64,
        out_channels=latent_channels,
        num_res_blocks=2,
        attention_resolutions=(2, 4),
        channel_mult=(1, 1, 2),
        num_heads=4,
        num_head_channels=-1,
        use_checkpoint=False,
        kernel_size_t=1,
        padding_t=0,
        temporal_length=num_frames,
        use_relative_position=True,
    )
    patches = PATCHES
    if dtype == torch.bfloat16:
        _let_compute_in_bf16(unet)
        patches += BF16_PATCHES
    return Peer("LVDM UNetModel", LvdmUnet(unet).eval(), patches)


def _let_compute_in_bf16(unet: nn.Module) -> None:
    """Cast the weights, and mend what does not bear it."""
    unet.to(torch.bfloat16)
    vars(unet)["dtype"] = torch.bfloat16  # what it casts its input to
    for module in unet.modules():
        if isinstance(module, nn.GroupNorm):
            module.float()

    def cast(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(one.to(torch.bfloat16) for one in inputs)

    embed = unet.get_submodule("time_embed")
    embed.register_forward_pre_hook(cast)
