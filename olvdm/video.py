"""The pixel door: the one place where uint8 frames become a float clip and go back; files out."""

import io
import math
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import imageio.v3 as iio
import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from olvdm.errors import InputError, quoted_name, shown_value
from olvdm.limits import FILE_FPS, real_number

BT709 = 1  # ITU-T H.273 code of the colour space, of the primaries and of the transfer curve
FEW_COLOURS = 64  # of a frame of a GIF that would be too large
NO_DITHER = Image.Dither.NONE  # its dots would move from frame to frame, and cannot be packed
GIF_SIDE = 16  # pixels; what does not fit at this size never will


def frames_to_clip(
    frames: UInt8[np.ndarray, "*batch t h w 3"] | UInt8[Tensor, "*batch t h w 3"],
) -> Float[Tensor, "b 3 t h w"]:
    """Return frames as the networks see them.

    Args:
        frames: One video or a batch of videos; one video becomes a batch of one.

    Returns:
        The clip in [-1, 1], float32, on the device of a tensor given.

    Raises:
        ValueError: If the frames are not uint8 RGB with four or five axes.

    Source: the usual range of diffusion models; `clip_to_frames` is the exact inverse.
    """
    pixels = _as_tensor(frames) if isinstance(frames, np.ndarray) else frames
    if pixels.dtype != torch.uint8 or pixels.ndim not in (4, 5) or pixels.shape[-1] != 3:
        shape = tuple(pixels.shape)
        raise ValueError(f"need uint8 frames (b) t h w 3, got {pixels.dtype} of shape {shape}")
    videos = pixels if pixels.ndim == 5 else pixels[None]
    return videos.permute(0, 4, 1, 2, 3).contiguous().float().div_(127.5).sub_(1.0)


def clip_to_frames(clip: Float[Tensor, "b 3 t h w"]) -> UInt8[np.ndarray, "b t h w 3"]:
    """Return a clip as frames to show or save.

    Args:
        clip: Any float type and device; values outside [-1, 1] are clamped.

    Returns:
        The nearest uint8 frames.

    Source: inverse of `frames_to_clip`.
    """
    pixels = clip.detach().float().add(1.0).mul_(127.5).round_().clamp_(0.0, 255.0).byte()
    return pixels.permute(0, 2, 3, 4, 1).contiguous().cpu().numpy()


def resize_clip(
    clip: Float[Tensor, "1 3 t h w"], size: tuple[int, ...]
) -> Float[Tensor, "1 3 t h2 w2"]:
    """Return a clip at another size, averaged where it shrinks; at its own size it is itself."""
    if clip.shape[3:] == size:
        return clip
    frames = rearrange(clip, "b c t h w -> (b t) c h w")
    fitted = F.interpolate(frames, size, mode="bilinear", align_corners=False, antialias=True)
    return rearrange(fitted, "(b t) c h w -> b c t h w", b=1)


def _as_tensor(frames: UInt8[np.ndarray, "*shape"]) -> UInt8[Tensor, "*shape"]:
    """Return an array of any layout as a tensor; torch takes none that must not be written."""
    return torch.from_numpy(np.require(frames, requirements=["C", "W"]))


def check_frames(name: str, frames: object) -> None:
    """Refuse what is no video, or an empty one.

    Args:
        name: Of the argument.
        frames: What was given.

    Raises:
        InputError: If it is not.
    """
    is_array = isinstance(frames, np.ndarray)
    if (
        not is_array
        or frames.dtype != np.uint8
        or frames.ndim != 4
        or frames.shape[-1] != 3
        or not frames.size
    ):
        found = f"{frames.dtype} of shape {frames.shape}" if is_array else type(frames).__name__
        raise InputError(
            f"{name} must be uint8 frames of shape t h w 3, got {found}; uint8_frames[0] of a "
            "drawn clip, frames of decode_video and np.stack of pictures are such"
        )


def write_mp4(frames: UInt8[np.ndarray, "t h w 3"], path: str | Path, fps: float | int = 8) -> None:
    """Write an mp4 that plays in every browser: H.264, index first, no metadata.

    Args:
        frames: The video; odd sides are made even by repeating the last row or column.
        path: The file; it appears whole or not at all.
        fps: Frames a second, 0.01 to 1,000.

    Source: Ours: PyAV alone, since an ffmpeg program may be missing; colours tagged BT.709,
    because players guess when they are not told.
    """
    _check_film(frames, fps)
    height, width = frames.shape[1:3]
    even_frames = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    muxing = {"movflags": "+faststart", "fflags": "+bitexact"}
    with (
        _whole_or_nothing(path) as temporary,
        av.open(str(temporary), "w", format="mp4", options=muxing) as container,
    ):
        stream = container.add_stream("libx264", rate=Fraction(float(fps)).limit_denominator(1001))
        stream.height, stream.width = even_frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "12", "preset": "veryfast"}
        codec = stream.codec_context
        codec.colorspace = codec.color_primaries = codec.color_trc = BT709
        for pixels in even_frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            coded = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
            container.mux(stream.encode(coded))
        container.mux(stream.encode())


def write_gif(
    frames: UInt8[np.ndarray, "t h w 3"],
    path: str | Path,
    fps: float | int = 8,
    max_bytes: int | None = None,
) -> None:
    """Write an endless GIF of at most 256 colours a frame.

    Args:
        frames: The video; equal neighbours are stored once and shown for longer.
        path: The file; it appears whole or not at all.
        fps: Frames a second, 0.01 to 1,000; GIF rounds the time of a frame to 10 ms.
        max_bytes: Largest file; for its sake colours go first, then pixels.

    Source: Ours: fewer colours are seen less than fewer pixels, as long as a quarter is left.
    """
    _check_film(frames, fps)
    pictures = [Image.fromarray(pixels) for pixels in frames]
    data = _gif_bytes(pictures, fps) if max_bytes is None else _gif_within(pictures, fps, max_bytes)
    with _whole_or_nothing(path) as temporary:
        temporary.write_bytes(data)


def write_webp(
    frames: UInt8[np.ndarray, "t h w 3"], path: str | Path, fps: float | int = 8
) -> None:
    """Write an endless lossless WebP: the same pixels come back.

    Args:
        frames: The video, at most 16383 pixels a side; equal neighbours are stored once and
            shown for longer.
        path: The file; it appears whole or not at all.
        fps: Frames a second, 0.01 to 1,000.

    Source: Ours.
    """
    _check_film(frames, fps)
    with _whole_or_nothing(path) as temporary:
        iio.imwrite(
            temporary,
            frames,
            extension=".webp",
            plugin="pillow",
            lossless=True,
            duration=round(1000 / fps),
            loop=0,
        )


def write_png(picture: UInt8[np.ndarray, "h w 3"], path: str | Path) -> None:
    """Write one picture without loss.

    Args:
        picture: One frame, or any RGB picture.
        path: The file; it appears whole or not at all.

    Source: Ours.
    """
    with _whole_or_nothing(path) as temporary:
        iio.imwrite(temporary, picture, extension=".png", plugin="pillow")


def _gif_within(pictures: list[Image.Image], fps: float | int, max_bytes: int) -> bytes:
    """Return a GIF that fits: the best colours, or quick ones, or few, or few on fewer pixels."""
    data = _gif_bytes(pictures, fps, is_quick=True)
    if len(data) <= max_bytes:
        best = _gif_bytes(pictures, fps)
        return best if len(best) <= max_bytes else data
    width, height = pictures[0].size
    data, shrink = _gif_bytes(pictures, fps, FEW_COLOURS, is_quick=True), 1.0
    while len(data) > max_bytes and shrink * min(width, height) > GIF_SIDE:
        shrink *= min(0.9, 0.95 * math.sqrt(max_bytes / len(data)))
        size = (max(1, round(shrink * width)), max(1, round(shrink * height)))
        small = [one.resize(size, Image.Resampling.LANCZOS) for one in pictures]
        data = _gif_bytes(small, fps, FEW_COLOURS, is_quick=True)
    return data


def _gif_bytes(
    pictures: list[Image.Image],
    fps: float | int,
    num_colours: int = 256,
    *,
    is_quick: bool = False,  # a hundredth of the time where a frame has many colours
) -> bytes:
    """Return a GIF; a frame's colours are its own."""
    method = Image.Quantize.FASTOCTREE if is_quick else Image.Quantize.MEDIANCUT
    first, *others = (one.quantize(num_colours, method, dither=NO_DITHER) for one in pictures)
    buffer = io.BytesIO()
    times = {"duration": 1000 / fps, "loop": 0}
    first.save(buffer, "gif", save_all=True, append_images=others, **times)
    return buffer.getvalue()


def _check_film(frames: object, fps: object) -> None:
    """Refuse what no file can hold or play."""
    check_frames("frames", frames)
    rate = real_number(fps)
    if rate is None or rate not in FILE_FPS:
        raise InputError(f"fps must be a number from {FILE_FPS}, got {shown_value(fps)}")


@contextmanager
def _whole_or_nothing(path: str | Path) -> Generator[Path]:
    """Give a name beside the file, which takes the file's place once all is written."""
    final = Path(path)
    if not final.parent.is_dir():
        raise InputError(
            f"there is no folder {quoted_name(final.parent)} to write {quoted_name(final)} into; "
            "make it first"
        )
    temporary = final.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        yield temporary
        temporary.replace(final)
    finally:
        temporary.unlink(missing_ok=True)
