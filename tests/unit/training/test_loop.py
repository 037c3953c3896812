"""What the loop does when all goes well, when numbers fail, when the disk fails, when it ends."""

import errno
import itertools
import json
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from olvdm.errors import InputError, StorageError, TrainingError
from olvdm.limits import BAD_STEPS, SAVE_FAILURES
from olvdm.training import loop
from olvdm.training.loop import train
from olvdm.training.state import newest_state, read_state, save_networks
from tests.tiny_training import TinyNetwork, TinyStage, tiny_config


def lines(output: Path, key: str) -> dict[int, float]:
    read = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
    return {line["step"]: line[key] for line in read if key in line}


def shipped(output: Path) -> TinyNetwork:
    network = TinyNetwork.from_pretrained(output / "final" / "network")
    assert isinstance(network, TinyNetwork)
    return network


def test_training_leaves_all_that_it_promises(tmp_path: Path) -> None:
    result = train(TinyStage(), tiny_config(), tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "config.toml",
        "final",
        "log.jsonl",
        "previews",
        "step-00000010",
        "step-00000012",
        "tensorboard",
    }
    assert sorted(path.name for path in (tmp_path / "previews").iterdir()) == [
        "step-00000004-rows.webp",
        "step-00000008-rows.webp",
        "step-00000012-rows.webp",
    ]
    assert tomllib.loads((tmp_path / "config.toml").read_text())["autoencoder"]["max_steps"] == 12
    assert result["step"] == 12
    assert {"loss", "twice", "grad_norm", "learning_rate", "val/score"} <= result.keys()


@pytest.mark.parametrize(
    ("videos", "data"), [(None, "moving shapes, level full"), ("holiday", "videos of one's own")]
)
def test_networks_say_what_they_were_trained_on(tmp_path: Path, videos: str, data: str) -> None:
    train(TinyStage(), tiny_config(max_steps=1, videos=videos), tmp_path)
    assert json.loads((tmp_path / "final" / "olvdm.json").read_text())["about"]["data"] == data


def test_loss_falls(tmp_path: Path) -> None:
    train(TinyStage(), tiny_config(max_steps=150, log_every=30), tmp_path)
    losses = lines(tmp_path, "loss")
    assert losses[150] < 0.8 * losses[30]


def test_log_holds_the_means_of_its_interval(tmp_path: Path) -> None:
    stage = TinyStage()
    train(stage, tiny_config(log_every=4), tmp_path)
    means = [sum(stage.losses[first : first + 4]) / 4 for first in (0, 4, 8)]
    assert list(lines(tmp_path, "loss").values()) == pytest.approx(means)


def test_progress_counts_from_zero_to_one(tmp_path: Path) -> None:
    train(TinyStage(), tiny_config(max_steps=4), tmp_path)
    assert list(lines(tmp_path, "done").values()) == [0.0, 0.25, 0.5, 0.75]


def test_shipped_weights_are_the_averaged_ones(tmp_path: Path) -> None:
    stage = TinyStage()
    train(stage, tiny_config(), tmp_path)
    folder = newest_state(tmp_path)
    assert folder is not None
    _, tensors, _ = read_state(folder)
    assert torch.equal(shipped(tmp_path).first.weight, tensors["ema"]["network.first.weight"])
    assert not torch.equal(shipped(tmp_path).first.weight, stage.network.first.weight)


def test_shipped_manifest_tells_no_paths(tmp_path: Path) -> None:
    save_networks(tmp_path / "before", {"network": TinyNetwork()}, "fp32", {})
    config = tiny_config(init_from=str(tmp_path / "before"))
    train(TinyStage(), config, tmp_path / "run")
    assert str(tmp_path) not in (tmp_path / "run" / "final" / "olvdm.json").read_text()


def test_frozen_parts_stay_as_they_are(tmp_path: Path) -> None:
    stage = TinyStage()
    before = stage.frozen.weight.clone()
    train(stage, tiny_config(), tmp_path)
    assert torch.equal(stage.frozen.weight, before)


def test_half_precision_is_used_where_it_is_asked_for(tmp_path: Path) -> None:
    single, half = TinyStage(), TinyStage()
    train(single, tiny_config(max_steps=1), tmp_path / "single")
    train(half, tiny_config(max_steps=1, precision="bf16"), tmp_path / "half")
    assert half.losses != single.losses
    assert half.losses == pytest.approx(single.losses, rel=0.03)
    assert half.network.first.weight.dtype == torch.float32


def test_step_whose_loss_is_not_finite_changes_no_weight(tmp_path: Path) -> None:
    stage = TinyStage(nan_at=[0])
    before = stage.network.first.weight.clone()
    train(stage, tiny_config(max_steps=1), tmp_path)
    assert torch.equal(stage.network.first.weight, before)


def test_few_bad_steps_are_skipped_and_the_data_goes_on(tmp_path: Path) -> None:
    stage = TinyStage(nan_at=range(2, 2 + BAD_STEPS - 1))
    train(stage, tiny_config(), tmp_path)
    folder = newest_state(tmp_path)
    assert folder is not None
    position, _, _ = read_state(folder)
    assert (position.step, position.updates) == (12, 12 - BAD_STEPS + 1)


def test_many_bad_steps_stop_the_training_and_keep_the_good_state(tmp_path: Path) -> None:
    stage = TinyStage(nan_at=range(5, 100))
    with pytest.raises(TrainingError, match="5 steps in a row") as caught:
        train(stage, tiny_config(), tmp_path)
    assert caught.value.exit_code == 3
    assert (tmp_path / "failed-00000010" / "config.toml").is_file()
    folder = newest_state(tmp_path)
    assert folder is not None
    assert folder.name == "step-00000005"


def test_signal_saves_at_once_and_returns(tmp_path: Path) -> None:
    result = train(TinyStage(stop_at=6), tiny_config(), tmp_path)
    assert result["step"] == 7
    assert result["progress"] == pytest.approx(7 / tiny_config().max_steps)
    assert (tmp_path / "step-00000007").is_dir()
    assert (tmp_path / "final").is_dir()


def test_a_wish_to_stop_at_the_last_step_leaves_nothing_out(tmp_path: Path) -> None:
    train(TinyStage(), tiny_config(), tmp_path, follow=lambda step: step == 11)
    train(TinyStage(), tiny_config(), tmp_path / "whole")
    for key in ("loss", "val/score"):
        assert lines(tmp_path, key) == lines(tmp_path / "whole", key)


def slow_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: float(next(ticks))))


def test_time_limit_ends_the_training_after_its_decay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_clock(monkeypatch)
    config = tiny_config(max_steps=10**6, max_minutes=2.0, save_every=10**6)
    result = train(TinyStage(), config, tmp_path)
    rates = list(lines(tmp_path, "learning_rate").values())
    assert 120 <= result["elapsed"] < 130
    assert max(rates) == config.learning_rate
    assert rates[-1] < 0.3 * config.learning_rate


def test_time_limit_counts_what_was_spent_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_clock(monkeypatch)
    config = tiny_config(max_steps=10**6, max_minutes=2.0)
    train(TinyStage(stop_at=8), config, tmp_path)
    spent = lines(tmp_path, "elapsed")[9]
    result = train(TinyStage(), config, tmp_path, resume=True)
    assert 0 < spent < 120 <= result["elapsed"] < 130


def fail(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    original, calls = loop.save_state, iter(range(10**6))

    def failing(*args: Any, **keywords: Any) -> Path:
        if next(calls) < times:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(*args, **keywords)

    monkeypatch.setattr(loop, "save_state", failing)


def test_failed_save_is_tried_again_at_the_next_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fail(monkeypatch, SAVE_FAILURES - 1)
    train(TinyStage(), tiny_config(save_every=2), tmp_path)
    assert caplog.text.count("could not save step") == SAVE_FAILURES - 1
    assert newest_state(tmp_path) == tmp_path / "step-00000012"


def test_saves_that_fail_in_a_row_stop_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(monkeypatch, 100)
    with pytest.raises(StorageError, match="failed 3 times in a row") as caught:
        train(TinyStage(), tiny_config(save_every=2), tmp_path)
    assert caught.value.exit_code == 4


def test_last_save_that_fails_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(monkeypatch, 1)
    with pytest.raises(StorageError):
        train(TinyStage(), tiny_config(save_every=100), tmp_path)


def test_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        train(TinyStage(), tiny_config(), tmp_path / "file" / "run")


def test_batch_that_the_processes_cannot_share_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class ThreeProcesses(loop.Processes):
        def __init__(self) -> None:
            super().__init__()
            self.count = 3

    monkeypatch.setattr(loop, "Processes", ThreeProcesses)
    with pytest.raises(InputError, match="multiple of the 3 processes, got 4"):
        train(TinyStage(), tiny_config(), tmp_path)
