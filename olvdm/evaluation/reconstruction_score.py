"""Scores the autoencoder on clips it never saw: how near its picture is, and how steady."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from olvdm.evaluation.bootstrap import estimate_mean
from olvdm.evaluation.video_quality import VideoScores, psnr, score_video, ssim
from olvdm.pipeline import OLVDMPipeline
from olvdm.video import frames_to_clip


def score_reconstruction(
    pipeline: OLVDMPipeline,
    clips: Iterable[UInt8[np.ndarray, "t h w 3"]],
    advance: Callable[[], None],
) -> dict[str, Any]:
    """Send clips through the autoencoder and back, and compare.

    Args:
        pipeline: The model.
        clips: Real clips of the size of the training.
        advance: Called after each clip.

    Returns:
        PSNR in dB and SSIM, and flicker and motion of the reconstructions beside the truth's, as
        JSON can hold them: what a decoder adds to them, drawn clips have too.

    Source: method.md section 7.
    """
    likeness: list[tuple[float, float]] = []
    scores: list[tuple[VideoScores, VideoScores]] = []
    for frames in clips:
        redrawn = reconstruct(pipeline, frames)
        likeness.append((psnr(redrawn, frames), ssim(redrawn, frames)))
        scores.append((score_video(redrawn), score_video(frames)))
        advance()
    quality = np.array(likeness)
    return {
        "num_clips": len(likeness),
        "psnr": estimate_mean(quality[:, 0]).as_json(),
        "ssim": estimate_mean(quality[:, 1]).as_json(),
        "flicker_and_motion": {
            field.name: _beside_real(scores, field.name) for field in fields(VideoScores)
        },
    }


def _beside_real(
    scores: Sequence[tuple[VideoScores, VideoScores]], name: str
) -> dict[str, dict[str, Any]]:
    """Return one score of the reconstructions, of the real clips, and the difference."""
    redrawn, real = np.array([[getattr(one, name) for one in pair] for pair in scores]).T
    sides = {"reconstruction": redrawn, "real": real, "difference": redrawn - real}
    return {side: estimate_mean(values).as_json() for side, values in sides.items()}


@torch.no_grad()
def reconstruct(
    pipeline: OLVDMPipeline, frames: UInt8[np.ndarray, "t h w 3"]
) -> UInt8[np.ndarray, "t h w 3"]:
    """Return a clip after its way through the latents, as it would be shown.

    Args:
        pipeline: The model.
        frames: A clip whose length and sides the autoencoder can fold.

    Returns:
        The reconstruction.
    """
    clip = frames_to_clip(frames).to(next(pipeline.autoencoder.parameters()))
    return pipeline.decode_latents(pipeline.autoencoder.encode(clip), len(frames))[0]
