"""Make clips from prompts, and find the objects of any clip: the model's two public calls."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from olvdm.alignment import align_slots, slot_correlation, slot_presence
from olvdm.autoencoder import VideoAutoencoder
from olvdm.checkpoint import PROMPTS_NAME, check_scheduler, load_checkpoint, save_prompts
from olvdm.denoiser import VideoDenoiser
from olvdm.diffusers_api import DiffusionPipeline
from olvdm.frame_conditioning import given_latents
from olvdm.generation import (
    Generation,
    OLVDMPipelineOutput,
    SlotOutput,
    as_output,
    check_callable,
    check_decoding,
    check_finding,
    legal_prompts,
)
from olvdm.limits import DEFAULT_GUIDANCE, DEFAULT_STEPS, NEGATIVE_PROMPT_CHARS
from olvdm.manifest import write_folder
from olvdm.noise_schedule import Scheduler
from olvdm.prompt_guidance import guidance_of
from olvdm.request import check_text
from olvdm.sampling import DenoisingStep, draw_latents, draw_noise
from olvdm.slot_decoder import SlotDecoder
from olvdm.slot_encoder import SlotEncoder
from olvdm.slot_guidance import slot_guidance
from olvdm.slot_selection import SlotSelection
from olvdm.text_encoder import TextEncoder
from olvdm.video import clip_to_frames, frames_to_clip, resize_clip

SHARD_SIZE = "9MB"  # no file of a checkpoint may reach 10 MB


class OLVDMPipeline(DiffusionPipeline):
    """Draw clips from prompts with one network for every task, and read the slots of any clip.

    Args:
        autoencoder: Clip to latents and back.
        text_encoder: Prompt to embeddings, or a function that loads it: stored prompts need none,
            and its tokenizer is slow to import.
        slot_encoder: Latents to slots.
        slot_decoder: Slots to masks.
        denoiser: The network that draws.
        scheduler: Of diffusers: flow matching, or DDIM for a denoiser that predicts the noise.
        num_candidates: Noises that a clip may begin from where nobody says how many.

    Attributes:
        model_cpu_offload_seq: Order in which diffusers may move the parts to a GPU and back.

    Source: OLVDM section 3; LVDM for the sampling in latents.
    """

    model_cpu_offload_seq = "text_encoder->denoiser->autoencoder->slot_encoder->slot_decoder"

    def __init__(
        self,
        autoencoder: VideoAutoencoder,
        text_encoder: TextEncoder | Callable[[], TextEncoder],
        slot_encoder: SlotEncoder,
        slot_decoder: SlotDecoder,
        denoiser: VideoDenoiser,
        scheduler: Scheduler,
        num_candidates: int = 1,
    ) -> None:
        super().__init__()
        is_loaded = isinstance(text_encoder, TextEncoder)
        self._load_text_encoder = None if is_loaded else text_encoder
        self.register_modules(
            autoencoder=autoencoder,
            text_encoder=text_encoder if is_loaded else None,
            slot_encoder=slot_encoder,
            slot_decoder=slot_decoder,
            denoiser=denoiser,
            scheduler=scheduler,
        )
        if num_candidates != 1:  # checkpoints of before know nothing of it
            self.register_to_config(num_candidates=num_candidates)
        self.num_candidates = num_candidates
        self.prompt_embeds: dict[str, Tensor] = {}
        self.about: dict[str, object] = {}

    @property
    def text_encoder(self) -> TextEncoder:
        """The text encoder, loaded when somebody first needs it."""
        if self._text_encoder is None and self._load_text_encoder is not None:
            text_encoder = cast("Any", self._load_text_encoder()).to(self.device)
            self.register_modules(text_encoder=text_encoder)
        assert self._text_encoder is not None
        return self._text_encoder

    @text_encoder.setter
    def text_encoder(self, text_encoder: TextEncoder | None) -> None:
        self._text_encoder = text_encoder

    @property
    def device(self) -> torch.device:
        """Where clips are drawn."""
        return self.denoiser.device

    @classmethod
    def from_pretrained(  # pyright: ignore[reportIncompatibleMethodOverride]
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        torch_dtype: torch.dtype | None = None,
    ) -> "OLVDMPipeline":
        """Load a model from a local folder, strictly.

        Args:
            pretrained_model_name_or_path: The folder, such as ``checkpoints/olvdm``.
            torch_dtype: Of the weights; none for the faster of bf16 and fp32 on this processor.

        Returns:
            The pipeline, on the CPU, ready to sample.

        Ours: diffusers' own loader lets a missing tensor stay random.
        """
        checkpoint = load_checkpoint(pretrained_model_name_or_path, torch_dtype)
        pipeline = cls(**checkpoint.parts)
        pipeline.prompt_embeds = checkpoint.prompt_embeds
        pipeline.about = dict(checkpoint.about)
        return pipeline

    def save_pretrained(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, save_directory: str | os.PathLike[str], about: dict[str, object] | None = None
    ) -> None:
        """Write the model as a folder that is whole or not there at all.

        A scheduler that could not be loaded again is an `InputError`.

        Args:
            save_directory: The folder; one that is empty or was written by us is replaced.
            about: What the manifest says of data, steps and scores; none keeps what was loaded.
        """
        _ = self.text_encoder  # what is not loaded could not be saved
        if self.num_candidates != self.config.get("num_candidates", 1):
            self.register_to_config(num_candidates=self.num_candidates)
        told = self.about if about is None else about
        with write_folder(Path(save_directory), "pipeline", told) as folder:
            super().save_pretrained(folder, max_shard_size=SHARD_SIZE)
            check_scheduler(folder, self.scheduler, self.denoiser.schedule)
            if self.prompt_embeds:
                save_prompts(folder / PROMPTS_NAME, self.prompt_embeds)

    def __call__(
        self,
        prompt: str | Sequence[str] | None = None,
        negative_prompt: str | None = None,
        num_frames: int = 16,
        height: int | None = None,
        width: int | None = None,
        num_inference_steps: int = DEFAULT_STEPS,
        guidance_scale: float | int = DEFAULT_GUIDANCE,
        slot_guidance_scale: float | int = 0.0,
        slot_guidance_floor: float | None = None,
        num_candidates: int | None = None,
        shuffles_slots: bool = False,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        given_frames: UInt8[np.ndarray, "n h w 3"] | None = None,
        given_places: Sequence[int] | None = None,
        prompt_embeds: Float[Tensor, "b l e"] | None = None,
        negative_prompt_embeds: Float[Tensor, "n l e"] | None = None,
        callback_on_step_end: Callable[..., object] | None = None,
        output_type: str = "np",
    ) -> OLVDMPipelineOutput:
        """Draw one clip a prompt and find its slots.

        Args:
            prompt: As in `Generation`, and so are all others but the callback.
            negative_prompt: What the clips should not show.
            num_frames: Frames of each clip.
            height: Pixels, or none for the size of the training.
            width: Pixels, likewise.
            num_inference_steps: Denoising steps.
            guidance_scale: Strength of the prompt.
            slot_guidance_scale: How far slots that lose their object are brought back.
            slot_guidance_floor: From where on they are left alone.
            num_candidates: Noises that each clip may begin from.
            shuffles_slots: Whether the choice between them is the control.
            generator: Of the noise.
            given_frames: Frames that are already known.
            given_places: Where they belong.
            prompt_embeds: In place of `prompt`, as `encode_prompt` gives them.
            negative_prompt_embeds: In place of `negative_prompt`, likewise.
            callback_on_step_end: Called as ``callback(pipeline, step, timestep, tensors)`` after
                each step, with ``latents`` and ``predicted``; all that it can do is raise to stop.
            output_type: Form of ``frames``.

        Returns:
            The clips and their slots.

        Source: as diffusers' video pipelines.
        """
        generation = Generation(
            prompt=prompt,
            negative_prompt="" if negative_prompt is None else negative_prompt,
            num_frames=num_frames,
            height=height,
            width=width,
            num_inference_steps=num_inference_steps,
            guidance_scale=guidance_scale,
            slot_guidance_scale=slot_guidance_scale,
            slot_guidance_floor=slot_guidance_floor,
            num_candidates=num_candidates,
            shuffles_slots=shuffles_slots,
            generator=generator,
            given_frames=given_frames,
            given_places=given_places,
            prompt_embeds=prompt_embeds,
            negative_prompt_embeds=negative_prompt_embeds,
            output_type=output_type,
        )
        check_callable("callback_on_step_end", callback_on_step_end)
        output: OLVDMPipelineOutput | None = None
        for reached in self.stream(generation):
            if isinstance(reached, OLVDMPipelineOutput):
                output = reached
            elif callback_on_step_end is not None:
                tensors = {"latents": reached.latents, "predicted": reached.predicted}
                callback_on_step_end(self, reached.step - 1, reached.timestep, tensors)
        assert output is not None  # a stream ends with its output
        return output

    def stream(self, generation: Generation) -> Iterator[DenoisingStep | OLVDMPipelineOutput]:
        """Draw clips and hand over every step on the way; close the iterator to stop.

        Clips are drawn one at a time, so that each one's bytes depend on nothing but its own
        prompt and generator.

        Args:
            generation: What to draw; an illegal one is an `InputError`.

        Yields:
            Every step of every clip, and last the output.
        """
        generation.check()
        scale, floor = generation.slot_guidance_scale, generation.slot_guidance_floor
        steering = slot_guidance(self.slot_encoder, self.slot_decoder, scale, floor)
        count = generation.num_candidates or self.num_candidates
        selection = self._selection(generation) if count > 1 else None
        latents, candidates = list[Tensor](), list[int]()
        for clip in range(generation.num_clips):
            guidance = guidance_of(generation, clip, self.encode_prompt, self.denoiser)
            noise = draw_noise(generation, clip, count, self.autoencoder, self.denoiser)
            given = given_latents(self.autoencoder, generation, noise[:1])
            num_steps, step = generation.num_inference_steps, None
            for step in draw_latents(
                self.denoiser,
                self.scheduler,
                noise,
                given,
                guidance,
                num_steps,
                steering,
                selection,
            ):
                yield replace(step, clip=clip, latents=step.latents.clone())
            assert step is not None
            latents.append(step.latents)
            candidates.append(step.candidate)
        yield self._finish(latents, candidates, generation)

    def _selection(self, generation: Generation) -> SlotSelection:
        """Return what candidates are compared by."""

        def look(latents: Tensor) -> SlotOutput:
            return self.inspect(self.decode_latents(latents)[0])

        return SlotSelection(look, self.slot_encoder, generation.shuffles_slots)

    @torch.no_grad()
    def encode_prompt(self, prompt: str) -> Float[Tensor, "1 l e"]:
        """Return the embedding of a prompt, from the stored ones where it is among them."""
        check_text("prompt", prompt, NEGATIVE_PROMPT_CHARS)
        if prompt in self.prompt_embeds:
            return self.prompt_embeds[prompt][None].to(self.device)
        return self.text_encoder.encode([prompt])

    @torch.no_grad()
    def store_prompts(self, prompts: str | Sequence[str]) -> None:
        """Keep the embeddings of prompts with the model, so that they need no text encoder."""
        stored = {one: self.text_encoder.encode([one])[0] for one in ("", *legal_prompts(prompts))}
        self.prompt_embeds = {**self.prompt_embeds, **stored}

    @torch.no_grad()
    def decode_latents(
        self, latents: Float[Tensor, "b c lt lh lw"], num_frames: int | None = None
    ) -> UInt8[np.ndarray, "b t h w 3"]:
        """Return the frames of latents.

        Args:
            latents: Standardised latents.
            num_frames: How many frames to keep; none for all.

        Returns:
            Frames to show or save.
        """
        check_decoding(latents, num_frames)
        weights = next(self.autoencoder.parameters())
        rate, side = self.autoencoder.temporal_factor, self.autoencoder.spatial_factor
        sizes = (rate * latents.shape[2], side * latents.shape[3], side * latents.shape[4])
        frames, start = np.empty((len(latents), *sizes, 3), np.uint8), 0
        for chunk in self.autoencoder.decode_chunks(latents.to(weights)):
            frames[:, start : start + chunk.shape[2]] = clip_to_frames(chunk)
            start += chunk.shape[2]
        return frames[:, :num_frames]

    @torch.no_grad()
    def inspect(
        self,
        frames: UInt8[np.ndarray, "t h w 3"],
        num_slots: int | None = None,
        adapt_steps: int = 0,
        progress: Callable[[int, int, float], None] | None = None,
    ) -> SlotOutput:
        """Find the objects of a clip from any source.

        Every video frame gets slots of its own: it is resized to the size of the training and
        repeated to fill a latent frame.

        Args:
            frames: A clip of any size and of any length from 1 frame up; an array that is no video
                is an `InputError`, and so is a number out of its range.
            num_slots: Slots per frame, 2 to 11; none for the number of the training.
            adapt_steps: Steps of fitting the slots to this clip, 0 or more.
            progress: Called as ``progress(step, num_steps, loss)`` while fitting.

        Returns:
            Slots of a batch of one, masks at the clip's own size.

        Source: OLVDM section 3, slots from each individual frame. Ours: the repetition.
        """
        check_finding(frames, num_slots, adapt_steps, progress)
        latents = self.frame_latents(frames)
        encoder, decoder = self.slot_encoder, self.slot_decoder
        if adapt_steps:
            from olvdm.slot_adaptation import adapt_slots  # making a clip imports no objective

            count = num_slots or encoder.num_slots
            encoder, decoder = adapt_slots(encoder, decoder, latents, count, adapt_steps, progress)
        encoding = encoder(latents.to(next(encoder.parameters()).dtype), num_slots)
        drawing = decoder(encoding.slots, *latents.shape[-2:])
        alpha_masks = drawing.posterior_masks(frames_to_clip(frames).to(latents.device))
        presence = slot_presence(alpha_masks)
        correlation = slot_correlation(encoder.identities(encoding.slots))
        return SlotOutput(
            slots=encoding.slots.float(),
            attention_masks=encoding.attention_masks.float(),
            alpha_masks=alpha_masks,
            correlation=correlation,
            presence=presence,
            assignment=align_slots(correlation, presence),
        )

    @torch.no_grad()
    def frame_latents(self, frames: UInt8[np.ndarray, "t h w 3"]) -> Float[Tensor, "1 c t lh lw"]:
        """Return one latent frame, standardised, for every video frame, which is repeated.

        Args:
            frames: A clip of any size; it is resized to that of the training.

        Returns:
            As many latent frames as the clip has frames.
        """
        autoencoder, settings = self.autoencoder, self.denoiser.config
        size = tuple(autoencoder.spatial_factor * settings[side] for side in ("height", "width"))
        clip = resize_clip(frames_to_clip(frames), size)
        repeated = clip.repeat_interleave(autoencoder.temporal_factor, 2)
        return autoencoder.encode(repeated.to(next(autoencoder.parameters()))).float()

    def _finish(
        self, latents: list[Tensor], candidates: list[int], generation: Generation
    ) -> OLVDMPipelineOutput:
        """Decode clips and find their slots."""
        clips = [self.decode_latents(one, generation.num_frames) for one in latents]
        found = [self.inspect(frames[0]) for frames in clips]
        slots = {
            each.name: torch.cat([getattr(one, each.name) for one in found])
            for each in fields(SlotOutput)
        }
        frames, all_latents = np.concatenate(clips), torch.cat(latents)
        shown = as_output(frames, all_latents, generation.output_type)
        return OLVDMPipelineOutput(
            frames=shown,
            uint8_frames=frames,
            latents=all_latents,
            candidates=torch.tensor(candidates),
            **slots,
        )
