"""An untrusted video file -> uint8 frames, by a child process that may do little and soon ends."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from olvdm import decoding_child, limits
from olvdm.errors import VideoError

HEADER_BYTES = 4_096  # a reply's first line is about 200 bytes

UNREADABLE = (
    f"This is not a readable {limits.VIDEO_FORMATS} video; save it anew, or choose another."
)
UNREADABLE_STILL = (
    f"This is not a readable {limits.STILL_FORMATS} picture; save it anew, or choose another."
)
TOO_SLOW = (
    f"The file took longer than {limits.DECODE_WALL} s to decode; use a shorter or smaller clip."
)
DISK_FULL = "The disk is full, so the clip could not be decoded; make room, or try again later."
REFUSALS = {
    "no_video": "The file has no video track; choose one with moving pictures.",
    "not_still": UNREADABLE_STILL,
    "single": "The clip has 1 frame; at least {} are needed, so use a longer one.",
    "short": "The clip has {} frames; at least {} are needed, so use a longer one.",
    "size": (
        f"The picture is {{}}x{{}} pixels; each side must be {limits.FRAME_SIDE} "
        f"and the whole at most {limits.FRAME_PIXELS:,} pixels, so scale it first."
    ),
    "no_size": (
        f"The picture is far larger than {limits.FRAME_PIXELS:,} pixels, or the file is damaged; "
        "scale it first, or save it anew."
    ),
    "angle": "The clip is turned by {} degrees; only 0, 90, 180 and 270 can be shown.",
}
NOTES = {
    "cut": "The clip is longer than {0} frames; the first {0} are read.",
    "scaled": "Scaled from {}x{} to {}x{} pixels.",
    "turned": "Turned by {} degrees, as the file asks.",
    "oblong": "Its pixels are not square; the picture is stretched to its display shape.",
    "changing": "The picture changes its size; every frame is scaled to the size of the first.",
    "alpha": "Transparency is dropped.",
    "deep": "{} bits a colour are reduced to 8.",
    "hdr": "High dynamic range is not tone-mapped: colours may look pale.",
    "uneven": "The frame rate varies; frames are read in order.",
}


@dataclass(frozen=True, eq=False)
class DecodedVideo:
    """What was read of a file.

    Attributes:
        frames: RGB as a player shows it, with even sides, scaled to fit.
        fps: Frames a second, in [1, 240].
        notes: Sentences on what was changed or left out on the way, for the person to read.
        source_height: Height of the picture in the file, turned as shown, pixels.
        source_width: Its width.
    """

    frames: UInt8[np.ndarray, "t h w 3"]
    fps: float
    notes: tuple[str, ...]
    source_height: int
    source_width: int


def decode_video(
    path: str | Path,
    max_frames: int = limits.CLIP_FRAMES.high,
    side: int = limits.DECODED_SIDE,
    max_bytes: int = limits.UPLOAD_BYTES,
    min_frames: int = limits.CLIP_FRAMES.low,
) -> DecodedVideo:
    """Decode the start of a video, whatever its name says and whoever made it.

    Args:
        path: The file.
        max_frames: Frames to read; what follows is left out, and a note says so.
        side: Longest side of a frame in pixels; larger pictures keep their shape and shrink.
        max_bytes: Largest file accepted.
        min_frames: Fewest frames accepted.

    Returns:
        At least that many frames, with notes on what was done to them.

    Raises:
        ValueError: If the frames asked for would not fit in the child's reply.

    Source: Ours. Every rule answers to a probe that a plain `av.open` failed: playlists that read
    other local files or call a server, headers that lie, files that never end.
    """
    if max_frames * side * side * 3 > limits.DECODE_PAYLOAD:
        raise ValueError(f"{max_frames} frames of {side}x{side} exceed {limits.DECODE_PAYLOAD} B")
    return _decode(Path(path), "video", max_frames, side, max_bytes, min_frames)


def decode_still(path: str | Path, side: int = limits.DECODED_SIDE) -> UInt8[np.ndarray, "h w 3"]:
    """Decode one picture, such as a given first frame.

    Args:
        path: A PNG, WebP or JPEG file; of an animation the first picture is taken.
        side: Longest side in pixels; a larger picture keeps its shape and shrinks.

    Returns:
        RGB with even sides.

    Source: Ours: as `decode_video`, with signature and size checked before Pillow sees the file.
    """
    return _decode(Path(path), "still", 1, side, limits.UPLOAD_BYTES, 1).frames[0]


def _decode(
    path: Path, kind: str, max_frames: int, side: int, max_bytes: int, min_frames: int
) -> DecodedVideo:
    """Run the child on a private copy: no name of the person's choosing reaches a library."""
    unreadable = UNREADABLE_STILL if kind == "still" else UNREADABLE
    with tempfile.TemporaryDirectory(prefix="olvdm-decode-") as private:
        folder = Path(private)
        name = f"{secrets.token_hex(16)}.bin"
        _copy_checked(path, folder / name, max_bytes)
        job: decoding_child.Job = {
            "kind": kind,
            "name": name,
            "max_frames": max_frames,
            "min_frames": min_frames,
            "side": side,
            "min_source_side": limits.FRAME_SIDE.low,
            "max_source_side": limits.FRAME_SIDE.high,
            "max_pixels": limits.FRAME_PIXELS,
            "max_streams": limits.MAX_STREAMS,
            "cpu_seconds": limits.DECODE_CPU,
            "memory_bytes": limits.DECODE_MEMORY,
            "reply_bytes": limits.DECODE_PAYLOAD + HEADER_BYTES,
        }
        return _read_reply(_run_child(job, folder, unreadable), unreadable)


def _copy_checked(path: Path, copy: Path, max_bytes: int) -> None:
    """Copy a plain file of a legal size."""
    try:
        size = path.stat().st_size if path.is_file() else None
    except (OSError, ValueError) as error:  # a name that is too long, or no name at all
        raise VideoError("There is no such file; choose a file that exists.") from error
    if path.is_dir():
        raise VideoError("This is a folder; choose a file in it.")
    if size is None:
        raise VideoError("There is no such file; choose a file that exists.")
    if size == 0:
        raise VideoError("The file is empty; choose another.")
    if size > max_bytes:
        raise VideoError(
            f"The file has {size / 2**20:,.1f} MiB; at most {max_bytes / 2**20:,.0f} MiB "
            "are accepted, so cut or compress it."
        )
    try:
        shutil.copyfile(path, copy)
    except PermissionError as error:
        raise VideoError("The file may not be read; change its permissions.") from error


def _run_child(job: decoding_child.Job, folder: Path, unreadable: str) -> bytes:
    """Return what the child answered; its death is an answer too."""
    kept = ("SYSTEMROOT", "LD_LIBRARY_PATH")  # what an interpreter may need in order to start
    environment = {key: os.environ[key] for key in kept if key in os.environ} | {
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if Path(p).is_absolute()),
        "OPENBLAS_NUM_THREADS": "1",  # each thread would reserve address space
        "MALLOC_ARENA_MAX": "2",
    }
    command = [sys.executable, "-P", "-s", "-B", str(Path(decoding_child.__file__).resolve())]
    with (folder / "reply").open("w+b") as reply:  # a file, so that RLIMIT_FSIZE bounds it
        try:
            child = subprocess.run(  # noqa: S603 - our own program; the job travels by stdin
                command,
                input=json.dumps(job).encode(),
                stdout=reply,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env=environment,
                timeout=limits.DECODE_WALL,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise VideoError(TOO_SLOW) from error
        if sys.platform != "win32" and child.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            raise VideoError(TOO_SLOW)
        if child.returncode == decoding_child.DISK_FULL:
            raise VideoError(DISK_FULL)
        if child.returncode != 0:
            raise VideoError(unreadable)
        reply.seek(0)
        return reply.read(limits.DECODE_PAYLOAD + HEADER_BYTES + 1)


def _read_reply(reply: bytes, unreadable: str) -> DecodedVideo:
    """Check and unpack a reply: a decoder that was taken over could have written anything."""
    try:
        first_line, _, block = reply.partition(b"\n")
        if len(first_line) > HEADER_BYTES:
            raise VideoError(unreadable)
        header = json.loads(first_line)
        if "refusal" in header:
            raise VideoError(_sentence(REFUSALS, *header["refusal"]))
        shape = tuple(int(size) for size in header["shape"])
        source_height, source_width = (int(size) for size in header["source"])
        return DecodedVideo(
            frames=np.frombuffer(block, np.uint8).reshape(*shape, 3).copy(),
            fps=min(max(float(header["fps"]), 1.0), 240.0),
            notes=tuple(_sentence(NOTES, *note) for note in header["notes"]),
            source_height=source_height,
            source_width=source_width,
        )
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise VideoError(unreadable) from error


def _sentence(sentences: dict[str, str], reason: str, values: list[int]) -> str:
    """Return one sentence of ours with numbers in it; the child chooses no words."""
    return sentences[reason].format(*(int(value) for value in values))
