"""Scores the autoencoder on clips it never saw: how near its picture is, and how steady."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from olvdm.evaluation.bootstrap import estimate_mean
from olvdm.evaluation.video_quality import psnr, score_video, ssim
from olvdm.pipeline import OLVDMPipeline
from olvdm.video import frames_to_clip

FLICKER = ("flickering", "warp_error", "high_frequency")


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
        PSNR in dB and SSIM, and flicker of the reconstructions beside the truth's, as JSON can
        hold them.

    Source: method.md section 7.
    """
    likeness: list[tuple[float, float]] = []
    flicker: list[list[list[float]]] = []
    for frames in clips:
        redrawn = reconstruct(pipeline, frames)
        likeness.append((psnr(redrawn, frames), ssim(redrawn, frames)))
        scores = [asdict(score_video(one)) for one in (redrawn, frames)]
        flicker.append([[found[name] for name in FLICKER] for found in scores])
        advance()
    quality, steadiness = np.array(likeness), np.array(flicker)
    return {
        "num_clips": len(likeness),
        "psnr": estimate_mean(quality[:, 0]).as_json(),
        "ssim": estimate_mean(quality[:, 1]).as_json(),
        "flicker": {
            name: {
                "reconstruction": estimate_mean(steadiness[:, 0, place]).as_json(),
                "real": estimate_mean(steadiness[:, 1, place]).as_json(),
                "difference": estimate_mean(
                    steadiness[:, 0, place] - steadiness[:, 1, place]
                ).as_json(),
            }
            for place, name in enumerate(FLICKER)
        },
    }


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
