import numpy as np
import pytest

from olvdm.commands.given_frames import check_count, check_last, check_places, read_given
from olvdm.errors import InputError, VideoError
from olvdm.video import write_mp4, write_png


def test_pictures_of_two_sizes_are_refused(tmp_path) -> None:
    for side in (32, 48):
        write_png(np.zeros((side, side, 3), np.uint8), tmp_path / f"{side}.png")
    with pytest.raises(InputError, match="32x32 and 48x48"):
        read_given([str(tmp_path / "32.png"), str(tmp_path / "48.png")])


def test_given_video_is_read_frame_by_frame(tmp_path) -> None:
    write_mp4(np.zeros((10, 32, 32, 3), np.uint8), tmp_path / "clip.mp4")
    given = read_given([str(tmp_path / "clip.mp4")])
    assert given is not None
    assert given.shape == (10, 32, 32, 3)


def test_text_file_named_mp4_is_refused(tmp_path) -> None:
    (tmp_path / "clip.mp4").write_text("not a video")
    with pytest.raises(VideoError):
        read_given([str(tmp_path / "clip.mp4")])


@pytest.mark.parametrize("files", [["a.bmp"], ["a.TIF", "b.tif"], ["a.png", "b.tiff"]])
def test_picture_of_another_format_is_named(files) -> None:
    with pytest.raises(InputError, match=r"given pictures are PNG, WebP or JPEG, got '.*'; conv"):
        read_given(files)


def test_folder_in_place_of_a_video_is_said(tmp_path) -> None:
    with pytest.raises(VideoError, match="this is a folder; choose a file in it"):
        read_given([str(tmp_path)])


def test_places_rise_within_the_clip() -> None:
    assert check_places([0, 7], ["a.png", "b.png"], 8) == (0, 7)


@pytest.mark.parametrize(
    ("places", "given", "reason"),
    [
        ([0, 1], (), "places say where given frames belong; name those with --given FILE"),
        (3, ["a.png"], "places must be a list of at most 8 whole numbers"),
        ([0] * 9, ["a.png"], "places must be a list of at most 8 whole numbers"),
        ([8], ["a.png"], "places must be a whole number from 0 to 7, got 8"),
        ([1, 1], ["a.png", "b.png"], "places must rise, got 1 1"),
        ([True], ["a.png"], "places must be a whole number from 0 to 7, got True"),
    ],
)
def test_places_that_no_frame_can_have_are_refused(places, given, reason) -> None:
    with pytest.raises(InputError, match=reason):
        check_places(places, given, 8)


def test_last_frames_of_a_video_are_its_end(tmp_path) -> None:
    rising = np.arange(12, dtype=np.uint8)[:, None, None, None] * 20
    write_mp4(np.broadcast_to(rising, (12, 32, 32, 3)).copy(), tmp_path / "clip.mp4")
    whole, end = (read_given([str(tmp_path / "clip.mp4")], last) for last in (None, 3))
    assert whole is not None
    assert end is not None
    np.testing.assert_array_equal(end, whole[9:])


def test_more_last_frames_than_the_video_has_are_refused(tmp_path) -> None:
    write_mp4(np.zeros((10, 32, 32, 3), np.uint8), tmp_path / "clip.mp4")
    with pytest.raises(VideoError, match="it has 10 frames, so last must be at most that, got 11"):
        read_given([str(tmp_path / "clip.mp4")], 11)


def test_end_of_a_video_that_is_not_read_so_far_is_refused(tmp_path) -> None:
    write_mp4(np.zeros((255, 16, 16, 3), np.uint8), tmp_path / "clip.mp4")
    with pytest.raises(VideoError, match="longer than 254 frames, so its last ones are not read"):
        read_given([str(tmp_path / "clip.mp4")], 8)


def test_all_frames_of_a_video_are_given_where_nobody_says_how_many() -> None:
    assert check_last(None, (), 8) is None
    assert check_last(8, ["clip.mp4"], 8) == 8


@pytest.mark.parametrize(
    ("last", "given", "reason"),
    [
        (2, (), "last says how much of a video is given; name one with --given VIDEO"),
        (2, ["a.png"], "last says how much of a video is given"),
        (0, ["clip.mp4"], "last must be a whole number from 1 to 8, got 0"),
        (9, ["clip.mp4"], "last must be a whole number from 1 to 8, got 9"),
        ("x", ["clip.mp4"], "last must be a whole number from 1 to 8, got 'x'"),
    ],
)
def test_number_of_last_frames_that_cannot_be_is_refused(last, given, reason) -> None:
    with pytest.raises(InputError, match=reason):
        check_last(last, given, 8)


@pytest.mark.parametrize(
    ("files", "remedy"),
    [
        (["clip.mp4"], "ask for a longer clip, or go on from its end alone, as with --last 4"),
        (["a.png"] * 9, "ask for a longer clip, or give fewer"),
    ],
)
def test_more_given_frames_than_the_clip_has_are_told_how_to_be_fewer(files, remedy) -> None:
    with pytest.raises(InputError, match=f"9 frames are given, but num_frames is 8; {remedy}"):
        check_count(9, files, None, 8)
