import pytest

from olvdm.errors import InputError
from olvdm.serving.sample_clips import SHAPES, read_sample, sample_labels


@pytest.mark.parametrize("key", SHAPES)
def test_shapes_are_clips_of_the_usual_size(key) -> None:
    clip, notes = read_sample(key)
    assert clip.frames.shape == (16, 64, 64, 3)
    assert not clip.is_upload
    assert notes == ()


def test_real_video_comes_through_the_decoder() -> None:
    clip, notes = read_sample("earth")
    assert clip.frames.shape == (32, 144, 256, 3)
    assert "The clip is longer than 32 frames; the first 32 are read." in notes


def test_every_label_has_a_clip_behind_it() -> None:
    assert set(SHAPES) <= set(sample_labels())


@pytest.mark.parametrize("wrong", [None, "", "../../etc/passwd", 3, ["shapes"]])
def test_unknown_clip_is_refused_in_words(wrong) -> None:
    with pytest.raises(InputError, match="choose one of the buttons"):
        read_sample(wrong)
