"""Clips on their way through the denoising: previews while it runs, all steps when it has ended."""

import time
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from einops import repeat
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from olvdm.pipeline import OLVDMPipeline
from olvdm.sampling import DenoisingStep
from olvdm.video import frames_to_clip
from visualize.payload import PREVIEW_QUALITY, DenoisingView, packed_masks, sheet

LEAST_SECONDS = 0.2  # between two previews: five a second are enough for an eye
LEAST_SHARE = 4  # times as long as the last preview took goes to the denoising first
MOST_VIEWS = 10


class DenoisingViews:
    """Show what the models expect: now and then on the way, and every step afterwards.

    Args:
        pipelines: Models by name.

    Ours: on a slow machine a preview may take as long as a step, so on the way few are decoded; the
    latents of all steps are small, and are looked at once the clips are on the screen.
    """

    def __init__(self, pipelines: Mapping[str, OLVDMPipeline]) -> None:
        self._pipelines = pipelines
        self._due = 0.0
        self._expected: list[dict[str, Float[Tensor, "1 c t h w"]]] = []

    def note(self, reached: Mapping[str, DenoisingStep]) -> None:
        """Remember a step; where a clip goes on from another noise, the way from that one.

        Args:
            reached: The step of each model.
        """
        for name, step in reached.items():
            for place, expected in enumerate(reversed(step.retold), start=1):
                self._expected[-place][name] = expected
        self._expected.append({name: step.predicted for name, step in reached.items()})

    def pictures(
        self, reached: Mapping[str, DenoisingStep]
    ) -> tuple[UInt8[np.ndarray, "t h w 3"], ...]:
        """Note a step, and return the clips as the models expect them where that is due.

        Args:
            reached: The step of each model.

        Returns:
            One clip a model, in the order of the models; nothing where none is due.
        """
        self.note(reached)
        begun = time.monotonic()
        if begun < self._due:
            return ()
        pictures = tuple(
            self._pipelines[name].decode_latents(step.predicted)[0]
            for name, step in reached.items()
        )
        ended = time.monotonic()
        self._due = ended + max(LEAST_SECONDS, LEAST_SHARE * (ended - begun))
        return pictures

    def views(self) -> Iterator[DenoisingView]:
        """Yield what the models expected after the steps, at most ten of them, evenly spread."""
        last = len(self._expected) - 1
        places = np.unique(np.linspace(0, last, min(MOST_VIEWS, last + 1)).round().astype(int))
        for place in places.tolist():
            expected = self._expected[place]
            clips = [self._pipelines[name].decode_latents(one)[0] for name, one in expected.items()]
            masks = [
                _slot_shares(self._pipelines[name], one, frames)
                for (name, one), frames in zip(expected.items(), clips, strict=True)
            ]
            yield DenoisingView(
                step=place + 1,
                sheets=tuple(sheet(frames, quality=PREVIEW_QUALITY) for frames in clips),
                masks=tuple(packed_masks(shares) for shares in masks),
            )


@torch.no_grad()
def _slot_shares(
    pipeline: OLVDMPipeline,
    latents: Float[Tensor, "1 c t h w"],
    frames: UInt8[np.ndarray, "t2 h2 w2 3"],
) -> Float32[np.ndarray, "t2 k h2 w2"]:
    """Return each slot's share of every pixel of a clip that is only expected yet.

    Its slots are those of the latent frames, each shown as long as its video frames.
    """
    weights = next(pipeline.slot_encoder.parameters())
    slots = pipeline.slot_encoder(latents.to(weights)).slots
    drawing = pipeline.slot_decoder(slots, *latents.shape[-2:])
    factor = pipeline.autoencoder.temporal_factor
    clip = frames_to_clip(frames[::factor]).to(latents.device)
    shares = repeat(drawing.posterior_masks(clip)[0], "t k h w -> (t f) k h w", f=factor)
    return shares.float().cpu().numpy()
