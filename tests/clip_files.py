"""Video files for tests, made on the spot by PyAV or by hand."""

import io
import struct
from collections.abc import Sequence
from fractions import Fraction
from typing import cast

import av
import numpy as np

TURNS = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}  # clockwise: a, b, c, d


def moving_frames(num_frames: int = 12, height: int = 64, width: int = 96) -> np.ndarray:
    """A soft ramp that drifts; no corner looks like another."""
    t, y, x = np.mgrid[:num_frames, :height, :width]
    frames = np.stack([x * 160 // width + 4 * t, y * 160 // height + 4 * t, (x + y) // 2], axis=-1)
    return frames.clip(0, 255).astype(np.uint8)


def make_video(
    container: str = "mp4",
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    frames: np.ndarray | None = None,
    fps: int = 8,
    times: Sequence[int] | None = None,
    aspect: Fraction | None = None,
    transfer: int = 2,
    tail_index: bool = True,
) -> bytes:
    """Encode frames; `times` are in units of 1/fps."""
    pictures = moving_frames() if frames is None else frames
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = cast("av.VideoStream", output.add_stream(codec, rate=fps))
        stream.height, stream.width = pictures.shape[1:3]
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = Fraction(1, fps)
        stream.codec_context.color_trc = transfer
        if codec == "libx264":
            stream.options = {"crf": "4", "preset": "ultrafast"}
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        for number, pixels in enumerate(pictures):
            raw_format = "rgba" if pixels.shape[-1] == 4 else "rgb24"
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=raw_format)
            coded = frame.reformat(format=pix_fmt)
            coded.color_trc = transfer
            coded.pts = number if times is None else times[number]
            coded.time_base = Fraction(1, fps)
            output.mux(stream.encode(coded))
        output.mux(stream.encode())
    data = file.getvalue()
    return data if tail_index else index_first(data)


def index_first(data: bytes) -> bytes:
    """Move the index of an mp4 before its pictures, as fast-start does."""
    at = data.index(b"moov") - 4
    index, rest = data[at:], data[:at]
    head_end = data.index(b"mdat") - 4
    offsets = index.index(b"stco") + 8
    (count,) = struct.unpack(">I", index[offsets : offsets + 4])
    places = struct.unpack(f">{count}I", index[offsets + 4 : offsets + 4 + 4 * count])
    moved = struct.pack(f">{count}I", *(place + len(index) for place in places))
    index = index[: offsets + 4] + moved + index[offsets + 4 + 4 * count :]
    return rest[:head_end] + index + rest[head_end:]


def turned_mp4(data: bytes, matrix: tuple[float, float, float, float]) -> bytes:
    """Write a display matrix (a, b, c, d) into an mp4, as phones do."""
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (int(value * 65536) for value in matrix)
    return data[:at] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + data[at + 36 :]


def repeated_video(num_frames: int) -> bytes:
    """One tiny picture, many times over."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream("mjpeg", rate=25)
        stream.height, stream.width, stream.pix_fmt = 16, 16, "yuvj420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        (packet,) = stream.encode(frame.reformat(format="yuvj420p"))
        payload = bytes(packet)
        for number in range(num_frames):
            again = av.Packet(payload)
            again.stream, again.pts, again.dts = stream, number, number
            again.time_base, again.is_keyframe = Fraction(1, 25), True
            output.mux(again)
    return file.getvalue()


def broken_videos() -> dict[str, bytes]:
    """Return what people take for a video and is none: text, nothing, and half of one."""
    return {"text": b"not a video", "empty": b"", "cut": make_video()[:900]}


def audio_file() -> bytes:
    """A second of silence in an mp4 without a picture."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.float32), "fltp", "mono")
        frame.sample_rate = 16_000
        output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return file.getvalue()
