import csv
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from olvdm.commands import exports
from olvdm.commands.exports import GIF_BYTES, KINDS, export
from olvdm.commands.tables import ARRAYS
from olvdm.errors import InputError
from olvdm.request import check_request
from olvdm.serving.stored_runs import StoredRun
from tests.app_server import stored_clip

PROMPT = "a red circle moves right"
HOSTILE = ("</script><script>alert(1)</script>", "../../x", "$\\frac{ \x00 \u202e%s", "å" * 300)
NUM_FRAMES, SIDE = 8, 32


def pair_of(
    prompt: str = PROMPT, names: tuple[str, ...] = ("lvdm", "olvdm"), **clip: int
) -> StoredRun:
    settings = asdict(check_request(prompt=prompt, seed=3))
    size = {"num_frames": NUM_FRAMES, "side": SIDE, **clip}
    clips = {name: stored_clip(jitter, **size) for name, jitter in zip(names, (0.2, 0.1))}  # noqa: B905
    return StoredRun("typical", settings, clips)


def upload() -> StoredRun:
    clip = stored_clip(num_frames=NUM_FRAMES, side=SIDE)
    return StoredRun("your clip", {"num_slots": None}, {"clip-a": clip})


def read_film(path: Path) -> tuple[np.ndarray, Any]:
    with av.open(str(path)) as container:
        frames = [one.to_ndarray(format="rgb24") for one in container.decode(video=0)]
        codec = container.streams.video[0].codec_context
        return np.stack(frames), (codec.name, codec.pix_fmt)


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Return every file of one comparison."""
    folder = tmp_path_factory.mktemp("exports")
    return {kind: export(pair_of(), kind, folder) for kind in KINDS}


def test_every_file_is_named_by_its_kind_and_nothing_else_is_left(files) -> None:
    assert {kind: path.name for kind, path in files.items()} == {
        "mp4": "lvdm.mp4",
        "mp4-a": "lvdm.mp4",
        "mp4-b": "olvdm.mp4",
        "side-by-side": "side-by-side.mp4",
        "gif": "side-by-side.gif",
        "webp": "side-by-side.webp",
        "png": "figures.png",
        "pdf": "figures.pdf",
        "npz": "run.npz",
        "csv": "metrics.csv",
        "json": "metrics.json",
        "run": "run.json",
        "report": "report.html",
    }
    assert set(files["run"].parent.iterdir()) == set(files.values())


@pytest.mark.parametrize("kind", ["mp4-a", "mp4-b", "side-by-side"])
def test_every_player_reads_the_films(files, kind) -> None:
    frames, coding = read_film(files[kind])
    assert coding == ("h264", "yuv420p")
    assert len(frames) == NUM_FRAMES
    assert not any(side % 2 for side in frames.shape[1:3])
    data = files[kind].read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # it plays before it is there


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_moving_picture_has_every_frame(files, kind) -> None:
    with Image.open(files[kind]) as picture:
        assert picture.n_frames == NUM_FRAMES  # pyright: ignore[reportAttributeAccessIssue]


def test_gif_of_noise_stays_below_its_limit(tmp_path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 256, 256, 3), np.uint8)
    clip = {**stored_clip(num_frames=32, side=256), "frames": noise}
    path = export(StoredRun("noise", {}, {"clip-a": clip}), "gif", tmp_path)
    assert path.stat().st_size <= GIF_BYTES
    with Image.open(path) as picture:
        assert picture.n_frames == 32  # pyright: ignore[reportAttributeAccessIssue]


def test_png_is_sharp_and_says_what_made_it(files) -> None:
    with Image.open(files["png"]) as picture:
        assert picture.width > 2 * 1200  # two columns at twice the size on the screen
        told = picture.info
    assert told["Title"] == "LVDM; OLVDM"
    assert "slot" in told["Description"]
    assert json.loads(told["Comment"])["prompt"] == PROMPT


def test_pdf_has_a_page_for_every_figure(files) -> None:
    data = files["pdf"].read_bytes()
    assert data.startswith(b"%PDF-")
    assert data.count(b"/Type /Page\n") + data.count(b"/Type /Page ") == 10


def test_arrays_of_both_clips_are_kept_under_their_names(files) -> None:
    with np.load(files["npz"], allow_pickle=False) as arrays:
        expected = {f"{name}_{field}" for name in ("lvdm", "olvdm") for field in ARRAYS}
        assert set(arrays.files) == expected
        assert arrays["olvdm_frames"].shape == (NUM_FRAMES, SIDE, SIDE, 3)
        assert arrays["lvdm_correlation"].shape == (NUM_FRAMES, NUM_FRAMES, 2, 2)
        np.testing.assert_array_equal(arrays["lvdm_frames"], pair_of().clips["lvdm"]["frames"])


def test_table_has_a_row_a_slot_and_frame_and_a_sum_of_each_clip(files) -> None:
    with files["csv"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * NUM_FRAMES * 2 + 2
    assert [row["clip"] for row in rows if not row["frame"]] == ["lvdm", "olvdm"]
    assert not any("nan" in row.values() for row in rows)


def test_numbers_are_json_without_nan(files) -> None:
    clips = read_json(files["json"])["clips"]
    assert list(clips) == ["lvdm", "olvdm"]
    assert len(clips["lvdm"]["slots"]) == NUM_FRAMES * 2
    assert clips["lvdm"]["slots"][0]["flicker"] is None
    assert clips["olvdm"]["summary"]["switches"] == 0


def test_record_says_what_was_asked_and_what_came_out(files) -> None:
    record = read_json(files["run"])
    assert record["kind"] == "comparison"
    assert record["settings"]["prompt"] == PROMPT
    assert record["frames_sha256"].keys() == {"lvdm", "olvdm"}
    assert "--from" in record["command"]


def test_report_holds_the_run_and_loads_nothing(files) -> None:
    page = files["report"].read_text(encoding="utf-8")
    assert PROMPT in page
    assert "http://" not in page.replace("http://www.w3.org/", "")


@pytest.mark.parametrize("prompt", HOSTILE)
@pytest.mark.parametrize("kind", ["report", "run", "csv", "json", "npz", "mp4"])
def test_hostile_prompt_is_only_text(tmp_path, prompt, kind) -> None:
    prompt = check_request(prompt=prompt).prompt
    path = export(pair_of(prompt), kind, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]
    assert list((tmp_path / "out").iterdir()) == [path]
    if kind == "run":
        assert read_json(path)["settings"]["prompt"] == prompt
    if kind == "report":
        assert "<script>alert" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("prompt", HOSTILE)
def test_hostile_prompt_can_be_drawn(tmp_path, prompt) -> None:
    prompt = check_request(prompt=prompt).prompt
    frames, _ = read_film(export(pair_of(prompt), "side-by-side", tmp_path))
    assert len(frames) == NUM_FRAMES


@pytest.mark.parametrize("name", ["../../x", "My holiday.mp4", "a" * 300, "CON", "</script>"])
def test_name_of_a_clip_that_a_person_wrote_reaches_no_file_name(tmp_path, name) -> None:
    run = pair_of(names=(name, "lvdm"))
    assert export(run, "mp4-a", tmp_path / "out").name == "a.mp4"
    with np.load(export(run, "npz", tmp_path / "out")) as arrays:
        assert {one[:2] for one in arrays.files} == {"a_", "b_"}
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_clips_of_two_sizes_and_lengths_share_their_common_frames(tmp_path) -> None:
    run = pair_of()
    clips = {"clip-a": run.clips["lvdm"], "clip-b": stored_clip(num_frames=10, side=48)}
    frames, _ = read_film(export(StoredRun("two", {}, clips), "side-by-side", tmp_path))
    assert len(frames) == NUM_FRAMES


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"mp4-b", "png", "pdf"}))
def test_one_inspected_clip_has_the_same_files(tmp_path, kind) -> None:
    assert export(upload(), kind, tmp_path).stat().st_size > 0


def test_second_clip_of_one_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="this run has 1 clip"):
        export(upload(), "mp4-b", tmp_path)


@pytest.mark.parametrize("kind", ["exe", "", "../run", None, 3, ["mp4"], "mp4\x00"])
def test_unknown_kind_is_refused_in_one_sentence(tmp_path, kind) -> None:
    with pytest.raises(InputError, match="there is no such kind of file; known are mp4"):
        export(pair_of(), kind, tmp_path)


def test_failure_leaves_no_file(tmp_path, monkeypatch) -> None:
    def fail(path: Path, _: object) -> None:
        path.write_text("half")
        raise OSError(28, "no space")

    monkeypatch.setattr(exports, "write_metrics", fail)
    with pytest.raises(OSError, match="no space"):
        export(pair_of(), "json", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_older_file_of_the_same_name_is_replaced(tmp_path) -> None:
    (tmp_path / "run.json").write_text("old")
    assert read_json(export(pair_of(), "run", tmp_path))["kind"] == "comparison"


def test_numbers_and_records_bring_no_plots() -> None:
    program = """
import sys, tempfile
from pathlib import Path
from olvdm.commands.exports import export
from tests.unit.commands.test_exports import pair_of
for kind in ("mp4", "npz", "csv", "json", "run"):
    export(pair_of(), kind, Path(tempfile.mkdtemp()))
assert "matplotlib.figure" not in sys.modules and "gradio" not in sys.modules
"""
    command = [sys.executable, "-c", program]
    root = Path(__file__).parents[3]
    assert subprocess.run(command, check=False, cwd=root).returncode == 0
