import numpy as np
import pytest
import torch

from olvdm.errors import InputError
from olvdm.training.autoencoder import AutoencoderStage
from olvdm.training.config import AutoencoderConfig
from olvdm.video import frames_to_clip
from tests.tiny_networks import tiny_autoencoder


def config(**changes: object) -> AutoencoderConfig:
    settings: dict[str, object] = {
        "num_frames": 4,
        "height": 16,
        "width": 16,
        "num_clips": 4,
        "level": "simple",
        "latent_channels": 4,
        "widths": (8, 12),
        "num_blocks": 1,
        "precision": "no",
        **changes,
    }
    return AutoencoderConfig(**settings)  # pyright: ignore[reportArgumentType]


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@pytest.fixture(scope="module")
def stage() -> AutoencoderStage:
    return AutoencoderStage(config(), tiny_autoencoder())


def test_loss_is_the_weighted_sum_of_its_parts(stage: AutoencoderStage) -> None:
    losses = stage(stage.fetch([0, 1]), generators(0, 1), 0.0)
    assert losses.keys() == {"loss", "reconstruction", "temporal", "divergence"}
    wanted = losses["reconstruction"] + 0.5 * losses["temporal"] + 1e-6 * losses["divergence"]
    torch.testing.assert_close(losses["loss"], wanted)


def test_generators_alone_decide_the_noise(stage: AutoencoderStage) -> None:
    batch = stage.fetch([0, 1])
    first = stage(batch, generators(3, 4), 0.0)["loss"]
    torch.manual_seed(5)
    assert torch.equal(stage(batch, generators(3, 4), 0.0)["loss"], first)
    assert not torch.equal(stage(batch, generators(3, 5), 0.0)["loss"], first)


def test_clip_costs_the_same_in_any_batch(stage: AutoencoderStage) -> None:
    both = stage(stage.fetch([0, 1]), generators(3, 4), 0.0)["loss"]
    alone = [stage(stage.fetch([i]), generators(3 + i), 0.0)["loss"] for i in range(2)]
    torch.testing.assert_close(both, torch.stack(alone).mean(), atol=1e-5, rtol=1e-4)


def test_gradient_reaches_every_weight_after_two_steps() -> None:
    torch.manual_seed(0)
    stage = AutoencoderStage(config())
    optimizer = torch.optim.Adam(stage.parameters(), lr=1e-3)
    for _ in range(3):
        optimizer.zero_grad()
        stage(stage.fetch([0, 1]), generators(0, 1), 0.0)["loss"].backward()
        optimizer.step()
    idle = [
        name
        for name, one in stage.autoencoder.named_parameters()
        if one.grad is None or not one.grad.any()
    ]
    assert idle == []


def test_saved_networks_know_the_statistics_of_their_latents() -> None:
    stage = AutoencoderStage(config(), tiny_autoencoder())
    stage.prepare_networks()
    frames = stage.validation_clips.frames(range(len(stage.validation_clips)))
    with torch.no_grad():
        latents = stage.autoencoder.encode(frames_to_clip(torch.from_numpy(frames)))
    torch.testing.assert_close(latents.mean(dim=(0, 2, 3, 4)), torch.zeros(4), atol=1e-3, rtol=0)
    torch.testing.assert_close(latents.std(dim=(0, 2, 3, 4)), torch.ones(4), atol=1e-3, rtol=0)


def test_validation_is_the_psnr_of_held_out_clips(stage: AutoencoderStage) -> None:
    scores = stage.validate()
    frames = stage.validation_clips.frames(range(len(stage.validation_clips)))
    with torch.no_grad():
        found = stage.autoencoder(frames_to_clip(torch.from_numpy(frames)))
    redrawn = found.add(1).mul(127.5).round().clamp(0, 255).permute(0, 2, 3, 4, 1).numpy()
    errors = ((redrawn - frames.astype(np.float64)) / 255) ** 2
    wanted = np.mean(-10 * np.log10(errors.mean(axis=(1, 2, 3, 4))))
    assert scores["score"] == scores["psnr"] == pytest.approx(wanted, abs=0.01)


def test_preview_shows_truth_over_reconstruction(stage: AutoencoderStage) -> None:
    shown = stage.preview(0)["reconstruction"]
    assert shown.shape == (4, 32, 64, 3)
    truth = np.concatenate(list(stage.validation_clips.frames(range(4))), axis=2)
    np.testing.assert_array_equal(shown[:, :16], truth)


def test_epoch_is_the_clips_of_the_settings(stage: AutoencoderStage) -> None:
    assert stage.num_examples == 4
    assert [*stage.networks()] == ["autoencoder"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"spatial_factor": 8}, "spatial_factor must be 2"),
        ({"temporal_factor": 4}, "temporal_factor must be a power of two up to 2"),
        ({"num_frames": 5}, "num_frames must be a multiple of 2, got 5"),
        ({"width": 18}, "width must be a multiple of 4, got 18"),
    ],
)
def test_settings_that_do_not_fit_are_refused_in_words(
    changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        AutoencoderStage(config(**changes))


def test_frozen_encoder_keeps_its_latents() -> None:
    autoencoder = tiny_autoencoder()
    autoencoder.set_latent_statistics([0.5] * 4, [2.0] * 4)
    stage = AutoencoderStage(config(trains_encoder=False), autoencoder)
    stage.prepare_networks()
    assert autoencoder.config["latents_std"] == [2.0] * 4
    assert not any(one.requires_grad for one in autoencoder.encoder.parameters())
    assert any(one.requires_grad for one in autoencoder.decoder.parameters())
