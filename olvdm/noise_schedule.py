"""What noise does to latents, what the denoiser is to say of it, and who takes it away again."""

import functools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from olvdm.diffusers_api import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
)

Scheduler = DPMSolverMultistepScheduler | FlowMatchEulerDiscreteScheduler | DDIMScheduler

NUM_TIMESTEPS = 1000
HIGHEST_LEVEL = 1001.0  # of a scheduler, whose numbers may be rounded
BETA_START, BETA_END = 0.0015, 0.0155
LEVEL_SHIFT = 3.0  # of levels towards noise, in training and drawing alike


class NoiseSchedule(ABC):
    """How noise is mixed into frames, each at its own level, and how it comes out again.

    A timestep is a level from 0 (clean) to 1000 (noise); the terms are those of diffusers.

    Attributes:
        prediction_type: What the denoiser predicts, by diffusers' name of it.
        scheduler_classes: The schedulers of diffusers that draw by such predictions, the default
            first.
        guided_from: Level below which guidance by the prompt ends.
        largest_context_level: Of given frames in training: what is given need not be perfect.
    """

    prediction_type: str
    scheduler_classes: tuple[type[Scheduler], ...]
    guided_from: float
    largest_context_level: float

    @abstractmethod
    def shares(
        self, timesteps: Float[Tensor, "b t"]
    ) -> tuple[Float[Tensor, "b t"], Float[Tensor, "b t"]]:
        """Return how much of the latents and how much noise is in a frame of each level."""

    @abstractmethod
    def target(
        self, latents: Float[Tensor, "b c t h w"], noise: Float[Tensor, "b c t h w"]
    ) -> Float[Tensor, "b c t h w"]:
        """Return what the denoiser should predict."""

    @abstractmethod
    def clean_latents(
        self,
        noisy_latents: Float[Tensor, "b c t h w"],
        prediction: Float[Tensor, "b c t h w"],
        timesteps: Float[Tensor, "b t"],
    ) -> Float[Tensor, "b c t h w"]:
        """Return the clean latents that a prediction amounts to."""

    @abstractmethod
    def pull(self, timesteps: Float[Tensor, "b t"]) -> Float[Tensor, "b t"]:
        """Return how far the clean latents move, against it, where a prediction moves by 1."""

    @abstractmethod
    def draw_timestep(self, generator: torch.Generator) -> float:
        """Draw the level of a clip in training."""

    @abstractmethod
    def context_timestep(self, chance: float) -> float:
        """Return the level of given frames in training, 0 for every other chance from 0 to 1."""

    @abstractmethod
    def scheduler(self) -> Scheduler:
        """Return a new scheduler that draws by such predictions."""

    @abstractmethod
    def levels(self, scheduler: Scheduler) -> list[float]:
        """Return the level at which each step of a scheduler begins, as a network is told it."""

    def begin(
        self, scheduler: Scheduler, num_steps: int, device: torch.device
    ) -> Iterator[tuple[Tensor, float]]:
        """Set a scheduler to the first of its steps.

        Args:
            scheduler: Of one of the `scheduler_classes`; what it knew of other clips is forgotten.
            num_steps: From noise to the clip.
            device: Of the latents.

        Returns:
            The timestep of each step, and the level at which it begins.

        Raises:
            ValueError: If a level is none that a denoiser has learned.
        """
        scheduler.set_timesteps(num_steps, device=device)
        levels = self.levels(scheduler)
        strange = [one for one in levels if not 0 <= one <= HIGHEST_LEVEL]
        if strange:
            name = type(scheduler).__name__
            raise ValueError(
                f"levels lie from 0 to {NUM_TIMESTEPS}, but the settings of this {name} give"
                f" {strange[0]:g}"
            )
        return zip(cast("Tensor", scheduler.timesteps), levels, strict=True)

    def add_noise(
        self,
        latents: Float[Tensor, "b c t h w"],
        noise: Float[Tensor, "b c t h w"],
        timesteps: Float[Tensor, "b t"],
    ) -> Float[Tensor, "b c t h w"]:
        """Return the mix of latents and noise.

        Args:
            latents: Clean ones.
            noise: Standard Gaussian.
            timesteps: Level of every frame.

        Returns:
            What a denoiser is shown.
        """
        signal, amount = self.shares(timesteps)
        return _over_frames(signal) * latents + _over_frames(amount) * noise


class FlowMatching(NoiseSchedule):
    """The straight line from clean latents to noise; the denoiser predicts its direction.

    Source: rectified flow (Liu et al. 2022), the shift of its levels from Esser et al. 2024. Ours:
    the shift at this size, for an object spans many positions of all frames, so it is seen through
    much noise, and what is where and goes where is decided at the highest levels; and levels that
    are learned as often as they are drawn from, for of logit-normal ones hardly 1 in 100 lies above
    970, where every clip begins. Guidance ends where all that a prompt can decide has been decided
    (Kynkäänniemi et al. 2024): further down it would double the time and exaggerate edges.
    """

    prediction_type = "flow_prediction"
    scheduler_classes = (DPMSolverMultistepScheduler, FlowMatchEulerDiscreteScheduler)
    guided_from = 400.0
    largest_context_level = 150.0

    def shares(
        self, timesteps: Float[Tensor, "b t"]
    ) -> tuple[Float[Tensor, "b t"], Float[Tensor, "b t"]]:
        """Return ``1 - s`` and ``s``, where a timestep is ``1000 s``."""
        levels = timesteps / NUM_TIMESTEPS
        return 1 - levels, levels

    def target(
        self, latents: Float[Tensor, "b c t h w"], noise: Float[Tensor, "b c t h w"]
    ) -> Float[Tensor, "b c t h w"]:
        """Return the velocity: noise minus clean latents."""
        return noise - latents

    def clean_latents(
        self,
        noisy_latents: Float[Tensor, "b c t h w"],
        prediction: Float[Tensor, "b c t h w"],
        timesteps: Float[Tensor, "b t"],
    ) -> Float[Tensor, "b c t h w"]:
        """Return where the line through these latents ends."""
        return noisy_latents - _over_frames(self.pull(timesteps)) * prediction

    def pull(self, timesteps: Float[Tensor, "b t"]) -> Float[Tensor, "b t"]:
        """Return the share of noise."""
        return self.shares(timesteps)[1]

    def draw_timestep(self, generator: torch.Generator) -> float:
        """Draw a level as likely as the scheduler's steps pass it."""
        level = float(torch.rand(1, generator=generator))
        return NUM_TIMESTEPS * LEVEL_SHIFT * level / (1 + (LEVEL_SHIFT - 1) * level)

    def context_timestep(self, chance: float) -> float:
        """Return a level that rises evenly with the chance from 0.5 on."""
        return self.largest_context_level * max(2 * chance - 1, 0.0)

    def scheduler(self) -> DPMSolverMultistepScheduler:
        """Return diffusers' solver of second order, most of whose steps lie at high levels.

        Source: DPM-Solver++ (Lu et al. 2022), in the form for flows. With 10 steps it is as near to
        many steps as Euler's method is with twice as many.
        """
        return DPMSolverMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=LEVEL_SHIFT
        )

    def begin(
        self, scheduler: Scheduler, num_steps: int, device: torch.device
    ) -> Iterator[tuple[Tensor, float]]:
        """Set a scheduler to its first step, whose place it need not look up.

        Args:
            scheduler: Of one of the `scheduler_classes`.
            num_steps: From noise to the clip.
            device: Of the latents.

        Returns:
            Timesteps and levels. Rounded timesteps may repeat, so their places are counted.
        """
        steps = super().begin(scheduler, num_steps, device)
        cast("Any", scheduler).set_begin_index(0)
        return steps

    def levels(self, scheduler: Scheduler) -> list[float]:
        """Return the shares of noise themselves; timesteps may be rounded."""
        return (NUM_TIMESTEPS * cast("Any", scheduler).sigmas[:-1].double()).tolist()


class EpsilonPrediction(NoiseSchedule):
    """LVDM's own: 1000 whole levels of variance-preserving noise, which the denoiser predicts.

    Level 0 is clean: no step of the drawing is made there, so it is left for what is given.

    Source: Ho et al. 2020; betas, DDIM steps and the noise on given frames are LVDM's (its code
    calls these betas linear, whose roots are; diffusers calls them scaled). Ours: no noise is added
    while drawing, where LVDM has an eta of 1, so that a seed decides a clip.
    """

    prediction_type = "epsilon"
    scheduler_classes = (DDIMScheduler,)
    guided_from = 0.0
    largest_context_level = 250.0

    def shares(
        self, timesteps: Float[Tensor, "b t"]
    ) -> tuple[Float[Tensor, "b t"], Float[Tensor, "b t"]]:
        """Return the roots of the cumulative alpha and of what is missing to 1."""
        alphas = _cumulative_alphas().to(timesteps.device)[timesteps.long()]
        alphas = torch.where(timesteps == 0, 1.0, alphas)
        return alphas.sqrt(), (1 - alphas).sqrt()

    def target(
        self, latents: Float[Tensor, "b c t h w"], noise: Float[Tensor, "b c t h w"]
    ) -> Float[Tensor, "b c t h w"]:
        """Return the noise."""
        return noise

    def clean_latents(
        self,
        noisy_latents: Float[Tensor, "b c t h w"],
        prediction: Float[Tensor, "b c t h w"],
        timesteps: Float[Tensor, "b t"],
    ) -> Float[Tensor, "b c t h w"]:
        """Return what is left without the predicted noise, at its own scale."""
        signal, amount = self.shares(timesteps)
        return (noisy_latents - _over_frames(amount) * prediction) / _over_frames(signal)

    def pull(self, timesteps: Float[Tensor, "b t"]) -> Float[Tensor, "b t"]:
        """Return the share of noise, at the scale of the clean latents."""
        signal, amount = self.shares(timesteps)
        return amount / signal

    def draw_timestep(self, generator: torch.Generator) -> float:
        """Draw any level, each as likely as another."""
        return float(torch.randint(NUM_TIMESTEPS, (1,), generator=generator))

    def context_timestep(self, chance: float) -> float:
        """Return a whole level that rises with the chance from 0.5 on."""
        return float(int(self.largest_context_level * max(2 * chance - 1, 0.0)))

    def scheduler(self) -> DDIMScheduler:
        """Return diffusers' DDIM scheduler with the steps of LVDM: 1, 21, 41, ... of 50."""
        return DDIMScheduler(
            num_train_timesteps=NUM_TIMESTEPS,
            beta_start=BETA_START,
            beta_end=BETA_END,
            beta_schedule="scaled_linear",
            clip_sample=False,  # latents have no range
            set_alpha_to_one=False,
            steps_offset=1,
            prediction_type="epsilon",
        )

    def levels(self, scheduler: Scheduler) -> list[float]:
        """Return the timesteps, which are the levels; those of other betas are a ``ValueError``."""
        if not torch.equal(cast("Any", scheduler).alphas_cumprod.cpu(), _cumulative_alphas()):
            raise ValueError(f"the betas must be those of {type(self).__name__}.scheduler()")
        return cast("Tensor", scheduler.timesteps).double().tolist()


SCHEDULES: dict[str, NoiseSchedule] = {
    one.prediction_type: one for one in (FlowMatching(), EpsilonPrediction())
}


@functools.cache
def _cumulative_alphas() -> Float[Tensor, " 1000"]:
    """Return diffusers' own table, so that training and drawing agree bit for bit."""
    return EpsilonPrediction().scheduler().alphas_cumprod


def _over_frames(values: Float[Tensor, "b t"]) -> Float[Tensor, "b 1 t 1 1"]:
    return values[:, None, :, None, None]
