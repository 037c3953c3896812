import json
import os
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from olvdm import decoding, decoding_child, limits
from olvdm.decoding import decode_still, decode_video
from olvdm.errors import VideoError
from olvdm.video import write_mp4, write_png, write_webp
from tests.clip_files import (
    TURNS,
    audio_file,
    make_video,
    moving_frames,
    repeated_video,
    turned_mp4,
)

REPLY = (  # a child's last words, if it got that far
    "sys.stdout.buffer.write(json.dumps({'shape': [1, 2, 2], 'fps': 8, 'source': [2, 2], "
    "'notes': []}).encode() + b'\\n' + bytes(12))"
)


@pytest.fixture
def read(tmp_path):
    """Decode bytes as if they had been uploaded."""

    def decode(data: bytes, **kwargs):
        path = tmp_path / "upload.bin"
        path.write_bytes(data)
        return decode_video(path, **kwargs)

    return decode


@pytest.mark.parametrize(
    ("container", "codec", "pix_fmt"),
    [
        ("mp4", "libx264", "yuv420p"),
        ("mov", "mpeg4", "yuv420p"),
        ("webm", "libvpx-vp9", "yuv420p"),
        ("matroska", "ffv1", "bgr0"),
        ("avi", "mjpeg", "yuvj420p"),
        ("gif", "gif", "rgb8"),
        ("apng", "apng", "rgb24"),
    ],
)
def test_every_promised_format_is_read(read, container, codec, pix_fmt):
    video = read(make_video(container, codec, pix_fmt))
    assert video.frames.shape == (12, 64, 96, 3)
    assert np.abs(video.frames.astype(int) - moving_frames()).mean() < 24
    assert video.fps == pytest.approx(8, rel=0.05)


def test_lossless_video_comes_back_pixel_for_pixel(read):
    np.testing.assert_array_equal(
        read(make_video("matroska", "ffv1", "bgr0")).frames, moving_frames()
    )


def test_what_we_write_we_read(tmp_path):
    write_mp4(moving_frames(), tmp_path / "clip.mp4", fps=7.5)
    video = decode_video(tmp_path / "clip.mp4")
    assert np.abs(video.frames.astype(int) - moving_frames()).mean() < 6
    assert (video.fps, video.notes) == (7.5, ())


def test_frames_can_be_written_to(read):
    assert read(make_video()).frames.flags.writeable


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turned_clip_is_shown_upright(read, degrees):
    frames = moving_frames()
    video = read(turned_mp4(make_video(frames=frames), TURNS[degrees]))
    upright = np.rot90(frames, -degrees // 90, axes=(1, 2))
    assert np.abs(video.frames.astype(int) - upright).mean() < 6
    assert f"Turned by {degrees} degrees, as the file asks." in video.notes
    assert (video.source_height, video.source_width) == upright.shape[1:3]


def test_clip_turned_by_another_angle_is_refused(read):
    with pytest.raises(VideoError, match="only 0, 90, 180 and 270"):
        read(turned_mp4(make_video(), (0.7071, 0.7071, -0.7071, 0.7071)))


def test_oblong_pixels_are_stretched_to_their_display_shape(read):
    video = read(make_video(frames=moving_frames(8, 64, 48), aspect=Fraction(2)))
    assert video.frames.shape[1:3] == (64, 96)
    assert np.abs(video.frames.astype(int) - moving_frames(8)).mean() < 8
    assert "not square" in video.notes[0]


def test_turned_clip_of_oblong_pixels_keeps_both(read):
    data = make_video(frames=moving_frames(8, 64, 48), aspect=Fraction(2))
    assert read(turned_mp4(data, TURNS[90])).frames.shape[1:3] == (96, 64)


def test_large_picture_shrinks_and_keeps_its_shape(read):
    video = read(make_video(codec="mpeg4", frames=moving_frames(8, 360, 640)))
    assert video.frames.shape[1:3] == (144, 256)
    assert (video.source_height, video.source_width) == (360, 640)
    assert video.notes == ("Scaled from 640x360 to 256x144 pixels.",)


def test_odd_sides_become_even(read):
    video = read(make_video("matroska", "ffv1", "bgr0", frames=moving_frames(8, 63, 65)))
    assert not any(side % 2 for side in video.frames.shape[1:3])
    assert "Scaled from 65x63" in video.notes[0]


def test_small_picture_is_not_enlarged(read):
    video = read(make_video(frames=moving_frames(8, 16, 16)))
    assert video.frames.shape[1:3] == (16, 16)


def test_long_clip_is_cut_and_says_so(read):
    video = read(repeated_video(300))
    assert len(video.frames) == limits.CLIP_FRAMES.high
    assert video.notes == ("The clip is longer than 256 frames; the first 256 are read.",)


def test_clip_of_exactly_the_limit_is_not_called_cut(read):
    assert read(repeated_video(20), max_frames=20).notes == ()


def test_transparency_is_dropped_and_said(read):
    frames = np.dstack([moving_frames(8).reshape(8, -1, 3), np.full((8, 64 * 96, 1), 90)])
    data = make_video("apng", "apng", "rgba", frames=frames.reshape(8, 64, 96, 4).astype(np.uint8))
    video = read(data)
    np.testing.assert_array_equal(video.frames, moving_frames(8))
    assert video.notes == ("Transparency is dropped.",)


def test_transparent_webm_says_what_was_dropped(read):
    assert "Transparency is dropped." in read(make_video("webm", "libvpx-vp9", "yuva420p")).notes


def test_high_dynamic_range_is_said(read):
    notes = read(make_video("matroska", "ffv1", "yuv420p10le", transfer=16)).notes
    assert notes[0] == "10 bits a colour are reduced to 8."
    assert "not tone-mapped" in notes[1]


def test_uneven_frame_rate_is_read_in_order(read):
    video = read(
        make_video("matroska", "ffv1", "bgr0", times=[0, 1, 2, 3, 9, 10, 11, 20, 21, 22, 23, 24])
    )
    np.testing.assert_array_equal(video.frames, moving_frames())
    assert video.notes == ("The frame rate varies; frames are read in order.",)
    assert video.fps == pytest.approx(8 * 11 / 24, rel=0.02)


@pytest.mark.parametrize(("num_frames", "count"), [(1, "1 frame;"), (7, "7 frames;")])
def test_short_clip_says_how_many_frames_it_has(read, num_frames, count):
    with pytest.raises(VideoError, match=f"has {count} at least 8 are needed"):
        read(make_video(frames=moving_frames(num_frames)))


def test_empty_file_is_called_empty(read):
    with pytest.raises(VideoError, match=r"^The file is empty; choose another\.$"):
        read(b"")


def test_audio_alone_has_no_video_track(read):
    with pytest.raises(VideoError, match="no video track"):
        read(audio_file())


def test_file_over_the_limit_is_refused_before_it_is_copied(read):
    with pytest.raises(VideoError, match=r"has 2\.0 MiB; at most 1 MiB"):
        read(bytes(2**21), max_bytes=2**20)


def test_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(VideoError, match="no such file"):
        decode_video(tmp_path / "none.mp4")


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_impossible_name_is_one_sentence(tmp_path, name):
    with pytest.raises(VideoError, match="no such file"):
        decode_video(tmp_path / name)


def test_folder_is_no_file(tmp_path):
    with pytest.raises(VideoError, match="This is a folder; choose a file in it"):
        decode_video(tmp_path)


def test_more_frames_than_a_reply_holds_are_a_programmers_mistake(tmp_path):
    with pytest.raises(ValueError, match="257 frames of 256x256"):
        decode_video(tmp_path, max_frames=257)


def test_nothing_stays_in_the_temporary_folder(read, tmp_path, monkeypatch):
    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(private))
    read(make_video())
    with pytest.raises(VideoError):
        read(b"no video")
    assert list(private.iterdir()) == []


def test_slow_child_is_stopped(read, monkeypatch):
    monkeypatch.setattr(limits, "DECODE_WALL", 0.02)
    with pytest.raises(VideoError, match="took longer"):
        read(make_video())


def test_child_out_of_processor_time_is_stopped(read, monkeypatch, tmp_path):
    monkeypatch.setattr(limits, "DECODE_CPU", 1)
    with pytest.raises(VideoError, match="took longer"):
        run_instead(monkeypatch, tmp_path, "while True: pass", read)


def test_child_out_of_memory_is_an_unreadable_file(read, monkeypatch, tmp_path):
    with pytest.raises(VideoError, match="not a readable"):
        run_instead(monkeypatch, tmp_path, f"bytes(3 * 1024**3); {REPLY}", read)


def test_child_cannot_fill_the_disk(read, monkeypatch, tmp_path):
    with pytest.raises(VideoError, match="not a readable"):
        run_instead(
            monkeypatch, tmp_path, f"open('x', 'wb').write(bytes(60 * 10**6)); {REPLY}", read
        )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full to write to")
def test_full_disk_is_not_blamed_on_the_file(read, monkeypatch, tmp_path):
    source = "sys.stdout = open('/dev/full', 'w'); decoding_child.send(iter([b'an answer']))"
    with pytest.raises(VideoError, match="The disk is full"):
        run_instead(monkeypatch, tmp_path, source, read)


def test_child_within_its_limits_is_heard(read, monkeypatch, tmp_path):
    assert run_instead(monkeypatch, tmp_path, REPLY, read).frames.shape == (1, 2, 2, 3)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"garbage",
        b"\xff\xfe\n",
        b"[]\n",
        b'{"refusal": ["<script>", []]}\n',
        b'{"refusal": ["short", ["<script>"]]}\n',
        b'{"shape": [9, 9, 9], "fps": 8, "source": [9, 9], "notes": []}\nshort',
        b'{"shape": [0], "fps": 8, "source": [9, 9], "notes": [["spell", []]]}\n',
        b"[" * 9_000 + b"\n",
    ],
)
def test_garbage_from_the_child_is_an_unreadable_file(reply):
    with pytest.raises(VideoError, match="not a readable"):
        decoding._read_reply(reply, decoding.UNREADABLE)


def run_instead(monkeypatch, tmp_path, source, read):
    """Let another program run under the child's limits."""
    program = tmp_path / "program.py"
    folder = Path(decoding_child.__file__).parent
    program.write_text(
        f"import sys, json, os; sys.path.insert(0, {str(folder)!r})\n"
        f"import decoding_child; decoding_child.limit_resources(json.load(sys.stdin))\n{source}\n"
    )
    monkeypatch.setattr(decoding_child, "__file__", str(program))
    return read(make_video())


def test_child_sees_no_token_and_an_almost_empty_folder(read, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_TOKEN", "secret")
    seen = tmp_path / "seen.json"
    source = f"json.dump([dict(os.environ), os.listdir()], open({str(seen)!r}, 'w'))"
    with pytest.raises(VideoError):
        run_instead(monkeypatch, tmp_path, source, read)
    environment, files = json.loads(seen.read_text())
    assert "secret" not in environment.values()
    assert "HOME" not in environment
    assert sorted(Path(name).suffix for name in files) == ["", ".bin"]


def test_child_never_loads_torch_or_our_package():
    code = (
        f"import sys; sys.path.insert(0, {str(Path(decoding_child.__file__).parent)!r})\n"
        "import decoding_child; sys.exit('torch' in sys.modules or 'olvdm' in sys.modules)"
    )
    subprocess.run([sys.executable, "-I", "-c", code], check=True, env=dict(os.environ))


@pytest.mark.parametrize(
    "write", [write_png, lambda picture, path: write_webp(picture[None], path)]
)
def test_still_picture_comes_back(tmp_path, write):
    picture = moving_frames(1)[0]
    write(picture, tmp_path / "first.bin")
    np.testing.assert_array_equal(decode_still(tmp_path / "first.bin"), picture)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"icc_profile": bytes(100_000)}])
def test_jpeg_is_read_as_pillow_reads_it(tmp_path, options):
    from PIL import Image

    Image.fromarray(moving_frames(1)[0]).save(tmp_path / "a.jpg", **options)
    with Image.open(tmp_path / "a.jpg") as picture:
        np.testing.assert_array_equal(decode_still(tmp_path / "a.jpg"), np.asarray(picture))


def test_jpeg_is_turned_as_its_camera_was(tmp_path):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: a quarter turn
    Image.new("RGB", (48, 32)).save(tmp_path / "a.jpg", exif=exif)
    assert decode_still(tmp_path / "a.jpg").shape == (48, 32, 3)


def test_large_still_shrinks(tmp_path):
    write_png(moving_frames(1, 400, 300)[0], tmp_path / "first.png")
    assert decode_still(tmp_path / "first.png").shape == (256, 192, 3)


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"lossless": True}, (31, 17)),
        ({"quality": 80}, (31, 17)),
        ({"exif": b"Exif\0\0"}, (31, 17)),
    ],
)
def test_size_of_every_kind_of_webp_is_read_before_pillow_sees_it(tmp_path, options, size):
    from PIL import Image

    Image.new("RGB", size).save(tmp_path / "a.webp", **options)
    assert decoding_child.still_size((tmp_path / "a.webp").read_bytes()[:30]) == size
