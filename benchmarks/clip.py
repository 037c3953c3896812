"""One whole clip with the default settings: its seconds, their parts, and 50 steps of others."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmarks.decode import clip_size, own_decode, peer_decode
from benchmarks.inputs import (
    DTYPES,
    Shape,
    forward_call,
    latent_shape,
    load_pipeline,
    shape_text,
)
from benchmarks.peers.diffusers_networks import video_unet
from benchmarks.rounds import Case, Measurement, Seconds, Spread, dtype_name, measure, times_table
from benchmarks.settings import Settings
from benchmarks.tables import Table
from olvdm.generation import OLVDMPipelineOutput
from olvdm.limits import DEFAULT_STEPS
from olvdm.pipeline import OLVDMPipeline
from olvdm.threads import num_cores
from visualize.heatmap import correlation_chart

REFERENCE_STEPS = 50
CALLS_A_STEP = 2  # of the reference: with the prompt, and without it
NUM_CANDIDATES = 4  # noises of a clip whose slots are unsteady half way, in the shipped model
NATIVE = (4, 8)  # channels and spatial factor of the picture latents that diffusers decodes


@dataclass(frozen=True)
class Subject:
    """What is timed.

    Attributes:
        pipeline: Ours.
        prompt: One that the model has stored.
        native: Shape of the latents of pictures of the same clip.
        dtype: Of our weights.
    """

    pipeline: OLVDMPipeline
    prompt: str
    native: Shape
    dtype: torch.dtype


def run(settings: Settings, num_steps: int = DEFAULT_STEPS) -> list[Table]:
    """Return the seconds of a clip, their parts, and the ratios to 50 steps of the reference.

    Args:
        settings: How to measure.
        num_steps: Of our clip.

    Returns:
        Three tables.
    """
    pipeline = load_pipeline(settings)
    num_frames, height, width = clip_size(pipeline)
    subject = Subject(
        pipeline,
        next((prompt for prompt in pipeline.prompt_embeds if prompt), ""),
        (NATIVE[0], num_frames, height // NATIVE[1], width // NATIVE[1]),
        next(pipeline.denoiser.parameters()).dtype,
    )
    cores = num_cores()
    cases = [*_clip_cases(subject, num_steps, cores), *_part_cases(subject)]
    cases += _reference_cases(settings, subject)
    found = measure(cases, settings.rounds, settings.threads)
    title = (
        f"A clip of {num_frames} frames of {height}x{width}, {num_steps} steps with guidance, "
        f"slots and heatmap, {dtype_name(subject.dtype)}, model loaded"
    )
    return [
        Table(title, _seconds_rows(found, settings.threads), _thread_notes(found, cores)),
        _parts_table(found, num_steps),
        Table("What the parts and the reference take", times_table(found), [found.probe_note()]),
        _ratios_table(found, subject, num_steps),
    ]


def _clip_cases(subject: Subject, num_steps: int, cores: int) -> list[Case]:
    """Return the whole clip, from one noise and with all noises tried.

    From one noise it is timed on two threads too, where this process has two cores.
    """

    def call() -> object:
        return _heatmap(_clip(subject, num_steps))

    def call_all() -> object:
        # the control is never content with the first noise
        return _heatmap(_clip(subject, num_steps, NUM_CANDIDATES, shuffles_slots=True))

    two = [Case("clip, 2 threads", call, threads=2)] if cores > 1 else []
    return [Case("clip", call), *two, Case("clip, all noises", call_all)]


def _clip(
    subject: Subject, num_steps: int, num_candidates: int = 1, shuffles_slots: bool = False
) -> OLVDMPipelineOutput:
    num_frames, _, _ = clip_size(subject.pipeline)
    return subject.pipeline(
        subject.prompt,
        num_frames=num_frames,
        num_inference_steps=num_steps,
        num_candidates=num_candidates,
        shuffles_slots=shuffles_slots,
        generator=torch.Generator().manual_seed(0),
    )


def _heatmap(output: OLVDMPipelineOutput) -> object:
    """Draw what the app shows beside a clip."""
    one = (output.correlation, output.assignment, output.presence)
    correlation, assignment, presence = (field[0].cpu().numpy() for field in one)
    return correlation_chart(correlation, assignment=assignment, presence=presence)


def _part_cases(subject: Subject) -> list[Case]:
    """Return the parts of a clip, each on its own."""
    pipeline = subject.pipeline
    output = _clip(subject, num_steps=1)
    shape, prompt_embeds = latent_shape(pipeline.denoiser), pipeline.encode_prompt("")
    return [
        Case("guided call", forward_call(pipeline.denoiser, shape, prompt_embeds, batch=2)),
        Case("decode", lambda: pipeline.decode_latents(output.latents)),
        Case("slots", lambda: pipeline.inspect(output.uint8_frames[0])),
        Case("heatmap", lambda: _heatmap(output)),
    ]


def _reference_cases(settings: Settings, subject: Subject) -> list[Case]:
    """Return one call of diffusers' U-Net and one decode, on our latents and on native ones."""
    shape = latent_shape(subject.pipeline.denoiser)
    prompt_embeds = subject.pipeline.encode_prompt("")
    cases: list[Case] = []
    for dtype in DTYPES:
        kind = dtype_name(dtype)
        for name, latents in (("matched", shape), ("native", subject.native)):
            call = _unet_call(latents, prompt_embeds, dtype)
            cases.append(Case(f"UNet3D, {name}, {kind}", call))
        decode = peer_decode(clip_size(subject.pipeline), dtype)
        cases.append(Case(f"AutoencoderTiny, {kind}", decode))
        ours = load_pipeline(settings, dtype)
        cases.append(Case(f"our decoder, {kind}", own_decode(ours, *shape[1:])))
    return cases


def _unet_call(shape: Shape, prompt_embeds: Tensor, dtype: torch.dtype) -> Callable[[], object]:
    unet = video_unet(shape[0], prompt_embeds.shape[2], dtype).network
    return forward_call(unet, shape, prompt_embeds)


def _seconds_rows(found: Measurement, threads: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for name, count, noises in (
        ("clip", threads, 1),
        ("clip, 2 threads", 2, 1),
        ("clip, all noises", threads, NUM_CANDIDATES),
    ):
        if name in found.wall:
            cpu, wall = (Spread.of(np.array(times[name])) for times in (found.cpu, found.wall))
            rows.append({"threads": count, "noises": noises, "CPU s": cpu, "wall s": wall})
    return rows


def _thread_notes(found: Measurement, cores: int) -> list[str]:
    clock = (
        f"Matmul {found.probe_text()}. CPU time is that of the calling thread alone: with one "
        "thread it is what an idle core would need, and wall time counts the neighbours too. "
        "Further noises are drawn side by side on other threads: there only wall time counts."
    )
    if "clip, 2 threads" in found.wall:
        return [clock]
    return [clock, f"Two threads skipped: this process may use {cores} core."]


def _parts_table(found: Measurement, num_steps: int) -> Table:
    """Split the seconds: network evaluations, decoder, slots, heatmap, and what is between."""
    whole = found.seconds("clip")
    parts = {
        "denoiser": num_steps * found.seconds("guided call"),
        "decode": found.seconds("decode"),
        "slots": found.seconds("slots"),
        "heatmap": found.seconds("heatmap"),
    }
    parts["scheduler and the rest"] = whole - sum(parts.values())
    calls = {"denoiser": f"{2 * num_steps} NFE x {_ms(found.seconds('guided call') / 2)}"}
    rows: list[dict[str, object]] = [
        {
            "part": name,
            "made of": calls.get(name, "1 call" if name in found.cpu else "clip less the others"),
            "seconds": Spread.of(seconds),
            "share": Spread.of(seconds / whole),
        }
        for name, seconds in parts.items()
    ]
    note = (
        "One NFE is half of a guided call, which evaluates a batch of 2. Parts are timed apart, so "
        "what is left for the rest may come out below 0."
    )
    return Table("The split", rows, [note])


def _ms(seconds: Seconds) -> str:
    return f"{Spread.of(1e3 * seconds).median:.3g} ms"


def _ratios_table(found: Measurement, subject: Subject, num_steps: int) -> Table:
    """Return 50 steps of the reference for our clip, in three ways that stand side by side."""
    own = dtype_name(subject.dtype)
    clip, guided = found.seconds("clip"), found.seconds("guided call")
    equal = REFERENCE_STEPS * guided + found.seconds(f"our decoder, {own}")
    matched = shape_text(latent_shape(subject.pipeline.denoiser))
    native = shape_text(subject.native)
    ways = [
        (f"matched latents {matched}, our decoder", "fp32", "matched", "our decoder", clip),
        (f"native latents {native}, AutoencoderTiny", "fp32", "native", "AutoencoderTiny", clip),
        (f"matched latents {matched}, our decoder", own, "matched", "our decoder", clip),
        (f"native latents {native}, AutoencoderTiny", own, "native", "AutoencoderTiny", clip),
        (f"matched latents {matched}, our decoder", own, "matched", "our decoder", equal),
    ]
    rows: list[dict[str, object]] = []
    for latents, kind, unet, decoder, ours in ways:
        reference = found.seconds(f"{decoder}, {kind}")
        calls = REFERENCE_STEPS * CALLS_A_STEP
        reference = reference + calls * found.seconds(f"UNet3D, {unet}, {kind}")
        steps = num_steps if ours is clip else REFERENCE_STEPS
        rows.append(
            {
                "reference": f"UNet3D, {latents}",
                "its dtype": kind,
                "our dtype": own,
                "steps, theirs / ours": f"{REFERENCE_STEPS} / {steps}",
                "ratio (quartiles)": Spread.of(reference / ours),
                "matmul": found.probe_text(),
            }
        )
    return Table("50 steps of two calls each, for our clip", rows, _ratio_notes())


def _ratio_notes() -> list[str]:
    reference = (
        "The reference is extrapolated from 1 call a round, times 100, and 1 decode; diffusers' "
        "networks have random weights. It has no slots and no heatmap; our clip has both, but in "
        "the last row, which is denoiser and decoder at equal steps."
    )
    fairness = (
        "Rows of unequal steps count only beside a quality score of the clips of few steps, which "
        "`olvdm evaluate` gives and this suite does not. Native latents are a smaller code for "
        "single pictures: another job, so neither ratio is quoted alone."
    )
    return [reference, fairness, "LVDM is not in this table: its decoder has no adapter here."]
