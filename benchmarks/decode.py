"""Our decoder of clips against diffusers' AutoencoderTiny, with what each picture is worth."""

from collections.abc import Callable

import numpy as np
import torch

from benchmarks.inputs import DTYPES, latent_shape, load_pipeline
from benchmarks.peers import count_parameters
from benchmarks.peers.diffusers_networks import picture_decoder
from benchmarks.rounds import Case, Measurement, dtype_name, measure, times_table
from benchmarks.settings import Settings
from benchmarks.tables import Table
from olvdm.data.moving_shapes import MovingShapes
from olvdm.evaluation.reconstruction_score import reconstruct
from olvdm.evaluation.video_quality import psnr
from olvdm.pipeline import OLVDMPipeline

OURS, PEER = "ours", "AutoencoderTiny"
PEER_CHANNELS, PEER_FACTOR = 4, 8
NUM_CLIPS = 16  # of the test split, for PSNR


def run(settings: Settings, num_clips: int = NUM_CLIPS) -> list[Table]:
    """Return decoders, their times and the ratio.

    Args:
        settings: How to measure.
        num_clips: Clips for the likeness of our decoder.

    Returns:
        Three tables.
    """
    pipelines = {dtype: load_pipeline(settings, dtype) for dtype in DTYPES}
    cases = [case for dtype, one in pipelines.items() for case in decode_cases(one, dtype)]
    found = measure(cases, settings.rounds, settings.threads)
    num_frames, height, width = clip_size(pipelines[torch.float32])
    return [
        _decoders_table(pipelines[DTYPES[0]], num_clips),
        Table(
            f"Decode {num_frames} frames of {height}x{width}",
            times_table(found),
            [found.probe_note()],
        ),
        _ratios_table(found),
    ]


def clip_size(pipeline: OLVDMPipeline) -> tuple[int, int, int]:
    """Return frames, rows and columns of the clips that a model was trained on."""
    _, num_frames, height, width = latent_shape(pipeline.denoiser)
    autoencoder = pipeline.autoencoder
    factor = autoencoder.spatial_factor
    return num_frames * autoencoder.temporal_factor, height * factor, width * factor


def decode_cases(pipeline: OLVDMPipeline, dtype: torch.dtype) -> list[Case]:
    """Return both decoders at the size of the training.

    Args:
        pipeline: Ours.
        dtype: Of the weights.

    Returns:
        Ours and the peer.
    """
    size, kind = clip_size(pipeline), dtype_name(dtype)
    return [
        Case(f"{OURS}, {kind}", own_decode(pipeline, *latent_shape(pipeline.denoiser)[1:])),
        Case(f"{PEER}, {kind}", peer_decode(size, dtype)),
    ]


def own_decode(
    pipeline: OLVDMPipeline, num_frames: int, height: int, width: int
) -> Callable[[], object]:
    """Return a function that decodes random latents, to floats and no further.

    Args:
        pipeline: Ours.
        num_frames: Latent frames.
        height: Latent rows.
        width: Latent columns.

    Returns:
        The function.
    """
    autoencoder = pipeline.autoencoder
    weights = next(autoencoder.parameters())
    latents = torch.randn(1, autoencoder.latent_channels, num_frames, height, width).to(weights)

    @torch.no_grad()
    def call() -> object:
        return autoencoder.decode(latents)

    return call


def peer_decode(size: tuple[int, int, int], dtype: torch.dtype) -> Callable[[], object]:
    """Return a function that decodes as many pictures of the same size.

    Args:
        size: Frames, rows and columns of the clip.
        dtype: Of the weights.

    Returns:
        The function.
    """
    num_frames, height, width = size
    network = picture_decoder(dtype).network
    shape = (num_frames, PEER_CHANNELS, height // PEER_FACTOR, width // PEER_FACTOR)
    latents = torch.randn(shape).to(dtype)

    @torch.no_grad()
    def call() -> object:
        return network(latents)

    return call


def likeness(pipeline: OLVDMPipeline, num_clips: int) -> float:
    """Return the mean PSNR of test clips after our encoder and decoder, in dB."""
    num_frames, height, width = clip_size(pipeline)
    clips = MovingShapes(
        split="test", num_clips=num_clips, num_frames=num_frames, height=height, width=width
    )
    frames = [clips[index].frames for index in range(num_clips)]
    return float(np.mean([psnr(reconstruct(pipeline, one), one) for one in frames]))


def _decoders_table(pipeline: OLVDMPipeline, num_clips: int) -> Table:
    peer = picture_decoder(torch.float32).network
    autoencoder = pipeline.autoencoder
    sizes = (
        count_parameters(autoencoder.decoder),
        count_parameters(peer.get_submodule("autoencoder.decoder")),
    )
    factors = f"{autoencoder.temporal_factor}x{autoencoder.spatial_factor}"
    rows: list[dict[str, object]] = [
        {
            "decoder": OURS,
            "parameters": sizes[0],
            "compression": f"{factors}x{autoencoder.spatial_factor}",
            "channels": autoencoder.latent_channels,
            "PSNR, dB": likeness(pipeline, num_clips),
        },
        {
            "decoder": PEER,
            "parameters": sizes[1],
            "compression": f"1x{PEER_FACTOR}x{PEER_FACTOR}",
            "channels": PEER_CHANNELS,
            "PSNR, dB": "none: random weights",
        },
    ]
    note = (
        f"PSNR of {num_clips} test clips of the full world. The peer's published weights are not "
        "on this machine, so it has random ones: its time is real, its picture is not, and the "
        "ratio below compares different jobs (another latent, one frame at a time)."
    )
    return Table("Decoders", rows, [note])


def _ratios_table(found: Measurement) -> Table:
    rows: list[dict[str, object]] = []
    for dtype in DTYPES:
        kind = dtype_name(dtype)
        ratio = found.ratio(f"{PEER}, {kind}", f"{OURS}, {kind}")
        goal = "at least 3" if dtype == torch.bfloat16 else "none"
        rows.append({"ratio": f"{PEER} / {OURS}, {kind}", "median (quartiles)": ratio})
        rows[-1] |= {"goal G4": goal, "matmul": found.probe_text(dtype)}
    return Table("Ratio, round by round", rows, [])
