"""Stage 3: teach the denoiser to draw clips, and its objects to hold together."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from olvdm.autoencoder import VideoAutoencoder
from olvdm.data.moving_shapes import vocabulary
from olvdm.denoiser import MidTrunk, VideoDenoiser
from olvdm.diffusers_api import ModelMixin
from olvdm.errors import InputError
from olvdm.frame_conditioning import nothing_given
from olvdm.losses import denoising_loss
from olvdm.prompt_guidance import Guidance
from olvdm.sampling import draw_latents
from olvdm.slot_networks import SlotNetworks
from olvdm.text_encoder import TextEncoder
from olvdm.training.clip_source import ClipSource
from olvdm.training.config import DenoiserConfig
from olvdm.training.latents import LatentsDataset
from olvdm.training.noisy_batch import NUM_STILLS, NoisyBatch, draw_noise, draw_window
from olvdm.training.sizes import check_clip_size, fresh_network
from olvdm.training.slot_term import slot_term, track_term
from olvdm.training.stage import Batch, Stage
from olvdm.video import clip_to_frames

NUM_VALIDATION_CLIPS = 128
NUM_PREVIEW_CLIPS = 4


class DenoiserStage(Stage):
    """Predict the way to clean latents; with a slot loss, hold the slots of the result.

    LVDM is this stage without a slot loss, OLVDM the same with one; noise, data and order are drawn
    alike, so that two branches from one base differ in nothing else.

    Args:
        config: Settings of the training.
        autoencoder: Trained; it stays frozen, and encodes every clip once.
        text_encoder: Trained along, unless the settings say otherwise; none for a fresh small one
            that knows the words of the data.
        slot_networks: Trained and frozen; needed with a loss on slots that are not its own.
        denoiser: Network to go on with, or none for a fresh one.

    Raises:
        ValueError: If there is a slot loss and no slot networks.
        InputError: If the network to go on with predicts something else than the settings say, or
            has another layer for the whole clip, or a loss wants the tracks of slots that it lacks.

    Source: OLVDM section 3. Ours: where the loss acts, on predicted clean latents, and its weight,
    a share of the denoising loss's own gradient.
    """

    def __init__(
        self,
        config: DenoiserConfig,
        autoencoder: VideoAutoencoder,
        text_encoder: TextEncoder | None = None,
        slot_networks: SlotNetworks | None = None,
        denoiser: VideoDenoiser | None = None,
    ) -> None:
        super().__init__()
        if config.needs_slots and slot_networks is None:
            raise ValueError("a loss on slots needs slot networks")
        if config.track_loss == "anchored" and config.clip_layer == "slots":
            raise InputError("track_loss anchored has no clean clip to go by with clip_layer=slots")
        factor = autoencoder.spatial_factor
        check_clip_size(config, autoencoder.temporal_factor, factor)
        self.config = config
        self.autoencoder = autoencoder.requires_grad_(False).eval()
        self.slot_networks = slot_networks
        self.data = self._encoded("train", config.num_clips)
        self.validation_data = self._encoded("val", NUM_VALIDATION_CLIPS)
        text_encoder = text_encoder or self._new_text_encoder()
        self.text_encoder = text_encoder.requires_grad_(config.trains_text)
        self.denoiser = denoiser or fresh_network(
            VideoDenoiser,
            "denoiser",
            "dim, local_dim, num_blocks or num_local_blocks",
            latent_channels=autoencoder.latent_channels,
            local_dim=config.local_dim,
            dim=config.dim,
            num_local_blocks=config.num_local_blocks,
            num_blocks=config.num_blocks,
            num_heads=config.num_heads,
            attention_blocks=config.attention_blocks,
            mixes_time_locally=config.mixes_time_locally,
            clip_layer=config.clip_layer,
            prompt_dim=text_encoder.config["output_dim"],
            num_frames=config.num_frames // autoencoder.temporal_factor,
            height=config.height // factor,
            width=config.width // factor,
            prediction_type=config.prediction_type,
        )
        self._check("prediction_type", self.denoiser.schedule.prediction_type)
        self._check("clip_layer", self.denoiser.config.get("clip_layer", "none"))

    def _check(self, setting: str, found: str) -> None:
        """Refuse a denoiser that is of another kind than the settings say."""
        wanted = getattr(self.config, setting)
        if found != wanted:
            raise InputError(
                f"the denoiser to begin from has {setting} {found}, not {wanted}; set"
                f" {setting}={found}, or begin from another one"
            )

    @property
    def num_examples(self) -> int:
        """The number of clips in one epoch."""
        return len(self.data)

    def networks(self) -> Mapping[str, ModelMixin]:
        """Return the denoiser and the text encoder that belongs to it."""
        return {"denoiser": self.denoiser, "text_encoder": self.text_encoder}

    def fetch(self, indices: Sequence[int]) -> Batch:
        """Read clips as latents.

        Args:
            indices: Places in the data set.

        Returns:
            ``latents`` with the stills behind them, and ``prompt``.
        """
        return self.data.fetch(indices)

    def forward(
        self,
        batch: Batch,
        generators: Sequence[torch.Generator],
        progress: float,
    ) -> dict[str, Float[Tensor, ""]]:
        """Return the losses of a batch.

        Args:
            batch: ``latents`` and ``prompt``.
            generators: One a clip; they draw noise, levels, what is given and what is dropped.
            progress: Not used: nothing here is ramped.

        Returns:
            The total as ``loss``, ``denoising``, with a slot loss ``slots`` and the weight that
            balanced it, and with a loss on tracks ``tracks``.
        """
        latents, prompts = batch["latents"], batch["prompt"]
        assert isinstance(latents, Tensor)
        assert isinstance(prompts, list)
        window = draw_window(latents, generators, self.config.clip_length)
        config, schedule = self.config, self.denoiser.schedule
        noisy = draw_noise(window, generators, config.given_share, config.prompt_drop, schedule)
        prediction, mid_trunk = self._predict(noisy, prompts)
        losses = self._losses(noisy, prediction, generators)
        if mid_trunk is None:
            return losses
        term = track_term(config, self.slot_networks, mid_trunk, noisy.latents, generators)
        loss = losses["loss"] + config.track_weight * term
        return {**losses, "loss": loss, "tracks": term.detach()}

    def _losses(
        self, noisy: NoisyBatch, prediction: Tensor, generators: Sequence[torch.Generator]
    ) -> dict[str, Float[Tensor, ""]]:
        """Return what the prediction costs, its slots included where they cost anything."""
        denoising = self._denoising_loss(noisy, prediction)
        if self.config.slot_loss == "none":
            return {"loss": denoising, "denoising": denoising.detach()}
        return self._with_slots(noisy, prediction, denoising, generators)

    def _predict(
        self, noisy: NoisyBatch, prompts: list[str]
    ) -> tuple[Float[Tensor, "b c t h w"], MidTrunk | None]:
        """Return the prediction, and what is known half way where a loss reads that."""
        shown = [
            "" if drops else prompt
            for prompt, drops in zip(prompts, noisy.drops_prompt.tolist(), strict=True)
        ]
        tokens = self.text_encoder.tokenize(shown).to(noisy.latents.device)
        embeds = self.text_encoder(tokens)
        if self.config.track_loss == "none":
            return self.denoiser(noisy.noisy_latents, noisy.timesteps, embeds).float(), None
        prediction, mid_trunk = self.denoiser(
            noisy.noisy_latents, noisy.timesteps, embeds, returns_mid_trunk=True
        )
        return prediction.float(), mid_trunk

    def _denoising_loss(self, noisy: NoisyBatch, prediction: Tensor) -> Float[Tensor, ""]:
        return denoising_loss(prediction, noisy.target, noisy.is_given, self.config.loss_type)

    def _with_slots(
        self,
        noisy: NoisyBatch,
        prediction: Tensor,
        denoising: Tensor,
        generators: Sequence[torch.Generator],
    ) -> dict[str, Float[Tensor, ""]]:
        """Add the slot term, weighed so that its gradient is a fixed share of the other's."""
        assert self.slot_networks is not None
        config, schedule, timesteps = self.config, noisy.schedule, noisy.timesteps
        expected = schedule.clean_latents(noisy.noisy_latents, prediction, timesteps)
        leaf = expected.detach().requires_grad_(True)
        shares, _ = schedule.shares(timesteps)
        weights = torch.where(timesteps <= config.slot_max_timestep, shares, 0.0)
        term = slot_term(config, self.slot_networks, leaf, noisy.latents, weights, generators)
        (pull,) = torch.autograd.grad(term, leaf)
        (push,) = torch.autograd.grad(denoising, prediction, retain_graph=True)
        # the same pull as the prediction feels it, which moves the clean latents less
        on_prediction = (pull * schedule.pull(timesteps)[:, None, :, None, None]).norm()
        weight = config.slot_gradient_share * push.norm() / on_prediction.clamp(min=1e-12)
        loss = denoising + (expected * (weight * pull).detach()).sum()
        return {
            # the value of the last line's sum means nothing, its gradient is the slot term's
            "loss": denoising.detach() + loss - loss.detach(),
            "denoising": denoising.detach(),
            "slots": term.detach(),
            "slot_weight": weight.detach(),
        }

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return the denoising loss of held-out clips, at the same noise every time.

        Returns:
            ``denoising``, and its negative as ``score``.
        """
        losses: list[float] = []
        for start in range(0, len(self.validation_data), 32):
            rows = range(start, min(start + 32, len(self.validation_data)))
            batch = self.validation_data.fetch(rows)
            generators = [torch.Generator().manual_seed(row) for row in rows]
            latents, prompts = batch["latents"], batch["prompt"]
            assert isinstance(latents, Tensor)
            assert isinstance(prompts, list)
            schedule = self.denoiser.schedule
            noisy = draw_noise(latents.to(self._device), generators, 0.0, 0.0, schedule)
            prediction, _ = self._predict(noisy, prompts)
            losses.append(float(self._denoising_loss(noisy, prediction)))
        mean = float(np.mean(losses))
        return {"denoising": mean, "score": -mean}

    @torch.no_grad()
    def preview(self, step: int) -> dict[str, UInt8[np.ndarray, "t h w 3"]]:
        """Return clips drawn from held-out prompts, always from the same noise.

        Args:
            step: Not used.

        Returns:
            One video of all clips side by side.
        """
        prompts = self.validation_data.prompts[:NUM_PREVIEW_CLIPS]
        embeds = self.text_encoder.encode(["", *prompts]).float()
        scheduler = self.denoiser.schedule.scheduler()
        clips: list[UInt8[np.ndarray, "t h w 3"]] = []
        for index in range(len(prompts)):
            generator = torch.Generator().manual_seed(index)
            shape = self.data.latents.shape[1:]
            size = (1, shape[0], shape[1] - NUM_STILLS, *shape[2:])
            noise = torch.randn(size, generator=generator).to(self._device)
            guidance = Guidance(embeds[index + 1 : index + 2], embeds[:1], 3.0)
            *_, last = draw_latents(
                self.denoiser, scheduler, noise, nothing_given(noise), guidance, 10
            )
            clips.append(clip_to_frames(self.autoencoder.decode(last.latents))[0])
        return {"clips": np.concatenate(clips, axis=2)}

    @property
    def _device(self) -> torch.device:
        return next(self.denoiser.parameters()).device

    def _new_text_encoder(self) -> TextEncoder:
        """Return a small tower that knows every word of the world, or of the folder's captions."""
        config = self.config
        words = vocabulary() if config.videos is None else sorted(set(self.data.prompts))
        return fresh_network(
            TextEncoder,
            "text encoder",
            "text_width or text_layers",
            vocabulary=TextEncoder.vocabulary_of(words),
            width=config.text_width,
            layers=config.text_layers,
            context_length=config.context_length,
            output_dim=config.prompt_dim,
        )

    def _encoded(self, split: str, num_clips: int) -> LatentsDataset:
        """Return the latents of a split, behind each clip its first and last frame as stills."""
        factor = self.autoencoder.temporal_factor

        def arrange(clip: Float[Tensor, "b 3 t h w"]) -> list[Float[Tensor, "b 3 t2 h w"]]:
            return [clip, *(clip[:, :, [place] * factor] for place in (0, -1))]

        source = ClipSource(self.config, split, num_clips)
        return source.encoded(self.autoencoder, "clip and stills", arrange)
