import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from olvdm.cli import main
from olvdm.commands.comparison import (
    MODELS_FOLDER,
    comparison_record,
    comparison_settings,
    model_records,
)
from olvdm.commands.exports import export
from olvdm.errors import InputError
from olvdm.evaluation.inspection import inspection_of
from olvdm.evaluation.paired import draw_together
from olvdm.pipeline import OLVDMPipeline
from olvdm.request import check_request
from olvdm.serving.stored_runs import StoredRun
from tests.app_server import make_checkpoints

REQUEST = {
    "prompt": "a red circle moves right",
    "seed": 3,
    "num_frames": 8,
    "height": 32,
    "width": 32,
    "num_inference_steps": 2,
}
MODELS = ("lvdm", "olvdm")
COMMIT = "1" * 40


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of two tiny models."""
    return make_checkpoints(tmp_path_factory.mktemp("models"), has_stored=False)


@pytest.fixture(scope="module")
def run_json(checkpoints: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the record of a comparison as the app draws, keeps and exports it."""
    folders = {name: checkpoints / name for name in MODELS}
    pipelines = {name: OLVDMPipeline.from_pretrained(one) for name, one in folders.items()}
    request = check_request(**REQUEST)
    *_, last = draw_together(pipelines, request)
    clips = {name: vars(inspection_of(output)) for name, output in last.outputs.items()}
    settings = comparison_settings(request, folders, pipelines["olvdm"].dtype, "cpu")
    run = StoredRun("drawn", {**settings, "commit": COMMIT}, clips)
    return export(run, "run", tmp_path_factory.mktemp("run"))


def record_of(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def repeat(record: Path, checkpoints: Path, output: Path, *changes: str) -> int:
    words = ["--from", str(record), "--checkpoint", str(checkpoints), "--output", str(output)]
    return main(["generate", *words, *changes])


def test_every_clip_is_drawn_again_byte_for_byte(run_json, checkpoints, tmp_path, capsys) -> None:
    assert repeat(run_json, checkpoints, tmp_path / "again.mp4") == 0
    assert capsys.readouterr().out.count("the same as before, byte for byte") == 2
    drawn = {name: record_of(tmp_path / f"again-{name}.json") for name in MODELS}
    hashes = {name: record["frames_sha256"] for name, record in drawn.items()}
    assert hashes == record_of(run_json)["frames_sha256"]
    assert {one.name for one in tmp_path.glob("*.mp4")} == {
        *(f"again-{name}.mp4" for name in MODELS),
        *(f"again-{name}-overlay.mp4" for name in MODELS),
    }


def test_other_models_are_named_as_the_reason(run_json, checkpoints, tmp_path, capsys) -> None:
    record = record_of(run_json)
    for field in ("frames_sha256", "checkpoint_sha256"):
        record[field] = {"olvdm": "0" * 64}
    (tmp_path / "run.json").write_text(json.dumps(record))
    assert repeat(tmp_path / "run.json", checkpoints, tmp_path / "again.mp4") == 0
    assert "not the same as before; these differ: checkpoint_sha256" in capsys.readouterr().out


def test_changed_setting_is_not_compared(run_json, checkpoints, tmp_path, capsys) -> None:
    assert repeat(run_json, checkpoints, tmp_path / "again.mp4", "--seed", "4") == 0
    assert "as before" not in capsys.readouterr().out
    assert record_of(tmp_path / "again-lvdm.json")["settings"]["seed"] == 4


def test_missing_model_is_told_and_nothing_is_written(run_json, tmp_path, capsys) -> None:
    assert repeat(run_json, tmp_path / "nowhere", tmp_path / "out" / "again.mp4") == 2
    assert "whole checkpoint folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


DAMAGES: list[dict[str, Any]] = [
    {"settings": None},
    {"settings": []},
    {"settings": {"prompt": ""}},
    {"settings": {"prompt": "a circle", "seed": -1}},
    {"settings": {"prompt": "a circle", "run": "rm"}},
    {"frames_sha256": None},
    {"frames_sha256": {}},
    {"frames_sha256": {"../../x": "0"}},
    {"frames_sha256": {"lvdm\n": "0"}},
    {"frames_sha256": {f"model{number}": "0" for number in range(99)}},
    {"checkpoint_sha256": ["0"]},
    {"kind": "evaluation"},
    {"format": 99},
]


@pytest.mark.parametrize("damage", DAMAGES, ids=repr)
def test_damaged_record_gives_one_sentence(run_json, checkpoints, tmp_path, capsys, damage) -> None:
    record = tmp_path / "run.json"
    record.write_text(json.dumps(record_of(run_json) | damage))
    assert repeat(record, checkpoints, tmp_path / "again.mp4") == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert "internal error" not in said[0]
    assert list(tmp_path.iterdir()) == [record]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_record_that_was_cut_off_gives_one_sentence(
    run_json, checkpoints, tmp_path, capsys, share
) -> None:
    text = run_json.read_text()
    (tmp_path / "run.json").write_text(text[: int(share * len(text))])
    assert repeat(tmp_path / "run.json", checkpoints, tmp_path / "again.mp4") == 2
    assert "give a JSON file that olvdm wrote" in capsys.readouterr().err


def test_record_says_what_the_bytes_follow_from(run_json, checkpoints) -> None:
    record = record_of(run_json)
    assert REQUEST.items() <= record["settings"].items()
    assert record["checkpoint_sha256"].keys() == set(MODELS)
    assert {"device", "dtype", "num_threads", "machine", "versions", "command"} <= record.keys()
    assert str(checkpoints) not in run_json.read_text()


def test_equal_requests_have_equal_settings(checkpoints) -> None:
    folders = {name: checkpoints / name for name in MODELS}
    made = [
        comparison_settings(check_request(**REQUEST), folders, torch.float32, "cpu")
        for _ in range(2)
    ]
    assert json.dumps(made[0], allow_nan=False) == json.dumps(made[1], allow_nan=False)


def test_run_without_checksums_can_be_repeated_too() -> None:
    frames = np.zeros((8, 4, 4, 3), np.uint8)
    old = {**REQUEST, "rule": "typical", "gain": float("nan")}
    record = comparison_record(old, {"lvdm": frames})
    single = model_records(record)["lvdm"]
    assert single["settings"]["checkpoint"] == f"{MODELS_FOLDER}/lvdm"
    assert "checkpoint_sha256" not in single
    assert record["about"] == {"rule": "typical", "gain": None}


def test_names_that_are_no_models_are_refused() -> None:
    record = comparison_record(REQUEST, {"../x": np.zeros((8, 4, 4, 3), np.uint8)})
    with pytest.raises(InputError, match="damaged"):
        model_records(record)


def test_record_names_the_commit_that_drew(run_json) -> None:
    assert record_of(run_json)["commit"] == COMMIT


def test_record_of_an_older_run_claims_no_commit() -> None:
    known = {"prompt": "a circle", "seed": 3}
    assert "commit" not in comparison_record(known, {"olvdm": np.zeros((2, 4, 4, 3), np.uint8)})


def test_commit_is_no_part_of_what_a_run_is_found_by(checkpoints) -> None:
    folders = {name: checkpoints / name for name in MODELS}
    assert "commit" not in comparison_settings(
        check_request(**REQUEST), folders, torch.float32, "cpu"
    )
