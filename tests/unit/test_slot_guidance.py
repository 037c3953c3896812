from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from olvdm.errors import InputError
from olvdm.generation import Generation
from olvdm.noise_schedule import SCHEDULES
from olvdm.pipeline import OLVDMPipeline
from olvdm.sampling import DenoisingStep
from olvdm.slot_guidance import (
    LARGEST_LEVEL,
    SlotGuidance,
    measure_floor,
    slot_guidance,
    steadiness,
)
from olvdm.slot_networks import SlotNetworks
from tests.tiny_networks import PROMPTS, tiny_slot_decoder, tiny_slot_encoder

BOTH = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=list(SCHEDULES))
FLOOR = 0.999
FLOW = SCHEDULES["flow_prediction"]


def latents(seed: int = 0, num_frames: int = 4) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, 4, num_frames, 8, 8, generator=generator)


def levels(value: float, num_frames: int = 4) -> Tensor:
    return torch.full((1, num_frames), value)


def guidance(scale: float = 0.05, floor: float = FLOOR) -> SlotGuidance:
    found = slot_guidance(tiny_slot_encoder(), tiny_slot_decoder(), scale, floor)
    assert found is not None
    return found


def networks() -> SlotNetworks:
    return SlotNetworks(tiny_slot_encoder(), tiny_slot_decoder())


@torch.no_grad()
def mean_steadiness(clip: Tensor) -> float:
    cosines, is_there = steadiness(networks(), clip)
    return float(cosines[is_there].mean())


def draw(pipeline: OLVDMPipeline, **settings: Any) -> Iterator[DenoisingStep]:
    generator = torch.Generator().manual_seed(3)
    asked = Generation(
        prompt=PROMPTS[0], num_frames=8, num_inference_steps=4, generator=generator, **settings
    )
    return (one for one in pipeline.stream(asked) if isinstance(one, DenoisingStep))


@BOTH
@pytest.mark.parametrize("seed", range(4))
def test_a_step_raises_the_correlation_of_slots_with_themselves(schedule: Any, seed: int) -> None:
    clip = latents(seed)
    moved = clip + guidance().step(clip, levels(300.0), schedule)
    assert mean_steadiness(moved) > mean_steadiness(clip)


@BOTH
def test_a_steered_prediction_amounts_to_the_moved_latents(schedule: Any) -> None:
    noisy, prediction, at = latents(0), latents(1), levels(300.0)
    expected = schedule.clean_latents(noisy, prediction, at)
    steered = guidance().steer(prediction, expected, at, schedule)
    wanted = expected + guidance().step(expected, at, schedule)
    torch.testing.assert_close(schedule.clean_latents(noisy, steered, at), wanted)


def test_no_scale_is_no_guidance(tiny_pipeline: OLVDMPipeline) -> None:
    plain = list(draw(tiny_pipeline))
    for one, other in zip(plain, draw(tiny_pipeline, slot_guidance_scale=0), strict=True):
        assert torch.equal(one.latents, other.latents)


def test_guidance_changes_the_clip_but_not_before_it_is_recognisable(
    tiny_pipeline: OLVDMPipeline,
) -> None:
    settings = {"slot_guidance_scale": 1.0, "slot_guidance_floor": FLOOR}
    plain_steps = list(draw(tiny_pipeline))  # the two share a scheduler
    for plain, steered in zip(plain_steps, draw(tiny_pipeline, **settings), strict=True):
        is_same = torch.equal(plain.predicted, steered.predicted)
        assert is_same == (plain.timestep > LARGEST_LEVEL)


def test_steady_slots_are_left_alone() -> None:
    clip = latents().narrow(2, 0, 1).expand(1, 4, 4, 8, 8)  # stands still
    assert not guidance(floor=-1.0).step(clip, levels(300.0, 4), FLOW).any()


def test_the_step_is_as_long_as_the_shortfall() -> None:
    clip, at = latents(), levels(300.0)
    short, long = (guidance(scale).step(clip, at, FLOW) for scale in (0.1, 0.2))
    torch.testing.assert_close(long, 2 * short)
    length = float(short.square().mean().sqrt())
    assert length == pytest.approx(
        0.1 * float(guidance()._shortfall(clip, 1 - at / 1000)), rel=1e-4
    )


def test_given_frames_are_not_moved() -> None:
    at = levels(300.0)
    at[:, 1] = 0
    step = guidance().step(latents(), at, FLOW)
    assert not step[:, :, 1].any()
    assert step[:, :, 0].any()
    steered = guidance().steer(latents(1), latents(), at, FLOW)
    assert torch.equal(steered[:, :, 1], latents(1)[:, :, 1])


def test_a_single_frame_and_a_clip_of_noise_are_not_steered() -> None:
    still, clip = latents(num_frames=1), latents()
    assert guidance().steer(still, still, levels(300.0, 1), FLOW) is still
    assert guidance().steer(clip, clip, levels(900.0), FLOW) is clip


def test_steering_works_where_gradients_are_off() -> None:
    encoder, decoder = tiny_slot_encoder(), tiny_slot_decoder()
    with torch.inference_mode():
        found = slot_guidance(encoder, decoder, 0.05, FLOOR)
        assert found is not None
        assert found.step(latents(), levels(300.0), FLOW).any()


def test_steering_leaves_the_model_s_own_slots_without_gradient(
    tiny_pipeline: OLVDMPipeline,
) -> None:
    list(draw(tiny_pipeline, slot_guidance_scale=1.0, slot_guidance_floor=FLOOR))
    assert all(weight.grad is None for weight in tiny_pipeline.slot_encoder.parameters())


def test_the_floor_is_a_quarter_of_what_real_slots_reach() -> None:
    clips = [latents(seed) for seed in range(6)]
    floor = measure_floor(tiny_slot_encoder(), tiny_slot_decoder(), clips)
    found = torch.cat(
        [cosines[there] for cosines, there in (steadiness(networks(), one) for one in clips)]
    )
    assert float((found < floor).float().mean()) == pytest.approx(0.25, abs=0.05)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"slot_guidance_scale": -1.0}, "slot_guidance_scale must be a number from 0.0 to 20.0"),
        ({"slot_guidance_scale": float("nan")}, "slot_guidance_scale must be a number"),
        ({"slot_guidance_scale": 1.0, "slot_guidance_floor": 2.0}, "slot_guidance_floor must be"),
    ],
)
def test_illegal_guidance_is_refused(
    tiny_pipeline: OLVDMPipeline, settings: Any, reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        next(draw(tiny_pipeline, **settings))
