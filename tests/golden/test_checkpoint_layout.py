"""File and class names are part of the format: published weights name them, so they are frozen."""

import json
from pathlib import Path

import pytest

from tests.tiny_networks import PROMPTS, tiny_pipeline

INDEX = {
    "_class_name": "OLVDMPipeline",
    "autoencoder": ["olvdm.autoencoder", "VideoAutoencoder"],
    "denoiser": ["olvdm.denoiser", "VideoDenoiser"],
    "scheduler": ["diffusers", "DPMSolverMultistepScheduler"],
    "slot_decoder": ["olvdm.slot_decoder", "SlotDecoder"],
    "slot_encoder": ["olvdm.slot_encoder", "SlotEncoder"],
    "text_encoder": ["olvdm.text_encoder", "TextEncoder"],
}
FILES = [
    "autoencoder/config.json",
    "autoencoder/diffusion_pytorch_model.safetensors",
    "denoiser/config.json",
    "denoiser/diffusion_pytorch_model.safetensors",
    "model_index.json",
    "olvdm.json",
    "prompt_embeds.safetensors",
    "scheduler/scheduler_config.json",
    "slot_decoder/config.json",
    "slot_decoder/diffusion_pytorch_model.safetensors",
    "slot_encoder/config.json",
    "slot_encoder/diffusion_pytorch_model.safetensors",
    "text_encoder/config.json",
    "text_encoder/diffusion_pytorch_model.safetensors",
]
SETTINGS = {
    "autoencoder": [
        "latent_channels",
        "latents_mean",
        "latents_std",
        "num_blocks",
        "spatial_factor",
        "temporal_factor",
        "widths",
    ],
    "denoiser": [
        "attention_blocks",
        "dim",
        "height",
        "latent_channels",
        "local_dim",
        "mixes_time_locally",
        "num_blocks",
        "num_frames",
        "num_heads",
        "num_local_blocks",
        "prompt_dim",
        "width",
    ],
    "slot_decoder": ["hidden_dim", "latent_channels", "slot_dim"],
    "slot_encoder": [
        "feature_dim",
        "identity_dim",
        "latent_channels",
        "num_iterations",
        "num_later_iterations",
        "num_slots",
        "slot_dim",
    ],
    "text_encoder": [
        "context_length",
        "heads",
        "layers",
        "open_clip_model",
        "output_dim",
        "pretrained",
        "vocabulary",
        "width",
    ],
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "model"
    pipeline = tiny_pipeline()
    pipeline.store_prompts(PROMPTS)
    pipeline.save_pretrained(folder)
    return folder


def test_index_names_the_frozen_classes(saved: Path) -> None:
    index = json.loads((saved / "model_index.json").read_text())
    index.pop("_diffusers_version")
    assert index == INDEX


def test_files_have_the_frozen_names(saved: Path) -> None:
    names = sorted(one.relative_to(saved).as_posix() for one in saved.rglob("*") if one.is_file())
    assert names == FILES


def test_manifest_has_the_frozen_form(saved: Path) -> None:
    manifest = json.loads((saved / "olvdm.json").read_text())
    assert [*manifest] == ["format", "kind", "created_by", "about", "files"]
    assert (manifest["format"], manifest["kind"]) == (1, "pipeline")


@pytest.mark.parametrize("part", SETTINGS)
def test_settings_have_the_frozen_names(saved: Path, part: str) -> None:
    settings = json.loads((saved / part / "config.json").read_text())
    assert sorted(settings) == ["_class_name", "_diffusers_version", *SETTINGS[part]]
