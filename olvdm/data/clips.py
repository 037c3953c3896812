"""A folder of anybody's videos -> clips of one size with captions, decoded once and cached."""

import logging
import math
import os
import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from tqdm import tqdm

from olvdm import limits
from olvdm.data.clip_captions import ClipCaptions
from olvdm.data.moving_shapes import SPLITS
from olvdm.decoding import decode_video
from olvdm.errors import InputError, StorageError, VideoError, quoted_name
from olvdm.manifest import file_sha256

EXTENSIONS = (".mp4", ".webm", ".gif", ".avi", ".mkv", ".mov", ".m4v")
CACHE_FORMAT = 1  # another number: cached frames of older code are made anew
HELD_OUT_EVERY = 10  # of ten videos one is for validation and one for tests

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class FolderClip:
    """A clip of a folder.

    Attributes:
        frames: The pixels.
        prompt: Its caption, empty where there is none.
    """

    frames: UInt8[np.ndarray, "t h w 3"]
    prompt: str


@dataclass(frozen=True)
class SkippedVideo:
    """A file that gives no clip, and why.

    Attributes:
        name: Its path within the folder.
        reason: One sentence.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class _CachedVideo:
    """A decoded file: where its frames are, how many, and the sha256 of the file's bytes."""

    name: str
    sha256: str
    cache: Path
    num_frames: int


class FolderClips:
    """A data set over a folder of videos, the same clips every time.

    Every video is decoded once, by the safe decoder, cropped at its centre, scaled, and kept as an
    array in the user's cache folder. It is then cut into as many clips as fit without overlap;
    where the first begins follows from the seed and the video alone. Of ten videos one is held
    out for ``val`` and one for ``test``, chosen by content; a smaller folder gives the same clips
    in every split, and ``is_held_out`` says so. ``skipped`` and ``remarks`` tell what is left out,
    and ``warn`` logs it.

    Args:
        folder: Videos (mp4, webm, gif, avi, mkv, mov), at any depth.
        captions: A CSV or JSON file of captions; where it is not given, ``captions.csv`` or
            ``captions.json`` in the folder, and a ``.txt`` beside a video.
        num_frames: Frames of a clip.
        height: Height in pixels.
        width: Width in pixels.
        stride: Take every so-many-th frame.
        seed: Another seed cuts the videos at other places.
        split: ``train``, ``val`` or ``test``.

    Raises:
        ValueError: If a name is unknown or a number too small; an `InputError`, which is one too,
            if the folder holds no video that can be used or its captions are unreadable.

    Ours: the recipe of every video data set, with limits and a report of what was left out.
    """

    def __init__(
        self,
        folder: str | Path,
        captions: str | Path | None = None,
        *,
        num_frames: int = 16,
        height: int = 64,
        width: int = 64,
        stride: int = 1,
        seed: int = 0,
        split: str = "train",
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split}")
        for name, number, least in (
            ("num_frames", num_frames, 1),
            ("height", height, 16),
            ("width", width, 16),
            ("stride", stride, 1),
            ("seed", seed, 0),
        ):
            if number < least:
                raise ValueError(f"{name} must be at least {least}, got {number}")
        self.folder = Path(folder)
        self.captions = ClipCaptions(self.folder, captions)
        self.num_frames, self.height, self.width = num_frames, height, width
        self.stride, self.seed, self.split = stride, seed, split
        self.skipped: list[SkippedVideo] = []
        videos = self._usable_videos(_cache_folder())
        self.is_held_out = len(videos) >= HELD_OUT_EVERY
        self.clips = [
            (video, start)
            for rank, video in enumerate(videos)
            if not self.is_held_out or _split_of(rank) == split
            for start in self._starts(video)
        ]
        self.remarks = self._remarks(videos)
        self._report(videos)

    def __len__(self) -> int:
        """Count the clips."""
        return len(self.clips)

    def __iter__(self) -> Iterator[FolderClip]:
        """Read every clip in turn."""
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> FolderClip:
        """Read one clip.

        Args:
            index: Place in the data set; negative ones count from its end.

        Returns:
            The clip, with its caption.
        """
        video, start = self.clips[index]
        frames = np.load(video.cache, mmap_mode="r", allow_pickle=False)
        window = frames[start : start + self._span : self.stride]
        return FolderClip(frames=np.array(window), prompt=self.captions.find(video.name))

    def warn(self) -> None:
        """Log a line for each of ``skipped`` and ``remarks``: all splits of a folder share them."""
        for video in self.skipped:
            log.warning("video %s is skipped: %s", quoted_name(video.name), video.reason)
        for remark in self.remarks:
            log.warning("%s", remark)

    @property
    def _span(self) -> int:
        """Frames of a video that one clip covers."""
        return (self.num_frames - 1) * self.stride + 1

    def _usable_videos(self, cache_dir: Path) -> list[_CachedVideo]:
        """Decode what is not cached yet; return the videos by content, each content once."""
        paths = _find_videos(self.folder)
        names = [path.relative_to(self.folder).as_posix() for path in paths]
        read = partial(self._read_video, cache_dir)
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            results = list(
                tqdm(pool.map(read, paths, names), "Videos", len(paths), disable=None, leave=False)
            )
        videos: dict[str, _CachedVideo] = {}
        for name, result in zip(names, results, strict=True):
            if isinstance(result, _CachedVideo) and result.sha256 not in videos:
                videos[result.sha256] = result
                continue
            reason = "It has the same bytes as another."
            reason = reason if isinstance(result, _CachedVideo) else result
            self.skipped.append(SkippedVideo(name, reason))
        if not videos:
            raise InputError(
                f"None of the {len(paths)} videos in the folder {quoted_name(self.folder)} can be "
                f"used; the first, {quoted_name(paths[0])}, was refused with: "
                f"{self.skipped[0].reason}"
            )
        return [videos[key] for key in sorted(videos)]

    def _read_video(self, cache_dir: Path, path: Path, name: str) -> _CachedVideo | str:
        """Return a video whose frames are in the cache, or why it gives no clip."""
        try:
            sha256 = file_sha256(path)
            key = f"{CACHE_FORMAT}-{sha256}-{self._side}-{self.height}x{self.width}"
            cache = cache_dir / f"{key}.npy"
            num_frames = _cached_frames(cache, (self.height, self.width))
            if num_frames is None:
                decoded = decode_video(
                    path,
                    max_frames=self._most_frames,
                    side=self._side,
                    max_bytes=limits.TRAINING_VIDEO_BYTES,
                    min_frames=1,  # how many a clip needs is said below, in one sentence
                )
                _save(cache, fit_frames(decoded.frames, self.height, self.width))
                num_frames = len(decoded.frames)
        except VideoError as error:
            return error.user_message
        except PermissionError:
            return "The file may not be read; change its permissions."
        if num_frames < self._span:
            noun = "frame" if num_frames == 1 else "frames"
            return (
                f"The clip has {num_frames} {noun}; at least {self._span} are needed, so use a "
                "longer one, or ask for fewer frames a clip."
            )
        return _CachedVideo(name, sha256, cache, num_frames)

    @property
    def _side(self) -> int:
        """Longest side to decode at: room to crop an oblong picture, and for one clip at least."""
        payload = math.isqrt(limits.DECODE_PAYLOAD // (3 * max(self._span, limits.CLIP_FRAMES.low)))
        return max(16, min(2 * max(self.height, self.width), payload) // 2 * 2)

    @property
    def _most_frames(self) -> int:
        """Frames of a video that are read; what follows is left out."""
        return limits.DECODE_PAYLOAD // (3 * self._side**2)

    def _starts(self, video: _CachedVideo) -> list[int]:
        """Return where the clips of a video begin; they do not overlap."""
        count, rest = divmod(video.num_frames, self._span)
        rng = np.random.default_rng([self.seed, int(video.sha256[:16], 16)])
        first = int(rng.integers(rest + 1))
        return [first + number * self._span for number in range(count)]

    def _report(self, videos: Sequence[_CachedVideo]) -> None:
        """Say what the folder gave, and what of it is left out."""
        without = sum(not self.captions.find(video.name) for video, _ in self.clips)
        log.info(
            "%d videos used, %d skipped: %d clips of %d frames for %s, %d without a caption",
            len(videos),
            len(self.skipped),
            len(self),
            self.num_frames,
            self.split,
            without,
        )
        if not self.is_held_out and self.split != "train":
            log.warning(
                "%s is not held out: that needs %d usable videos, and there are %d",
                self.split,
                HELD_OUT_EVERY,
                len(videos),
            )

    def _remarks(self, videos: Sequence[_CachedVideo]) -> list[str]:
        """Return a sentence for each thing that is left out beside whole videos."""
        remarks: list[str] = []
        names = [one.name for one in (*videos, *self.skipped)]
        missing = self.captions.without_video(names)
        if missing:
            remarks.append(
                f"captions of videos that are not there: {len(missing)}, the first that of "
                f"{quoted_name(missing[0])}; name each by its path within the folder"
            )
        num_cut = sum(video.num_frames >= self._most_frames for video in videos)
        if num_cut:
            remarks.append(
                f"of {num_cut} of the videos only the first {self._most_frames} frames are read; "
                "cut longer ones into pieces to use all of them"
            )
        return remarks


def fit_frames(
    frames: UInt8[np.ndarray, "t h w 3"], height: int, width: int
) -> UInt8[np.ndarray, "t oh ow 3"]:
    """Crop frames at their centre to another shape, and scale them.

    Args:
        frames: The video.
        height: New height in pixels.
        width: New width in pixels.

    Returns:
        Frames of that size; each pixel is the mean of the area that it covers.

    Ours.
    """
    old_height, old_width = frames.shape[1:3]
    crop_height = min(old_height, max(1, round(old_width * height / width)))
    crop_width = min(old_width, max(1, round(old_height * width / height)))
    top, left = (old_height - crop_height) // 2, (old_width - crop_width) // 2
    cropped = frames[:, top : top + crop_height, left : left + crop_width]
    if (crop_height, crop_width) == (height, width):
        return np.ascontiguousarray(cropped)
    is_smaller = height * width < crop_height * crop_width
    method = cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR
    scaled = [cv2.resize(picture, (width, height), interpolation=method) for picture in cropped]
    return np.stack(scaled).astype(np.uint8, copy=False)


def _find_videos(folder: Path) -> list[Path]:
    """Return every video file below a folder, in order of its name."""
    if folder.is_file():
        raise InputError(
            f"{quoted_name(folder)} is a file, not a folder of videos; give the folder it lies in."
        )
    if not folder.is_dir():
        raise InputError(
            f"There is no such folder of videos as {quoted_name(folder)}; give one that exists."
        )
    paths = (path for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS)
    found = sorted(path for path in paths if path.is_file())
    if not found:
        raise InputError(
            f"The folder {quoted_name(folder)} holds no videos; accepted are "
            f"{', '.join(EXTENSIONS)}."
        )
    return found


def _split_of(rank: int) -> str:
    """Return the split of a video by its place among all."""
    return {8: "val", 9: "test"}.get(rank % HELD_OUT_EVERY, "train")


def _cache_folder() -> Path:
    """Return the folder for decoded frames, made if need be."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(home).expanduser() / "olvdm" / "clips"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            "The cache folder for decoded videos cannot be made; set XDG_CACHE_HOME to a folder "
            "that may be written."
        ) from error
    return folder


def _cached_frames(cache: Path, size: tuple[int, int]) -> int | None:
    """Return how many frames a cache file holds, None if it is not there or is damaged."""
    try:
        frames = np.load(cache, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    is_whole = frames.dtype == np.uint8 and frames.ndim == 4 and frames.shape[1:] == (*size, 3)
    return len(frames) if is_whole else None


def _save(cache: Path, frames: UInt8[np.ndarray, "t h w 3"]) -> None:
    """Write a cache file whole or not at all; two processes may do so at once."""
    temporary = cache.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("wb") as file:
            np.save(file, frames, allow_pickle=False)
        temporary.replace(cache)
    except OSError as error:
        raise StorageError(
            f"{frames.nbytes:,} bytes of decoded frames cannot be cached; free some space, or set "
            "XDG_CACHE_HOME to another disk."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
