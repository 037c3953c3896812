from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from olvdm.data.moving_shapes import MovingShapes
from olvdm.training.clip_source import ClipSource
from olvdm.training.config import AutoencoderConfig
from olvdm.video import write_mp4
from tests.tiny_networks import tiny_autoencoder


def config(**changes: object) -> AutoencoderConfig:
    settings: dict[str, object] = {
        "num_frames": 8,
        "height": 32,
        "width": 32,
        "num_clips": 3,
        "level": "simple",
        "precision": "no",
        **changes,
    }
    return AutoencoderConfig(**settings)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "videos"
    folder.mkdir()
    for index in range(2):
        frames = np.full((16, 32, 32, 3), 60 * index + 60, dtype=np.uint8)
        write_mp4(frames, folder / f"{index}.mp4")
    return folder


def test_synthetic_clips_are_those_of_the_data_set() -> None:
    data = MovingShapes("simple", "train", 3, num_frames=8, height=32, width=32)
    found = ClipSource(config()).frames([2, 0])
    np.testing.assert_array_equal(found, [data[2].frames, data[0].frames])


def test_splits_show_other_clips() -> None:
    train, held_out = (ClipSource(config(), split=split).frames([0]) for split in ("train", "val"))
    assert (train != held_out).any()


def test_seed_of_the_training_changes_no_clip() -> None:
    first, second = (ClipSource(config(seed=seed)).frames([1]) for seed in (0, 1))
    np.testing.assert_array_equal(first, second)


def test_number_of_clips_is_the_settings_own_unless_said() -> None:
    assert (len(ClipSource(config())), len(ClipSource(config(), num_clips=2))) == (3, 2)


def test_folder_of_videos_takes_the_place_of_the_synthetic_world(videos: Path) -> None:
    source = ClipSource(config(videos=str(videos)))
    assert source.frames([0]).shape == (1, 8, 32, 32, 3)
    assert len(source) == 4  # two clips of 8 frames fit in each


def test_skipped_video_is_told_once_for_all_splits(videos: Path, caplog) -> None:
    (videos / "broken.mp4").write_text("no video")
    for split in ("train", "val"):
        ClipSource(config(videos=str(videos)), split=split)
    assert caplog.text.count("video 'broken.mp4' is skipped") == 1


def test_folder_may_hold_fewer_clips_than_were_asked_for(videos: Path) -> None:
    assert len(ClipSource(config(videos=str(videos)), num_clips=100)) == 4
    assert len(ClipSource(config(videos=str(videos)), num_clips=3)) == 3


def doubled(clip: Tensor) -> list[Tensor]:
    return [clip, clip[:, :, :2]]


def test_pieces_are_encoded_each_as_a_clip_of_its_own(tmp_path: Path) -> None:
    source, autoencoder = ClipSource(config(latents=str(tmp_path))), tiny_autoencoder()
    latents = source.encoded(autoencoder, "whole and beginning", doubled).fetch([1])["latents"]
    assert isinstance(latents, Tensor)
    assert latents.shape == (1, 4, 5, 8, 8)
    torch.testing.assert_close(latents[:, :, 4], latents[:, :, 0], atol=2e-2, rtol=2e-2)
