import shlex
from pathlib import Path

import pytest
import torch

from olvdm.cli import main
from olvdm.commands.arguments import parse
from olvdm.commands.training import _next_command
from olvdm.denoiser import VideoDenoiser
from olvdm.errors import CheckpointError, InputError
from olvdm.text_encoder import TextEncoder
from olvdm.training import denoiser as training
from olvdm.training.config import DenoiserConfig, load_config
from olvdm.training.denoiser import DenoiserStage
from olvdm.training.parts import build_stage, find_part, load_part
from olvdm.training.slots import SlotsStage
from olvdm.training.stop_signal import StopSignal

TINY = {"num_clips": 2, "batch_size": 2, "max_steps": 2, "height": 32, "width": 32, "num_frames": 8}
SAVING = ["--set", "save_every=1", "--set", "precision=no"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training, "NUM_VALIDATION_CLIPS", 2)


def train(*words: str) -> int:
    sizes = [word for name, value in TINY.items() for word in ("--set", f"{name}={value}")]
    return main(["train", *words, *sizes])


@pytest.mark.slow
def test_training_ends_with_networks_and_the_next_command(tmp_path, capsys) -> None:
    assert train("autoencoder", "--preset", "smoke", "--output", "ae", *SAVING) == 0
    assert find_part(tmp_path / "ae", "autoencoder") == tmp_path / "ae" / "final" / "autoencoder"
    assert "olvdm train slots" in capsys.readouterr().out


@pytest.mark.slow
def test_stopped_training_says_how_it_goes_on(capsys, monkeypatch) -> None:
    stopped = {"is_set": True, "previous": {}}
    monkeypatch.setattr(StopSignal, "__init__", lambda self: self.__dict__.update(stopped))
    assert train("autoencoder", "--preset", "smoke", "--output", "ae", *SAVING) == 0
    said = capsys.readouterr().out
    assert "stopped before the end" in said
    assert "olvdm train autoencoder --resume --output ae" in said
    assert "olvdm train slots" not in said


@pytest.mark.parametrize(
    ("stage", "changes", "command"),
    [
        ("autoencoder", {}, "train slots --preset smoke --autoencoder runs/new/final"),
        (
            "autoencoder",
            {"videos": "my videos", "height": 32},
            (
                "train slots --preset smoke --videos 'my videos' --height 32 "
                "--autoencoder runs/new/final"
            ),
        ),
        (
            "slots",
            {"videos": "my_videos", "autoencoder": "runs/ae"},
            (
                "train denoiser --preset smoke --videos my_videos --autoencoder runs/ae "
                "--slots runs/new/final --slot-loss corr"
            ),
        ),
        (
            "denoiser",
            {"autoencoder": "runs/ae", "slots": "runs/slots"},
            (
                "package --autoencoder runs/ae --slots runs/slots --denoiser runs/new/final "
                "--num-candidates 4"
            ),
        ),
        ("denoiser", {}, "package --autoencoder DIR --slots DIR --denoiser runs/new/final"),
        ("judge", {}, "package --judge runs/new/final --slots DIR"),
    ],
)
def test_next_command_goes_on_with_the_same_clips_and_parts(stage, changes, command) -> None:
    config = load_config(stage, "smoke", changes)
    shown = _next_command(stage, config, Path("runs/new/final"), "smoke")
    assert shown == f"olvdm {command} --output DIR"
    assert parse(shlex.split(shown)[1:]).output == "DIR"


def test_slots_that_no_loss_looks_at_are_told(checkpoint, caplog) -> None:
    words = ["denoiser", "--preset", "smoke", "--slots", str(checkpoint), "--output", "x"]
    assert train(*words) == 2
    assert "this trains LVDM; --slot-loss corr is OLVDM" in caplog.text
    caplog.clear()
    assert train(*words, "--slot-loss", "corr") == 2
    assert "LVDM" not in caplog.text


def test_folder_of_another_training_is_refused_before_clips_are_encoded(
    checkpoint, tmp_path, capsys
) -> None:
    (tmp_path / "run" / "step-00000001").mkdir(parents=True)
    words = ["slots", "--preset", "smoke", "--autoencoder", str(checkpoint), "--output", "run"]
    assert train(*words) == 2
    assert "the output folder 'run' already holds a training; go on" in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["run"]


def test_nothing_to_resume_leaves_nothing_behind(tmp_path, capsys) -> None:
    assert train("autoencoder", "--preset", "smoke", "--resume", "--output", "x") == 3
    assert "the output folder 'x' holds no training to resume" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


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


def test_training_begins_from_given_weights(checkpoint, caplog) -> None:
    words = ["denoiser", "--preset", "smoke", "--autoencoder", str(checkpoint), *SAVING]
    still = ["--init-from", str(checkpoint), "--set", "learning_rate=0.0"]
    assert train(*words, *still, "--set", "clip_layer=slots", "--output", "grown") == 0
    assert "began from denoiser, text_encoder, whose own sizes stay as they are" in caplog.text
    given = load_part(checkpoint, "denoiser", VideoDenoiser)
    grown = load_part("grown", "denoiser", VideoDenoiser)
    assert grown.whole_clip is not None
    weights = grown.state_dict()
    for name, weight in given.state_dict().items():
        torch.testing.assert_close(weights[name], weight, rtol=0.01, atol=0.01)


def test_folder_without_the_wanted_networks_is_refused(checkpoint, tmp_path, capsys) -> None:
    (tmp_path / "empty").mkdir()
    words = ["denoiser", "--preset", "smoke", "--autoencoder", str(checkpoint), *SAVING]
    assert train(*words, "--init-from", "empty", "--output", "begun") == 2
    said = "the folder 'empty' to begin from holds none of denoiser, text_encoder; give"
    assert said in capsys.readouterr().err


def test_slot_loss_needs_trained_slots(checkpoint) -> None:
    settings = {**TINY, "autoencoder": str(checkpoint), "slot_loss": "corr"}
    with pytest.raises(InputError, match="--slots DIR"):
        build_stage(load_config("denoiser", "smoke", settings))


def test_folder_without_the_part_is_refused(tmp_path) -> None:
    with pytest.raises(CheckpointError, match="holds no denoiser"):
        load_part(tmp_path, "denoiser", VideoDenoiser)


@pytest.fixture
def tiny_tower(tmp_path_factory, monkeypatch) -> tuple[str, str]:
    """Give name and tag of a model of a few numbers that open_clip lists as any other."""
    from open_clip import pretrained

    from tests.unit.test_text_encoder import add_tiny_open_clip_model

    weights = add_tiny_open_clip_model(tmp_path_factory.mktemp("tower"))
    monkeypatch.setitem(pretrained._PRETRAINED, "tiny-clip", {"random": {"file": weights}})
    return "tiny-clip", "random"


def with_tower(checkpoint, tmp_path, **changes: object) -> DenoiserConfig:
    settings = {**TINY, "autoencoder": str(checkpoint), "latents": str(tmp_path / "latents")}
    return load_config("denoiser", "smoke", {**settings, **changes})


def test_tower_of_open_clip_is_taken_by_name(checkpoint, tmp_path, tiny_tower) -> None:
    name, tag = tiny_tower
    stage = build_stage(with_tower(checkpoint, tmp_path, text_tower=name, text_pretrained=tag))
    assert isinstance(stage, DenoiserStage)
    trained = [key for key, one in stage.text_encoder.named_parameters() if one.requires_grad]
    assert trained == ["projection.weight", "projection.bias"]
    stage.networks()["text_encoder"].save_pretrained(tmp_path / "saved" / "text_encoder")
    loaded = load_part(tmp_path / "saved", "text_encoder", TextEncoder)
    assert (loaded.frozen_name, loaded.frozen_weights) == tiny_tower
    assert torch.equal(loaded.encode(["a dragon"]), stage.text_encoder.encode(["a dragon"]))


def test_tower_survives_training_packaging_and_loading(checkpoint, tmp_path, tiny_tower) -> None:
    from olvdm.pipeline import OLVDMPipeline

    name, tag = tiny_tower
    words = ["denoiser", "--preset", "smoke", "--autoencoder", str(checkpoint), *SAVING]
    tower = ["--set", f"text_tower={name}", "--set", f"text_pretrained={tag}"]
    assert train(*words, *tower, "--output", "begun") == 0
    assert main(["train", "denoiser", "--resume", "--output", "begun", "--max-steps", "3"]) == 0
    parts = ["--autoencoder", str(checkpoint), "--slots", str(checkpoint), "--denoiser", "begun"]
    assert main(["package", *parts, "--output", "mine"]) == 0
    pipeline = OLVDMPipeline.from_pretrained("mine", torch.float32)
    assert pipeline.text_encoder.frozen_name == name
    drawn = pipeline("a green dragon", num_frames=8, num_inference_steps=1)
    assert drawn.uint8_frames.shape == (1, 8, 32, 32, 3)
    for other in ({"text_tower": "ViT-B-32"}, {"text_tower": name, "text_pretrained": "other"}):
        config = with_tower(checkpoint, tmp_path, init_from=str(tmp_path / "mine"), **other)
        with pytest.raises(InputError, match="reads 'tiny-clip' and not"):
            build_stage(config)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"text_tower": "ViT-B-33", "text_pretrained": "openai"}, "nearest is 'ViT-B-32'"),
        ({"text_tower": "ViT-B-32", "text_pretrained": "opnai"}, "in a training, is 'openai'"),
        ({"text_tower": "ViT-B-32"}, "no weights None for 'ViT-B-32'"),
        ({"text_pretrained": "openai"}, "text_pretrained needs text_tower"),
    ],
)
def test_tower_that_does_not_exist_is_refused(checkpoint, tmp_path, changes, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        build_stage(with_tower(checkpoint, tmp_path, **changes))


def test_weight_file_of_a_tower_is_refused(checkpoint, tmp_path) -> None:
    (tmp_path / "weights").write_bytes(b"")
    changes = {"text_tower": "ViT-B-32", "text_pretrained": str(tmp_path / "weights")}
    with pytest.raises(InputError, match="a tag of open_clip and not a weight file"):
        build_stage(with_tower(checkpoint, tmp_path, **changes))


def test_tower_that_cannot_be_had_is_refused_before_clips_are_encoded(
    checkpoint, tmp_path, monkeypatch
) -> None:
    def fails(*_: object, **__: object) -> str:
        raise OSError("no network")

    monkeypatch.setattr("open_clip.factory.download_pretrained", fails)
    config = with_tower(checkpoint, tmp_path, text_tower="ViT-B-32", text_pretrained="openai")
    with pytest.raises(CheckpointError, match="connect to the network once"):
        build_stage(config)
    assert not (tmp_path / "latents").exists()
