"""Two processes that share a batch learn what one process learns from it."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

STEPS = 8

# What starts more than one process is called so; ACCELERATE_USE_CPU makes them two gloo ones.
TWO = (
    "--multi_gpu",
    "--num_processes=2",
    "--num_machines=1",
    "--mixed_precision=no",
    "--dynamo_backend=no",
    "--main_process_port",
)


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def curve(output: Path) -> np.ndarray:
    lines = (output / "log.jsonl").read_text().splitlines()
    return np.array([json.loads(line)["loss"] for line in lines if "loss" in json.loads(line)])


def launch(output: Path, *launcher: str) -> None:
    environment = {
        **os.environ,
        "ACCELERATE_USE_CPU": "true",
        "CUDA_VISIBLE_DEVICES": "",
        "GLOO_SOCKET_IFNAME": "lo",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(Path.cwd()),
    }
    command = [sys.executable, *launcher, "tests/tiny_training.py", str(output), str(STEPS)]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=300)


@pytest.mark.slow
def test_two_gloo_processes_give_the_loss_curve_of_one(tmp_path: Path) -> None:
    launch(tmp_path / "one")
    launch(tmp_path / "two", "-m", "accelerate.commands.launch", *TWO, free_port())
    state = json.loads((tmp_path / "two" / f"step-{STEPS:08d}" / "train_state.json").read_text())
    assert state["num_processes"] == 2
    np.testing.assert_allclose(curve(tmp_path / "two"), curve(tmp_path / "one"), atol=1e-4)
