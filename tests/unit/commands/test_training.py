import pytest
import torch

from olvdm.cli import main
from olvdm.commands.training import build_stage, find_part, load_part
from olvdm.denoiser import VideoDenoiser
from olvdm.errors import CheckpointError, InputError
from olvdm.training.config import load_config
from olvdm.training.slots import SlotsStage

TINY = {"num_clips": 2, "batch_size": 2, "max_steps": 2, "height": 32, "width": 32, "num_frames": 8}
SAVING = ["--set", "save_every=1", "--set", "precision=no"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)


def train(*words: str) -> int:
    sizes = [word for name, value in TINY.items() for word in ("--set", f"{name}={value}")]
    return main(["train", *words, *sizes])


@pytest.mark.slow
def test_training_ends_with_networks_and_the_next_command(tmp_path, capsys) -> None:
    assert train("autoencoder", "--preset", "smoke", "--output", "ae", *SAVING) == 0
    assert find_part(tmp_path / "ae", "autoencoder") == tmp_path / "ae" / "final" / "autoencoder"
    assert "olvdm train slots" in capsys.readouterr().out


@pytest.mark.slow
def test_resumed_training_needs_no_preset(tmp_path) -> None:
    begun = ["autoencoder", "--preset", "smoke", "--output", "ae", *SAVING]
    assert train(*begun) == 0
    assert main(["train", "autoencoder", "--resume", "--output", "ae", "--max-steps", "3"]) == 0
    assert (tmp_path / "ae" / "step-00000003").is_dir()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["autoencoder", "--output", "x"], "needs --preset"),
        (["autoencoder", "--output", "x", "--resume"], "holds no training to resume"),
        (["autoencoder", "--preset", "tiny", "--output", "x"], "preset must be smoke"),
        (["slots", "--preset", "smoke", "--output", "x"], "--autoencoder DIR"),
        (["denoiser", "--preset", "smoke", "--output", "x"], "--autoencoder DIR"),
        (["slots", "--preset", "smoke", "--output", "x", "--autoencoder", "no"], "no autoencoder"),
        (["slots", "--preset", "smoke", "--output", "x", "--set", "lr"], "FIELD=VALUE"),
        (["slots", "--preset", "smoke", "--output", "x", "--set", "bach_size=1"], "'batch_size'"),
        (["slots", "--preset", "smoke", "--output", "x", "--num-slots", "99"], "num_slots must be"),
    ],
)
def test_illegal_value_is_refused_and_nothing_is_written(tmp_path, capsys, words, reason) -> None:
    assert main(["train", *words]) == 2
    assert reason in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_slots_are_trained_on_the_autoencoder_that_is_named(checkpoint, tmp_path) -> None:
    settings = {**TINY, "autoencoder": str(checkpoint), "latents": str(tmp_path / "latents")}
    stage = build_stage(load_config("slots", "smoke", settings))
    assert isinstance(stage, SlotsStage)
    weights = load_part(checkpoint, "autoencoder", type(stage.autoencoder)).state_dict()
    torch.testing.assert_close(stage.autoencoder.state_dict(), weights)


def test_slot_loss_needs_trained_slots(checkpoint) -> None:
    settings = {**TINY, "autoencoder": str(checkpoint), "slot_loss": "corr"}
    with pytest.raises(InputError, match="--slots DIR"):
        build_stage(load_config("denoiser", "smoke", settings))


def test_folder_without_the_part_is_refused(tmp_path) -> None:
    with pytest.raises(CheckpointError, match="holds no denoiser"):
        load_part(tmp_path, "denoiser", VideoDenoiser)
