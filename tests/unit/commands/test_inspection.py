import csv
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from olvdm.cli import main
from olvdm.commands import inspection
from olvdm.video import write_mp4
from tests.clip_files import broken_videos

BROKEN_VIDEOS = broken_videos()
NAMES = [
    "correlation.png",
    "film-strips.png",
    "flicker.png",
    "inspection.json",
    "inspection.npz",
    "metrics.csv",
    "overlay.mp4",
    "pair.png",
    "report.html",
    "timeline.png",
]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a video of ten frames in which a bright square moves."""
    frames = np.full((10, 40, 48, 3), 40, np.uint8)
    for frame in range(10):
        frames[frame, 10:22, 2 * frame : 2 * frame + 12] = (220, 60, 30)
    path = tmp_path_factory.mktemp("video") / "square.mp4"
    write_mp4(frames, path)
    return path


@pytest.fixture(scope="module")
def inspected(checkpoint: Path, video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an inspection."""
    folder = tmp_path_factory.mktemp("inspected") / "results"
    words = ["--checkpoint", str(checkpoint), "--max-frames", "8", "--num-slots", "3"]
    assert main(["inspect", str(video), *words, "--output", str(folder)]) == 0
    return folder


def test_figures_arrays_and_numbers_are_written(inspected) -> None:
    assert sorted(one.name for one in inspected.iterdir()) == NAMES


def test_arrays_are_those_of_the_frames_used(inspected) -> None:
    with np.load(inspected / "inspection.npz", allow_pickle=False) as arrays:
        assert arrays["frames"].shape == (8, 40, 48, 3)
        assert arrays["alpha_masks"].shape == (8, 3, 40, 48)
        assert arrays["correlation"].shape == (8, 8, 3, 3)


def test_table_has_a_row_for_every_slot_of_every_frame(inspected) -> None:
    with (inspected / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["frame"], row["slot"]) for row in rows] == [
        (str(frame), str(slot)) for frame in range(8) for slot in range(3)
    ]


def test_areas_of_a_frame_sum_to_one(inspected) -> None:
    with (inspected / "metrics.csv").open(newline="") as file:
        areas = [float(row["area"]) for row in csv.DictReader(file) if row["frame"] == "0"]
    assert sum(areas) == pytest.approx(1, abs=1e-4)


def test_bar_is_full_once_the_last_file_is_written_and_not_before(
    checkpoint, video, tmp_path, monkeypatch, capsys
) -> None:
    seen: list[tuple[str, int, int]] = []

    class Bar(nullcontext[Any]):
        def __init__(self, total: int, **_: object) -> None:
            super().__init__(self)
            self.n, self.total = 0, total

        def update(self, count: int) -> None:
            self.n += count

        def set_description(self, doing: str) -> None:
            seen.append((doing, self.n, self.total))

    monkeypatch.setattr(inspection, "tqdm", Bar)
    words = ["--checkpoint", str(checkpoint), "--adapt-steps", "2", "--max-frames", "8"]
    assert main(["inspect", str(video), *words, "--output", str(tmp_path / "found")]) == 0
    assert ("Looking", 2, 9) in seen
    assert ("Writing report.html", 8, 9) in seen
    assert seen[-1] == ("Done", 9, 9)
    opened = f"open {tmp_path / 'found' / 'report.html'} in a browser to look at all of it"
    assert capsys.readouterr().out.splitlines()[-1] == opened


def test_record_is_json_without_nan(inspected) -> None:
    text = (inspected / "inspection.json").read_text()
    record = json.loads(text, parse_constant=pytest.fail)
    assert record["kind"] == "inspection"
    assert record["settings"] == {"num_slots": 3, "max_frames": 8, "adapt_steps": 0}


def test_fitting_to_the_clip_is_possible(checkpoint, video, tmp_path) -> None:
    words = ["--checkpoint", str(checkpoint), "--adapt-steps", "1", "--max-frames", "8"]
    assert main(["inspect", str(video), *words, "--output", str(tmp_path / "fitted")]) == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (["--num-slots", "12"], "num_slots must be a whole number from 2 to 11"),
        (["--max-frames", "4"], "max_frames must be a whole number from 8 to 32"),
        (["--adapt-steps", "nan"], "adapt_steps must be a whole number"),
        (
            ["--checkpoint", "nowhere"],
            "checkpoint 'nowhere': there is no such folder; give a whole",
        ),
    ],
)
def test_illegal_value_is_refused_and_nothing_is_written(
    checkpoint, video, tmp_path, capsys, changes, reason
) -> None:
    words = ["--checkpoint", str(checkpoint), "--output", str(tmp_path / "results"), *changes]
    assert main(["inspect", str(video), *words]) == 2
    assert reason in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("text", "video 'mine.mp4': this is not a readable MP4"),
        ("empty", "video 'mine.mp4': the file is empty; choose another."),
        ("cut", "video 'mine.mp4': this is not a readable MP4"),
    ],
)
def test_broken_video_is_refused_by_its_name(checkpoint, tmp_path, capsys, kind, reason) -> None:
    (tmp_path / "mine.mp4").write_bytes(BROKEN_VIDEOS[kind])
    words = ["--checkpoint", str(checkpoint), "--output", str(tmp_path / "results")]
    assert main(["inspect", str(tmp_path / "mine.mp4"), *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"olvdm: {reason}")
    assert said.count("\n") == 1
    assert str(tmp_path) not in said
    assert [path.name for path in tmp_path.iterdir()] == ["mine.mp4"]
