"""A training step: what the slot term adds to it, and ours against diffusers' video U-Net."""

import copy
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.decode import clip_size
from benchmarks.inputs import (
    Shape,
    count_flops,
    denoiser_inputs,
    latent_shape,
    load_pipeline,
    shape_text,
)
from benchmarks.peers.diffusers_networks import video_unet
from benchmarks.rounds import Case, Measurement, Spread, measure, times_table
from benchmarks.settings import Settings
from benchmarks.tables import Table
from olvdm.pipeline import OLVDMPipeline
from olvdm.slot_networks import SlotNetworks
from olvdm.training.config import DenoiserConfig
from olvdm.training.denoiser import DenoiserStage
from olvdm.training.optimizer import make_optimizers

BATCH = 4
SLOT_GOAL = 0.20
BF16 = torch.bfloat16


def run(settings: Settings, batch: int = BATCH) -> list[Table]:
    """Return what a step takes, with and without slots, ours and the peer's.

    Args:
        settings: How to measure.
        batch: Clips of a step.

    Returns:
        Three tables.
    """
    pipeline = load_pipeline(settings, torch.float32)
    shape = latent_shape(pipeline.denoiser)
    channels, num_frames, height, width = shape
    shapes = (shape, (channels, num_frames, height // 2, width // 2))
    networks, prompt_embeds = _networks(pipeline)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        cases = slot_cases(pipeline, batch, Path(folder))
    calls = {
        _case_name(name, each): _step_call(network, each, prompt_embeds, batch)
        for each in shapes
        for name, network in networks.items()
    }
    cases += [Case(name, call) for name, call in calls.items()]
    found = measure(cases, settings.rounds, settings.threads, (BF16,))
    return [
        Table(f"A step of {batch} clips", times_table(found), [found.probe_note()]),
        _slots_table(found),
        _networks_table(found, list(networks), shapes, calls),
    ]


def slot_cases(pipeline: OLVDMPipeline, batch: int, folder: Path) -> list[Case]:
    """Return two whole steps on the same clips and weights, without slots and with them.

    Args:
        pipeline: Whose networks are trained.
        batch: Clips of a step.
        folder: For the latents of the clips.

    Returns:
        The cases.
    """
    num_frames, height, width = clip_size(pipeline)
    config = DenoiserConfig(
        num_clips=batch,
        num_frames=num_frames,
        height=height,
        width=width,
        batch_size=batch,
        latents=str(folder),
        level="simple",
        slot_loss="corr",
    )
    own = copy.deepcopy(pipeline)
    slot_networks = SlotNetworks(own.slot_encoder, own.slot_decoder)
    with_slots = DenoiserStage(
        config, own.autoencoder, own.text_encoder, slot_networks, own.denoiser
    ).train()
    without = copy.copy(with_slots)  # the same networks and clips under another setting
    without.config = replace(config, slot_loss="none")
    return [
        Case("whole step without slots", _stage_call(without)),
        Case("whole step with slots", _stage_call(with_slots)),
    ]


def _stage_call(stage: DenoiserStage) -> Callable[[], object]:
    """Return a function that makes one step as the training loop does."""
    optimizers = make_optimizers(stage, stage.config)
    batch = stage.fetch(range(stage.config.batch_size))
    weights = [weight for weight in stage.parameters() if weight.requires_grad]

    def call() -> object:
        generators = [
            torch.Generator().manual_seed(clip) for clip in range(stage.config.batch_size)
        ]
        with torch.autocast("cpu", BF16):
            losses = stage(batch, generators, 0.0)
        losses["loss"].backward()
        norm = nn.utils.clip_grad_norm_(weights, stage.config.clip_norm)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return norm

    return call


def _networks(pipeline: OLVDMPipeline) -> tuple[dict[str, nn.Module], Tensor]:
    ours, prompt_embeds = copy.deepcopy(pipeline.denoiser), pipeline.encode_prompt("")
    channels = latent_shape(ours)[0]
    peer = video_unet(channels, prompt_embeds.shape[2], torch.float32)
    return {"ours": ours.train(), peer.name: peer.network.train()}, prompt_embeds


def _step_call(
    network: nn.Module, shape: Shape, prompt_embeds: Tensor, batch: int
) -> Callable[[], object]:
    """Return a function that goes forward and back once, in autocast to bf16."""
    inputs = denoiser_inputs(network, shape, prompt_embeds, batch)

    def call() -> object:
        network.zero_grad()
        with torch.autocast("cpu", BF16):
            loss = F.mse_loss(network(*inputs).float(), inputs[0])
        loss.backward()
        return loss

    return call


def _case_name(network: str, shape: Shape) -> str:
    return f"{network}, forward and back, {shape_text(shape)}"


def _slots_table(found: Measurement) -> Table:
    added = found.seconds("whole step with slots") / found.seconds("whole step without slots") - 1
    row: dict[str, object] = {
        "what": "the slot term adds to a step",
        "share (quartiles)": Spread.of(added),
        "goal": f"under {SLOT_GOAL}",
        "matmul": found.probe_text(),
    }
    note = "Whole steps: text tower, autocast to bf16, clipping and AdamW included."
    return Table("The slot term", [row], [note])


def _networks_table(
    found: Measurement,
    networks: list[str],
    shapes: tuple[Shape, ...],
    calls: dict[str, Callable[[], object]],
) -> Table:
    """Return what the peer takes for what ours does, and the shares of the roofline."""
    ours, peer = networks
    rows: list[dict[str, object]] = []
    for shape in shapes:
        own, other = (_case_name(name, shape) for name in (ours, peer))
        shares = [
            found.roofline_share(name, count_flops(calls[name]), BF16) for name in (own, other)
        ]
        rows.append(
            {
                "latents": shape_text(shape),
                f"{peer} / ours": found.ratio(other, own),
                "our share of the matmul": shares[0],
                "its share": shares[1],
                "matmul": found.probe_text(),
            }
        )
    note = (
        "G2 wants 0.55 of the matmul at full latents. The peer has random weights; nothing here "
        "says what either learns from a step."
    )
    return Table("Forward and back, autocast to bf16, round by round", rows, [note])
