import numpy as np
import pytest

from olvdm.data.moving_shapes import MovingShapes
from olvdm.evaluation.thumbnails import (
    SHAPE,
    ThumbnailSpace,
    pack_thumbnail,
    thumbnail,
    thumbnail_features,
    unpack_thumbnails,
    wave_features,
)

SIZE = {"num_frames": 8, "height": 32, "width": 32}
TRAINING = MovingShapes("simple", "train", 40, **SIZE)
OTHERS = MovingShapes("simple", "val", 30, **SIZE)
TEST = MovingShapes("simple", "test", 30, **SIZE)


def thumbnails(clips: MovingShapes) -> list[np.ndarray]:
    return [thumbnail(clips[place].frames) for place in range(len(clips))]


@pytest.fixture(scope="module")
def space() -> ThumbnailSpace:
    return ThumbnailSpace(TRAINING, OTHERS)


def test_distance_of_black_and_white_is_one() -> None:
    clips = [np.full((16, 64, 64, 3), shade, np.uint8) for shade in (0, 255)]
    black, white = thumbnail_features([thumbnail(clip) for clip in clips])
    assert np.linalg.norm(black - white) == pytest.approx(1.0)


def test_waves_keep_distances_of_slow_clips() -> None:
    clips = [np.full((16, 64, 64, 3), shade, np.uint8) for shade in (0, 255)]
    black, white = wave_features([thumbnail(clip) for clip in clips])
    assert np.linalg.norm(black - white) == pytest.approx(np.sqrt(np.prod(SHAPE)))


def test_waves_see_which_way_an_object_moves() -> None:
    frames = TEST[0].frames
    there, back = wave_features([thumbnail(frames), thumbnail(frames[::-1])])
    assert np.linalg.norm(there - back) > 0.1


def test_thumbnail_comes_back_pixel_by_pixel() -> None:
    small = thumbnail(TEST[0].frames)
    np.testing.assert_array_equal(unpack_thumbnails([pack_thumbnail(small)])[0], small)


def test_copied_training_clip_is_at_no_distance(space: ThumbnailSpace) -> None:
    copied, fresh = space.nearest([thumbnail(TRAINING[3].frames), thumbnail(TEST[3].frames)])
    assert copied == 0
    assert fresh > 0.01


def test_real_clips_are_nearer_to_real_ones_than_noise(space: ThumbnailSpace) -> None:
    noise = list(np.random.default_rng(0).integers(0, 256, (30, 4, 8, 8, 3), dtype=np.uint8))
    found = space.compare(noise, thumbnails(TEST))
    for name in ("frechet_distance", "kernel_distance"):
        assert found[name]["real"] < found[name]["generated"]


def test_real_clips_themselves_are_at_no_frechet_distance(space: ThumbnailSpace) -> None:
    real = thumbnails(TEST)
    assert space.compare(real, real)["frechet_distance"]["generated"] == pytest.approx(0, abs=1e-3)
