"""LVDM's own U-Nets, from a checkout of its repository."""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn

from benchmarks.peers import MissingPeerError, Peer, add_folder

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
WITHOUT_TEXT, WITH_TEXT = "LVDM UNetModel without text", "LVDM UNetModel"


class LvdmUnet(nn.Module):
    """Call LVDM's U-Net as ours is called.

    Args:
        unet: The network.
        reads_prompt: Whether it has layers that do.
    """

    def __init__(self, unet: nn.Module, reads_prompt: bool) -> None:
        super().__init__()
        self.unet = unet
        self.reads_prompt = reads_prompt

    def forward(self, noisy_latents: Tensor, timesteps: Tensor, prompt_embeds: Tensor) -> Tensor:
        """Return the prediction; it knows one noise level a clip."""
        context = {"context": prompt_embeds} if self.reads_prompt else {}
        return self.unet(noisy_latents, timesteps[:, 0], **context)


def lvdm_unets(
    peers: Path | None, latent_channels: int, num_frames: int, prompt_dim: int, dtype: torch.dtype
) -> list[Peer]:
    """Return the U-Nets of LVDM: the one that reads a prompt as ours does, and the one without.

    Args:
        peers: The folder that holds the checkout.
        latent_channels: Channels of the latents.
        num_frames: Latent frames of a clip.
        prompt_dim: Width of the prompt embeddings.
        dtype: Of the weights.

    Returns:
        Both at 64 channels, multiplied by 1, 1 and 2: with text as in its ``text2video.yaml`` and
        one block a level, without as in its other configurations and two.

    Raises:
        MissingPeerError: If there is no checkout, or it does not run here.
    """
    folder = peers / FOLDER if peers else None
    if folder is None or not (folder / "lvdm").is_dir():
        raise MissingPeerError(
            f"LVDM's U-Net skipped: no checkout of YingqingHe/LVDM; put it in PEERS/{FOLDER} and "
            "say --peers PEERS"
        )
    add_folder(peers)  # where what it asks for may lie too
    text: dict[str, int | bool] = {
        "num_res_blocks": 1,
        "use_temporal_transformer": True,
        "context_dim": prompt_dim,
        "legacy": False,
    }
    kinds = {WITH_TEXT: text, WITHOUT_TEXT: {"num_res_blocks": 2}}
    sys.path.append(str(folder))
    try:
        module = importlib.import_module("lvdm.models.modules.openaimodel3d")
        unets = {
            name: _unet(module, latent_channels, num_frames, settings)
            for name, settings in kinds.items()
        }
    except ImportError as error:
        raise MissingPeerError(f"LVDM's U-Net skipped: its code asks for {error.name}") from error
    finally:
        sys.path.remove(str(folder))
    patches = PATCHES
    if dtype == torch.bfloat16:
        patches += BF16_PATCHES
        for unet in unets.values():
            _let_compute_in_bf16(unet)
    return [
        Peer(name, LvdmUnet(unet, name == WITH_TEXT).eval(), patches)
        for name, unet in unets.items()
    ]


def _unet(
    module: ModuleType, latent_channels: int, num_frames: int, settings: Mapping[str, int | bool]
) -> nn.Module:
    torch.manual_seed(0)
    return module.UNetModel(
        image_size=0,  # it does not read it
        in_channels=latent_channels,
        model_channels=64,
        out_channels=latent_channels,
        attention_resolutions=(2, 4),
        channel_mult=(1, 1, 2),
        num_heads=4,
        num_head_channels=-1,
        use_checkpoint=False,
        kernel_size_t=1,
        padding_t=0,
        temporal_length=num_frames,
        use_relative_position=True,
        **settings,
    )


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
