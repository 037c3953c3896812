"""Draw the latents of one clip: noise, the denoiser once a step, a scheduler between."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from olvdm.autoencoder import VideoAutoencoder
from olvdm.denoiser import VideoDenoiser
from olvdm.errors import InputError, OlvdmError
from olvdm.frame_conditioning import GivenLatents, sampling_windows
from olvdm.generation import Generation
from olvdm.noise_schedule import NoiseSchedule, Scheduler
from olvdm.slot_guidance import SlotGuidance


@dataclass(frozen=True)
class DenoisingStep:
    """What one denoising step of one clip has reached.

    Attributes:
        clip: Index of the clip in the batch.
        step: Steps done, from 1.
        num_steps: Steps of the clip in all, every window of a long one included.
        timestep: Noise level that the step began from, 0 to 1000.
        latents: The noisy latents after the step, `1 c t h w`; of a long clip, all frames so far.
        predicted: The clean latents that the denoiser expects at this point.
    """

    clip: int
    step: int
    num_steps: int
    timestep: float
    latents: Float[Tensor, "1 c t h w"]
    predicted: Float[Tensor, "1 c t h w"]


@dataclass(frozen=True)
class Guidance:
    """The prompt of a clip, and how strongly to follow it.

    Attributes:
        prompt_embeds: Of the prompt, `1 l e`.
        negative_embeds: Of what to steer away from, `1 l e`.
        scale: 1 follows the prompt as trained and needs no second call; more exaggerates it.
    """

    prompt_embeds: Float[Tensor, "1 l e"]
    negative_embeds: Float[Tensor, "1 l e"]
    scale: float

    def at(self, level: float, schedule: NoiseSchedule) -> "Guidance":
        """Return the same prompt, no longer exaggerated at levels where guidance has ended."""
        if level >= schedule.guided_from:
            return self
        return replace(self, scale=min(self.scale, 1.0))


def guidance_of(
    generation: Generation, clip: int, encode: Callable[[str], Tensor], denoiser: VideoDenoiser
) -> Guidance:
    """Return what one clip of a generation is to show and not to show.

    Args:
        generation: What to draw, checked.
        clip: Index of the clip.
        encode: Embeds a text, `1 l e`; called where no embeddings are given.
        denoiser: The network that reads them.

    Returns:
        The embeddings of that clip and their strength.

    Raises:
        InputError: If given embeddings are of another size than the model's.
    """
    embeds, negative = generation.prompt_embeds, generation.negative_prompt_embeds
    wanted = encode(generation.prompts[clip]) if embeds is None else embeds[clip][None]
    if negative is None:
        unwanted = encode(generation.negative_prompt)
    else:
        unwanted = negative[clip % len(negative)][None]
    prompt_dim = denoiser.config["prompt_dim"]
    for name, one in (("prompt_embeds", wanted), ("negative_prompt_embeds", unwanted)):
        if one.shape[2] != prompt_dim:
            raise InputError(f"{name} must be {prompt_dim} wide for this model, got {one.shape[2]}")
    if wanted.shape != unwanted.shape:
        raise InputError(
            "prompt_embeds and negative_prompt_embeds must be equally long, got "
            f"{wanted.shape[1]} and {unwanted.shape[1]} tokens"
        )
    device = denoiser.device
    return Guidance(wanted.to(device), unwanted.to(device), float(generation.guidance_scale))


def draw_noise(
    generation: Generation, clip: int, autoencoder: VideoAutoencoder, denoiser: VideoDenoiser
) -> Float[Tensor, "1 c t h w"]:
    """Draw the noise that one clip begins from, on the CPU, from the clip's own generator.

    Args:
        generation: What to draw, checked.
        clip: Index of the clip.
        autoencoder: Says how many numbers stand for a clip of that size.
        denoiser: Says what size it is where nobody asked for one.

    Returns:
        Standard Gaussian numbers, on the device of the denoiser.
    """
    generator, settings = generation.generator, denoiser.config
    if isinstance(generator, Sequence):
        generator = generator[clip]
    factor = autoencoder.spatial_factor
    shape = (
        1,
        autoencoder.latent_channels,
        -(-generation.num_frames // autoencoder.temporal_factor),
        (generation.height or factor * settings["height"]) // factor,
        (generation.width or factor * settings["width"]) // factor,
    )
    return torch.randn(shape, generator=generator).to(denoiser.device)


def draw_latents(
    denoiser: VideoDenoiser,
    scheduler: Scheduler,
    noise: Float[Tensor, "1 c t h w"],
    given: GivenLatents,
    guidance: Guidance,
    num_inference_steps: int,
    clip: int = 0,
    slot_guidance: SlotGuidance | None = None,
) -> Iterator[DenoisingStep]:
    """Draw one clip, window by window, and yield after every step.

    Args:
        denoiser: The network.
        scheduler: Of a class that the denoiser's schedule names, else it is a ``ValueError``; its
            steps are set anew for every window.
        noise: Where the clip begins; its length decides that of the clip.
        given: Latent frames that are already known; they come out unchanged.
        guidance: Prompt and strength.
        num_inference_steps: Steps of every window.
        clip: Index to report.
        slot_guidance: Steers every prediction; none leaves it as it is.

    Yields:
        Every step; the last one's ``latents`` are the clip.

    Raises:
        OlvdmError: If a number is no longer finite.

    Source: rectified flow (Liu et al. 2022) by DPM-Solver++ (Lu et al. 2022) or Euler's method, or
    DDIM (Song et al. 2021); guidance from Ho and Salimans 2022, over an interval of levels as in
    Kynkäänniemi et al. 2024. Ours: windows as frame conditioning.
    """
    schedule = denoiser.schedule
    _check_scheduler(schedule, scheduler)
    windows = sampling_windows(noise.shape[2], denoiser.config["num_frames"])
    num_steps, done = num_inference_steps * len(windows), 0
    drawn = noise.clone()
    for frames in windows:
        inside = slice(frames.start, frames.stop)
        part = given.window(frames)
        latents = part.put_back(drawn[:, :, inside])
        for timestep, level in schedule.begin(scheduler, num_inference_steps, noise.device):
            levels = part.timesteps(level)
            guided = guidance.at(level, schedule)
            prediction = guided_prediction(denoiser, latents, levels, guided)
            predicted = part.put_back(schedule.clean_latents(latents, prediction, levels))
            if slot_guidance is not None:
                prediction = slot_guidance.steer(prediction, predicted, levels, schedule)
                predicted = part.put_back(schedule.clean_latents(latents, prediction, levels))
            # its annotations name a tensor class that no tensor has
            step = cast("Any", scheduler).step
            stepped = step(prediction, timestep, latents, return_dict=False)[0]
            latents = part.put_back(stepped)
            done += 1
            if not bool(torch.isfinite(latents).all()):
                raise OlvdmError(
                    f"numeric failure at step {done}; try another seed or a lower guidance_scale"
                )
            drawn[:, :, inside] = latents
            expected = drawn.clone()
            expected[:, :, inside] = predicted
            shown = slice(0, frames.stop)
            so_far = drawn[:, :, shown].clone()  # whoever keeps a step keeps it as it was
            yield DenoisingStep(clip, done, num_steps, level, so_far, expected[:, :, shown])
        given = given.with_latents(latents, frames.start)


def _check_scheduler(schedule: NoiseSchedule, scheduler: Scheduler) -> None:
    if not isinstance(scheduler, schedule.scheduler_classes):
        names = " or ".join(one.__name__ for one in schedule.scheduler_classes)
        raise ValueError(
            f"a denoiser of {schedule.prediction_type} needs a {names},"
            f" got {type(scheduler).__name__}"
        )


@torch.no_grad()
def guided_prediction(
    denoiser: VideoDenoiser,
    latents: Float[Tensor, "1 c t h w"],
    timesteps: Float[Tensor, "1 t"],
    guidance: Guidance,
) -> Float[Tensor, "1 c t h w"]:
    """Return the guided prediction; both halves of the guidance share one call.

    Args:
        denoiser: The network; it computes in the dtype of its weights.
        latents: Noisy latents, float32.
        timesteps: Noise level of every frame.
        guidance: Prompt and strength.

    Returns:
        The prediction, float32.

    Source: Ho and Salimans 2022, equation 6.
    """
    dtype = next(denoiser.parameters()).dtype
    if guidance.scale == 1:
        embeds = guidance.prompt_embeds.to(dtype)
        return denoiser(latents.to(dtype), timesteps, embeds).float()
    both = torch.cat([guidance.prompt_embeds, guidance.negative_embeds]).to(dtype)
    twice = latents.to(dtype).expand(2, -1, -1, -1, -1)
    wanted, unwanted = denoiser(twice, timesteps.expand(2, -1), both).float().chunk(2)
    return unwanted + guidance.scale * (wanted - unwanted)
