"""What a training tells: lines, curves and sample videos, and nothing on other processes."""

import errno
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from olvdm.training.journal import Journal


def lines(output: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]


def test_numbers_are_written_one_line_a_time(tmp_path: Path) -> None:
    with Journal(tmp_path, 0, 10, is_enabled=True) as journal:
        journal.write(1, {"loss": 0.5})
        journal.write(2, {"loss": 0.25, "val/score": 1.0})
    assert lines(tmp_path) == [
        {"step": 1, "loss": 0.5},
        {"step": 2, "loss": 0.25, "val/score": 1.0},
    ]


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_number_that_is_not_finite_is_null(tmp_path: Path, number: float) -> None:
    with Journal(tmp_path, 0, 10, is_enabled=True) as journal:
        journal.write(1, {"loss": number})
    assert lines(tmp_path) == [{"step": 1, "loss": None}]


def test_resumed_journal_drops_what_is_done_again(tmp_path: Path) -> None:
    with Journal(tmp_path, 0, 10, is_enabled=True) as journal:
        for step in (1, 2, 3):
            journal.write(step, {"loss": 1.0})
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 4, "lo')
    with Journal(tmp_path, 2, 10, is_enabled=True) as journal:
        journal.write(3, {"loss": 2.0})
    assert [(line["step"], line["loss"]) for line in lines(tmp_path)] == [(1, 1), (2, 1), (3, 2)]


def test_previews_are_exact_videos_and_animated_images(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 8, 10, 3), dtype=np.uint8)
    with Journal(tmp_path, 0, 10, is_enabled=True) as journal:
        journal.show(7, {"clips": frames})
    with Image.open(tmp_path / "previews" / "step-00000007-clips.webp") as image:
        assert image.n_frames == 3  # pyright: ignore
        image.seek(2)
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), frames[2])
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    (shown,) = events.Images("preview/clips")
    assert shown.encoded_image_string.startswith(b"GIF89a")
    assert (shown.step, shown.height, shown.width) == (7, 8, 10)


def test_curves_reach_tensorboard(tmp_path: Path) -> None:
    with Journal(tmp_path, 0, 10, is_enabled=True) as journal:
        journal.write(3, {"loss": 0.5})
    (point,) = EventAccumulator(str(tmp_path / "tensorboard")).Reload().Scalars("loss")
    assert (point.step, point.value) == (3, 0.5)


def test_other_processes_are_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal(tmp_path, 0, 10, is_enabled=False) as journal:
        journal.write(1, {"loss": 0.5})
        journal.advance(0.5, 3.0, 60.0)
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err == ""


def test_bar_shows_loss_speed_and_time_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Journal(tmp_path, 0, 1, is_enabled=True) as journal:
        journal.advance(0.5, 12.3, 3661.0)
    assert "1/1 , loss 0.5, 12.3 clips/s, 1:01:01 left" in capsys.readouterr().err


def test_full_disk_stops_no_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Journal(tmp_path, 0, 10, is_enabled=True) as journal:
        monkeypatch.setattr(Path, "open", full)
        monkeypatch.setattr("olvdm.training.journal.write_webp", full)
        journal.write(3, {"loss": 0.5})
        journal.show(3, {"clips": np.zeros((2, 8, 8, 3), dtype=np.uint8)})
    assert caplog.text.count("could not log step 3: No space left on device") == 2
