import numpy as np
import pytest

from olvdm.commands.given_frames import check_places, read_given
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


@pytest.mark.parametrize("files", [["a.jpg"], ["a.JPEG", "b.jpg"], ["a.png", "b.tiff"]])
def test_picture_of_another_format_is_named(files) -> None:
    with pytest.raises(InputError, match=r"given pictures are PNG or WebP, got '.*'; conv"):
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
