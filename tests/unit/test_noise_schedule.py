from typing import Any

import pytest
import torch
from torch import Tensor

from olvdm.diffusers_api import DDIMScheduler, FlowMatchEulerDiscreteScheduler
from olvdm.noise_schedule import SCHEDULES, NoiseSchedule

FLOW, EPSILON = SCHEDULES["flow_prediction"], SCHEDULES["epsilon"]
BOTH = pytest.mark.parametrize("schedule", [FLOW, EPSILON])
LEVELS = torch.tensor([[0.0, 1.0, 250.0], [500.0, 981.0, 999.0]])


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


LATENTS, NOISE = noise(0, 2, 4, 3, 8, 8), noise(1, 2, 4, 3, 8, 8)


def lvdm_scheduler() -> Any:  # its annotations name tensor classes that no tensor has
    """Build what `configs/` of LVDM describe, from diffusers alone."""
    return DDIMScheduler(
        beta_start=0.0015,
        beta_end=0.0155,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


@BOTH
def test_clean_latents_come_back_from_the_true_prediction(schedule: NoiseSchedule) -> None:
    noisy = schedule.add_noise(LATENTS, NOISE, LEVELS)
    found = schedule.clean_latents(noisy, schedule.target(LATENTS, NOISE), LEVELS)
    torch.testing.assert_close(found, LATENTS, atol=1e-4, rtol=0)


@BOTH
def test_level_zero_is_clean(schedule: NoiseSchedule) -> None:
    assert torch.equal(schedule.add_noise(LATENTS, NOISE, torch.zeros(2, 3)), LATENTS)


@BOTH
def test_pull_is_the_slope_of_the_clean_latents(schedule: NoiseSchedule) -> None:
    prediction = torch.zeros_like(LATENTS).requires_grad_()
    schedule.clean_latents(LATENTS, prediction, LEVELS).sum().backward()
    assert prediction.grad is not None
    wanted = -schedule.pull(LEVELS)[:, None, :, None, None].expand_as(LATENTS)
    torch.testing.assert_close(prediction.grad, wanted)


@BOTH
def test_schedule_s_own_scheduler_is_the_first_of_its_classes(schedule: NoiseSchedule) -> None:
    assert type(schedule.scheduler()) is schedule.scheduler_classes[0]


@pytest.mark.parametrize("level", [1, 250, 981, 999])
def test_epsilon_mixes_as_diffusers_does(level: int) -> None:
    wanted = lvdm_scheduler().add_noise(LATENTS, NOISE, torch.tensor([level, level]))
    found = EPSILON.add_noise(LATENTS, NOISE, torch.full((2, 3), float(level)))
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=0)


@pytest.mark.parametrize("level", [1, 21, 501, 981])
def test_epsilon_expects_the_clean_latents_that_diffusers_does(level: int) -> None:
    scheduler = lvdm_scheduler()
    scheduler.set_timesteps(50)
    wanted = scheduler.step(NOISE, level, LATENTS).pred_original_sample
    found = EPSILON.clean_latents(LATENTS, NOISE, torch.full((2, 3), float(level)))
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-5)


def test_epsilon_s_scheduler_steps_as_lvdm_does() -> None:
    ours: Any = EPSILON.scheduler()
    theirs = lvdm_scheduler()
    for one in (ours, theirs):
        one.set_timesteps(50)
    assert ours.timesteps.tolist() == list(range(981, 0, -20))
    for level in ours.timesteps.tolist():
        stepped = [one.step(NOISE, level, LATENTS).prev_sample for one in (ours, theirs)]
        assert torch.equal(*stepped)


def test_signal_that_is_left_at_the_end_is_that_of_lvdm() -> None:
    signal, amount = EPSILON.shares(torch.full((1, 1), 999.0))
    assert float((signal / amount).square()) == pytest.approx(6.7e-4, rel=0.01)


def test_epsilon_needs_less_signal_at_every_level() -> None:
    signal, amount = EPSILON.shares(torch.arange(1000.0)[None])
    assert bool((signal.diff() < 0).all())
    torch.testing.assert_close(signal.square() + amount.square(), torch.ones(1, 1000))


@pytest.mark.parametrize("level", [1.0, 0.6, 0.001])
def test_flow_mixes_as_diffusers_does(level: float) -> None:
    scheduler: Any = FlowMatchEulerDiscreteScheduler()
    stamps = scheduler.timesteps[(scheduler.timesteps / 1000 - level).abs().argmin()][None]
    wanted = scheduler.scale_noise(LATENTS, stamps, NOISE)
    found = FLOW.add_noise(LATENTS, NOISE, stamps.expand(2)[:, None].expand(2, 3))
    torch.testing.assert_close(found, wanted)


def test_velocity_leads_from_clean_to_noise() -> None:
    torch.testing.assert_close(LATENTS + FLOW.target(LATENTS, NOISE), NOISE)


def test_levels_of_epsilon_are_whole_and_even() -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = [EPSILON.draw_timestep(generator) for _ in range(4000)]
    assert all(one.is_integer() for one in drawn)
    assert 0 <= min(drawn) < 20
    assert 980 <= max(drawn) <= 999
    assert sum(drawn) / 4000 == pytest.approx(499.5, abs=15)


def test_levels_of_flow_are_learned_as_often_as_steps_pass_them() -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = torch.tensor([FLOW.draw_timestep(generator) for _ in range(4000)])
    scheduler = FLOW.scheduler()
    scheduler.set_timesteps(1000)
    passed = torch.tensor(FLOW.levels(scheduler))
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        assert float(drawn.quantile(share)) == pytest.approx(float(passed.quantile(share)), abs=20)


def test_levels_of_the_default_solver_are_the_shifted_shares_of_noise() -> None:
    scheduler = FLOW.scheduler()
    levels = [level for _, level in FLOW.begin(scheduler, 4, torch.device("cpu"))]
    shares = [0.9999, 0.75, 0.5, 0.25]
    assert levels == pytest.approx([3000 * one / (1 + 2 * one) for one in shares], abs=0.5)


@pytest.mark.parametrize("shift", [0.01, 12.0, 50.0, 100.0])
def test_any_shift_takes_all_its_steps(shift: float) -> None:
    default: Any = FLOW.scheduler()
    scheduler: Any = type(default).from_config(default.config, flow_shift=shift)
    latents = LATENTS
    for timestep, _ in FLOW.begin(scheduler, 100, torch.device("cpu")):
        latents = scheduler.step(latents, timestep, latents, return_dict=False)[0]
    assert bool(latents.isfinite().all())


def test_levels_of_epsilon_are_the_timesteps() -> None:
    levels = [level for _, level in EPSILON.begin(EPSILON.scheduler(), 50, torch.device("cpu"))]
    assert levels == list(range(981, 0, -20))


@BOTH
def test_every_other_given_frame_is_clean(schedule: NoiseSchedule) -> None:
    levels = [schedule.context_timestep(chance / 100) for chance in range(100)]
    assert levels[:50] == [0.0] * 50
    assert levels == sorted(levels)
    assert schedule.largest_context_level * 0.95 < levels[-1] < schedule.largest_context_level


def test_scheduler_of_other_betas_is_refused() -> None:
    with pytest.raises(ValueError, match="betas must be those of EpsilonPrediction"):
        EPSILON.begin(DDIMScheduler(), 10, torch.device("cpu"))
