"""Follow a prompt: embeddings, their strength, and how well a clip agrees with them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from olvdm.denoiser import VideoDenoiser
from olvdm.errors import InputError
from olvdm.frame_conditioning import GivenLatents
from olvdm.generation import Generation
from olvdm.noise_schedule import NoiseSchedule

PROMPT_LEVEL = 950.0  # of the noise under which a clip is to be known again
PROMPT_NOISE_SEED = 0


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
        given = "negative_prompt_embeds" if negative is not None else "this model's own prompts"
        raise InputError(
            f"prompt_embeds and {given} must be equally long, got {wanted.shape[1]} and "
            f"{unwanted.shape[1]} tokens"
        )
    device = denoiser.device
    return Guidance(wanted.to(device), unwanted.to(device), float(generation.guidance_scale))


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
    if guidance.scale == 1:
        dtype = next(denoiser.parameters()).dtype
        return denoiser(latents.to(dtype), timesteps, guidance.prompt_embeds.to(dtype)).float()
    wanted, unwanted = _both_predictions(denoiser, latents, timesteps, guidance)
    return unwanted + guidance.scale * (wanted - unwanted)


@torch.no_grad()
def prompt_agreement(
    denoiser: VideoDenoiser,
    latents: Float[Tensor, "1 c t h w"],
    given: GivenLatents,
    guidance: Guidance,
) -> float:
    """Return how much better the denoiser knows a clip again where it is told the prompt.

    Args:
        denoiser: The network; it computes in the dtype of its weights.
        latents: Clean latents of the clip, float32.
        given: Those of them that were supplied; they get no noise and say nothing.
        guidance: The prompt; its strength is not read.

    Returns:
        The share of the error without it that the prompt saves, at most 1; 0 where it says nothing
        or every frame is given. All clips get the same noise, so that they can be compared.

    Source: diffusion classifiers (Li et al. 2023). Ours: one level, at which a clip is still a
    guess, so that the words have something to add; and the share, since a clip in which there is
    more to see has more to get wrong.
    """
    unknown = ~given.is_given[0]
    if not bool(unknown.any()):
        return 0.0
    schedule, timesteps = denoiser.schedule, given.timesteps(PROMPT_LEVEL)
    generator = torch.Generator().manual_seed(PROMPT_NOISE_SEED)
    noise = torch.randn(latents.shape, generator=generator).to(latents)
    signal, spread = (one[:, None, :, None, None] for one in schedule.shares(timesteps))
    noisy = given.put_back(signal * latents + spread * noise)
    target = schedule.target(latents, noise)
    errors = [
        float((prediction - target)[:, :, unknown].square().mean())
        for prediction in _both_predictions(denoiser, noisy, timesteps, guidance)
    ]
    with_prompt, without = errors
    return (without - with_prompt) / max(without, 1e-12)


def _both_predictions(
    denoiser: VideoDenoiser,
    latents: Float[Tensor, "1 c t h w"],
    timesteps: Float[Tensor, "1 t"],
    guidance: Guidance,
) -> tuple[Float[Tensor, "1 c t h w"], Float[Tensor, "1 c t h w"]]:
    """Return what is predicted with the prompt, and with what to steer away from; float32."""
    dtype = next(denoiser.parameters()).dtype
    both = torch.cat([guidance.prompt_embeds, guidance.negative_embeds]).to(dtype)
    twice = latents.to(dtype).expand(2, -1, -1, -1, -1)
    wanted, unwanted = denoiser(twice, timesteps.expand(2, -1), both).float().chunk(2)
    return wanted, unwanted
