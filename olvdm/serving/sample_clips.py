"""Clips to try the inspection on, for a person who has no video at hand."""

import importlib.util
from pathlib import Path

from olvdm import limits
from olvdm.data.moving_shapes import MovingShapes
from olvdm.decoding import decode_video
from olvdm.errors import InputError
from olvdm.serving.clip_shelf import ShelvedClip

SHAPES_FPS = 8.0
SHAPES = {  # key: label, level and place in the test split
    "shapes": ("Simple shapes", "simple", 6),
    "textures": ("Textured shapes", "full", 0),
}
REAL = {"earth": ("Real video: the Earth", ("media_assets", "videos", "world.mp4"))}


def sample_labels() -> dict[str, str]:
    """Return the labels of all clips that are there, by key."""
    labels = {key: label for key, (label, _, _) in SHAPES.items()}
    return labels | {key: REAL[key][0] for key in REAL if _real_file(key) is not None}


def read_sample(key: object) -> tuple[ShelvedClip, tuple[str, ...]]:
    """Read one of the clips.

    Args:
        key: One of `sample_labels`.

    Returns:
        The clip, and notes on what was changed on the way.

    Raises:
        InputError: If there is no such clip.

    Ours: the shapes are of the test split, which no training sees; the real video comes through the
    same decoder as an upload.
    """
    if not isinstance(key, str) or key not in sample_labels():
        raise InputError("There is no such test clip; choose one of the buttons.")
    if key in SHAPES:
        label, level, place = SHAPES[key]
        frames = MovingShapes(level=level, split="test")[place].frames
        return ShelvedClip(label, frames, SHAPES_FPS, is_upload=False), ()
    file = _real_file(key)
    assert file is not None
    video = decode_video(file, max_frames=limits.INSPECT_FRAMES.high)
    return ShelvedClip(REAL[key][0], video.frames, video.fps, is_upload=False), video.notes


def _real_file(key: str) -> Path | None:
    """Return the file of a real video among those that the installed gradio carries."""
    found = importlib.util.find_spec("gradio")
    if found is None or found.origin is None:
        return None
    file = Path(found.origin).parent.joinpath(*REAL[key][1])
    return file if file.is_file() else None
