"""Decoded clips that wait to be looked at: in memory, few, and under random names."""

import secrets
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from olvdm.errors import InputError
from olvdm.serving.recent import Recent

MOST_CLIPS = 24  # of at most 6 MB each


@dataclass(frozen=True, eq=False)
class ShelvedClip:
    """A clip that was read.

    Attributes:
        name: What the page calls it; never a person's own text.
        frames: Its frames.
        fps: Frames a second.
        is_upload: Whether a person brought it.
    """

    name: str
    frames: UInt8[np.ndarray, "t h w 3"]
    fps: float
    is_upload: bool

    def cropped(self) -> "ShelvedClip":
        """Return the same clip cut to the square in its middle."""
        height, width = self.frames.shape[1:3]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        frames = self.frames[:, top : top + side, left : left + side]
        return replace(self, frames=np.ascontiguousarray(frames))


class ClipShelf:
    """The clips last read by anybody, what a person brought by a name that nobody else can guess.

    Args:
        most: Clips to keep; the one that was unused for longest leaves first.

    Ours: an upload is deleted once it is decoded, so that only reduced frames stay, and not long.
    """

    def __init__(self, most: int = MOST_CLIPS) -> None:
        self._clips: Recent[ShelvedClip] = Recent(most)

    def put(self, clip: ShelvedClip, clip_id: str | None = None) -> str:
        """Keep a clip.

        Args:
            clip: The clip.
            clip_id: Its name, where the clip is no secret and is kept once for all; else random.

        Returns:
            Its name.
        """
        clip_id = clip_id or secrets.token_hex(16)
        self._clips.put(clip_id, clip)
        return clip_id

    def get(self, clip_id: object) -> ShelvedClip:
        """Return a clip.

        Args:
            clip_id: What `put` gave.

        Returns:
            The clip.

        Raises:
            InputError: If there is none of that name, or it has left.
        """
        clip = self._clips.get(clip_id) if isinstance(clip_id, str) else None
        if clip is None:
            raise InputError("Choose a video or a test clip first.")
        return clip
