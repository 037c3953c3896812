"""One call of our denoiser against the video U-Nets of diffusers and of LVDM, at equal size."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.inputs import (
    DTYPES,
    Shape,
    count_flops,
    forward_call,
    latent_shape,
    load_pipeline,
    shape_text,
)
from benchmarks.peers import MissingPeerError, Peer, count_parameters
from benchmarks.peers.diffusers_networks import video_unet
from benchmarks.peers.lvdm import lvdm_unets
from benchmarks.rounds import Case, Measurement, dtype_name, measure, times_table
from benchmarks.settings import Settings
from benchmarks.tables import Table

OURS = "ours"
BATCHES = (1, 2)
EQUAL = 0.15  # share by which parameters may differ


@dataclass(frozen=True)
class Field:
    """The networks that are compared, in one dtype.

    Attributes:
        dtype: Of their weights.
        networks: By name, ours first.
        patches: What the peers needed.
    """

    dtype: torch.dtype
    networks: dict[str, nn.Module]
    patches: dict[str, tuple[str, ...]]


def run(settings: Settings) -> list[Table]:
    """Return the networks, their times, and the ratios.

    Args:
        settings: How to measure.

    Returns:
        Three tables.
    """
    shape, prompt_embeds, fields, skipped = _load(settings)
    cases, flops, dtypes = _cases(shape, prompt_embeds, fields)
    found = measure(cases, settings.rounds, settings.threads)
    shares = {
        name: {
            "GFLOP": flops[name] / 1e9,
            "share of the matmul": found.roofline_share(name, flops[name], dtypes[name]),
        }
        for name in found.cpu
    }
    counted = (
        "FLOPs are those of products, convolutions and attention alone; G2 wants 0.65 for a batch "
        "of 1 and 0.70 for 2, in bf16."
    )
    notes = [found.probe_note(), counted]
    return [
        _networks_table(fields[0], skipped),
        Table(f"One call, latents {shape_text(shape)}", times_table(found, shares), notes),
        _ratios_table(found, fields),
    ]


def _load(settings: Settings) -> tuple[Shape, Tensor, list[Field], list[str]]:
    """Return the shape of the latents, a prompt, the networks, and who is missing."""
    pipelines = [load_pipeline(settings, dtype) for dtype in DTYPES]
    shape, prompt_embeds = latent_shape(pipelines[0].denoiser), pipelines[0].encode_prompt("")
    fields: list[Field] = []
    skipped: list[str] = []
    for dtype, pipeline in zip(DTYPES, pipelines, strict=True):
        peers = [video_unet(shape[0], prompt_embeds.shape[2], dtype)]
        try:
            peers += lvdm_unets(settings.peers, *shape[:2], prompt_embeds.shape[2], dtype)
        except MissingPeerError as reason:
            skipped = [f"{reason}."]
        fields.append(_field(dtype, pipeline.denoiser, peers))
    return shape, prompt_embeds, fields, skipped


def _field(dtype: torch.dtype, ours: nn.Module, peers: list[Peer]) -> Field:
    networks = {OURS: ours, **{peer.name: peer.network for peer in peers}}
    return Field(dtype, networks, {peer.name: peer.patches for peer in peers})


def _cases(
    shape: Shape, prompt_embeds: Tensor, fields: list[Field]
) -> tuple[list[Case], dict[str, float], dict[str, torch.dtype]]:
    """Return every network in every dtype and batch, its operations, and its dtype."""
    cases: list[Case] = []
    flops: dict[str, float] = {}
    dtypes: dict[str, torch.dtype] = {}
    for field in fields:
        for batch in BATCHES:
            for network_name, network in field.networks.items():
                call = forward_call(network, shape, prompt_embeds, batch)
                name = _case_name(network_name, field.dtype, batch)
                cases.append(Case(name, call))
                flops[name], dtypes[name] = count_flops(call), field.dtype
    return cases, flops, dtypes


def _case_name(network: str, dtype: torch.dtype, batch: int) -> str:
    return f"{network}, {dtype_name(dtype)}, batch {batch}"


def _networks_table(field: Field, skipped: list[str]) -> Table:
    sizes = {name: count_parameters(network) for name, network in field.networks.items()}
    rows: list[dict[str, object]] = []
    for name, size in sizes.items():
        off = size / sizes[OURS] - 1
        verdict = "yes" if abs(off) <= EQUAL else "**no**"
        rows.append({"network": name, "parameters": size, "against ours": f"{off:+.1%}"})
        rows[-1]["within 15 %"] = verdict
    notes = [f"{name}: {patch}." for name, patches in field.patches.items() for patch in patches]
    weights = "Peers have random weights: nothing here says anything about pictures."
    return Table("Networks", rows, [weights, *notes, *skipped])


def _ratios_table(found: Measurement, fields: list[Field]) -> Table:
    """Return what each peer takes for what ours does, and what a batch of 2 saves."""
    rows: list[dict[str, object]] = []
    for field in fields:
        stable = found.probe_text(field.dtype)
        for batch in BATCHES:
            ours = _case_name(OURS, field.dtype, batch)
            for peer in list(field.networks)[1:]:
                ratio = found.ratio(_case_name(peer, field.dtype, batch), ours)
                what = f"{peer} / ours, {dtype_name(field.dtype)}, batch {batch}"
                rows.append({"ratio": what, "median (quartiles)": ratio, "matmul": stable})
    for field in fields:
        one, two = (_case_name(OURS, field.dtype, batch) for batch in BATCHES)
        half = found.ratio(two, one)
        what = f"ours, {dtype_name(field.dtype)}: batch of 2 / one call of 1 (two calls are 2)"
        stable = found.probe_text(field.dtype)
        rows.append({"ratio": what, "median (quartiles)": half, "matmul": stable})
    note = "G1 wants 1.5 in bf16 and 1.3 in fp32 against LVDM's U-Net, equal dtype and latents."
    return Table("Ratios, round by round", rows, [note])
