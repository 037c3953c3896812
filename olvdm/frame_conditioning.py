"""Given frames: which latent frames they fix, and how a long clip is drawn window by window."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from olvdm.autoencoder import VideoAutoencoder
from olvdm.generation import Generation
from olvdm.video import clip_to_frames, frames_to_clip, resize_clip


@dataclass(frozen=True)
class GivenLatents:
    """Latent frames whose content is supplied.

    Attributes:
        latents: The content, zero where nothing is given.
        is_given: Which latent frames are supplied.
    """

    latents: Float[Tensor, "b c t h w"]
    is_given: Bool[Tensor, "b t"]

    def put_back(self, latents: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c t h w"]:
        """Return latents with the given frames in their places, untouched."""
        return torch.where(self.is_given[:, None, :, None, None], self.latents, latents)

    def timesteps(self, timestep: float | Tensor) -> Float[Tensor, "b t"]:
        """Return the noise level of every frame: 0 where given, the step's own elsewhere."""
        levels = torch.zeros(self.is_given.shape, device=self.is_given.device)
        return levels.masked_fill(~self.is_given, float(timestep))

    def window(self, frames: range) -> "GivenLatents":
        """Return the part that falls in some consecutive latent frames."""
        chosen = slice(frames.start, frames.stop)
        return GivenLatents(self.latents[:, :, chosen], self.is_given[:, chosen])

    def with_latents(self, latents: Float[Tensor, "b c n h w"], start: int) -> "GivenLatents":
        """Return the same with some more latent frames given, from a place on."""
        fixed, is_given = self.latents.clone(), self.is_given.clone()
        stop = start + latents.shape[2]
        fixed[:, :, start:stop], is_given[:, start:stop] = latents, True
        return GivenLatents(fixed, is_given)


def nothing_given(latents: Float[Tensor, "b c t h w"]) -> GivenLatents:
    """Return that no frame is given, for latents of this shape."""
    is_given = torch.zeros(latents.shape[0], latents.shape[2], dtype=torch.bool)
    return GivenLatents(torch.zeros_like(latents), is_given.to(latents.device))


def given_latents(
    autoencoder: VideoAutoencoder, generation: Generation, noise: Float[Tensor, "1 c t h w"]
) -> GivenLatents:
    """Return what is known of a clip before it is drawn.

    Args:
        autoencoder: Of the model.
        generation: What to draw, checked; its frames may be of any size.
        noise: Of the clip, on the device of the model.

    Returns:
        The given frames as latents; of a clip that begins from nothing, none.
    """
    if generation.given_frames is None:
        return nothing_given(noise)
    factor = autoencoder.spatial_factor
    clip = resize_clip(
        frames_to_clip(generation.given_frames),
        (noise.shape[3] * factor, noise.shape[4] * factor),
    )
    frames = torch.from_numpy(clip_to_frames(clip)[0]).to(noise.device)
    return encode_given_frames(autoencoder, frames, generation.places(), noise.shape[2])


@torch.no_grad()
def encode_given_frames(
    autoencoder: VideoAutoencoder,
    given_frames: UInt8[Tensor, "n h w 3"],
    given_places: Sequence[int],
    num_latent_frames: int,
) -> GivenLatents:
    """Return the latent frames that some video frames fix.

    A latent frame covers ``temporal_factor`` video frames. Where all of them are given, neighbours
    are encoded together, as the clip that they are; where some are missing, the first given one
    stands in for them, as it did in training.

    Args:
        autoencoder: Of the model.
        given_frames: The frames, at the size of the clip to make.
        given_places: Index in the clip of each frame, rising, each within the clip.
        num_latent_frames: Latent frames of the clip.

    Returns:
        Latents of one clip, and which are given.

    Ours: LVDM marks given frames by an extra channel and trains a network per task.
    """
    factor = autoencoder.temporal_factor
    weights = next(autoencoder.parameters())
    frame_at = dict(zip(given_places, given_frames, strict=True))
    height, width = (side // autoencoder.spatial_factor for side in given_frames.shape[1:3])
    shape = (1, autoencoder.latent_channels, num_latent_frames, height, width)
    given = nothing_given(torch.zeros(shape, device=weights.device))
    for run in _runs(given_places, factor):
        frames = [
            _frame_for(frame_at, run[0] * factor + place, factor)
            for place in range(len(run) * factor)
        ]
        clip = frames_to_clip(torch.stack(frames)).to(weights)
        given = given.with_latents(autoencoder.encode(clip).float(), run[0])
    return given


def _frame_for(frame_at: dict[int, Tensor], place: int, factor: int) -> Tensor:
    """Return the frame at a place, or the first given one of its latent frame."""
    start = place - place % factor
    nearest = next(other for other in range(start, start + factor) if other in frame_at)
    return frame_at.get(place, frame_at[nearest])


def _runs(given_places: Sequence[int], factor: int) -> list[range]:
    """Return the latent frames to encode together: rows of complete ones, incomplete ones alone."""
    runs: list[range] = []
    counts = {place // factor: 0 for place in given_places}
    for place in given_places:
        counts[place // factor] += 1
    was_complete = False
    for index in sorted(counts):
        is_complete = counts[index] == factor
        if runs and is_complete and was_complete and runs[-1].stop == index:
            runs[-1] = range(runs[-1].start, index + 1)
        else:
            runs.append(range(index, index + 1))
        was_complete = is_complete
    return runs


def sampling_windows(num_latent_frames: int, window: int) -> list[range]:
    """Return the windows in which a clip is drawn, each half over the one before.

    Args:
        num_latent_frames: Latent frames of the whole clip, at least 1.
        window: Latent frames that the denoiser was trained on, at least 1.

    Returns:
        Windows that cover every frame; one where the clip fits in it.

    Raises:
        ValueError: If a number is not positive.

    Ours: extension as frame conditioning, so that any length comes out exactly.
    """
    if num_latent_frames < 1 or window < 1:
        raise ValueError(f"need frames and a window, got {num_latent_frames} and {window}")
    windows = [range(min(window, num_latent_frames))]
    while windows[-1].stop < num_latent_frames:
        stop = min(windows[-1].stop + max(window // 2, 1), num_latent_frames)
        windows.append(range(stop - window, stop))
    return windows
