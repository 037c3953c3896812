"""What a denoiser is shown of a batch: a window of each clip, its noise levels, what is given."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from olvdm.noise_schedule import NoiseSchedule

NUM_STILLS = 2  # behind the latents of a clip lie its first and its last frame, each standing still


@dataclass(frozen=True)
class NoisyBatch:
    """Latents under noise, as a denoiser meets them.

    Attributes:
        latents: The clean ones; a given frame is what was given.
        noise: What was mixed in.
        timesteps: Noise level of every frame, 0 to 1000.
        is_given: Frames that were supplied.
        drops_prompt: Clips that are drawn without their prompt.
        schedule: How noise and latents are mixed.
    """

    latents: Float[Tensor, "b c t h w"]
    noise: Float[Tensor, "b c t h w"]
    timesteps: Float[Tensor, "b t"]
    is_given: Bool[Tensor, "b t"]
    drops_prompt: Bool[Tensor, " b"]
    schedule: NoiseSchedule

    @property
    def noisy_latents(self) -> Float[Tensor, "b c t h w"]:
        """The mix of latents and noise."""
        return self.schedule.add_noise(self.latents, self.noise, self.timesteps)

    @property
    def target(self) -> Float[Tensor, "b c t h w"]:
        """What the denoiser should predict."""
        return self.schedule.target(self.latents, self.noise)


def draw_window(
    latents_and_stills: Float[Tensor, "b c t2 h w"],
    generators: Sequence[torch.Generator],
    length: int,
) -> Float[Tensor, "b c t3 h w"]:
    """Draw a window of each clip: single frames teach words and shapes at an eighth of the cost.

    Args:
        latents_and_stills: Clean latents, and behind them the two stills.
        generators: One CPU generator a clip.
        length: Latent frames of a window; clips that are no longer are kept whole.

    Returns:
        The windows, the stills of their clips behind them.

    Source: pictures before videos, as in Video LDM (Blattmann et al. 2023).
    """
    latest = latents_and_stills.shape[2] - NUM_STILLS - length
    if latest <= 0:
        return latents_and_stills
    windows: list[Tensor] = []
    for clip, generator in zip(latents_and_stills, generators, strict=True):
        start = int(torch.randint(latest + 1, (1,), generator=generator))
        windows.append(torch.cat([clip[:, start : start + length], clip[:, -NUM_STILLS:]], dim=1))
    return torch.stack(windows)


def draw_noise(
    latents_and_stills: Float[Tensor, "b c t2 h w"],
    generators: Sequence[torch.Generator],
    given_share: float,
    prompt_drop: float,
    schedule: NoiseSchedule,
) -> NoisyBatch:
    """Draw what a denoiser is shown of each clip.

    Most clips have one noise level. In the others some frames are given, clean or
    lightly noised: the first ones, the last ones, both ends, or any; a first or last frame that is
    given alone stands still, as a single picture would.

    Args:
        latents_and_stills: Clean latents, and behind them the two stills.
        generators: One CPU generator a clip.
        given_share: Share of clips with given frames.
        prompt_drop: Share of clips without their prompt.
        schedule: Which levels there are, and how often each is drawn.

    Returns:
        The batch under noise.

    Source: levels per frame from Chen et al. 2024.
    """
    latents = latents_and_stills[:, :, :-NUM_STILLS].clone()
    stills = latents_and_stills[:, :, -NUM_STILLS:]
    num_frames = latents.shape[2]
    noise = torch.stack([torch.randn(latents.shape[1:], generator=one) for one in generators])
    timesteps = torch.empty(len(latents), num_frames)
    is_given = torch.zeros(len(latents), num_frames, dtype=torch.bool)
    drops_prompt = torch.zeros(len(latents), dtype=torch.bool)
    for clip, generator in enumerate(generators):
        chances = torch.rand(4, generator=generator)
        timesteps[clip] = schedule.draw_timestep(generator)
        drops_prompt[clip] = chances[0] < prompt_drop
        if num_frames > 1 and chances[1] < given_share:
            is_given[clip] = _draw_given(num_frames, generator)
            timesteps[clip, is_given[clip]] = schedule.context_timestep(float(chances[2]))
            for place, still in ((0, 0), (num_frames - 1, 1)):
                if is_given[clip].sum() == 1 and is_given[clip, place] and chances[3] < 0.8:
                    latents[clip, :, place] = stills[clip, :, still]
    device = latents.device
    return NoisyBatch(
        latents,
        noise.to(latents),
        timesteps.to(device),
        is_given.to(device),
        drops_prompt.to(device),
        schedule,
    )


def _draw_given(num_frames: int, generator: torch.Generator) -> Bool[Tensor, " t"]:
    """Draw which frames are given: the first ones, the last ones, both ends, or any.

    Half the time it is the first one alone: there, where the object is known, the words alone say
    where it goes, so that they are learned.
    """
    kind = max(int(torch.randint(8, (1,), generator=generator)) - 3, 0)
    count = int(torch.randint(1, max(num_frames // 2, 1) + 1, (1,), generator=generator))
    places = torch.arange(num_frames)
    if kind == 0:
        return places == 0
    if kind == 1:
        return places < count
    if kind == 2:
        return places >= num_frames - count
    if kind == 3:
        return (places == 0) | (places == num_frames - 1)
    return torch.rand(num_frames, generator=generator) < 0.3
