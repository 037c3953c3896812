"""Training states and shipped networks: strict when read, whole when written."""

import errno
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from olvdm.errors import CheckpointError, TrainingError
from olvdm.manifest import verify_folder
from olvdm.training import state
from olvdm.training.state import (
    Position,
    StateTensors,
    check_output,
    fill_tensors,
    model_tensors,
    newest_state,
    read_state,
    save_networks,
    save_state,
    state_folders,
)
from tests.tiny_training import TinyNetwork, TinyStage


def tensors(value: float = 1.0) -> StateTensors:
    parts = {part: {"weight": torch.full((2, 3), value)} for part in ("model", "ema", "optimizer")}
    return {**parts, "rng": {"cpu.0": torch.get_rng_state()}}


def save(output: Path, step: int, best_step: int | None = None) -> Path:
    position = Position(step=step, updates=step, elapsed=1.5, best_step=best_step)
    return save_state(output, position, tensors(step), {"stage": "TinyStage"})


def names(output: Path) -> list[str]:
    return sorted(path.name for path in output.iterdir())


def test_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    position, read, record = read_state(save(tmp_path, 7))
    assert position == Position(step=7, updates=7, elapsed=1.5)
    assert torch.equal(read["ema"]["weight"], torch.full((2, 3), 7.0))
    assert torch.equal(read["rng"]["cpu.0"], torch.get_rng_state())
    assert record["stage"] == "TinyStage"


def test_newest_two_states_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 3, 10):
        save(tmp_path, step)
    assert names(tmp_path) == ["step-00000003", "step-00000010"]


def test_best_state_is_never_pruned(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4):
        save(tmp_path, step, best_step=1)
    assert names(tmp_path) == ["step-00000001", "step-00000003", "step-00000004"]


def test_new_state_is_kept_though_damaged_ones_have_later_steps(tmp_path: Path) -> None:
    for step in (7, 8):
        (save(tmp_path, step) / "ema.safetensors").unlink()
    save(tmp_path, 5)
    assert names(tmp_path) == ["step-00000005"]


def test_newest_whole_state_is_found_and_the_others_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = save(tmp_path, 1)
    (save(tmp_path, 2) / "ema.safetensors").write_bytes(b"")
    assert newest_state(tmp_path) == good
    assert "skipped checkpoint 'step-00000002': 'ema.safetensors'" in caplog.text


def test_folder_without_states_has_no_newest(tmp_path: Path) -> None:
    (tmp_path / "final").mkdir()
    assert newest_state(tmp_path) is None
    assert state_folders(tmp_path) == []


def test_training_that_ended_before_its_first_saved_state_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    with pytest.raises(TrainingError, match=r"ended before its first saved state.* save_every"):
        check_output(tmp_path, resume=True)


@pytest.mark.parametrize("part", ["model", "ema", "optimizer"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_not_saved(tmp_path: Path, part: str, value: float) -> None:
    bad = tensors()
    bad[part]["weight"][1, 2] = value
    with pytest.raises(TrainingError, match="'weight' is not finite"):
        save_state(tmp_path, Position(step=1), bad, {})
    assert names(tmp_path) == []


def test_disk_without_room_is_noticed_before_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 100})
    monkeypatch.setattr(state.shutil, "disk_usage", lambda path: usage)  # noqa: ARG005
    with pytest.raises(OSError, match="not enough free space") as caught:
        save(tmp_path, 1)
    assert caught.value.errno == errno.ENOSPC
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "train_state.json").write_text("{}"),
        lambda folder: (folder / "train_state.json").write_text('{"position": {"paces": 1}}'),
        lambda folder: (folder / "rng.safetensors").write_bytes(b"\xff" * 20),
    ],
)
def test_state_that_cannot_be_read_is_explained(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    folder = save(tmp_path, 1)
    damage(folder)
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_state(folder)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "lacks 'weight'"),
        ({"weight": torch.ones(2), "extra": torch.ones(1)}, "has an unknown tensor 'extra'"),
        ({"weight": torch.ones(3)}, r"shape \(3,\) of float32, but shape \(2,\)"),
        ({"weight": torch.ones(2, dtype=torch.float64)}, "of float64, but .* of float32 is"),
    ],
)
def test_values_must_fit_exactly(values: dict[str, Tensor], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        fill_tensors({"weight": torch.zeros(2)}, values)


def test_what_is_saved_is_what_training_changes() -> None:
    saved = model_tensors(TinyStage())
    assert "network.num_calls" in saved
    assert "network.first.weight" in saved
    assert not any(name.startswith("frozen") for name in saved)


@pytest.mark.parametrize(("dtype_name", "dtype"), [("bf16", torch.bfloat16), ("fp32", torch.float)])
def test_shipped_networks_load_with_diffusers(
    tmp_path: Path, dtype_name: str, dtype: torch.dtype
) -> None:
    network = TinyStage().network
    save_networks(tmp_path / "final", {"network": network}, dtype_name, {"step": 3})
    assert verify_folder(tmp_path / "final", "networks")["about"] == {"step": 3}
    again = TinyNetwork.from_pretrained(tmp_path / "final" / "network", torch_dtype=dtype)
    assert isinstance(again, TinyNetwork)
    assert torch.equal(again.first.weight, network.first.weight.to(dtype))
    assert network.first.weight.dtype == torch.float32


def test_state_keeps_no_pickle_and_no_second_kind_of_weights(tmp_path: Path) -> None:
    folder = save(tmp_path, 1)
    assert {path.suffix for path in folder.iterdir()} == {".safetensors", ".json"}
    assert json.loads((folder / "train_state.json").read_text())["position"]["step"] == 1


def test_saved_file_is_never_rewritten_in_place(tmp_path: Path) -> None:
    path = save(tmp_path, 1) / "ema.safetensors"
    mapped = load_file(path)
    save(tmp_path, 1)
    save_file({"weight": torch.zeros(2, 3)}, tmp_path / "other.safetensors")
    assert torch.equal(mapped["weight"], torch.ones(2, 3))
