"""Frames that are known before a clip is drawn: read from their files, with their places in it."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from olvdm.decoding import NOTES, decode_still, decode_video
from olvdm.errors import InputError, VideoError, named, quoted_name
from olvdm.limits import LONG_FRAMES, STILL_FORMATS, WholeRange
from olvdm.request import check_whole

STILLS = (".png", ".webp", ".jpg", ".jpeg", ".jfif")
MOST_FRAMES = LONG_FRAMES.high - 2  # of a given video: two of the longest clip are to be drawn
OTHER_STILLS = (".avif", ".bmp", ".heic", ".tif", ".tiff")


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


def check_last(last: object, given: Sequence[str], num_frames: int) -> int | None:
    """Return how many frames at the end of a given video are given.

    Args:
        last: What was asked for; none for all of its frames.
        given: Files of the frames.
        num_frames: Of the clip.

    Returns:
        The number, or none for all.

    Raises:
        InputError: If it is not legal, or no video is given.
    """
    if last is None:
        return None
    if not _is_video(given):
        raise InputError("last says how much of a video is given; name one with --given VIDEO")
    return check_whole("last", last, WholeRange(1, num_frames))


def check_count(
    count: int, files: Sequence[str], places: Sequence[int] | None, num_frames: int
) -> None:
    """Refuse given frames that do not fit the clip or their places.

    Args:
        count: How many they are.
        files: That they come from.
        places: Of the frames in the clip, none for the first ones.
        num_frames: Of the clip.

    Raises:
        InputError: If they are too many, or as many as there are no places for.
    """
    if places is not None and count != len(places):
        raise InputError(
            f"places must be one for each of the {count} given frames, got {len(places)}"
        )
    if count > num_frames:
        fewer = "give fewer"
        if _is_video(files):
            fewer = f"go on from its end alone, as with --last {num_frames // 2}"
        raise InputError(
            f"{count} frames are given, but num_frames is {num_frames}; ask for a longer "
            f"clip, or {fewer}"
        )


def read_given(
    files: Sequence[str], last: int | None = None
) -> UInt8[np.ndarray, "n h w 3"] | None:
    """Read frames that are known: one video, or some pictures of one size.

    Args:
        files: Their paths; PNG, WebP and JPEG are pictures.
        last: Of a video, how many frames at its end; none for all.

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
            return _read_video(files[0], last)
    pictures = [_read_still(file) for file in files]
    sizes = sorted({f"{picture.shape[1]}x{picture.shape[0]}" for picture in pictures})
    if len(sizes) > 1:
        raise InputError(f"given pictures must be of one size, got {' and '.join(sizes[:4])}")
    return np.stack(pictures)


def _is_video(files: Sequence[str]) -> bool:
    return len(files) == 1 and Path(files[0]).suffix.lower() not in STILLS


def _read_video(file: str, last: int | None) -> UInt8[np.ndarray, "t h w 3"]:
    """Return the frames of a video, or the last ones, which none may lie behind."""
    video = decode_video(file, max_frames=MOST_FRAMES)
    count = len(video.frames)
    if last is None:
        return video.frames
    if NOTES["cut"].format(MOST_FRAMES) in video.notes:
        raise VideoError(
            f"it is longer than {MOST_FRAMES} frames, so its last ones are not read; cut it"
        )
    if last > count:
        raise VideoError(f"it has {count} frames, so last must be at most that, got {last}")
    return video.frames[-last:]


def _read_still(file: str) -> UInt8[np.ndarray, "h w 3"]:
    with named("picture", file):
        return decode_still(file)
