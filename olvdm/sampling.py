"""Draw the latents of one clip: noise, the denoiser once a step, a scheduler between."""

import copy
import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor

from olvdm.autoencoder import VideoAutoencoder
from olvdm.denoiser import VideoDenoiser
from olvdm.errors import OlvdmError
from olvdm.frame_conditioning import GivenLatents, sampling_windows
from olvdm.generation import Generation
from olvdm.noise_schedule import NoiseSchedule, Scheduler
from olvdm.prompt_guidance import Guidance, guided_prediction, prompt_agreement
from olvdm.slot_guidance import SlotGuidance
from olvdm.slot_selection import (
    AGREEMENT_WEIGHT,
    NUM_FINALISTS,
    STEADY_ENOUGH,
    SlotSelection,
    shows_enough,
)


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
        candidate: Which of several noises they come from, 0 for the first.
        retold: Where that is another one than at the step before: what was expected on the way from
            it after each earlier step of its window; empty elsewhere.
    """

    clip: int
    step: int
    num_steps: int
    timestep: float
    latents: Float[Tensor, "1 c t h w"]
    predicted: Float[Tensor, "1 c t h w"]
    candidate: int = 0
    retold: tuple[Float[Tensor, "1 c t h w"], ...] = ()


class Reached(NamedTuple):
    """Where a step of one window begins and ends; the names are those of `DenoisingStep`.

    And what was expected after each step before it.
    """

    level: float
    latents: Float[Tensor, "1 c t h w"]
    predicted: Float[Tensor, "1 c t h w"]
    candidate: int
    before: tuple[Float[Tensor, "1 c t h w"], ...]


class Run(NamedTuple):
    """A drawing that is under way: the steps to come, and the one that it has reached."""

    steps: Iterator[Reached]
    reached: Reached


def draw_noise(
    generation: Generation,
    clip: int,
    num_candidates: int,
    autoencoder: VideoAutoencoder,
    denoiser: VideoDenoiser,
) -> Float[Tensor, "n c t h w"]:
    """Draw the noise that one clip begins from, on the CPU, from the clip's own generator.

    Args:
        generation: What to draw, checked.
        clip: Index of the clip.
        num_candidates: How many there are to choose from.
        autoencoder: Says how many numbers stand for a clip of that size.
        denoiser: Says what size it is where nobody asked for one.

    Returns:
        Standard Gaussian numbers for each candidate, on the device of the denoiser; the first are
        those of the clip without further candidates, but for later clips of one generator that all
        share: those before them have drawn more from it.
    """
    generator, settings = generation.generator, denoiser.config
    if isinstance(generator, Sequence):
        generator = generator[clip]
    factor = autoencoder.spatial_factor
    shape = (
        autoencoder.latent_channels,
        -(-generation.num_frames // autoencoder.temporal_factor),
        (generation.height or factor * settings["height"]) // factor,
        (generation.width or factor * settings["width"]) // factor,
    )
    candidates = [torch.randn(shape, generator=generator) for _ in range(num_candidates)]
    return torch.stack(candidates).to(denoiser.device)


def draw_latents(
    denoiser: VideoDenoiser,
    scheduler: Scheduler,
    noise: Float[Tensor, "n c t h w"],
    given: GivenLatents,
    guidance: Guidance,
    num_inference_steps: int,
    slot_guidance: SlotGuidance | None = None,
    selection: SlotSelection | None = None,
) -> Iterator[DenoisingStep]:
    """Draw one clip, window by window, and yield after every step.

    Args:
        denoiser: The network.
        scheduler: Of a class that the denoiser's schedule names, for predictions and levels as
            that one learned, else it is a ``ValueError``; its steps are set anew for every window.
        noise: Where the clip begins; its length decides that of the clip. With a selection it may
            begin from several, each window anew.
        given: Latent frames that are already known; they come out unchanged.
        guidance: Prompt and strength.
        num_inference_steps: Steps of every window.
        slot_guidance: Steers every prediction; none leaves it as it is.
        selection: Says half way whether the first noise will do, and which of the others is better;
            none draws the first noise alone.

    Yields:
        Every step of clip 0, the first ones always those of the first noise; the last one's
        ``latents`` are the clip. Numbers that are no longer finite are an ``OlvdmError``.

    Source: rectified flow (Liu et al. 2022) by DPM-Solver++ (Lu et al. 2022) or Euler's method, or
    DDIM (Song et al. 2021); guidance from Ho and Salimans 2022, over an interval of levels as in
    Kynkäänniemi et al. 2024. Ours: windows as frame conditioning.
    """
    schedule = denoiser.schedule
    _check_scheduler(schedule, scheduler)
    windows = sampling_windows(noise.shape[2], denoiser.config["num_frames"])
    num_steps, done = num_inference_steps * len(windows), 0
    drawn, candidate = noise[:1].clone(), 0
    for frames in windows:
        inside, shown = slice(frames.start, frames.stop), slice(0, frames.stop)
        part = given.window(frames)
        runs = [
            _denoised(
                denoiser,
                copy.deepcopy(scheduler),  # it counts steps
                part.put_back(one[None, :, inside]),
                part,
                guidance,
                num_inference_steps,
                slot_guidance,
                number,
            )
            for number, one in enumerate(noise)
        ]
        agreement = functools.partial(prompt_agreement, denoiser, given=part, guidance=guidance)
        for reached in _kept_steps(runs, num_inference_steps, schedule, selection, agreement):
            done += 1
            drawn[:, :, inside] = reached.latents
            is_other, candidate = reached.candidate != candidate, reached.candidate
            before = reached.before if is_other else ()
            *retold, expected = (
                _with_part(drawn, inside, one)[:, :, shown] for one in (*before, reached.predicted)
            )
            yield DenoisingStep(
                0,
                done,
                num_steps,
                reached.level,
                drawn[:, :, shown].clone(),  # whoever keeps a step keeps it as it was
                expected,
                candidate,
                tuple(retold),
            )
        given = given.with_latents(drawn[:, :, inside], frames.start)


def _with_part(drawn: Tensor, inside: slice, part: Tensor) -> Float[Tensor, "1 c t h w"]:
    whole = drawn.clone()
    whole[:, :, inside] = part
    return whole


def _denoised(
    denoiser: VideoDenoiser,
    scheduler: Scheduler,
    latents: Float[Tensor, "1 c t h w"],
    given: GivenLatents,
    guidance: Guidance,
    num_inference_steps: int,
    slot_guidance: SlotGuidance | None,
    candidate: int,
) -> Iterator[Reached]:
    """Draw one window and yield what each step reaches."""
    schedule = denoiser.schedule
    steps = schedule.begin(scheduler, num_inference_steps, latents.device)
    before: tuple[Tensor, ...] = ()
    for number, (timestep, level) in enumerate(steps, start=1):
        levels = given.timesteps(level)
        prediction = guided_prediction(denoiser, latents, levels, guidance.at(level, schedule))
        predicted = given.put_back(schedule.clean_latents(latents, prediction, levels))
        if slot_guidance is not None:
            prediction = slot_guidance.steer(prediction, predicted, levels, schedule)
            predicted = given.put_back(schedule.clean_latents(latents, prediction, levels))
        # its annotations name a tensor class that no tensor has
        step = cast("Any", scheduler).step
        latents = given.put_back(step(prediction, timestep, latents, return_dict=False)[0])
        if not bool(torch.isfinite(latents).all()):
            raise OlvdmError(
                f"numeric failure at step {number}; try another seed or a lower guidance_scale"
            )
        yield Reached(level, latents, predicted, candidate, before)
        before = (*before, predicted)


def _kept_steps(
    runs: Sequence[Iterator[Reached]],
    num_steps: int,
    schedule: NoiseSchedule,
    selection: SlotSelection | None,
    agreement: Callable[[Tensor], float],
) -> Iterator[Reached]:
    """Yield the steps of the first run; where its slots fall short, go on with better ones.

    What was seen half way may still go wrong, so two go on to the end, where slots know most.
    """
    going_on, others = runs[:1], runs[1:]
    num_at_once = selection.num_at_once() if selection else 1
    with ThreadPoolExecutor(num_at_once, initializer=_autocast_here()) as pool:
        for number in range(1, num_steps + 1):
            is_alone, is_last = len(going_on) == 1, number == num_steps
            reached = [_advance(going_on[0])] if is_alone else [*pool.map(_advance, going_on)]
            if selection and others and (is_last or shows_enough(schedule, reached[0].level)):
                first = Run(going_on[0], reached[0])
                best = _best_runs(first, others, number, selection, agreement, pool)
                others, going_on = (), [run.steps for run in best]
                reached = [run.reached for run in best]
            if selection and is_last and len(reached) > 1:
                reached = [_steadiest(reached, selection, pool)]
            yield reached[0]


def _autocast_here() -> Callable[[], None]:
    """Return what gives another thread the autocast of this one, which threads do not share."""
    found = [
        (kind, torch.get_autocast_dtype(kind), torch.is_autocast_enabled(kind))
        for kind in ("cpu", "cuda")
    ]

    def take_over() -> None:
        for kind, dtype, is_enabled in found:
            torch.set_autocast_dtype(kind, dtype)
            torch.set_autocast_enabled(kind, is_enabled)

    return take_over


def _advance(steps: Iterator[Reached]) -> Reached:
    return next(steps)


def _best_runs(
    first: Run,
    others: Sequence[Iterator[Reached]],
    num_steps: int,
    selection: SlotSelection,
    agreement: Callable[[Tensor], float],
    pool: ThreadPoolExecutor,
) -> list[Run]:
    """Return the first run, or where it is not steady enough the two best of all as far as it."""
    constancy = selection.constancy(first.reached.predicted, first.reached.candidate)
    if constancy >= STEADY_ENOUGH:
        return [first]

    def follow(steps: Iterator[Reached]) -> tuple[float, Run]:
        *_, last = itertools.islice(steps, num_steps)
        return score(last, selection.constancy(last.predicted, last.candidate)), Run(steps, last)

    def score(reached: Reached, constancy: float) -> float:
        return constancy + AGREEMENT_WEIGHT * agreement(reached.predicted)

    found = [(score(first.reached, constancy), first), *pool.map(follow, others)]
    ranked = sorted(found, key=lambda one: -one[0])  # of equal ones the first comes first
    return [run for _, run in ranked[:NUM_FINALISTS]]


def _steadiest(
    reached: Sequence[Reached], selection: SlotSelection, pool: ThreadPoolExecutor
) -> Reached:
    """Return the end whose slots are most alike to themselves, of equal ones the first."""

    def constancy(one: Reached) -> float:
        return selection.constancy(one.latents, one.candidate)

    found = zip(pool.map(constancy, reached), reached, strict=True)
    return max(found, key=lambda one: one[0])[1]


def _check_scheduler(schedule: NoiseSchedule, scheduler: Scheduler) -> None:
    if not isinstance(scheduler, schedule.scheduler_classes):
        names = " or ".join(one.__name__ for one in schedule.scheduler_classes)
        raise ValueError(
            f"a denoiser of {schedule.prediction_type} needs a {names},"
            f" got {type(scheduler).__name__}"
        )
    found = scheduler.config.get("prediction_type", schedule.prediction_type)
    if found != schedule.prediction_type:
        raise ValueError(f"a denoiser of {schedule.prediction_type} got a scheduler of {found}")
