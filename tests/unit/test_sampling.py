from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from olvdm.denoiser import VideoDenoiser
from olvdm.diffusers_api import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
)
from olvdm.errors import OlvdmError
from olvdm.frame_conditioning import GivenLatents, nothing_given
from olvdm.noise_schedule import Scheduler
from olvdm.prompt_guidance import Guidance
from olvdm.sampling import DenoisingStep, draw_latents
from tests.golden.networks import with_pattern
from tests.tiny_networks import PROMPT_DIM, tiny_denoiser


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def guidance(scale: float = 2.0) -> Guidance:
    return Guidance(noise(1, 1, 6, PROMPT_DIM), noise(2, 1, 6, PROMPT_DIM), scale)


@pytest.fixture
def calls() -> Iterator[tuple[VideoDenoiser, list[tuple[int, ...]]]]:
    """Give a denoiser and the shapes that it was called with."""
    denoiser, shapes = tiny_denoiser(), []
    denoiser.register_forward_pre_hook(lambda _, inputs: shapes.append(tuple(inputs[0].shape)))
    with torch.no_grad():
        yield denoiser, shapes


@torch.no_grad()
def draw(
    start: Tensor,
    given: GivenLatents | None = None,
    scale: float = 2.0,
    num_steps: int = 3,
    denoiser: VideoDenoiser | None = None,
    shift: float = 1.0,
) -> list[DenoisingStep]:
    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    return list(
        draw_latents(
            denoiser or tiny_denoiser(),
            scheduler,
            start,
            given or nothing_given(start),
            guidance(scale),
            num_steps,
        )
    )


@torch.no_grad()
def draw_by_hand(start: Tensor, scale: float, levels: list[float]) -> Tensor:
    """Write out Euler's method for dz/ds = v(z, s), with guidance, in float64."""
    denoiser, latents, parts = tiny_denoiser(), start.double(), guidance(scale)
    for level, after in zip(levels, [*levels[1:], 0.0], strict=True):
        timesteps = torch.full((1, start.shape[2]), 1000 * level)
        wanted = denoiser(latents.float(), timesteps, parts.prompt_embeds).double()
        unwanted = denoiser(latents.float(), timesteps, parts.negative_embeds).double()
        strength = scale if 1000 * level >= 400 else min(scale, 1.0)
        velocity = unwanted + strength * (wanted - unwanted)
        latents = latents + (after - level) * velocity
    return latents.float()


@pytest.mark.parametrize("scale", [0.0, 1.0, 2.0])
def test_drawing_is_euler_s_method(scale: float) -> None:
    start = noise(0, 1, 4, 4, 8, 8)
    levels = np.linspace(1, 0.001, 3).tolist()  # from pure noise to diffusers' last trained level
    torch.testing.assert_close(
        draw(start, scale=scale)[-1].latents, draw_by_hand(start, scale, levels), atol=1e-4, rtol=0
    )


def test_noise_levels_fall_from_one_thousand() -> None:
    levels = [one.timestep for one in draw(noise(0, 1, 4, 4, 8, 8))]
    assert levels[0] == 1000
    assert levels == sorted(levels, reverse=True)


def test_steps_are_counted() -> None:
    steps = draw(noise(0, 1, 4, 4, 8, 8), num_steps=5)
    assert [one.step for one in steps] == [1, 2, 3, 4, 5]
    assert {one.num_steps for one in steps} == {5}


def test_last_expectation_is_nearly_the_clip() -> None:
    last = draw(noise(0, 1, 4, 4, 8, 8))[-1]
    torch.testing.assert_close(last.predicted, last.latents, atol=1e-4, rtol=0)


def test_guidance_of_one_skips_the_unconditional_call(
    calls: tuple[VideoDenoiser, list[tuple[int, ...]]],
) -> None:
    draw(noise(0, 1, 4, 4, 8, 8), scale=1.0, denoiser=calls[0])
    assert calls[1] == [(1, 4, 4, 8, 8)] * 3


def test_both_halves_of_the_guidance_share_a_call(
    calls: tuple[VideoDenoiser, list[tuple[int, ...]]],
) -> None:
    draw(noise(0, 1, 4, 4, 8, 8), scale=2.0, denoiser=calls[0])
    assert calls[1][:2] == [(2, 4, 4, 8, 8)] * 2


def test_guidance_ends_at_low_levels(
    calls: tuple[VideoDenoiser, list[tuple[int, ...]]],
) -> None:
    draw(noise(0, 1, 4, 4, 8, 8), scale=2.0, denoiser=calls[0])
    assert calls[1][2:] == [(1, 4, 4, 8, 8)]


def test_a_prompt_that_is_left_out_stays_left_out_at_low_levels(
    calls: tuple[VideoDenoiser, list[tuple[int, ...]]],
) -> None:
    draw(noise(0, 1, 4, 4, 8, 8), scale=0.0, denoiser=calls[0])
    assert calls[1] == [(2, 4, 4, 8, 8)] * 3


@torch.no_grad()
def test_default_solver_is_nearer_to_many_steps_than_euler_s_method() -> None:
    denoiser, start = with_pattern(tiny_denoiser()), noise(0, 1, 4, 4, 8, 8)

    def last(scheduler: Scheduler, num_steps: int) -> Tensor:
        given, prompt = nothing_given(start), guidance(1.0)
        *_, step = draw_latents(denoiser, scheduler, start, given, prompt, num_steps)
        return step.latents

    euler = FlowMatchEulerDiscreteScheduler(shift=3.0)
    truth, found = last(euler, 400), last(denoiser.schedule.scheduler(), 10)
    assert (found - truth).norm() < 0.6 * (last(euler, 10) - truth).norm()


@pytest.mark.parametrize("places", [[0], [3], [0, 3], [0, 1, 2], [0, 1, 2, 3]])
def test_given_latents_come_back_unchanged_at_every_step(places: list[int]) -> None:
    start = noise(0, 1, 4, 4, 8, 8)
    is_given = torch.zeros(1, 4, dtype=torch.bool)
    is_given[0, places] = True
    known = GivenLatents(noise(3, 1, 4, 4, 8, 8), is_given)
    for step in draw(start, known):
        assert torch.equal(step.latents[:, :, places], known.latents[:, :, places])
        assert torch.equal(step.predicted[:, :, places], known.latents[:, :, places])


def test_given_frames_change_the_others() -> None:
    start = noise(0, 1, 4, 4, 8, 8)
    is_given = torch.tensor([[True, False, False, False]])
    known = GivenLatents(noise(3, 1, 4, 4, 8, 8), is_given)
    free, tied = draw(start)[-1].latents, draw(start, known)[-1].latents
    assert (free - tied)[:, :, 1:].abs().max() > 1e-3


def test_later_window_keeps_what_the_earlier_one_drew() -> None:
    steps = draw(noise(0, 1, 4, 7, 8, 8))  # windows of 4: 0-4, 2-6, 3-7
    assert steps[-1].num_steps == len(steps) == 9
    ends = [steps[index].latents for index in (2, 5, 8)]
    assert [end.shape[2] for end in ends] == [4, 6, 7]
    assert torch.equal(ends[1][:, :, :4], ends[0])
    assert torch.equal(ends[2][:, :, :6], ends[1])


def test_step_of_an_unfinished_clip_can_be_kept() -> None:
    first, second, *_ = draw(noise(0, 1, 4, 4, 8, 8))
    assert not torch.equal(first.latents, second.latents)


def test_noise_of_the_caller_stays_as_it_was() -> None:
    start = noise(0, 1, 4, 4, 8, 8)
    draw(start)
    assert torch.equal(start, noise(0, 1, 4, 4, 8, 8))


def test_numbers_that_are_not_finite_stop_the_drawing_at_once() -> None:
    denoiser = tiny_denoiser()
    with torch.no_grad():
        denoiser.head.weight[0, 0, 0, 0] = float("nan")
    with pytest.raises(OlvdmError, match="numeric failure at step 1"):
        draw(noise(0, 1, 4, 4, 8, 8), denoiser=denoiser)


def test_bf16_denoiser_leaves_the_latents_in_float32() -> None:
    last = draw(noise(0, 1, 4, 4, 8, 8), denoiser=tiny_denoiser().bfloat16())[-1]
    assert last.latents.dtype == torch.float32


def test_scheduler_of_another_prediction_is_refused() -> None:
    start = noise(0, 1, 4, 4, 8, 8)
    with pytest.raises(ValueError, match=r"needs a DPMSolver.* or FlowMatch.*, got DDIM"):
        next(
            draw_latents(
                tiny_denoiser(), DDIMScheduler(), start, nothing_given(start), guidance(), 3
            )
        )


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({}, "got a scheduler of epsilon"),
        ({"prediction_type": "flow_prediction"}, "levels lie from 0 to 1000"),
        (
            {
                "prediction_type": "flow_prediction",
                "use_flow_sigmas": True,
                "use_karras_sigmas": True,
            },
            "levels lie from 0 to 1000",
        ),
    ],
)
def test_scheduler_of_other_settings_is_refused(settings: dict[str, Any], fault: str) -> None:
    start, scheduler = noise(0, 1, 4, 4, 8, 8), DPMSolverMultistepScheduler(**settings)
    with pytest.raises(ValueError, match=fault):
        next(draw_latents(tiny_denoiser(), scheduler, start, nothing_given(start), guidance(), 3))


def test_shifted_schedule_ends_clean_too() -> None:
    last = draw(noise(0, 1, 4, 4, 8, 8), shift=3.0)[-1]
    torch.testing.assert_close(last.predicted, last.latents, atol=1e-2, rtol=0)
