import json
import math
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from olvdm.cli import main
from olvdm.commands.generation import check_job
from olvdm.decoding import decode_video
from olvdm.errors import InputError
from olvdm.video import write_mp4, write_png
from tests.clip_files import broken_videos

PROMPT = "a red circle moves right"
FAST = ["--num-frames", "8", "--num-inference-steps", "2", "--seed", "3", "--dtype", "fp32"]
BROKEN_VIDEOS = broken_videos()
NAMES = [
    "clip-correlation.png",
    "clip-overlay.mp4",
    "clip-report.html",
    "clip.json",
    "clip.mp4",
]


@pytest.fixture(scope="module")
def drawn(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder into which one clip was drawn."""
    folder = tmp_path_factory.mktemp("drawn")
    words = [PROMPT, "--checkpoint", str(checkpoint), "--output", str(folder / "clip.mp4"), *FAST]
    assert main(["generate", *words]) == 0
    return folder


def record_of(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def test_clip_overlay_heatmap_and_record_are_written(drawn) -> None:
    assert sorted(one.name for one in drawn.iterdir() if one.name in NAMES) == NAMES


def test_clip_has_the_frames_that_were_asked_for(drawn) -> None:
    assert decode_video(drawn / "clip.mp4").frames.shape == (8, 32, 32, 3)


def test_record_holds_every_setting(drawn) -> None:
    settings = record_of(drawn / "clip.json")["settings"]
    asked = {"prompt": PROMPT, "seed": 3, "num_frames": 8, "num_inference_steps": 2}
    assert asked.items() <= settings.items()
    assert check_job(settings).settings() == {**settings, "given": ()}


def test_record_says_where_the_bytes_come_from(drawn) -> None:
    record = record_of(drawn / "clip.json")
    wanted = {"checkpoint_sha256", "frames_sha256", "dtype", "num_threads", "versions", "command"}
    assert wanted <= record.keys()


def test_record_repeats_the_clip_byte_for_byte(drawn, capsys) -> None:
    words = ["--repeat", str(drawn / "clip.json"), "--output", str(drawn / "again.mp4")]
    assert main(["generate", *words]) == 0
    assert "the same as before" in capsys.readouterr().out
    both = [record_of(drawn / f"{name}.json")["frames_sha256"] for name in ("clip", "again")]
    assert both[0] == both[1]


def test_recorded_command_means_the_same_job(drawn) -> None:
    from olvdm.commands.arguments import parse
    from olvdm.commands.generation import FIELDS

    record = record_of(drawn / "clip.json")
    typed = vars(parse(shlex.split(record["command"])[1:]))
    settings = {name: typed[name] for name in FIELDS if typed[name] is not None}
    assert check_job(settings) == check_job(record["settings"])


def test_slot_guidance_is_recorded_where_there_is_some() -> None:
    plain, guided = ({"prompt": PROMPT, "slot_guidance_scale": scale} for scale in (0, 2))
    assert "slot_guidance_scale" not in check_job(plain).settings()
    assert check_job(guided).settings()["slot_guidance_scale"] == 2.0
    with pytest.raises(InputError, match="slot_guidance_scale must be a number"):
        check_job({"prompt": PROMPT, "slot_guidance_scale": -1})


def test_number_of_candidates_is_the_models_own_unless_somebody_asks() -> None:
    assert "num_candidates" not in check_job({"prompt": PROMPT}).settings()
    assert check_job({"prompt": PROMPT, "num_candidates": 3}).settings()["num_candidates"] == 3
    with pytest.raises(InputError, match="num_candidates must be a whole number from 1 to 16"):
        check_job({"prompt": PROMPT, "num_candidates": 17})


def test_option_overrides_the_record(drawn) -> None:
    words = ["--repeat", str(drawn / "clip.json"), "--output", str(drawn / "other.mp4")]
    assert main(["generate", *words, "--seed", "4"]) == 0
    record = record_of(drawn / "other.json")
    assert record["settings"]["seed"] == 4
    assert record["frames_sha256"] != record_of(drawn / "clip.json")["frames_sha256"]


def test_given_picture_is_continued(checkpoint, tmp_path) -> None:
    picture = np.full((32, 32, 3), 200, np.uint8)
    write_png(picture, tmp_path / "first.png")
    words = [PROMPT, "--checkpoint", str(checkpoint), "--given", str(tmp_path / "first.png")]
    assert main(["generate", *words, *FAST, "--output", str(tmp_path / "clip.mp4")]) == 0
    assert record_of(tmp_path / "clip.json")["given_sha256"]


def test_clip_is_longer_than_a_server_would_draw_and_exactly_as_long_as_asked(
    checkpoint, tmp_path
) -> None:
    words = [PROMPT, "--checkpoint", str(checkpoint), *FAST, "--num-frames", "130"]
    assert main(["generate", *words, "--output", str(tmp_path / "clip.mp4")]) == 0
    assert len(decode_video(tmp_path / "clip.mp4").frames) == 130
    assert record_of(tmp_path / "clip.json")["settings"]["num_frames"] == 130


def test_video_that_is_longer_than_the_clip_is_refused(checkpoint, tmp_path, capsys) -> None:
    write_mp4(np.zeros((20, 32, 32, 3), np.uint8), tmp_path / "long.mp4")
    words = [PROMPT, "--checkpoint", str(checkpoint), "--given", str(tmp_path / "long.mp4"), *FAST]
    assert main(["generate", *words, "--output", str(tmp_path / "clip.mp4")]) == 2
    assert "20 frames are given, but num_frames is 8; ask for" in capsys.readouterr().err


def test_clip_goes_on_from_the_end_of_a_longer_one(checkpoint, tmp_path) -> None:
    write_mp4(np.zeros((20, 32, 32, 3), np.uint8), tmp_path / "long.mp4")
    words = [PROMPT, "--checkpoint", str(checkpoint), "--given", str(tmp_path / "long.mp4"), *FAST]
    output = ["--output", str(tmp_path / "clip.mp4")]
    assert main(["generate", *words, "--last", "4", *output]) == 0
    record = record_of(tmp_path / "clip.json")
    assert record["settings"]["last"] == 4
    assert "--last 4" in record["command"]


def test_unknown_words_are_named(checkpoint, tmp_path, capsys) -> None:
    words = ["a red dragon moves right", "--checkpoint", str(checkpoint), *FAST]
    assert main(["generate", *words, "--output", str(tmp_path / "clip.mp4")]) == 0
    assert "dragon" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (["--seed", "-1"], "seed must be a whole number from 0"),
        (["--num-frames", "9"], "num_frames must be an even number from 8 to 256, got 9"),
        (["--guidance-scale", "nan"], "guidance_scale must be a number from 0"),
        (["--num-inference-steps", "many"], "num_inference_steps must be a whole number"),
        (["--fps", "0"], "fps must be a number from 1.0 to 60.0"),
        (["--places", "0", "7"], "places say where given frames belong; name those with --given"),
        (["--given", "a.png", "b.png", "--places", "0", "8"], "places must be a whole number from"),
        (["--given", "a.bmp"], "given pictures are PNG, WebP or JPEG, got 'a.bmp'; convert it"),
        (["--given", "."], ": this is a folder; choose a file in it"),
        (["--given", "missing.png"], "picture 'missing.png': there is no such file"),
        (["--given", "missing.mp4"], "video 'missing.mp4': there is no such file"),
        (
            ["--checkpoint", "nowhere"],
            "checkpoint 'nowhere': there is no such folder; give a whole",
        ),
        (["--output", "clip.gif"], "must end in .mp4"),
        (["--repeat", "missing.json"], "record 'missing.json': the record cannot be read"),
    ],
)
def test_illegal_value_is_refused_and_nothing_is_written(
    checkpoint, tmp_path, monkeypatch, capsys, changes, reason
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [PROMPT, "--checkpoint", str(checkpoint), *FAST, "--output", "clip.mp4", *changes]
    assert main(["generate", *words]) == 2
    assert reason in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", BROKEN_VIDEOS)
def test_broken_video_is_refused_by_its_name(checkpoint, tmp_path, capsys, kind) -> None:
    (tmp_path / "mine.mp4").write_bytes(BROKEN_VIDEOS[kind])
    words = [PROMPT, "--checkpoint", str(checkpoint), "--given", str(tmp_path / "mine.mp4")]
    assert main(["generate", *words, *FAST, "--output", str(tmp_path / "clip.mp4")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("olvdm: video 'mine.mp4': th")
    assert said.count("\n") == 1
    assert str(tmp_path) not in said
    assert [path.name for path in tmp_path.iterdir()] == ["mine.mp4"]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"settings": {"prompt": "a" * 301}}, "prompt has 301 characters; shorten it to at most"),
        ({"settings": {"prompt": "a" * 9_999}}, "prompt has 9,999 characters; shorten it to at"),
        ({"settings": {"prompt": "a", "guidance_scale": math.nan}}, "got nan"),
        ({"settings": {"prompt": "a", "guidance_scale": math.inf}}, "got inf"),
        ({"settings": []}, "holds no settings"),
        ({"settings": {"prompt": None}}, "prompt is missing"),
        ({"settings": {"prompt": "a", "wrong": 1}}, "no setting 'wrong'"),
        ({"format": 9}, "record 'mine.json': the record has format 9, but 1 is known; install"),
        ([], "record 'mine.json': the record is not of a generation or a comparison; give"),
        (None, "record 'mine.json': the record is not of a generation"),
        ("text", "record 'mine.json': the record is not of a generation"),
    ],
)
def test_record_of_something_illegal_is_one_sentence(tmp_path, capsys, record, reason) -> None:
    if isinstance(record, dict):
        record = {"kind": "generation", "format": 1, **record}
    (tmp_path / "mine.json").write_text(json.dumps(record))
    words = ["--from", str(tmp_path / "mine.json"), "--output", str(tmp_path / "clip.mp4")]
    assert main(["generate", *words]) == 2
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1
    assert str(tmp_path) not in said
    assert [path.name for path in tmp_path.iterdir()] == ["mine.json"]


def test_prompt_may_not_be_missing(tmp_path, capsys) -> None:
    assert main(["generate", "--output", str(tmp_path / "clip.mp4")]) == 2
    assert "prompt is missing" in capsys.readouterr().err


def test_endless_prompt_is_refused(tmp_path, capsys) -> None:
    assert main(["generate", "a" * 1_000_000, "--output", str(tmp_path / "clip.mp4")]) == 2
    assert "1,000,000 characters" in capsys.readouterr().err


@pytest.mark.parametrize(
    "settings",
    [
        {"checkpoint": 3},
        {"given": "first.png"},
        {"places": 3},
        {"dtype": "fp16"},
        {"run": "rm"},
        {"height": 33},
    ],
)
def test_hostile_record_is_refused(settings) -> None:
    with pytest.raises(InputError):
        check_job({"prompt": PROMPT, **settings})
