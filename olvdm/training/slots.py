"""Stage 2: teach slots to find objects, first in single frames, then through time."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange, reduce
from jaxtyping import Float, UInt8
from torch import Tensor

from olvdm.alignment import slot_presence
from olvdm.autoencoder import VideoAutoencoder
from olvdm.data.moving_shapes import MovingShapes
from olvdm.diffusers_api import ModelMixin
from olvdm.errors import InputError
from olvdm.losses import appearance_drift, mask_entropy, slot_loss, slot_usage
from olvdm.slot_decoder import ALPHA_SCALE, SlotDecoder, SlotDrawing
from olvdm.slot_encoder import SlotEncoder
from olvdm.training.clip_source import ClipSource
from olvdm.training.config import SlotsConfig
from olvdm.training.identity_head import set_identity
from olvdm.training.sizes import check_clip_size, fresh_network
from olvdm.training.stage import Batch, Stage
from olvdm.video import frames_to_clip

NUM_VALIDATION_CLIPS = 24
NUM_IDENTITY_CLIPS = 512  # from which the identity head is solved; more hardly change it
ENTROPY_RAMP = (0.1, 0.4)  # of the training: masks must find objects before they are sharpened
VARIANCE_FLOOR = 0.03  # of a frame; a nearly empty one must not outweigh all others
COLOUR_SPREAD = 0.15  # of each channel around what a slot draws, while it still learns to draw
CONSISTENCY_START = 0.2  # of the steps on whole clips


class SlotsStage(Stage):
    """Let slots redraw the latents and a small picture of every frame of a frozen autoencoder.

    Clips reach the encoder as the pipeline will show them: half at the latents' own frame rate,
    half with every video frame repeated, which gives each video frame slots of its own.

    Args:
        config: Settings of the training.
        autoencoder: Trained; it stays frozen.
        slot_encoder: Network to go on with, or none for a fresh one.
        slot_decoder: Likewise.

    Raises:
        InputError: If ``clip_length`` is longer than a clip.

    Source: OLVDM section 3.2; Locatello et al. 2020 for the reconstruction objective.
    """

    def __init__(
        self,
        config: SlotsConfig,
        autoencoder: VideoAutoencoder,
        slot_encoder: SlotEncoder | None = None,
        slot_decoder: SlotDecoder | None = None,
    ) -> None:
        super().__init__()
        check_clip_size(config, autoencoder.temporal_factor, autoencoder.spatial_factor)
        longest = config.num_frames // autoencoder.temporal_factor
        if config.clip_length > longest:
            raise InputError(
                f"clip_length must be at most {longest} for clips of {config.num_frames} frames, "
                f"got {config.clip_length}"
            )
        self.config = config
        self.clips = ClipSource(config, split="train")
        self.validation_clips = ClipSource(config, split="val", num_clips=NUM_VALIDATION_CLIPS)
        self.autoencoder = autoencoder.requires_grad_(False).eval()
        self.latents = self.clips.encoded(autoencoder, "repeated and clip", self._arrange)
        channels = autoencoder.latent_channels
        self.slot_encoder = slot_encoder or fresh_network(
            SlotEncoder,
            "slot encoder",
            "feature_dim or slot_dim",
            latent_channels=channels,
            feature_dim=config.feature_dim,
            slot_dim=config.slot_dim,
            num_slots=config.num_slots,
            num_iterations=config.num_iterations,
        )
        self.slot_decoder = slot_decoder or fresh_network(
            SlotDecoder,
            "slot decoder",
            "slot_dim or hidden_dim",
            latent_channels=channels,
            slot_dim=config.slot_dim,
            hidden_dim=config.hidden_dim,
        )

    @property
    def num_examples(self) -> int:
        """The number of clips in one epoch."""
        return len(self.clips)

    def networks(self) -> Mapping[str, ModelMixin]:
        """Return the slot encoder and the slot decoder."""
        return {"slot_encoder": self.slot_encoder, "slot_decoder": self.slot_decoder}

    def fetch(self, indices: Sequence[int]) -> Batch:
        """Read clips as frames and as latents.

        Args:
            indices: Places in the data set.

        Returns:
            ``frames``, and ``latents``: of every video frame repeated, and behind them of the clip.
        """
        frames = torch.from_numpy(self.clips.frames(indices))
        return {**self.latents.fetch(indices), "frames": frames}

    def forward(
        self, batch: Batch, generators: Sequence[torch.Generator], progress: float
    ) -> dict[str, Float[Tensor, ""]]:
        """Return what it costs to redraw a batch from its slots.

        Args:
            batch: ``frames`` and ``latents`` of the clips.
            generators: One a clip; they choose its frames and where its slots begin.
            progress: Share of the training done; it lengthens clips and ramps the entropy term.

        Returns:
            The total as ``loss``, and its parts.
        """
        frames, all_latents = batch["frames"], batch["latents"]
        assert isinstance(frames, Tensor)
        assert isinstance(all_latents, Tensor)
        latents, picture = self._choose_frames(frames, all_latents, generators)
        is_single = progress < self.config.single_frame_share
        if is_single:
            latents = rearrange(latents, "b c t h w -> (b t) c 1 h w")
            picture = rearrange(picture, "b c t h w -> (b t) c 1 h w")
            generators = [each for each in generators for _ in range(self.config.clip_length)]
        encoding = self.slot_encoder(latents, generators=generators)
        drawing = self.slot_decoder(encoding.slots, *latents.shape[-2:])
        masks = drawing.alpha_masks()
        shares = encoding.attention_masks.float()
        painted = self.slot_decoder.paint(encoding.slots, shares)
        parts = {
            "picture": mixture_loss(drawing, picture),
            "attention": picture_loss(painted, shrink(picture, ALPHA_SCALE)),
            "latents": F.mse_loss(drawing.latents, latents.float()),
            "entropy": mask_entropy(masks),
            "usage": (slot_usage(masks) + slot_usage(shares)) / 2,
        }
        loss = (
            parts["picture"]
            + self.config.attention_weight * parts["attention"]
            + self.config.latents_weight * parts["latents"]
            + self.config.entropy_weight * _ramp(progress, *ENTROPY_RAMP) * parts["entropy"]
            + self.config.usage_weight * parts["usage"]
        )
        if not is_single:
            presence = slot_presence(masks)
            self.slot_encoder.follow_identity_mean(encoding.slots.detach(), presence)
            identities = self.slot_encoder.identities(encoding.slots)
            colours = self.slot_decoder.to_colour(encoding.slots).float()
            parts["appearance"] = appearance_drift(colours, presence)
            loss = loss + self.config.appearance_weight * parts["appearance"]
            parts["consistency"] = slot_loss(self.config.consistency, identities, presence)
            begun = self.config.single_frame_share
            clip_progress = (progress - begun) / max(1 - begun, 1e-6)
            if clip_progress >= CONSISTENCY_START:
                loss = loss + self.config.consistency_weight * parts["consistency"]
        return {"loss": loss, **parts}

    @torch.no_grad()
    def prepare_networks(self) -> None:
        """Solve for the identity head of the slots as they are, from clips of the training.

        A state that is resumed has the head that learns along, so that it goes on as before.
        """
        if not self.config.solves_identity:
            return
        slots: list[Tensor] = []
        shares: list[Tensor] = []
        num_frames, count = self.config.num_frames, min(len(self.clips), NUM_IDENTITY_CLIPS)
        for start in range(0, count, 16):
            latents = self.latents.fetch(range(start, min(start + 16, count)))["latents"]
            assert isinstance(latents, Tensor)
            repeated = latents[:, :, :num_frames].to(self._device)  # of each video frame its own
            encoding = self.slot_encoder(repeated)
            drawing = self.slot_decoder(encoding.slots, *repeated.shape[-2:])
            slots.append(encoding.slots.float().cpu())
            shares.append(drawing.alpha_masks().mean(dim=(-1, -2)).cpu())
        set_identity(self.slot_encoder, torch.cat(slots), torch.cat(shares))

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return how well the masks of whole held-out clips find the true objects.

        Returns:
            ``fg_ari`` over the clips of several objects, ``ari`` over all, and their sum as
            ``score``. Nothing where the data has no truth.
        """
        data = self.validation_clips.data
        if not isinstance(data, MovingShapes):
            return {}
        from sklearn.metrics import adjusted_rand_score  # heavy, and for validation alone

        fg_scores: list[float] = []
        scores: list[float] = []
        for index in range(NUM_VALIDATION_CLIPS):
            truth = data[index].true_masks.reshape(-1)
            guess = self.segment(self.validation_clips.frames([index]))[0].reshape(-1)
            scores.append(float(adjusted_rand_score(truth, guess)))
            there = truth > 0
            if len(np.unique(truth[there])) > 1:  # of a lone object one stray pixel makes it 0
                fg_scores.append(float(adjusted_rand_score(truth[there], guess[there])))
        fg_ari, ari = float(np.mean(fg_scores)), float(np.mean(scores))
        return {"fg_ari": fg_ari, "ari": ari, "score": fg_ari + ari}

    @torch.no_grad()
    def segment(self, frames: UInt8[np.ndarray, "b t h w 3"]) -> UInt8[np.ndarray, "b t h w"]:
        """Return the winning slot of every pixel of every video frame."""
        clip = frames_to_clip(torch.from_numpy(frames).to(self._device))
        repeated = clip.repeat_interleave(self.autoencoder.temporal_factor, dim=2)
        latents = self.autoencoder.encode(repeated)
        encoding = self.slot_encoder(latents)
        drawing = self.slot_decoder(encoding.slots, *latents.shape[-2:])
        return drawing.posterior_masks(clip).argmax(dim=2).cpu().numpy().astype(np.uint8)

    def preview(self, step: int) -> dict[str, UInt8[np.ndarray, "t h w 3"]]:
        """Return held-out clips over the slots that win each pixel, as shades of grey.

        Args:
            step: Not used: the same clips are shown every time.

        Returns:
            One video, truth above, slots below.
        """
        frames = self.validation_clips.frames(range(min(4, len(self.validation_clips))))
        shade = np.uint8(255 // self.slot_encoder.num_slots)
        winners = np.repeat(self.segment(frames)[..., None] * shade, 3, axis=-1)
        rows = [np.concatenate(list(clips), axis=2) for clips in (frames, winners)]
        return {"slots": np.concatenate(rows, axis=1)}

    @property
    def _device(self) -> torch.device:
        return next(self.slot_encoder.parameters()).device

    def _arrange(self, clip: Float[Tensor, "b 3 t h w"]) -> list[Float[Tensor, "b 3 t2 h w"]]:
        return [clip.repeat_interleave(self.autoencoder.temporal_factor, dim=2), clip]

    def _choose_frames(
        self,
        frames: UInt8[Tensor, "b t h w 3"],
        latents: Float[Tensor, "b c t2 h2 w2"],
        generators: Sequence[torch.Generator],
    ) -> tuple[Float[Tensor, "b c lt lh lw"], Float[Tensor, "b 3 lt h3 w3"]]:
        """Pick a window of each clip's latents, and the small picture of each latent frame."""
        factor, length = self.autoencoder.temporal_factor, self.config.clip_length
        num_frames = frames.shape[1]
        chosen: list[Tensor] = []
        pictures: list[Tensor] = []
        for index, generator in enumerate(generators):
            is_repeated = bool(torch.randint(2, (1,), generator=generator))
            rate = 1 if is_repeated else factor
            count = num_frames // rate
            # now and then every second frame, so that a window sees more of what happens
            stride = 1 + int(torch.randint(min(2, count // length), (1,), generator=generator))
            latest = count - stride * (length - 1) - 1
            start = int(torch.randint(latest + 1, (1,), generator=generator))
            places = start + stride * torch.arange(length)
            chosen.append(latents[index, :, places + (0 if is_repeated else num_frames)])
            video = rearrange(frames[index], "(t f) h w c -> t f h w c", f=rate)[places]
            pictures.append(self._picture(rearrange(video, "t f h w c -> (t f) h w c"), rate))
        return torch.stack(chosen), torch.stack(pictures)

    def _picture(self, frames: UInt8[Tensor, "t h w 3"], rate: int) -> Float[Tensor, "3 lt h3 w3"]:
        """Return the mean picture of every latent frame, at the size that slots draw."""
        side = self.autoencoder.spatial_factor // ALPHA_SCALE
        mean = reduce(frames_to_clip(frames), "b c (t f) h w -> b c t h w", "mean", f=rate)
        return shrink(mean, side)[0]


def shrink(picture: Float[Tensor, "b 3 t h w"], factor: int) -> Float[Tensor, "b 3 t h2 w2"]:
    """Return a picture at a fraction of its size, averaged."""
    return reduce(picture, "b c t (h p) (w q) -> b c t h w", "mean", p=factor, q=factor)


def picture_loss(
    drawn: Float[Tensor, "b 3 t h w"], picture: Float[Tensor, "b 3 t h w"]
) -> Float[Tensor, ""]:
    """Return the share of each frame's own variance that a drawing misses.

    Args:
        drawn: What the slots draw.
        picture: What they should, in [-1, 1].

    Returns:
        0 where all is drawn, below 1 where only each frame's mean colour is.

    Ours: by plain squared error the colours of backgrounds, which differ from clip to clip, hide
    the small objects that slots are for.
    """
    spread = picture - picture.mean(dim=(3, 4), keepdim=True)
    variance = spread.square().mean(dim=(1, 3, 4), keepdim=True)
    return ((drawn - picture).square() / (variance + VARIANCE_FLOOR)).mean()


def mixture_loss(drawing: SlotDrawing, picture: Float[Tensor, "b 3 t h w"]) -> Float[Tensor, ""]:
    """Return how far each pixel is from the slot that explains it best, by each frame's variance.

    Args:
        drawing: What the slots draw.
        picture: What they should, in [-1, 1].

    Returns:
        About the share of each frame's own variance that is missed.

    Source: the likelihood of a spatial mixture (Greff et al. 2017, N-EM). Ours: for a sum of slots
    two of them may share every pixel of an object; here one must own each.
    """
    target = rearrange(picture, "b c t h w -> b t 1 c h w")
    distances = (drawing.slot_rgb - target).square().mean(dim=3)
    claims = drawing.alpha_logits.float().log_softmax(dim=2)
    spread = 2 * COLOUR_SPREAD**2
    missed = -spread * torch.logsumexp(claims - distances / spread, dim=2)
    deviation = picture - picture.mean(dim=(3, 4), keepdim=True)
    variance = deviation.square().mean(dim=(1, 3, 4))[..., None, None]
    return (missed / (variance + VARIANCE_FLOOR)).mean()


def _ramp(progress: float, start: float, end: float) -> float:
    return min(max((progress - start) / (end - start), 0.0), 1.0)
