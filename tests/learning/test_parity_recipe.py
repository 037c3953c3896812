"""LVDM's own recipe from end to end at tiny size: train, package, draw by DDIM, load again."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from olvdm.cli import main
from olvdm.diffusers_api import DDIMScheduler
from olvdm.generation import OLVDMPipelineOutput
from olvdm.pipeline import OLVDMPipeline
from olvdm.training import denoiser as training
from tests.tiny_networks import tiny_pipeline

TINY = {
    "level": "simple",
    "num_clips": 4,
    "batch_size": 2,
    "max_steps": 4,
    "warmup_steps": 1,
    "height": 32,
    "width": 32,
    "num_frames": 8,
    "local_dim": 8,
    "dim": 16,
    "num_local_blocks": 1,
    "num_blocks": 2,
    "num_heads": 2,
    "attention_blocks": "1",
    "text_width": 16,
    "text_layers": 1,
    "prompt_dim": 12,
    "precision": "no",
    "weights_dtype": "fp32",
}


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint whose denoiser made some steps of the recipe."""
    folder = tmp_path_factory.mktemp("parity")
    tiny_pipeline().save_pretrained(folder / "others")
    sizes = [word for name, value in TINY.items() for word in ("--set", f"{name}={value}")]
    others = ["--autoencoder", str(folder / "others")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "NUM_VALIDATION_CLIPS", 2)
        patch.setattr(training, "NUM_PREVIEW_CLIPS", 1)
        words = ["train", "denoiser", "--preset", "lvdm-parity", *others, *sizes]
        assert main([*words, "--output", str(folder / "lvdm")]) == 0
    parts = [*others, "--slots", str(folder / "others"), "--denoiser", str(folder / "lvdm")]
    assert main(["package", *parts, "--output", str(folder / "mine")]) == 0
    return folder / "mine"


def draw(pipeline: OLVDMPipeline, **changes: object) -> OLVDMPipelineOutput:
    settings = {"num_frames": 8, "num_inference_steps": 5, "output_type": "latent", **changes}
    generator = torch.Generator().manual_seed(3)
    return pipeline("a red circle moves right", generator=generator, **settings)  # pyright: ignore


@pytest.mark.slow
def test_packaged_model_is_drawn_by_ddim(packaged: Path) -> None:
    pipeline = OLVDMPipeline.from_pretrained(packaged, torch.float32)
    assert type(pipeline.scheduler) is DDIMScheduler
    assert pipeline.denoiser.schedule.prediction_type == "epsilon"
    settings = json.loads((packaged / "scheduler" / "scheduler_config.json").read_text())
    assert (settings["beta_start"], settings["beta_end"]) == (0.0015, 0.0155)


@pytest.mark.slow
def test_five_steps_are_those_of_diffusers_ddim(packaged: Path) -> None:
    pipeline = OLVDMPipeline.from_pretrained(packaged, torch.float32)
    found = draw(pipeline, guidance_scale=1).latents
    scheduler: Any = DDIMScheduler.from_pretrained(packaged / "scheduler")
    scheduler.set_timesteps(5)
    latents = torch.randn(found.shape, generator=torch.Generator().manual_seed(3))
    embeds = pipeline.encode_prompt("a red circle moves right")
    for timestep in scheduler.timesteps:
        levels = torch.full((1, found.shape[2]), float(timestep))
        with torch.no_grad():
            prediction = pipeline.denoiser(latents, levels, embeds)
        latents = scheduler.step(prediction, timestep, latents).prev_sample
    assert torch.equal(found, latents)


@pytest.mark.slow
def test_drawing_repeats_and_survives_saving(packaged: Path, tmp_path: Path) -> None:
    pipeline = OLVDMPipeline.from_pretrained(packaged, torch.float32)
    first = draw(pipeline)
    assert torch.equal(first.latents, draw(pipeline).latents)
    pipeline.save_pretrained(tmp_path / "again")
    loaded = OLVDMPipeline.from_pretrained(tmp_path / "again", torch.float32)
    again = draw(loaded)
    assert torch.equal(first.latents, again.latents)
    assert (first.uint8_frames == again.uint8_frames).all()


@pytest.mark.slow
def test_given_frames_stay_and_long_clips_are_drawn(packaged: Path) -> None:
    pipeline = OLVDMPipeline.from_pretrained(packaged, torch.float32)
    frames = draw(pipeline).uint8_frames[0]
    longer = draw(pipeline, num_frames=14, given_frames=frames[:4]).latents
    kept = draw(pipeline, given_frames=frames[:4]).latents
    assert longer.shape[2] == 7
    assert torch.equal(longer[:, :, :2], kept[:, :, :2])


@pytest.mark.slow
def test_training_does_not_resume_towards_another_prediction(
    packaged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "denoiser", "--resume", "--output", str(packaged.parent / "lvdm")]
    assert main([*words, "--set", "prediction_type=flow_prediction"]) == 2
    assert "predicts epsilon, not flow_prediction" in capsys.readouterr().err
