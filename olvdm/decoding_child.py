"""The program that touches an untrusted file: run by `decoding` in a process of its own.

It imports nothing of ours, since a fresh interpreter that loads no torch starts in a fraction of a
second. It reads a job as JSON from stdin, and answers on stdout with one line of JSON, followed by
the frames as raw bytes. Whatever goes wrong otherwise ends the process, and `decoding` knows the
words for that.
"""

import errno
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, TypedDict

import av
import numpy as np
import numpy.typing as npt
from av.stream import Disposition
from PIL import Image, ImageOps

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,gif,apng"  # the demuxers that we trust
PROBED_PIXELS = 2**26  # while a file is opened: an 8K picture is refused later, with its size
HDR_CURVES = (16, 18)  # ITU-T H.273: PQ and HLG
DISK_FULL = 3  # with which this process ends where its answer has no room
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8\xff"
JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # ITU-T T.81, table B.1: SOF markers
JPEG_BARE = range(0xD0, 0xDB)  # restarts, start and end, and the scan, before which a frame is due
MOST_SEGMENTS = 1_024  # before the frame header; a colour profile may take some hundred

Pixels = npt.NDArray[np.uint8]
Note = tuple[str, tuple[int, ...]]  # a reason out of the lists of `decoding`, its numbers


class Job(TypedDict):
    """What `decoding` asks for; the limits travel along, for they live in `limits`."""

    kind: str
    name: str
    max_frames: int
    min_frames: int
    side: int
    min_source_side: int
    max_source_side: int
    max_pixels: int
    max_streams: int
    cpu_seconds: int
    memory_bytes: int
    reply_bytes: int


class RefusalError(Exception):
    """A reason out of the fixed list of `decoding`, with its numbers."""

    def __init__(self, reason: str, *values: int) -> None:
        super().__init__(reason)
        self.note: Note = (reason, values)


@dataclass
class Reply:
    """What goes back; every field is small but `frames`."""

    frames: list[Pixels] = field(default_factory=list[Pixels])
    fps: float = 0.0
    source: tuple[int, int] = (0, 0)
    notes: list[Note] = field(default_factory=list[Note])

    def add_note(self, reason: str, *values: int) -> None:
        """Say a thing once."""
        if (reason, values) not in self.notes:
            self.notes.append((reason, values))

    def header(self) -> bytes:
        """Return the line before the frames."""
        height, width = self.frames[0].shape[:2]
        shape = (len(self.frames), height, width)
        fields = {"shape": shape, "fps": self.fps, "source": self.source, "notes": self.notes}
        return json.dumps(fields).encode() + b"\n"


def limit_resources(job: Job) -> None:
    """Give this process little time, memory and disk, and no core file."""
    if sys.platform == "win32":  # there only the parent's wall limit holds
        return
    import resource

    for kind, limit in (
        (resource.RLIMIT_CPU, job["cpu_seconds"]),
        (resource.RLIMIT_AS, job["memory_bytes"]),
        (resource.RLIMIT_FSIZE, job["reply_bytes"]),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))


def check_size(width: int, height: int, job: Job) -> None:
    """Refuse a picture that is too small or too large, whoever tells its size."""
    low, high = job["min_source_side"], job["max_source_side"]
    sides_fit = low <= min(width, height) and max(width, height) <= high
    if not sides_fit or width * height > job["max_pixels"]:
        raise RefusalError("size", width, height)


def fitted_size(height: float, width: float, job: Job) -> tuple[int, int]:
    """Return even sides of the same shape, the longer one at most the job's side."""
    scale = min(1.0, job["side"] / max(height, width))
    even = (2 * round(height * scale / 2), 2 * round(width * scale / 2))
    low = job["min_source_side"]
    return max(low, min(even[0], job["side"])), max(low, min(even[1], job["side"]))


def checked_track(tracks: Sequence[av.VideoStream], job: Job) -> av.VideoStream:
    """Return the first moving picture of a file, before any of it is decoded."""
    moving = [track for track in tracks if not track.disposition & Disposition.attached_pic]
    if not moving:
        raise RefusalError("no_video")
    codec = moving[0].codec_context
    if not codec.width:
        raise RefusalError("no_size")
    check_size(codec.width, codec.height, job)
    codec.thread_count = 1
    codec.options = {"max_pixels": str(job["max_pixels"])}
    return moving[0]


def decode_video(job: Job) -> Reply:
    """Decode the first frames of a video, each scaled at once: full frames are never collected."""
    options = {"format_whitelist": FORMATS, "protocol_whitelist": ""}
    options |= {"max_streams": str(job["max_streams"]), "max_pixels": str(PROBED_PIXELS)}
    with (
        Path(job["name"]).open("rb") as file,  # a file object, for ffmpeg would follow a name
        av.open(file, "r", options=options) as container,
    ):
        track = checked_track(container.streams.video, job)
        reply = Reply()
        times: list[float | None] = []
        for frame in container.decode(track):
            if len(reply.frames) == job["max_frames"]:
                reply.add_note("cut", job["max_frames"])
                break
            check_size(frame.width, frame.height, job)
            aspect = track.sample_aspect_ratio or track.codec_context.sample_aspect_ratio or 1
            reply.frames.append(shown_pixels(frame, float(aspect), job, reply))
            times.append(frame.time)
        if track.metadata.get("alpha_mode") == "1":  # VP8 and VP9: the decoder itself drops it
            reply.add_note("alpha")
        if len(reply.frames) < job["min_frames"]:
            if len(reply.frames) == 1:
                raise RefusalError("single", job["min_frames"])
            raise RefusalError("short", len(reply.frames), job["min_frames"])
        reply.fps = frame_rate(times, track.average_rate, reply)
        return reply


def shown_pixels(frame: av.VideoFrame, aspect: float, job: Job, reply: Reply) -> Pixels:
    """Return one frame as a player shows it, scaled to fit; its size is that of the first frame."""
    turns, rest = divmod(frame.rotation, 90)
    if rest:
        raise RefusalError("angle", frame.rotation)
    aspect = aspect if 1 / 8 <= aspect <= 8 else 1.0
    height, width = frame.height, frame.width * aspect
    if turns % 2:
        height, width = width, height
    if not reply.frames:
        describe_first_frame(frame, turns % 4, (round(height), round(width)), job, reply)
        out_height, out_width = fitted_size(height, width, job)
    else:
        out_height, out_width = reply.frames[0].shape[:2]
        if (round(height), round(width)) != reply.source:
            reply.add_note("changing")
    if turns % 2:
        out_height, out_width = out_width, out_height
    has_alpha = any(component.is_alpha for component in frame.format.components)
    pixels = frame.to_ndarray(
        format="rgba" if has_alpha else "rgb24",
        height=out_height,
        width=out_width,
        interpolation="AREA",
    )
    if has_alpha and pixels[..., 3].min() < 255:
        reply.add_note("alpha")
    return np.ascontiguousarray(np.rot90(pixels[..., :3], turns % 4), np.uint8)


def describe_first_frame(
    frame: av.VideoFrame, turns: int, source: tuple[int, int], job: Job, reply: Reply
) -> None:
    """Note what a person would want to know about the way from file to frames."""
    reply.source = source
    if turns:
        reply.add_note("turned", 360 - 90 * turns)
    if frame.format.components[0].bits > 8:
        reply.add_note("deep", frame.format.components[0].bits)
    if frame.color_trc in HDR_CURVES:
        reply.add_note("hdr")
    if source != (frame.height, frame.width)[:: -1 if turns % 2 else 1]:
        reply.add_note("oblong")
    fitted = fitted_size(*source, job)
    if fitted != source:
        reply.add_note("scaled", source[1], source[0], fitted[1], fitted[0])


def frame_rate(times: list[float | None], declared: Fraction | None, reply: Reply) -> float:
    """Return frames a second: as declared where the times agree, as measured where not."""
    known = [time for time in times if time is not None]
    steps = np.diff(known)
    rate = float(declared or 0)
    if len(known) == len(times) and len(steps) and np.median(steps) > 0:
        measured = len(steps) / max(known[-1] - known[0], 1e-6)
        if np.ptp(steps) > 0.25 * np.median(steps) + 0.002:  # Matroska rounds times to 1 ms
            reply.add_note("uneven")
            rate = measured
        rate = measured if not 0.9 < rate / measured < 1.1 else rate
    return min(max(rate, 1.0), 240.0) if rate > 0 and math.isfinite(rate) else 8.0


def decode_still(job: Job) -> Reply:
    """Decode one PNG, WebP or JPEG picture, its size checked by us before Pillow sees it."""
    with Path(job["name"]).open("rb") as file:
        head = file.read(30)
        size = jpeg_size(file) if head.startswith(JPEG_SIGNATURE) else still_size(head)
        check_size(*size, job)
        opened = Image.open(file, formats=["PNG", "WEBP", "JPEG"])
        check_size(*opened.size, job)  # no pixel is decoded yet, should the two disagree
        picture = ImageOps.exif_transpose(opened)
    reply = Reply(source=(picture.height, picture.width))
    fitted = fitted_size(*reply.source, job)
    if fitted != reply.source:
        reply.add_note("scaled", picture.width, picture.height, fitted[1], fitted[0])
    if picture.has_transparency_data:
        reply.add_note("alpha")
    scaled = picture.convert("RGB").resize((fitted[1], fitted[0]), Image.Resampling.BOX)
    reply.frames.append(np.asarray(scaled, np.uint8))
    return reply


def still_size(head: bytes) -> tuple[int, int]:
    """Read width and height from the first 30 bytes of a PNG or a WebP file."""
    if len(head) < 30:
        raise RefusalError("not_still")
    if head.startswith(PNG_SIGNATURE) and head[12:16] == b"IHDR":
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        kind = head[12:16]
        if kind == b"VP8X":
            return (
                int.from_bytes(head[24:27], "little") + 1,
                int.from_bytes(head[27:30], "little") + 1,
            )
        if kind == b"VP8L" and head[20:21] == b"\x2f":
            packed = int.from_bytes(head[21:25], "little")
            return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
        if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
            packed = int.from_bytes(head[26:30], "little")
            return packed & 0x3FFF, packed >> 16 & 0x3FFF
    raise RefusalError("not_still")


def jpeg_size(file: BinaryIO) -> tuple[int, int]:
    """Read width and height of a JPEG file from its frame header, behind at most some segments."""
    file.seek(2)
    for _ in range(MOST_SEGMENTS):
        head = file.read(9)  # marker, length, and of a frame header depth, height and width
        if len(head) < 9 or head[0] != 0xFF:
            break
        if head[1] in JPEG_FRAMES:
            return int.from_bytes(head[7:9], "big"), int.from_bytes(head[5:7], "big")
        length = int.from_bytes(head[2:4], "big")
        if head[1] in JPEG_BARE or length < 2:
            break
        file.seek(length - 7, 1)
    raise RefusalError("not_still")


def answer(job: Job) -> Iterator[bytes]:
    """Do the job: give the header, then every frame."""
    try:
        reply = decode_still(job) if job["kind"] == "still" else decode_video(job)
    except RefusalError as refusal:
        yield json.dumps({"refusal": refusal.note}).encode() + b"\n"
        return
    yield reply.header()
    for pixels in reply.frames:
        yield pixels.tobytes()


def send(blocks: Iterator[bytes]) -> None:
    """Write the answer; a full disk ends the process at once, for nothing can be flushed then."""
    for block in blocks:
        try:
            sys.stdout.buffer.write(block)
            sys.stdout.buffer.flush()
        except OSError as error:
            os._exit(DISK_FULL if error.errno == errno.ENOSPC else 1)


if __name__ == "__main__":
    received: Job = json.load(sys.stdin)
    limit_resources(received)
    send(answer(received))
