import json
from pathlib import Path

import pytest
import torch

from olvdm.cli import main
from olvdm.data.moving_shapes import MovingShapes
from olvdm.evaluation.judges import Judges
from olvdm.pipeline import OLVDMPipeline
from olvdm.training.config import OWN_VIDEOS
from olvdm.training.state import save_networks
from tests import tiny_networks
from tests.tiny_judges import tiny_attribute_network

SETTINGS = {"level": "simple", "weights_dtype": "bf16"}


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of three finished trainings of tiny networks."""
    folder = tmp_path_factory.mktemp("trainings")
    pipeline = tiny_networks.tiny_pipeline()
    parts = {
        "autoencoder": ["autoencoder"],
        "slots": ["slot_encoder", "slot_decoder"],
        "denoiser": ["denoiser", "text_encoder"],
    }
    for training, names in parts.items():
        networks = {name: getattr(pipeline, name) for name in names}
        about = {"step": 7, "config": SETTINGS}
        (folder / training).mkdir()
        save_networks(folder / training / "final", networks, "bf16", about)
    return folder


def package(trainings: Path, output: Path, *words: str) -> int:
    parts = ("autoencoder", "slots", "denoiser")
    options = [word for part in parts for word in (f"--{part}", str(trainings / part))]
    return main(["package", *options, "--output", str(output), *words])


@pytest.fixture(scope="module")
def packaged(trainings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint made of them."""
    output = tmp_path_factory.mktemp("packaged") / "mine"
    assert package(trainings, output) == 0
    return output


def test_packaged_model_is_that_of_the_trainings(packaged) -> None:
    loaded = OLVDMPipeline.from_pretrained(packaged, torch_dtype=torch.float32)
    wanted = tiny_networks.tiny_denoiser().bfloat16().float().state_dict()
    torch.testing.assert_close(loaded.denoiser.state_dict(), wanted, rtol=0, atol=0)


def test_prompts_of_the_examples_need_no_text_encoder(packaged) -> None:
    loaded = OLVDMPipeline.from_pretrained(packaged, torch_dtype=torch.float32)
    from olvdm.data.moving_shapes import example_prompts

    assert {"", *example_prompts("simple")} == loaded.prompt_embeds.keys()


def test_stored_prompt_is_what_the_text_encoder_gives(packaged) -> None:
    loaded = OLVDMPipeline.from_pretrained(packaged, torch_dtype=torch.float32)
    prompt, stored = next(iter(loaded.prompt_embeds.items()))
    torch.testing.assert_close(stored[None], loaded.text_encoder.encode([prompt]))


def test_manifest_says_where_the_parts_come_from(packaged) -> None:
    about = json.loads((packaged / "olvdm.json").read_text())["about"]
    assert {part: one["step"] for part, one in about["trainings"].items()} == {
        "autoencoder": 7,
        "slots": 7,
        "denoiser": 7,
    }


def test_model_of_ones_own_videos_is_not_said_to_know_moving_shapes(trainings, tmp_path) -> None:
    pipeline = tiny_networks.tiny_pipeline()
    networks = {"denoiser": pipeline.denoiser, "text_encoder": pipeline.text_encoder}
    about = {"data": OWN_VIDEOS, "config": SETTINGS}
    save_networks(tmp_path / "denoiser", networks, "bf16", about)
    words = ["--denoiser", str(tmp_path / "denoiser")]
    assert package(trainings, tmp_path / "mine", *words) == 0
    loaded = OLVDMPipeline.from_pretrained(tmp_path / "mine", torch_dtype=torch.float32)
    assert loaded.about["data"] == OWN_VIDEOS
    assert loaded.prompt_embeds == {}


def test_weights_keep_the_size_in_which_they_were_saved(trainings, packaged) -> None:
    sizes = [
        (folder / "denoiser" / "diffusion_pytorch_model.safetensors").stat().st_size
        for folder in (trainings / "denoiser" / "final", packaged)
    ]
    assert sizes[0] == sizes[1]


def test_checkpoint_can_be_packaged_again(packaged, tmp_path) -> None:
    parts = ("autoencoder", "slots", "denoiser")
    options = [word for part in parts for word in (f"--{part}", str(packaged))]
    assert main(["package", *options, "--output", str(tmp_path / "again")]) == 0
    first, second = (
        json.loads((folder / "olvdm.json").read_text())["about"]["trainings"]
        for folder in (packaged, tmp_path / "again")
    )
    assert first == second


def test_scores_travel_with_the_model(trainings, tmp_path) -> None:
    (tmp_path / "report.json").write_text('{"psnr": 33.5}')
    scores = ["--scores", str(tmp_path / "report.json")]
    assert package(trainings, tmp_path / "mine", *scores) == 0
    about = json.loads((tmp_path / "mine" / "olvdm.json").read_text())["about"]
    assert about["scores"] == {"psnr": 33.5}


def test_unreadable_scores_are_refused(trainings, tmp_path, capsys) -> None:
    assert package(trainings, tmp_path / "mine", "--scores", str(tmp_path / "none.json")) == 2
    assert "scores cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("text", ['[1, "junk"]', '{"psnr": NaN}', '{"deep": [1e999]}', "3"])
def test_scores_that_no_evaluation_writes_are_refused(trainings, tmp_path, capsys, text) -> None:
    (tmp_path / "mine.json").write_text(text)
    assert package(trainings, tmp_path / "mine", "--scores", str(tmp_path / "mine.json")) == 2
    assert "scores in 'mine.json' must be a JSON object with finite" in capsys.readouterr().err
    assert not (tmp_path / "mine").exists()


def test_folder_that_somebody_else_filled_is_not_replaced(trainings, tmp_path, capsys) -> None:
    (tmp_path / "homework").mkdir()
    (tmp_path / "homework" / "thesis.txt").write_text("years")
    assert package(trainings, tmp_path / "homework") == 2
    assert "'homework' holds what olvdm did not write" in capsys.readouterr().err
    assert [one.name for one in tmp_path.rglob("*")] == ["homework", "thesis.txt"]


def test_parts_that_do_not_fit_are_refused(trainings, tmp_path, capsys) -> None:
    from olvdm.slot_encoder import SlotEncoder

    other = SlotEncoder(latent_channels=4, feature_dim=12, slot_dim=20, num_slots=4)
    networks = {"slot_encoder": other, "slot_decoder": tiny_networks.tiny_slot_decoder()}
    save_networks(tmp_path / "slots", networks, "bf16", {"config": SETTINGS})
    words = ["--slots", str(tmp_path / "slots")]
    assert package(trainings, tmp_path / "mine", *words) == 2
    assert "trained on each other" in capsys.readouterr().err
    assert not (tmp_path / "mine").exists()


def save_judge(folder: Path, **weights: float) -> Path:
    """Save what ``olvdm package --judge`` reads: a judge, and slots trained with some weights."""
    network = {"attribute_network": tiny_attribute_network()}
    save_networks(folder / "judge" / "final", network, "bf16", {"config": SETTINGS})
    slots = {
        "slot_encoder": tiny_networks.tiny_slot_encoder(1),
        "slot_decoder": tiny_networks.tiny_slot_decoder(1),
    }
    about = {"config": SETTINGS | {"consistency_weight": 0, "appearance_weight": 0} | weights}
    save_networks(folder / "slots" / "final", slots, "bf16", about)
    return folder


def test_judges_are_packaged_as_an_evaluation_reads_them(tmp_path: Path) -> None:
    trained, output = save_judge(tmp_path), tmp_path / "judges"
    words = ["--judge", str(trained / "judge"), "--slots", str(trained / "slots")]
    assert main(["package", *words, "--output", str(output)]) == 0
    clips = MovingShapes("simple", "val", 2, num_frames=4, height=16, width=16)
    assert Judges(output, tiny_networks.tiny_pipeline(), clips, clips).absent == {}


@pytest.mark.parametrize("name", ["consistency_weight", "appearance_weight"])
def test_slots_that_were_taught_to_be_consistent_may_not_judge(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = save_judge(tmp_path, **{name: 0.05})
    words = ["--judge", str(trained / "judge"), "--slots", str(trained / "slots")]
    assert main(["package", *words, "--output", str(tmp_path / "judges")]) == 2
    assert f"must be trained with {name} 0, these have 0.05" in capsys.readouterr().err


def test_a_checkpoint_without_a_part_is_refused(
    trainings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--slots", str(trainings / "slots"), "--output", str(tmp_path / "mine")]
    assert main(["package", *words]) == 2
    assert "a checkpoint needs --autoencoder DIR" in capsys.readouterr().err


def test_judges_with_a_denoiser_are_refused(
    trainings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--judge", str(tmp_path), "--denoiser", str(trainings / "denoiser")]
    assert main(["package", *words, "--output", str(tmp_path / "mine")]) == 2
    assert "judges have no denoiser" in capsys.readouterr().err
