"""How the time of one denoiser call grows with frames and with the area of the latents."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.inputs import Shape, forward_call, latent_shape, load_pipeline
from benchmarks.peers.diffusers_networks import video_unet
from benchmarks.rounds import Case, Measurement, Spread, dtype_name, measure, times_table
from benchmarks.settings import Settings
from benchmarks.tables import Table
from olvdm.frame_conditioning import sampling_windows

FRAMES = (8, 16, 32, 64)
SIDES = (8, 16, 32)
GOAL = 1.05


@dataclass(frozen=True)
class Axis:
    """A size that grows while the others stay.

    Attributes:
        name: What grows.
        shapes: Of the latents, smallest first.
    """

    name: str
    shapes: list[Shape]

    def sizes(self) -> list[int]:
        """Return the numbers of latent positions."""
        return [math.prod(shape[1:]) for shape in self.shapes]


def run(
    settings: Settings, frames: tuple[int, ...] = FRAMES, sides: tuple[int, ...] = SIDES
) -> list[Table]:
    """Return times, exponents, and the windows of long clips.

    Args:
        settings: How to measure.
        frames: Latent frames, doubling.
        sides: Latent rows and columns, doubling.

    Returns:
        Three tables.
    """
    pipeline = load_pipeline(settings)
    ours, prompt_embeds = pipeline.denoiser, pipeline.encode_prompt("")
    channels, num_frames, height, width = latent_shape(ours)
    axes = [
        Axis("frames", [(channels, count, height, width) for count in frames]),
        Axis("H*W", [(channels, num_frames, side, side) for side in sides]),
    ]
    dtype = next(ours.parameters()).dtype
    peer = video_unet(channels, prompt_embeds.shape[2], dtype)
    networks = {"ours": ours, peer.name: peer.network}
    cases = _cases(networks, axes, prompt_embeds)
    found = measure(cases, settings.rounds, settings.threads, (dtype,))
    title = f"One call, {dtype_name(dtype)}, batch of 1"
    return [
        Table(title, times_table(found), [found.probe_note()]),
        _exponents_table(found, list(networks), axes, dtype),
        _windows_table(frames, num_frames),
    ]


def _cases(networks: dict[str, nn.Module], axes: list[Axis], prompt_embeds: Tensor) -> list[Case]:
    """Return every network at every shape, each shape once."""
    shapes = dict.fromkeys(shape for axis in axes for shape in axis.shapes)
    return [
        Case(_case_name(name, shape), forward_call(network, shape, prompt_embeds))
        for name, network in networks.items()
        for shape in shapes
    ]


def _case_name(network: str, shape: Shape) -> str:
    return f"{network}, {shape[1]}x{shape[2]}x{shape[3]}"


def exponent(found: Measurement, network: str, axis: Axis) -> Spread:
    """Return the exponent of time in size, over the whole axis.

    Args:
        found: The times.
        network: Whose.
        axis: What grows.

    Returns:
        The slope of the logarithms, fitted in every round.
    """
    times = np.array([found.seconds(_case_name(network, shape)) for shape in axis.shapes])
    slopes = np.polyfit(np.log(axis.sizes()), np.log(times), 1)[0]
    return Spread.of(slopes)


def _exponents_table(
    found: Measurement, networks: list[str], axes: list[Axis], dtype: torch.dtype
) -> Table:
    rows: list[dict[str, object]] = []
    for axis in axes:
        for network in networks:
            steps = [
                found.ratio(_case_name(network, large), _case_name(network, small)).median
                for small, large in pairwise(axis.shapes)
            ]
            growths = [large / small for small, large in pairwise(axis.sizes())]
            each = [math.log(step, grown) for step, grown in zip(steps, growths, strict=True)]
            rows.append(
                {
                    "network": network,
                    "size": f"{axis.name} {_range_text(axis)}",
                    "exponent (quartiles)": exponent(found, network, axis),
                    "from size to size": " / ".join(f"{one:.2f}" for one in each),
                    "matmul": found.probe_text(dtype),
                }
            )
    return Table("Exponents", rows, [f"G6 wants at most {GOAL} for ours."])


def _range_text(axis: Axis) -> str:
    low, high = axis.shapes[0], axis.shapes[-1]
    if axis.name == "frames":
        return f"{low[1]} to {high[1]}"
    return f"{low[2]}x{low[3]} to {high[2]}x{high[3]}"


def _windows_table(frames: tuple[int, ...], window: int) -> Table:
    """Return the calls that a long clip takes, which no time of one call shows."""
    rows: list[dict[str, object]] = []
    for count in frames:
        windows = len(sampling_windows(count, window))
        least = math.ceil(count / window)
        rows.append({"latent frames": count, "windows": windows, "without overlap": least})
    note = (
        "A clip longer than the training is drawn in windows that overlap by half, each with all "
        "its steps. So its first doubling costs three times as much, and later ones about twice; "
        "the exponents above are those of one call on all frames at once."
    )
    return Table(f"Windows of a clip, {window} latent frames each", rows, [note])
