import inspect
import math
from fractions import Fraction
from pathlib import Path

import av
import imageio.v3 as iio
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from olvdm.errors import InputError
from olvdm.video import (
    check_frames,
    clip_to_frames,
    frames_to_clip,
    write_gif,
    write_mp4,
    write_png,
    write_webp,
)

STILL = np.zeros((2, 8, 8, 3), dtype=np.uint8)


def moving_ramp(num_frames: int = 8, height: int = 64, width: int = 64) -> np.ndarray:
    t, y, x = np.mgrid[:num_frames, :height, :width]
    frames = np.stack([x * 2 + t, y * 2 + t, np.full_like(x, 90)], axis=-1)
    return (frames % 256).astype(np.uint8)


def read_mp4(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])


@settings(max_examples=25, deadline=None)
@given(
    frames=hnp.arrays(
        np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, max_side=5).map(lambda s: (*s, 3))
    )
)
def test_frames_survive_the_way_in_and_out(frames):
    np.testing.assert_array_equal(clip_to_frames(frames_to_clip(frames))[0], frames)


def test_every_level_of_a_pixel_survives_the_way_in_and_out():
    levels = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    np.testing.assert_array_equal(clip_to_frames(frames_to_clip(levels))[0], levels)


def test_black_and_white_are_the_ends_of_the_range():
    frames = np.zeros((2, 1, 1, 3), np.uint8)
    frames[1] = 255
    clip = frames_to_clip(frames)
    assert clip.shape == (1, 3, 2, 1, 1)
    assert clip[0, :, 0].eq(-1).all()
    assert clip[0, :, 1].eq(1).all()


def test_batch_of_tensors_gives_the_clips_of_its_videos():
    frames = moving_ramp(4, 6, 8)
    batch = torch.from_numpy(np.stack([frames, frames[::-1]]))
    torch.testing.assert_close(frames_to_clip(batch)[:1], frames_to_clip(frames))


def test_clip_beyond_the_range_is_clamped():
    clip = torch.tensor([-3.0, 3.0]).reshape(1, 1, 2, 1, 1).expand(1, 3, 2, 1, 1)
    np.testing.assert_array_equal(clip_to_frames(clip)[0, :, 0, 0, 0], [0, 255])


def test_half_precision_clip_is_read():
    clip = frames_to_clip(moving_ramp(2, 4, 4)).bfloat16()
    assert clip_to_frames(clip).dtype == np.uint8


def test_float_frames_are_refused():
    with pytest.raises((ValueError, TypeError)):
        frames_to_clip(np.zeros((2, 4, 4, 3), np.float32))  # pyright: ignore


def test_mp4_keeps_what_one_sees(tmp_path):
    frames = moving_ramp()
    write_mp4(frames, tmp_path / "clip.mp4", fps=8)
    difference = np.abs(read_mp4(tmp_path / "clip.mp4").astype(int) - frames)
    assert difference.mean() < 6


@pytest.mark.parametrize(
    "colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (250, 250, 250), (128, 64, 32)]
)
def test_mp4_keeps_a_colour(tmp_path, colour):
    frames = np.broadcast_to(np.array(colour, np.uint8), (8, 32, 32, 3))
    write_mp4(frames, tmp_path / "clip.mp4")
    decoded = read_mp4(tmp_path / "clip.mp4").astype(int)
    assert np.abs(decoded - np.array(colour)).max() <= 4


def test_mp4_says_how_its_colours_are_meant(tmp_path):
    write_mp4(moving_ramp(), tmp_path / "clip.mp4")
    with av.open(str(tmp_path / "clip.mp4")) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.colorspace, codec.color_primaries, codec.color_trc) == (1, 1, 1)


def test_mp4_of_odd_sides_is_made_even_by_repeating_the_edge(tmp_path):
    write_mp4(moving_ramp(8, 33, 35), tmp_path / "clip.mp4")
    decoded = read_mp4(tmp_path / "clip.mp4")
    assert decoded.shape == (8, 34, 36, 3)
    assert np.abs(decoded[:, -1].astype(int) - decoded[:, -2]).mean() < 8


def test_mp4_has_the_rate_that_was_asked(tmp_path):
    write_mp4(moving_ramp(), tmp_path / "clip.mp4", fps=7.5)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert container.streams.video[0].average_rate == Fraction(15, 2)


def test_mp4_carries_no_metadata(tmp_path):
    write_mp4(moving_ramp(), tmp_path / "clip.mp4")
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert "encoder" not in container.metadata
        assert "title" not in container.metadata


def test_mp4_has_its_index_in_front(tmp_path):
    write_mp4(moving_ramp(), tmp_path / "clip.mp4")
    data = (tmp_path / "clip.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_webp_gives_back_the_same_pixels(tmp_path):
    frames = moving_ramp(5, 9, 7)
    write_webp(frames, tmp_path / "clip.webp")
    np.testing.assert_array_equal(
        np.stack(list(iio.imiter(tmp_path / "clip.webp", mode="RGB"))), frames
    )


@settings(max_examples=10, deadline=None)
@given(max_bytes=st.integers(6_000, 400_000))
def test_gif_fits_whatever_room_there_is(tmp_path_factory, max_bytes):
    noise = np.random.default_rng(0).integers(0, 256, (4, 96, 64, 3), np.uint8)
    path = tmp_path_factory.mktemp("gif") / "clip.gif"
    write_gif(noise, path, max_bytes=max_bytes)
    assert path.stat().st_size <= max_bytes
    assert len(iio.imread(path)) == len(noise)


def test_gif_that_fits_is_not_made_smaller(tmp_path):
    write_gif(moving_ramp(), tmp_path / "free.gif")
    write_gif(moving_ramp(), tmp_path / "fits.gif", max_bytes=10**7)
    assert (tmp_path / "free.gif").read_bytes() == (tmp_path / "fits.gif").read_bytes()


def test_gif_has_every_frame_and_its_time(tmp_path):
    write_gif(moving_ramp(5), tmp_path / "clip.gif", fps=10)
    assert iio.imread(tmp_path / "clip.gif").shape[0] == 5
    assert iio.immeta(tmp_path / "clip.gif")["duration"] == 100


def test_png_gives_back_the_same_pixels(tmp_path):
    picture = moving_ramp(1, 5, 7)[0]
    write_png(picture, tmp_path / "frame.png")
    np.testing.assert_array_equal(iio.imread(tmp_path / "frame.png"), picture)


def test_broken_writing_leaves_the_old_file_and_nothing_beside(tmp_path, monkeypatch):
    path = tmp_path / "frame.png"
    write_png(moving_ramp(1)[0], path)
    before = path.read_bytes()

    def full_disk(target: Path, *_: object, **__: object) -> None:
        Path(target).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(iio, "imwrite", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_png(moving_ramp(1)[0] + 1, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "frames",
    [
        None,
        "clip.mp4",
        [[0]],
        STILL.astype(np.float32),
        STILL[0],
        STILL[..., :2],
        STILL[:, :0],
        STILL[:0],
    ],
)
def test_what_is_no_video_is_refused(frames: object) -> None:
    with pytest.raises(InputError, match="frames must be uint8 frames of shape t h w 3, got"):
        check_frames("frames", frames)


@pytest.mark.parametrize("write", [write_mp4, write_gif, write_webp])
class TestFile:
    @pytest.mark.parametrize("fps", [0, -1, math.nan, math.inf, 10**400, "8", True, None])
    def test_rate_that_no_file_can_have_is_refused(self, tmp_path, write, fps) -> None:
        with pytest.raises(InputError, match=r"fps must be a number from 0\.01 to 1,000\.0"):
            inspect.unwrap(write)(STILL, tmp_path / "clip", fps)

    @pytest.mark.parametrize("frames", [None, STILL[0], STILL[:0], STILL.astype(float)])
    def test_what_is_no_video_is_not_written(self, tmp_path, write, frames) -> None:
        with pytest.raises(InputError, match="frames must be uint8 frames of shape t h w 3"):
            inspect.unwrap(write)(frames, tmp_path / "clip", 8)
        assert not list(tmp_path.iterdir())

    def test_missing_folder_is_named(self, tmp_path, write) -> None:
        with pytest.raises(InputError, match=r"no folder 'films' to write 'a\.b' into; make it"):
            write(STILL, tmp_path / "films" / "a.b", 8)


def test_rate_may_be_a_number_of_numpy(tmp_path) -> None:
    inspect.unwrap(write_mp4)(moving_ramp(), tmp_path / "clip.mp4", np.float32(7.5))
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert container.streams.video[0].average_rate == Fraction(15, 2)
