import inspect
from typing import Any

import pytest
import torch
from torch import Tensor

from olvdm.clip_layer import CLIP_LAYERS
from olvdm.denoiser import VideoDenoiser
from tests.tiny_networks import PROMPT_DIM, tiny_denoiser


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def inputs(num_clips: int = 1, num_frames: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    return (
        noise(0, num_clips, 4, num_frames, 8, 8),
        torch.linspace(100, 900, num_clips * num_frames).view(num_clips, num_frames),
        noise(1, num_clips, 6, PROMPT_DIM),
    )


def small(**settings: Any) -> VideoDenoiser:
    torch.manual_seed(0)
    return VideoDenoiser(
        latent_channels=4,
        local_dim=8,
        dim=16,
        num_local_blocks=1,
        num_blocks=2,
        num_heads=2,
        prompt_dim=PROMPT_DIM,
        **settings,
    )


def test_prediction_has_the_shape_of_the_latents() -> None:
    latents, timesteps, prompt = inputs(2, 5)
    assert tiny_denoiser()(latents, timesteps, prompt).shape == latents.shape


def test_fresh_denoiser_predicts_the_same_everywhere() -> None:
    prediction = small()(*inputs())
    assert prediction.var(dim=(2, 3, 4)).max() < 1e-12


@pytest.mark.parametrize("frame", [0, 3])
def test_noise_level_of_a_single_frame_matters(frame: int) -> None:
    latents, timesteps, prompt = inputs()
    changed = timesteps.clone()
    changed[0, frame] = 0
    denoiser = tiny_denoiser()
    moved = denoiser(latents, timesteps, prompt) - denoiser(latents, changed, prompt)
    assert moved[:, :, frame].abs().max() > 1e-3


def test_it_matters_which_frame_has_which_noise_level() -> None:
    latents, timesteps, prompt = inputs()
    denoiser = tiny_denoiser()
    moved = denoiser(latents, timesteps, prompt) - denoiser(latents, timesteps.flip(1), prompt)
    assert moved.abs().max() > 1e-3


def test_prompt_matters() -> None:
    latents, timesteps, prompt = inputs()
    denoiser = tiny_denoiser()
    moved = denoiser(latents, timesteps, prompt) - denoiser(latents, timesteps, 0 * prompt)
    assert moved.abs().max() > 1e-3


def test_words_matter_beyond_their_mean() -> None:
    latents, timesteps, prompt = inputs()
    denoiser = tiny_denoiser()
    evened = prompt.mean(1, keepdim=True).expand_as(prompt)
    moved = denoiser(latents, timesteps, prompt) - denoiser(latents, timesteps, evened)
    assert moved.abs().max() > 1e-5


def test_every_frame_sees_every_other() -> None:
    latents, timesteps, prompt = inputs(1, 8)
    changed = latents.clone()
    changed[:, :, 7] += 1
    denoiser = tiny_denoiser()
    moved = denoiser(latents, timesteps, prompt) - denoiser(changed, timesteps, prompt)
    assert moved[:, :, 0].abs().max() > 1e-7


def test_batch_of_two_is_two_calls() -> None:
    latents, timesteps, prompt = inputs(2)
    denoiser = tiny_denoiser()
    with torch.no_grad():
        both = denoiser(latents, timesteps, prompt)
        alone = [
            denoiser(latents[i : i + 1], timesteps[i : i + 1], prompt[i : i + 1]) for i in range(2)
        ]
    torch.testing.assert_close(both, torch.cat(alone), atol=1e-5, rtol=0)


def test_training_and_sampling_compute_the_same() -> None:
    denoiser = tiny_denoiser()
    with torch.no_grad():
        sampled = denoiser(*inputs())
    torch.testing.assert_close(denoiser(*inputs()).detach(), sampled, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("num_frames", "height", "width"), [(1, 8, 8), (7, 8, 8), (4, 6, 12)])
def test_other_sizes_than_the_training_s_are_drawn_too(
    num_frames: int, height: int, width: int
) -> None:
    latents = noise(0, 1, 4, num_frames, height, width)
    found = tiny_denoiser()(latents, torch.full((1, num_frames), 500.0), inputs()[2])
    assert found.isfinite().all()


def test_slots_are_no_input() -> None:
    names = [*inspect.signature(VideoDenoiser.forward).parameters]
    assert names == ["self", "noisy_latents", "timesteps", "prompt_embeds", "returns_mid_trunk"]


def test_without_local_mixing_frames_meet_in_the_trunk_alone() -> None:
    denoiser = small(mixes_time_locally=False)
    assert not any("entry" in name or "exit" in name for name in mixers(denoiser))


def test_local_blocks_mix_time_by_default() -> None:
    assert {name.split(".")[0] for name in mixers(small())} == {"entry", "exit", "trunk"}


def mixers(denoiser: VideoDenoiser) -> list[str]:
    return [name for name, one in denoiser.named_modules() if type(one).__name__ == "TimeMix"]


@pytest.mark.parametrize("settings", [{}, {"mixes_time_locally": False}, {"attention_blocks": ()}])
def test_gradient_reaches_every_weight_after_two_steps(settings: dict[str, Any]) -> None:
    denoiser = small(**settings)
    optimizer = torch.optim.Adam(denoiser.parameters(), lr=1e-2)
    for step in range(3):
        optimizer.zero_grad()
        latents, timesteps, prompt = inputs(2)
        target = noise(step + 2, *latents.shape)
        (denoiser(latents, timesteps, prompt) - target).square().mean().backward()
        optimizer.step()
    idle = [
        name for name, one in denoiser.named_parameters() if one.grad is None or not one.grad.any()
    ]
    assert idle == []


def test_bf16_prediction_is_about_that_of_float32() -> None:
    latents, timesteps, prompt = inputs()
    denoiser = tiny_denoiser()
    wanted = denoiser(latents, timesteps, prompt)
    found = denoiser.bfloat16()(latents.bfloat16(), timesteps, prompt.bfloat16()).float()
    assert (found - wanted).abs().mean() < 0.03 * wanted.abs().mean()


@pytest.mark.parametrize("settings", [{"dim": 12}, {"num_frames": 0}, {"height": 0}, {"width": -1}])
def test_sizes_that_cannot_be_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="8 divides"):
        VideoDenoiser(**settings)


@pytest.mark.parametrize("clip_layer", CLIP_LAYERS)
def test_fresh_layer_for_the_clip_changes_no_prediction(clip_layer: str) -> None:
    denoiser = tiny_denoiser()
    grown = denoiser.with_clip_layer(clip_layer)
    assert torch.equal(grown(*inputs(2)), denoiser(*inputs(2)))


@pytest.mark.parametrize("clip_layer", CLIP_LAYERS)
def test_every_weight_of_the_layer_for_the_clip_learns(clip_layer: str) -> None:
    grown = tiny_denoiser().with_clip_layer(clip_layer)
    optimizer = torch.optim.SGD(grown.parameters(), lr=0.1)
    for _ in range(3):  # outputs begin at zero: what lies behind them learns one step later
        optimizer.zero_grad()
        (grown(*inputs(2)) - noise(5, 1)).square().mean().backward()
        optimizer.step()
    assert grown.whole_clip is not None
    for name, weight in grown.whole_clip.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 0, name


def test_second_layer_for_the_clip_is_refused() -> None:
    grown = tiny_denoiser().with_clip_layer("slots")
    with pytest.raises(ValueError, match="has the layer 'slots' already"):
        grown.with_clip_layer("temporal")


def test_unknown_layer_for_the_clip_is_refused() -> None:
    with pytest.raises(ValueError, match="none, slots, temporal, got 'bells'"):
        small(clip_layer="bells")


def test_settings_name_the_layer_for_the_clip_only_where_there_is_one() -> None:
    assert "clip_layer" not in tiny_denoiser().config
    assert tiny_denoiser().with_clip_layer("slots").config["clip_layer"] == "slots"


def test_tracks_are_shares_of_every_position() -> None:
    denoiser = tiny_denoiser().with_clip_layer("slots")
    prediction, mid_trunk = denoiser(*inputs(2), returns_mid_trunk=True)
    assert torch.equal(prediction, tiny_denoiser()(*inputs(2)))
    torch.testing.assert_close(mid_trunk.tracks.attention_masks.sum(2), torch.ones(2, 4, 4, 4))


def test_network_without_slots_has_features_half_way_and_no_tracks() -> None:
    denoiser = tiny_denoiser()
    prediction, mid_trunk = denoiser(*inputs(2), returns_mid_trunk=True)
    assert torch.equal(prediction, denoiser(*inputs(2)))
    assert mid_trunk.tracks is None
    assert mid_trunk.features.shape == (2, 4, 4, 4, denoiser.dim)
