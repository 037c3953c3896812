"""Object-centric latent video diffusion: make clips, and keep track of the objects in them.

Every name below is imported when it is first used, so ``import olvdm`` costs nothing.

Axes, in code, documentation and files:

======== ========================================= ======== ===================================
``b``    batch                                     ``n``    positions of a frame
``t``    frames                                    ``k``    slots of a frame
``c``    channels                                  ``d``    width of a slot
``h w``  height and width                          ``l``    tokens of a prompt
======== ========================================= ======== ===================================

Where clip and latent axes meet in one signature, the latter are ``lt lh lw``. A ``clip`` is float
`b 3 t h w` in [-1, 1]; ``frames`` are what is shown or saved, uint8 `t h w 3`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from olvdm.autoencoder import VideoAutoencoder
    from olvdm.data.clips import FolderClips
    from olvdm.data.moving_shapes import MovingShapes, ShapesClip, example_prompts
    from olvdm.decoding import DecodedVideo, decode_still, decode_video
    from olvdm.denoiser import VideoDenoiser
    from olvdm.errors import (
        CheckpointError,
        InputError,
        OlvdmError,
        StorageError,
        TrainingError,
        VideoError,
    )
    from olvdm.generation import Generation, OLVDMPipelineOutput, SlotOutput
    from olvdm.pipeline import OLVDMPipeline
    from olvdm.slot_attention import SlotAttention
    from olvdm.slot_decoder import SlotDecoder
    from olvdm.slot_encoder import SlotEncoder
    from olvdm.text_encoder import TextEncoder
    from olvdm.video import clip_to_frames, frames_to_clip, write_gif, write_mp4, write_png

__all__ = [
    "CheckpointError",
    "DecodedVideo",
    "FolderClips",
    "Generation",
    "InputError",
    "MovingShapes",
    "OLVDMPipeline",
    "OLVDMPipelineOutput",
    "OlvdmError",
    "ShapesClip",
    "SlotAttention",
    "SlotDecoder",
    "SlotEncoder",
    "SlotOutput",
    "StorageError",
    "TextEncoder",
    "TrainingError",
    "VideoAutoencoder",
    "VideoDenoiser",
    "VideoError",
    "clip_to_frames",
    "decode_still",
    "decode_video",
    "example_prompts",
    "frames_to_clip",
    "write_gif",
    "write_mp4",
    "write_png",
]

_HOMES = {
    "autoencoder": ("VideoAutoencoder",),
    "data.clips": ("FolderClips",),
    "data.moving_shapes": ("MovingShapes", "ShapesClip", "example_prompts"),
    "decoding": ("DecodedVideo", "decode_still", "decode_video"),
    "denoiser": ("VideoDenoiser",),
    "errors": (
        "CheckpointError",
        "InputError",
        "OlvdmError",
        "StorageError",
        "TrainingError",
        "VideoError",
    ),
    "generation": ("Generation", "OLVDMPipelineOutput", "SlotOutput"),
    "pipeline": ("OLVDMPipeline",),
    "slot_attention": ("SlotAttention",),
    "slot_decoder": ("SlotDecoder",),
    "slot_encoder": ("SlotEncoder",),
    "text_encoder": ("TextEncoder",),
    "video": ("clip_to_frames", "frames_to_clip", "write_gif", "write_mp4", "write_png"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for (PEP 562).

    Args:
        name: One of `__all__`.

    Returns:
        What it names.

    Raises:
        AttributeError: If it is none of them.
    """
    if name not in _HOME_OF:
        raise AttributeError(f"module 'olvdm' has no attribute {name!r}")
    found = getattr(import_module(f"olvdm.{_HOME_OF[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """List the public names, also those that nobody has used yet."""
    return sorted({*globals(), *__all__})
