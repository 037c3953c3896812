"""A training that was stopped and resumed equals one that never stopped, bit for bit."""

import hashlib
import json
import multiprocessing
import random
import time
from pathlib import Path

import pytest
import torch

from olvdm.errors import CheckpointError, InputError, TrainingError
from olvdm.training.loop import train
from olvdm.training.state import newest_state, read_state
from tests.tiny_training import TinyStage, tiny_config

PARTS = ("model", "ema", "optimizer", "rng")


def digests(output: Path, step: int = 12) -> dict[str, str]:
    folder = output / f"step-{step:08d}"
    return {
        part: hashlib.sha256((folder / f"{part}.safetensors").read_bytes()).hexdigest()
        for part in PARTS
    }


def log_lines(output: Path) -> list[dict[str, float]]:
    lines = (output / "log.jsonl").read_text().splitlines()
    noisy = {"clips_per_second", "elapsed"}
    return [
        {key: value for key, value in json.loads(line).items() if key not in noisy}
        for line in lines
    ]


def interrupted(output: Path, optimizer: str, log_every: int, num_workers: int) -> None:
    config = tiny_config(optimizer=optimizer, log_every=log_every, num_workers=num_workers)
    train(TinyStage(dropout=0.2, stop_at=5), config, output)
    train(TinyStage(dropout=0.2), config, output, resume=True)


@pytest.mark.parametrize(
    ("optimizer", "log_every", "num_workers"),
    [("adamw", 1, 0), ("muon", 1, 0), ("adamw", 4, 0), ("adamw", 1, 1)],
)
def test_six_and_six_steps_equal_twelve(
    tmp_path: Path, optimizer: str, log_every: int, num_workers: int
) -> None:
    config = tiny_config(optimizer=optimizer, log_every=log_every)
    train(TinyStage(dropout=0.2), config, tmp_path / "whole")
    interrupted(tmp_path / "parts", optimizer, log_every, num_workers)
    assert digests(tmp_path / "parts") == digests(tmp_path / "whole")
    assert log_lines(tmp_path / "parts") == log_lines(tmp_path / "whole")


def test_shipped_networks_of_a_resumed_training_equal_the_uninterrupted_ones(
    tmp_path: Path,
) -> None:
    train(TinyStage(dropout=0.2), tiny_config(), tmp_path / "whole")
    interrupted(tmp_path / "parts", "adamw", 1, 0)
    name = "final/network/diffusion_pytorch_model.safetensors"
    assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_looking_more_often_changes_nothing(tmp_path: Path) -> None:
    train(TinyStage(dropout=0.2), tiny_config(), tmp_path / "seldom")
    often = tiny_config(preview_every=1, validate_every=1, save_every=1)
    train(TinyStage(dropout=0.2), often, tmp_path / "often")
    assert digests(tmp_path / "often") == digests(tmp_path / "seldom")


def test_resume_leaves_out_a_damaged_state_and_redoes_its_steps(tmp_path: Path) -> None:
    train(TinyStage(), tiny_config(), tmp_path)
    before = digests(tmp_path)
    with (tmp_path / "step-00000012" / "model.safetensors").open("r+b") as file:
        file.seek(200)
        file.write(b"damage")
    train(TinyStage(), tiny_config(), tmp_path, resume=True)
    assert digests(tmp_path) == before


def test_states_of_which_none_is_whole_are_refused(tmp_path: Path) -> None:
    train(TinyStage(), tiny_config(), tmp_path)
    for path in tmp_path.glob("step-*/ema.safetensors"):
        path.unlink()
    with pytest.raises(CheckpointError, match="none of the 2 saved"):
        train(TinyStage(), tiny_config(), tmp_path, resume=True)


def test_nothing_to_resume_is_said(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no training to resume"):
        train(TinyStage(), tiny_config(), tmp_path, resume=True)


def test_new_training_does_not_run_over_an_old_one(tmp_path: Path) -> None:
    train(TinyStage(), tiny_config(), tmp_path)
    with pytest.raises(InputError, match="already holds a training"):
        train(TinyStage(), tiny_config(), tmp_path)


def test_longer_training_goes_on_from_a_finished_one(tmp_path: Path) -> None:
    train(TinyStage(), tiny_config(), tmp_path)
    result = train(TinyStage(), tiny_config(max_steps=15), tmp_path, resume=True)
    assert result["step"] == 15


def train_for_ever(output: Path) -> None:
    torch.set_num_threads(1)  # a forked child hangs in the thread pool of its parent
    config = tiny_config(
        max_steps=10**6, save_every=1, validate_every=10**6, preview_every=10**6, log_every=10**6
    )
    train(TinyStage(), config, output, resume=newest_state(output) is not None)


def kill_after(output: Path, folder: Path, seconds: float) -> None:
    process = multiprocessing.get_context("fork").Process(target=train_for_ever, args=(output,))
    process.start()
    while not folder.exists() and process.is_alive():
        time.sleep(0.002)
    time.sleep(seconds)
    process.kill()
    process.join()


def test_kill_while_saving_loses_nothing(tmp_path: Path) -> None:
    reached = 0
    for attempt in range(6):
        due = tmp_path / f"step-{reached + 3:08d}"
        kill_after(tmp_path, due, random.Random(attempt).uniform(0, 0.05))  # noqa: S311
        folder = newest_state(tmp_path)
        assert folder is not None
        assert folder.name >= due.name
        position, tensors, _ = read_state(folder)
        assert int(tensors["model"]["network.num_calls"]) == position.step
        reached = position.step
