import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from olvdm.clip_layer import CLIP_LAYERS
from olvdm.errors import InputError
from olvdm.noise_schedule import LEVEL_SHIFT, SCHEDULES
from olvdm.slot_networks import SlotNetworks
from olvdm.training import denoiser as training
from olvdm.training.config import DenoiserConfig
from olvdm.training.denoiser import DenoiserStage
from olvdm.training.noisy_batch import NUM_STILLS, draw_noise
from tests.tiny_networks import (
    tiny_autoencoder,
    tiny_denoiser,
    tiny_slot_decoder,
    tiny_slot_encoder,
)

BOTH = pytest.mark.parametrize("prediction_type", list(SCHEDULES))
TINY: dict[str, Any] = {
    "num_clips": 2,
    "height": 32,
    "width": 32,
    "num_frames": 8,
    "local_dim": 8,
    "dim": 16,
    "num_local_blocks": 1,
    "num_blocks": 2,
    "num_heads": 2,
    "attention_blocks": (1,),
    "text_width": 16,
    "text_layers": 1,
    "prompt_dim": 12,
    "slot_max_timestep": 1000.0,  # two clips draw few levels
}


@pytest.fixture
def make_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a function that builds the stage at tiny size with some settings changed."""
    monkeypatch.setattr(training, "NUM_VALIDATION_CLIPS", 2)
    monkeypatch.setattr(training, "NUM_PREVIEW_CLIPS", 1)

    def make(slots: bool = False, **changes: object) -> DenoiserStage:
        settings: dict[str, Any] = {**TINY, "latents": str(tmp_path / "latents"), **changes}
        config = DenoiserConfig(**settings)
        torch.manual_seed(0)
        looks = SlotNetworks(tiny_slot_encoder(), tiny_slot_decoder()) if slots else None
        return DenoiserStage(config, tiny_autoencoder(), slot_networks=looks)

    return make


def generators(count: int = 2) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(index) for index in range(count)]


def latents_and_stills(count: int = 64) -> Tensor:
    return torch.randn(count, 2, 4 + NUM_STILLS, 4, 4, generator=torch.Generator().manual_seed(0))


def test_words_of_the_settings_are_the_known_schedules() -> None:
    words = DenoiserConfig.__dataclass_fields__["prediction_type"].metadata["words"]
    assert words == tuple(SCHEDULES)


def test_words_of_the_settings_are_the_known_layers() -> None:
    words = DenoiserConfig.__dataclass_fields__["clip_layer"].metadata["words"]
    assert words == ("none", *CLIP_LAYERS)


@BOTH
def test_stage_asks_for_what_the_settings_say(make_stage: Any, prediction_type: str) -> None:
    stage = make_stage(prediction_type=prediction_type)
    assert stage.denoiser.schedule.prediction_type == prediction_type


@BOTH
@pytest.mark.parametrize("slot_loss", ["none", "corr"])
def test_gradient_reaches_the_denoiser(
    make_stage: Any, prediction_type: str, slot_loss: str
) -> None:
    stage = make_stage(slot_loss != "none", prediction_type=prediction_type, slot_loss=slot_loss)
    losses = stage(stage.fetch([0, 1]), generators(), 0.0)
    losses["loss"].backward()
    assert all(math.isfinite(value.item()) for value in losses.values())
    assert float(stage.denoiser.head.weight.grad.abs().sum()) > 0


@BOTH
def test_silent_denoiser_costs_the_mean_of_its_target(
    make_stage: Any, prediction_type: str
) -> None:
    stage = make_stage(prediction_type=prediction_type, loss_type="l1", given_share=0.0)
    for weight in stage.denoiser.head.parameters():
        torch.nn.init.zeros_(weight)
    batch = stage.fetch([0, 1])
    noisy = draw_noise(batch["latents"], generators(), 0.0, 0.1, stage.denoiser.schedule)
    found = float(stage(batch, generators(), 0.0)["denoising"])
    assert found == pytest.approx(float(noisy.target.abs().mean()), rel=1e-5)


@BOTH
def test_validation_and_preview_work(make_stage: Any, prediction_type: str) -> None:
    stage = make_stage(prediction_type=prediction_type)
    assert stage.validate() == stage.validate()
    assert stage.preview(0)["clips"].shape == (8, 32, 32, 3)


def test_slot_term_weighs_as_the_share_says(make_stage: Any) -> None:
    stage = make_stage(True, prediction_type="epsilon", slot_loss="corr", given_share=0.0)
    torch.nn.init.normal_(stage.denoiser.head.weight)
    batch = stage.fetch([0, 1])
    schedule = stage.denoiser.schedule
    noisy = draw_noise(batch["latents"], generators(), 0.0, 0.0, schedule)
    prediction = torch.zeros_like(noisy.latents).requires_grad_()
    denoising = stage._denoising_loss(noisy, prediction)
    losses = stage._with_slots(noisy, prediction, denoising, generators())
    (push,) = torch.autograd.grad(denoising, prediction, retain_graph=True)
    (both,) = torch.autograd.grad(losses["loss"], prediction)
    share = float((both - push).norm() / push.norm())
    assert share == pytest.approx(stage.config.slot_gradient_share, rel=1e-3)


def test_shuffled_slots_pull_elsewhere_under_the_same_noise(make_stage: Any) -> None:
    losses: list[dict[str, Tensor]] = []
    for shuffles in (False, True):
        stage = make_stage(True, slot_loss="corr", shuffles_slots=shuffles)
        losses.append(stage(stage.fetch([0, 1]), generators(), 0.0))
    plain, shuffled = losses
    assert torch.equal(plain["denoising"], shuffled["denoising"])
    assert not torch.equal(plain["slots"], shuffled["slots"])


@BOTH
def test_denoiser_that_learned_something_else_is_refused(
    make_stage: Any, prediction_type: str
) -> None:
    stage = make_stage(prediction_type=prediction_type)
    (other,) = set(SCHEDULES) - {prediction_type}
    settings: dict[str, Any] = {**TINY, "latents": stage.config.latents, "prediction_type": other}
    config = DenoiserConfig(**settings)
    with pytest.raises(InputError, match=f"set prediction_type={prediction_type}"):
        DenoiserStage(config, stage.autoencoder, denoiser=stage.denoiser)


@BOTH
def test_frames_that_are_not_given_share_a_level(prediction_type: str) -> None:
    schedule = SCHEDULES[prediction_type]
    noisy = draw_noise(latents_and_stills(), generators(64), 0.5, 0.1, schedule)
    for levels, is_given in zip(noisy.timesteps, noisy.is_given, strict=True):
        assert levels[~is_given].unique().numel() <= 1
        assert (levels[is_given] <= schedule.largest_context_level).all()
    assert noisy.is_given.any()


def test_noise_of_flow_matching_is_drawn_before_its_level() -> None:
    noisy = draw_noise(latents_and_stills(3), generators(3), 0.5, 0.1, SCHEDULES["flow_prediction"])
    levels = noisy.timesteps[:, None, :, None, None] / 1000
    wanted = (1 - levels) * noisy.latents + levels * noisy.noise
    assert torch.equal(noisy.noisy_latents, wanted)
    generator = torch.Generator().manual_seed(1)
    first = torch.randn(2, 4, 4, 4, generator=generator)
    torch.rand(4, generator=generator)
    level = float(torch.rand(1, generator=generator))
    shifted = 1000 * LEVEL_SHIFT * level / (1 + (LEVEL_SHIFT - 1) * level)
    assert torch.equal(noisy.noise[1], first)
    assert noisy.timesteps[1][~noisy.is_given[1]].unique().tolist() == pytest.approx([shifted])


def test_half_of_the_given_frames_are_a_first_one_alone() -> None:
    noisy = draw_noise(
        latents_and_stills(400), generators(400), 1.0, 0.1, SCHEDULES["flow_prediction"]
    )
    is_first_alone = noisy.is_given[:, 0] & (noisy.is_given.sum(1) == 1)
    assert 0.45 < float(is_first_alone.float().mean()) < 0.75


def test_settings_of_a_flow_denoiser_say_nothing_of_it() -> None:
    assert "prediction_type" not in tiny_denoiser().config


def test_loss_on_tracks_teaches_the_slots_of_the_denoiser(make_stage: Any) -> None:
    stage = make_stage(clip_layer="slots", track_loss="corr", track_weight=0.5, given_share=0.0)
    batch = stage.fetch([0, 1])
    losses = stage(batch, generators(), 0.0)
    torch.testing.assert_close(
        losses["loss"], losses["denoising"] + 0.5 * losses["tracks"], atol=1e-5, rtol=1e-5
    )
    losses["loss"].backward()
    assert stage.denoiser.whole_clip.initial.grad.abs().max() > 0


def test_slots_of_the_denoiser_have_no_clean_clip_to_be_anchored_to(make_stage: Any) -> None:
    with pytest.raises(InputError, match="track_loss anchored has no clean clip"):
        make_stage(clip_layer="slots", track_loss="anchored")


def test_loss_on_tracks_teaches_the_first_half_of_a_denoiser_without_slots(
    make_stage: Any,
) -> None:
    gradients = [
        gradients_of(make_stage(True, track_loss="anchored", track_weight=weight))
        for weight in (0.0, 1.0)
    ]
    first, last = ([one[f"trunk.{place}.mlp.2.weight"] for one in gradients] for place in (0, 1))
    torch.testing.assert_close(last[0], last[1])
    assert (first[0] - first[1]).abs().max() > 0


def gradients_of(stage: DenoiserStage) -> dict[str, Tensor]:
    """Return the loss's gradient of every weight that it reaches."""
    stage(stage.fetch([0, 1]), generators(), 0.0)["loss"].backward()
    weights = stage.denoiser.named_parameters()
    return {name: weight.grad for name, weight in weights if weight.grad is not None}


def test_loss_on_tracks_needs_slot_networks(make_stage: Any) -> None:
    with pytest.raises(ValueError, match="needs slot networks"):
        make_stage(track_loss="anchored")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"num_heads": 7}, "the denoiser's settings do not fit together: num_heads must divide 16"),
        ({"dim": 9}, "the denoiser's settings do not fit together: need a dim that 8 divides"),
        ({"text_width": 9}, "the text encoder's settings do not fit together: need a width that 4"),
        ({"dim": 4096, "num_blocks": 64}, "the denoiser would have .* lower dim, local_dim, num"),
        ({"text_width": 4096, "text_layers": 48}, "the text encoder would have .*lower text_width"),
        ({"height": 33}, "height must be a multiple of"),
    ],
)
def test_settings_that_describe_no_network_are_refused_in_words(
    make_stage: Any, changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        make_stage(**changes)
