"""Frames that are known before a clip is drawn: read from their files, with their places in it."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from olvdm.decoding import decode_still, decode_video
from olvdm.errors import InputError, named, quoted_name
from olvdm.limits import LONG_FRAMES, STILL_FORMATS, WholeRange
from olvdm.request import check_whole

STILLS = (".png", ".webp")
OTHER_STILLS = (".avif", ".bmp", ".heic", ".jfif", ".jpeg", ".jpg", ".tif", ".tiff")


def check_places(places: object, given: object, num_frames: int) -> tuple[int, ...]:
    """Return the places of given frames in a clip.

    Args:
        places: What was asked for.
        given: Files of the frames.
        num_frames: Of the clip.

    Returns:
        The places, which rise.

    Raises:
        InputError: If they are not legal, or no frames are given.
    """
    if not given:
        raise InputError("places say where given frames belong; name those with --given FILE")
    if not isinstance(places, (list, tuple)) or len(places) > num_frames:
        raise InputError(f"places must be a list of at most {num_frames} whole numbers")
    inside = WholeRange(0, num_frames - 1)
    numbers = tuple(check_whole("places", place, inside) for place in places)
    if any(first >= second for first, second in pairwise(numbers)):
        raise InputError(f"places must rise, got {' '.join(map(str, numbers[:16]))}")
    return numbers


def read_given(files: Sequence[str]) -> UInt8[np.ndarray, "n h w 3"] | None:
    """Read frames that are known: one video, or some pictures of one size.

    Args:
        files: Their paths; PNG and WebP are pictures.

    Returns:
        The frames in that order, or none where nothing is given.

    Raises:
        InputError: If there are several videos, or pictures of several sizes or other formats.
    """
    if not files:
        return None
    if len(files) > LONG_FRAMES.high:
        raise InputError(f"at most {LONG_FRAMES.high} frames can be given, got {len(files)}")
    for file in files:
        if Path(file).suffix.lower() in OTHER_STILLS:
            raise InputError(
                f"given pictures are {STILL_FORMATS}, got {quoted_name(file)}; convert it first"
            )
    if any(Path(file).suffix.lower() not in STILLS for file in files):
        if len(files) > 1:
            raise InputError(f"give one video, or pictures in {STILL_FORMATS}, not both")
        with named("video", files[0]):
            return decode_video(files[0], max_frames=LONG_FRAMES.high - 2).frames
    pictures = [_read_still(file) for file in files]
    sizes = sorted({f"{picture.shape[1]}x{picture.shape[0]}" for picture in pictures})
    if len(sizes) > 1:
        raise InputError(f"given pictures must be of one size, got {' and '.join(sizes[:4])}")
    return np.stack(pictures)


def _read_still(file: str) -> UInt8[np.ndarray, "h w 3"]:
    with named("picture", file):
        return decode_still(file)
