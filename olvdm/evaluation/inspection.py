"""What the slots say of one clip, as plain arrays: the value that figures, files and app read."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float, Float32, Int, UInt8
from torch import Tensor

from olvdm.autoencoder import VideoAutoencoder
from olvdm.evaluation.video_quality import frame_motion, measure_flicker
from olvdm.generation import OLVDMPipelineOutput, SlotOutput
from olvdm.pipeline import OLVDMPipeline
from olvdm.slot_adaptation import adapt_slots
from olvdm.video import frames_to_clip

EXPLAINED_DISTANCE = 0.1  # of the whole range of a colour, mean of its channels
KNOWN_PSNR = 26.0  # dB; clips of the training's world come back far above it
KNOWN_SHARE = 0.7


@dataclass(frozen=True, eq=False)
class Inspection:
    """One clip and what its slots say of it.

    Attributes:
        frames: The clip.
        slots: Of every video frame.
        attention_masks: Share of each pixel over the slots by slot attention, sum 1.
        alpha_masks: The same by the slot decoder, which is crisper.
        correlation: ``[t, u, i, j]`` compares slot i of frame t with slot j of frame u, in [-1, 1].
        presence: Which slots hold more than a trace of their frame.
        assignment: Slot of each frame that continues slot k of frame 0, -1 where absent.
        flicker: Unsteadiness of each slot in each frame, NaN at the ends and where it is absent.
        flicker_all: Unsteadiness of the whole picture, NaN at the ends.
        motion: Mean way of the picture's pixels between neighbouring frames, in pixels.
        switches: How often an object passes to another slot.
        background: The slot that holds the largest share of the clip.
        reconstruction_psnr: Of the clip after a way through the autoencoder, dB; NaN for a clip
            that this autoencoder drew.
        explained: Share of the pixels that the slots redraw in about the right colour, in [0, 1];
            NaN where it was not measured.
        fps: Frames a second.
    """

    frames: UInt8[np.ndarray, "t h w 3"]
    slots: Float32[np.ndarray, "t k d"]
    attention_masks: Float32[np.ndarray, "t k h w"]
    alpha_masks: Float32[np.ndarray, "t k h w"]
    correlation: Float32[np.ndarray, "t t k k"]
    presence: Bool[np.ndarray, "t k"]
    assignment: Int[np.ndarray, "t k"]
    flicker: Float32[np.ndarray, "t k"]
    flicker_all: Float32[np.ndarray, " t"]
    motion: Float32[np.ndarray, " t"]
    switches: int
    background: int
    reconstruction_psnr: float
    explained: float
    fps: float

    @property
    def is_familiar(self) -> bool:
        """Whether the clip looks like those that the model knows; true where nothing is measured.

        Ours: a clip that the autoencoder blurs, or whose pixels no slot redraws, has slots that
        mean little.
        """
        too_blurred = self.reconstruction_psnr < KNOWN_PSNR
        return not (too_blurred or self.explained < KNOWN_SHARE)

    @property
    def has_objects(self) -> bool:
        """Whether a slot besides that of the background is ever there for long enough.

        Ours: what is there for less than three frames in a row is a speck, and has no flicker.
        """
        objects = np.delete(self.flicker, self.background, axis=1)
        return bool(np.isfinite(objects).any())


def inspect_clip(
    pipeline: OLVDMPipeline,
    frames: UInt8[np.ndarray, "t h w 3"],
    fps: float = 8.0,
    num_slots: int | None = None,
    adapt_steps: int = 0,
    progress: Callable[[int, int, float], None] | None = None,
) -> Inspection:
    """Find the objects of a clip from any source, and measure how well they explain it.

    Args:
        pipeline: The model.
        frames: A clip of any size and of any length from 1 frame up.
        fps: Frames a second.
        num_slots: Slots per frame; none for the number of the training.
        adapt_steps: Steps of fitting the slots to this clip, 0 or more.
        progress: Called as ``progress(step, num_steps, loss)`` while fitting; it may raise to stop.

    Returns:
        The inspection, masks at the clip's own size.

    Ours: what the slots explain is what comes back when their latents are decoded.
    """
    clip = _fitted_clip(pipeline, frames)
    if adapt_steps:
        pipeline = _adapted(pipeline, clip, num_slots, adapt_steps, progress)
    found = pipeline.inspect(frames, num_slots)
    return _inspection(
        frames,
        found,
        0,
        fps,
        reconstruction_psnr=_reconstruction_psnr(pipeline.autoencoder, clip),
        explained=_explained_share(pipeline, found, clip),
    )


def inspection_of(output: OLVDMPipelineOutput, clip: int = 0, fps: float = 8.0) -> Inspection:
    """Return what a generation already found of one of its clips.

    Args:
        output: Of the pipeline.
        clip: Which clip of the batch.
        fps: Frames a second.

    Returns:
        The inspection. Its scores of how well the model knows the clip are NaN: the model drew it.

    Ours.
    """
    frames = output.uint8_frames[clip]
    return _inspection(frames, output, clip, fps, reconstruction_psnr=math.nan, explained=math.nan)


def count_switches(assignment: Int[np.ndarray, "t k"]) -> int:
    """Count how often an object passes to another slot.

    Args:
        assignment: Slot of each frame that continues slot k of frame 0, -1 where absent.

    Returns:
        The number of changes; an object that returns after a gap is compared with the slot that it
        had before.

    Ours: without true masks the assignment is all there is to count.
    """
    held, switches = assignment[0].copy(), 0
    for now in assignment[1:]:
        switches += int(((now >= 0) & (held >= 0) & (now != held)).sum())
        held = np.where(now >= 0, now, held)
    return switches


def _inspection(
    frames: UInt8[np.ndarray, "t h w 3"],
    found: SlotOutput | OLVDMPipelineOutput,
    clip: int,
    fps: float,
    *,
    reconstruction_psnr: float,
    explained: float,
) -> Inspection:
    """Turn tensors of the pipeline into arrays, and measure flicker and motion."""
    alpha_masks = _as_array(found.alpha_masks[clip])
    assignment = found.assignment[clip].cpu().numpy()
    flicker = measure_flicker(frames, alpha_masks)
    return Inspection(
        frames=frames,
        slots=_as_array(found.slots[clip]),
        attention_masks=_resized_masks(found.attention_masks[clip], frames),
        alpha_masks=alpha_masks,
        correlation=_as_array(found.correlation[clip]),
        presence=found.presence[clip].cpu().numpy(),
        assignment=assignment,
        flicker=flicker.total,
        flicker_all=flicker.whole_frame,
        motion=frame_motion(frames),
        switches=count_switches(assignment),
        background=int(alpha_masks.sum(axis=(0, 2, 3)).argmax()),
        reconstruction_psnr=reconstruction_psnr,
        explained=explained,
        fps=fps,
    )


def _as_array(values: Tensor) -> Float32[np.ndarray, "*shape"]:
    return values.detach().float().cpu().numpy()


def _resized_masks(
    masks: Float[Tensor, "t k lh lw"], frames: UInt8[np.ndarray, "t h w 3"]
) -> Float32[np.ndarray, "t k h w"]:
    """Return masks at the size of the frames; shares still sum to 1, for the weights are linear."""
    size = frames.shape[1:3]
    return _as_array(F.interpolate(masks.float(), size, mode="bilinear", align_corners=False))


def _fitted_clip(
    pipeline: OLVDMPipeline, frames: UInt8[np.ndarray, "t h w 3"]
) -> Float[Tensor, "1 3 t h2 w2"]:
    """Return the clip at the size of the training."""
    factor, settings = pipeline.autoencoder.spatial_factor, pipeline.denoiser.config
    size = (factor * settings["height"], factor * settings["width"])
    pixels = rearrange(frames_to_clip(frames), "1 c t h w -> t c h w")
    fitted = F.interpolate(pixels, size, mode="bilinear", align_corners=False, antialias=True)
    return rearrange(fitted, "t c h w -> 1 c t h w").to(pipeline.device)


@torch.no_grad()
def _adapted(
    pipeline: OLVDMPipeline,
    clip: Float[Tensor, "1 3 t h w"],
    num_slots: int | None,
    num_steps: int,
    progress: Callable[[int, int, float], None] | None,
) -> OLVDMPipeline:
    """Return a pipeline whose slots are fitted to this clip; all other parts are shared."""
    autoencoder, encoder = pipeline.autoencoder, pipeline.slot_encoder
    repeated = clip.repeat_interleave(autoencoder.temporal_factor, dim=2)
    latents = autoencoder.encode(repeated.to(next(autoencoder.parameters()))).float()
    count = num_slots or encoder.num_slots
    fitted = adapt_slots(encoder, pipeline.slot_decoder, latents, count, num_steps, progress)
    return OLVDMPipeline(
        autoencoder=autoencoder,
        text_encoder=lambda: pipeline.text_encoder,  # it loads only where it is needed
        slot_encoder=fitted[0],
        slot_decoder=fitted[1],
        denoiser=pipeline.denoiser,
        scheduler=pipeline.scheduler,
    )


@torch.no_grad()
def _reconstruction_psnr(autoencoder: VideoAutoencoder, clip: Float[Tensor, "1 3 t h w"]) -> float:
    """Return how well the autoencoder keeps a clip, dB."""
    num_frames = clip.shape[2]
    missing = -num_frames % autoencoder.temporal_factor
    padded = torch.cat([clip, clip[:, :, -1:].expand(-1, -1, missing, -1, -1)], dim=2)
    weights = next(autoencoder.parameters())
    redrawn = autoencoder(padded.to(weights)).float()[:, :, :num_frames].clamp(-1, 1)
    error = float(((redrawn - clip) / 2).square().mean())
    return -10 * math.log10(max(error, 1e-10))


@torch.no_grad()
def _explained_share(
    pipeline: OLVDMPipeline, found: SlotOutput, clip: Float[Tensor, "1 3 t h w"]
) -> float:
    """Return the share of pixels whose colour comes back from the slots alone."""
    autoencoder, decoder = pipeline.autoencoder, pipeline.slot_decoder
    factor, weights = autoencoder.spatial_factor, next(decoder.parameters())
    drawing = decoder(found.slots.to(weights), clip.shape[3] // factor, clip.shape[4] // factor)
    drawn = autoencoder.decode(drawing.latents.to(next(autoencoder.parameters()))).float()
    frames = drawn[:, :, :: autoencoder.temporal_factor].clamp(-1, 1)  # each was repeated
    distance = (frames - clip).abs().mean(dim=1) / 2
    return float((distance < EXPLAINED_DISTANCE).float().mean())
