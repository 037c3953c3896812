import json

import imageio.v3 as iio
import numpy as np
import pytest

from olvdm.cli import main
from olvdm.data.moving_shapes import MovingShapes


@pytest.fixture(autouse=True)
def private_cache(tmp_path_factory, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def test_sheet_shows_clips_and_prints_their_prompts(tmp_path, capsys) -> None:
    words = ["--level", "simple", "--split", "val", "--num-clips", "2", "--seed", "5"]
    assert main(["data", "show", *words, "--output", str(tmp_path / "sheet.png")]) == 0
    world = MovingShapes(level="simple", split="val", num_clips=2, seed=5)
    assert capsys.readouterr().out.splitlines() == [clip.prompt for clip in world]
    assert iio.imread(tmp_path / "sheet.png").ndim == 3


def test_exported_clips_carry_their_truth(tmp_path) -> None:
    words = ["--level", "simple", "--num-clips", "2", "--output", str(tmp_path / "shapes")]
    assert main(["data", "export", *words]) == 0
    clip = MovingShapes(level="simple", split="test", num_clips=2)[1]
    captions = json.loads((tmp_path / "shapes" / "captions.json").read_text())
    assert captions["clip-000001.mp4"] == clip.prompt
    with np.load(tmp_path / "shapes" / "clip-000001.npz") as truth:
        np.testing.assert_array_equal(truth["true_masks"], clip.true_masks)


def test_exported_folder_can_be_trained_on(tmp_path, capsys) -> None:
    words = ["--level", "simple", "--num-clips", "2", "--output", str(tmp_path)]
    assert main(["data", "export", *words]) == 0
    capsys.readouterr()
    assert main(["data", "scan", str(tmp_path)]) == 0
    assert "2 videos for training: 2 clips of 16 frames; 0 videos have no caption" in (
        capsys.readouterr().out
    )


def test_scan_says_what_is_skipped_and_why_and_says_it_once(tmp_path, capsys, caplog) -> None:
    words = ["--level", "simple", "--num-clips", "1", "--output", str(tmp_path)]
    assert main(["data", "export", *words]) == 0
    (tmp_path / "broken.mp4").write_text("not a video")
    assert main(["data", "scan", str(tmp_path)]) == 0
    assert "skipped broken.mp4: This is not a readable" in capsys.readouterr().out
    assert "is skipped" not in caplog.text


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["show", "--level", "hard", "--output", "a.png"], "level must be one of simple"),
        (["show", "--num-clips", "0", "--output", "a.png"], "num_clips must be a whole number"),
        (["show", "--output", "a.jpg"], "must end in .png"),
        (["export", "--split", "all", "--output", "a"], "split must be one of train"),
        (["scan", "nowhere"], "no such folder of videos as 'nowhere'"),
        (["scan", "."], "holds no videos"),
        (["scan", ".", "--num-frames", "0"], "num_frames must be a whole number"),
    ],
)
def test_illegal_value_is_refused_and_nothing_is_written(
    tmp_path, monkeypatch, capsys, words, reason
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["data", *words]) == 2
    assert reason in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
