import json
import logging

import numpy as np
import pytest

from olvdm import decoding
from olvdm.data import clips
from olvdm.data.clips import FolderClips, fit_frames
from olvdm.errors import InputError, StorageError
from olvdm.video import write_gif, write_mp4
from tests.clip_files import make_video, moving_frames


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Keep decoded frames out of the user's own cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "olvdm" / "clips"


@pytest.fixture
def folder(tmp_path):
    """Two good videos in two formats."""
    folder = tmp_path / "videos"
    (folder / "deep").mkdir(parents=True)
    write_mp4(moving_frames(40), folder / "a.mp4")
    write_gif(moving_frames(20, 48, 48), folder / "deep" / "b.GIF")
    return folder


@pytest.fixture
def messy_folder(folder):
    """With a short video, a broken one, and a file that is none."""
    write_mp4(moving_frames(5), folder / "short.mp4")
    (folder / "broken.mp4").write_text("no video")
    (folder / "notes.md").write_text("no video either")
    return folder


def test_every_video_gives_as_many_clips_as_fit(folder):
    data = FolderClips(folder)
    assert len(data) == 40 // 16 + 20 // 16
    assert {clip.frames.shape for clip in data} == {(16, 64, 64, 3)}


def test_unusable_videos_are_skipped_with_a_line_each_and_a_summary(messy_folder, caplog):
    caplog.set_level(logging.INFO)
    data = FolderClips(messy_folder)
    data.warn()
    assert [(video.name, video.reason) for video in data.skipped] == [
        ("broken.mp4", decoding.UNREADABLE),
        (
            "short.mp4",
            (
                "The clip has 5 frames; at least 16 are needed, so use a longer one, or ask for "
                "fewer frames a clip."
            ),
        ),
    ]
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 2
    assert "2 videos used, 2 skipped: 3 clips of 16 frames for train" in caplog.text


def test_video_of_fewer_frames_than_the_decoder_asks_elsewhere_can_be_trained_on(messy_folder):
    data = FolderClips(messy_folder, num_frames=4)
    assert "short.mp4" in {video.name for video, _ in data.clips}


def test_videos_longer_than_what_is_read_are_told(folder, caplog):
    FolderClips(folder, height=512, width=512).warn()
    assert "of 2 of the videos only the first 16 frames are read; cut longer ones" in caplog.text


def test_videos_that_are_read_whole_are_not_called_cut(folder, caplog):
    FolderClips(folder).warn()
    assert "are read" not in caplog.text


def test_log_names_a_skipped_video_shortly_and_says_no_path(messy_folder, caplog):
    caplog.set_level(logging.DEBUG)
    FolderClips(messy_folder).warn()
    assert caplog.text.count("video 'broken.mp4' is skipped: This is not a readable") == 1
    assert str(messy_folder) not in caplog.text


def test_what_is_left_out_is_listed_and_logged_on_request_alone(messy_folder, caplog):
    data = FolderClips(messy_folder, num_frames=4, height=512, width=512)
    assert [video.name for video in data.skipped] == ["broken.mp4"]
    assert data.remarks[0].startswith("of 2 of the videos only the first")
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


def test_captions_of_files_that_are_not_there_are_counted_and_the_first_is_named(folder, caplog):
    rows = ("a.mp4,a ramp", "gone.mp4,a lost ramp", "deep/lost.mp4,another", "b,a square ramp")
    (folder / "captions.csv").write_text("\n".join(("file,caption", *rows)))
    data = FolderClips(folder)
    data.warn()
    said = "captions of videos that are not there: 2, the first that of 'gone.mp4'"
    assert caplog.text.count(said) == 1
    assert len(data.remarks) == 1


def test_captions_of_files_that_are_there_are_not_remarked(folder):
    (folder / "captions.csv").write_text("file,caption\ndeep/b.GIF,a square ramp\n")
    assert FolderClips(folder).remarks == []


def test_same_settings_give_the_same_clips(folder):
    first, second = FolderClips(folder, seed=3), FolderClips(folder, seed=3)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.frames, b.frames)


def test_another_seed_cuts_at_other_places(folder):
    starts = {
        tuple(start for _, start in FolderClips(folder, seed=seed).clips) for seed in range(5)
    }
    assert len(starts) > 1


def test_clips_of_a_video_do_not_overlap(folder):
    data = FolderClips(folder, num_frames=8, stride=2)
    starts = [start for video, start in data.clips if video.name == "a.mp4"]
    assert len(starts) == 40 // 15
    assert np.diff(starts).tolist() == [15] * (len(starts) - 1)


def test_stride_takes_every_second_frame(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    frames = np.arange(15, dtype=np.uint8)[:, None, None, None] * np.full(
        (1, 64, 64, 3), 16, np.uint8
    )
    (folder / "a.mkv").write_bytes(make_video("matroska", "ffv1", "bgr0", frames=frames))
    clip = FolderClips(folder, num_frames=8, stride=2)[0]
    np.testing.assert_array_equal(clip.frames[:, 0, 0, 0], np.arange(0, 15, 2) * 16)


def test_negative_index_counts_from_the_end(folder):
    data = FolderClips(folder)
    np.testing.assert_array_equal(data[-1].frames, data[len(data) - 1].frames)


def test_second_look_decodes_nothing(folder, monkeypatch):
    first = FolderClips(folder)
    monkeypatch.setattr(clips, "decode_video", None)
    np.testing.assert_array_equal(FolderClips(folder)[0].frames, first[0].frames)


def test_renamed_video_is_found_in_the_cache(folder, monkeypatch):
    FolderClips(folder)
    (folder / "a.mp4").rename(folder / "z.mp4")
    monkeypatch.setattr(clips, "decode_video", None)
    assert len(FolderClips(folder)) == 3


def test_damaged_cache_is_made_anew(folder, cache):
    before = FolderClips(folder)[0].frames
    for file in cache.iterdir():
        file.write_bytes(file.read_bytes()[:200])
    np.testing.assert_array_equal(FolderClips(folder)[0].frames, before)


def test_full_disk_leaves_nothing_half_written(folder, cache, monkeypatch):
    def full(file, *_: object, **__: object) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(StorageError, match="free some space"):
        FolderClips(folder)
    assert list(cache.iterdir()) == []


def test_cache_folder_that_cannot_be_made_is_named(folder, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(StorageError, match="XDG_CACHE_HOME"):
        FolderClips(folder)


def test_copy_of_a_video_counts_once(folder):
    (folder / "copy.mp4").write_bytes((folder / "a.mp4").read_bytes())
    data = FolderClips(folder)
    assert len(data) == 3
    assert ("copy.mp4", "It has the same bytes as another.") in [
        (video.name, video.reason) for video in data.skipped
    ]


def test_splits_of_a_folder_share_no_video(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    for number in range(10):
        picture = np.full((8, 16, 16, 3), 12 * number, np.uint8)
        (folder / f"{number}.mkv").write_bytes(make_video("matroska", "ffv1", "bgr0", picture))
    names = {
        split: {video.name for video, _ in FolderClips(folder, num_frames=8, split=split).clips}
        for split in ("train", "val", "test")
    }
    assert {split: len(found) for split, found in names.items()} == {
        "train": 8,
        "val": 1,
        "test": 1,
    }
    assert len(set.union(*names.values())) == 10


def test_small_folder_says_that_nothing_is_held_out(folder, caplog):
    data = FolderClips(folder, split="val")
    assert not data.is_held_out
    assert len(data) == 3
    assert "val is not held out: that needs 10 usable videos, and there are 2" in caplog.text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("captions.csv", "file,caption\na.mp4,a ramp\ndeep/b.GIF,a square ramp\n"),
        ("captions.csv", 'caption,video\n"a\nramp",a\na square ramp,b\n'),
        ("captions.json", json.dumps({"a.mp4": "a ramp", "b.GIF": "a square ramp"})),
        (
            "captions.json",
            json.dumps([{"path": "a", "text": "a ramp"}, {"path": "b", "text": "a square ramp"}]),
        ),
    ],
)
def test_captions_file_is_found_and_read(folder, name, content):
    (folder / name).write_text(content)
    assert {clip.prompt for clip in FolderClips(folder)} == {"a ramp", "a square ramp"}


def test_caption_beside_a_video_is_read(folder):
    (folder / "a.txt").write_text("a ramp\n")
    assert sorted(clip.prompt for clip in FolderClips(folder)) == ["", "a ramp", "a ramp"]


def test_named_captions_file_comes_first(folder, tmp_path):
    (folder / "captions.csv").write_text("file,caption\na.mp4,wrong\n")
    (tmp_path / "mine.json").write_text('{"a.mp4": "right"}')
    prompts = {clip.prompt for clip in FolderClips(folder, tmp_path / "mine.json")}
    assert prompts == {"", "right"}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("captions.json", b"{", "it is not readable CSV or JSON in UTF-8"),
        ("captions.json", b"3", "it must hold an object of captions by file, or a list"),
        ("captions.json", b'{"a.mp4": 3}', "it must hold an object of captions by file"),
        ("captions.json", b"[" * 100_000, "it is not readable CSV or JSON"),
        ("captions.csv", b"\xff\xfe\0", "it is not readable CSV or JSON"),
        ("captions.csv", b"name,words\na.mp4,a ramp\n", "row 1 lacks a file or a caption"),
        ("captions.csv", b"file;caption\na.mp4;a ramp\n", "row 1 lacks .* a comma between them"),
        ("captions.csv", b"file,caption\nb.mp4,b\na.mp4\n", "row 2 lacks a file or a caption"),
    ],
)
def test_unreadable_captions_are_one_sentence(folder, name, content, reason):
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=f"^captions file '{name}': {reason}") as caught:
        FolderClips(folder)
    assert str(folder) not in caught.value.user_message


def test_missing_captions_file_is_named(folder):
    with pytest.raises(InputError, match=r"^captions file 'none\.csv': there is no such"):
        FolderClips(folder, folder / "none.csv")


def empty_folder(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    return folder


def test_folder_without_videos_says_what_is_accepted(tmp_path):
    with pytest.raises(InputError, match=r"'videos' holds no videos; accepted are \.mp4, \.webm"):
        FolderClips(empty_folder(tmp_path))


def test_missing_folder_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="no such folder of videos as 'none'; give one that"):
        FolderClips(tmp_path / "none")


def test_file_in_place_of_a_folder_is_one_sentence(tmp_path):
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(InputError, match=r"^'a\.mp4' is a file, not a folder of videos; give the"):
        FolderClips(tmp_path / "a.mp4")


def test_folder_of_broken_videos_names_the_first_reason(tmp_path):
    folder = empty_folder(tmp_path)
    (folder / "a.mp4").write_text("no video")
    with pytest.raises(
        InputError, match=r"None of the 1 videos in the folder 'videos' .*'a\.mp4'.*not a readable"
    ):
        FolderClips(folder)


@pytest.mark.parametrize(
    "wrong", [{"num_frames": 0}, {"height": 8}, {"split": "all"}, {"seed": -1}]
)
def test_wrong_setting_names_itself(folder, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        FolderClips(folder, **wrong)


@pytest.mark.parametrize("num_frames", [1, 16, 256])
def test_large_clips_still_fit_in_a_reply(num_frames):
    data = FolderClips.__new__(FolderClips)
    data.height = data.width = 512
    data.num_frames, data.stride = num_frames, 1
    assert 3 * data._side**2 * num_frames <= 48 * 2**20
    assert data._side % 2 == 0


def test_oblong_frames_are_cropped_at_their_centre():
    frames = np.zeros((1, 4, 8, 3), np.uint8)
    frames[:, :, 2:6] = 200
    assert (fit_frames(frames, 2, 2) == 200).all()


def test_scaled_pixel_is_the_mean_of_its_area():
    frames = np.array([[0, 100], [200, 100]], np.uint8)[None, :, :, None].repeat(3, axis=3)
    assert fit_frames(frames, 1, 1).ravel().tolist() == [100, 100, 100]
