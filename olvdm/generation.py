"""What to draw, checked, and what comes out: the values at the two ends of the pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from PIL import Image
from torch import Tensor

from olvdm.diffusers_api import BaseOutput
from olvdm.errors import InputError, shown_value
from olvdm.limits import (
    ADAPT_STEPS,
    CANDIDATES,
    DEFAULT_GUIDANCE,
    DEFAULT_STEPS,
    GUIDANCE,
    NEGATIVE_PROMPT_CHARS,
    NUM_SLOTS,
    PIPELINE_FRAMES,
    SIDES,
    SLOT_FLOOR,
    SLOT_GUIDANCE,
    STEPS,
    Range,
    is_whole_number,
    real_number,
)
from olvdm.request import check_choice, check_text
from olvdm.video import check_frames

OUTPUT_TYPES = ("np", "pt", "pil", "latent")


@dataclass(frozen=True, kw_only=True)
class Generation:
    """Everything that decides what comes out of a generation.

    Attributes:
        prompt: What each clip shows, at most 300 characters; several give a batch, each clip as if
            it were alone. None where `prompt_embeds` say it.
        negative_prompt: What they should not show.
        prompt_embeds: In place of `prompt`, its embeddings as the text encoder gives them, one row
            a clip.
        negative_prompt_embeds: In place of `negative_prompt`, likewise; one row for all clips, or
            one each.
        num_frames: Frames of each clip, 1 to 256; longer ones than the training saw are drawn in
            windows, each continuing the one before.
        height: Of the clip, pixels; none for the size of the training.
        width: Likewise.
        num_inference_steps: Denoising steps, 1 to 100.
        guidance_scale: Strength of the prompt, 0 to 20; 1 leaves the unconditional call out.
        slot_guidance_scale: How far slots that lose their object are brought back, 0 to 20; 0
            leaves them alone.
        slot_guidance_floor: Likeness of a slot to itself in the next frame, -1 to 1, from which it
            is left alone; none for that of the shipped slots on real clips.
        num_candidates: Noises that each clip may begin from, 1 to 16: where the slots of the first
            are not steady half way, of those that agree with the prompt the one is kept whose slots
            are most alike to themselves over its frames. None for the model's own number.
        shuffles_slots: Whether the choice is to forget which slot of a frame is which: its control.
        generator: CPU generator of the noise, or one for each prompt; none draws anew every time.
        given_frames: Frames that are already known: one to animate a picture, a leading row to
            continue a clip, both ends to fill the gap. They are resized to the clip.
        given_places: Place of each of them in the clip, rising; none for the first ones.
        output_type: ``"np"``, ``"pt"``, ``"pil"`` or ``"latent"``.
    """

    prompt: str | Sequence[str] | None = None
    negative_prompt: str = ""
    prompt_embeds: Float[Tensor, "b l e"] | None = None
    negative_prompt_embeds: Float[Tensor, "n l e"] | None = None
    num_frames: int = 16
    height: int | None = None
    width: int | None = None
    num_inference_steps: int = DEFAULT_STEPS
    guidance_scale: float | int = DEFAULT_GUIDANCE
    slot_guidance_scale: float | int = 0.0
    slot_guidance_floor: float | None = None
    num_candidates: int | None = None
    shuffles_slots: bool = False
    generator: torch.Generator | Sequence[torch.Generator] | None = None
    given_frames: UInt8[np.ndarray, "n h w 3"] | None = None
    given_places: Sequence[int] | None = None
    output_type: str = "np"

    @property
    def prompts(self) -> list[str]:
        """The prompts as a list, also where there is one; none where embeddings are given."""
        return [self.prompt] if isinstance(self.prompt, str) else list(self.prompt or ())

    @property
    def num_clips(self) -> int:
        """How many clips are asked for."""
        return len(self.prompts) if self.prompt_embeds is None else len(self.prompt_embeds)

    def check(self) -> None:
        """Refuse what no model could draw.

        Raises:
            InputError: If a value is of the wrong type or out of its range.
        """
        self._check_prompts()
        check_number("num_frames", self.num_frames, PIPELINE_FRAMES)
        check_number("num_inference_steps", self.num_inference_steps, STEPS)
        check_number("guidance_scale", self.guidance_scale, GUIDANCE, is_whole=False)
        check_slot_selection(self.num_candidates, self.shuffles_slots)
        check_slot_guidance(self.slot_guidance_scale, self.slot_guidance_floor)
        for name in ("height", "width"):
            side: object = getattr(self, name)
            if side is not None and (not is_whole_number(side) or side not in SIDES):
                choices = ", ".join(map(str, SIDES))
                raise InputError(f"{name} must be one of {choices}, got {shown_value(side)}")
        check_choice("output_type", self.output_type, OUTPUT_TYPES)
        self._check_generators()
        if self.given_frames is not None or self.given_places is not None:
            self._check_given()

    def places(self) -> list[int]:
        """Return the place of each given frame in the clip."""
        if self.given_places is not None:
            return list(self.given_places)
        return list(range(0 if self.given_frames is None else len(self.given_frames)))

    def _check_prompts(self) -> None:
        if (self.prompt is None) == (self.prompt_embeds is None):
            raise InputError("give either prompt or prompt_embeds, and not both")
        if self.prompt is not None and not _are_texts(self.prompt):
            found = shown_value(self.prompt)
            raise InputError(f"prompt must be a text or a list of at least one text, got {found}")
        self._check_lengths()
        if self.negative_prompt and self.negative_prompt_embeds is not None:
            raise InputError("give either negative_prompt or negative_prompt_embeds, and not both")
        for name in ("prompt_embeds", "negative_prompt_embeds"):
            embeds: object = getattr(self, name)
            if embeds is not None:
                _check_embeds(name, embeds)
        negative = self.negative_prompt_embeds
        if negative is not None and len(negative) not in (1, self.num_clips):
            raise InputError(
                f"negative_prompt_embeds must have 1 row or one for each of {self.num_clips} clips,"
                f" got {len(negative)}"
            )

    def _check_lengths(self) -> None:
        """Refuse texts that no tokenizer may see; a blank prompt is legal here."""
        for place, prompt in enumerate(self.prompts, start=1):
            name = "prompt" if len(self.prompts) == 1 else f"prompt {place}"
            check_text(name, prompt, NEGATIVE_PROMPT_CHARS)
        check_text("negative_prompt", self.negative_prompt, NEGATIVE_PROMPT_CHARS)

    def _check_generators(self) -> None:
        generators: object = self.generator
        several = generators if isinstance(generators, Sequence) else [generators]
        if isinstance(generators, Sequence) and len(generators) != self.num_clips:
            raise InputError(
                f"need one generator a prompt: got {len(generators)} for {self.num_clips}"
            )
        for one in several if generators is not None else ():
            if not isinstance(one, torch.Generator) or one.device.type != "cpu":
                is_one = isinstance(one, torch.Generator)
                found = f"one on {one.device}" if is_one else shown_value(one)
                raise InputError(
                    f"generator must be a torch.Generator on the CPU, or one a prompt, got {found}"
                )

    def _check_given(self) -> None:
        if self.given_frames is None:
            raise InputError("given_places needs given_frames, the frames that belong there")
        check_frames("given_frames", self.given_frames)
        if self.given_places is not None and not _is_row(self.given_places):
            found = shown_value(self.given_places)
            raise InputError(f"given_places must be a list of whole numbers, got {found}")
        count, places = len(self.given_frames), self.places()
        if self.given_places is None and count > self.num_frames:
            raise InputError(
                f"given_frames has {count} frames, but num_frames is {self.num_frames}; ask for a "
                "longer clip, or give fewer"
            )
        are_whole = all(map(is_whole_number, places))
        is_rising = are_whole and all(first < second for first, second in pairwise(places))
        is_inside = are_whole and all(0 <= place < self.num_frames for place in places)
        if len(places) != count or not is_rising or not is_inside:
            raise InputError(
                f"given_places must be {count} rising numbers from 0 to {self.num_frames - 1}, "
                f"one for each given frame, got [{', '.join(map(shown_value, places[:16]))}]"
            )


@dataclass
class SlotOutput(BaseOutput):
    """The slots of clips, per video frame.

    Attributes:
        slots: `b t k d`.
        attention_masks: Share of each latent position over the slots, `b t k lh lw`, sum 1.
        alpha_masks: Share of each pixel over the slots, at the clip's own size, `b t k h w`, sum 1.
        correlation: Of the slots of every frame with those of every frame, `b t t k k`.
        presence: Which slots hold more than a trace of their frame, `b t k`.
        assignment: Slot of each frame that continues slot k of frame 0, -1 where absent, `b t k`.
    """

    slots: Float[Tensor, "b t k d"]
    attention_masks: Float[Tensor, "b t k lh lw"]
    alpha_masks: Float[Tensor, "b t k h w"]
    correlation: Float[Tensor, "b t t k k"]
    presence: Bool[Tensor, "b t k"]
    assignment: Int[Tensor, "b t k"]


@dataclass
class OLVDMPipelineOutput(BaseOutput):
    """Clips, and what their slots say of them; the slots' fields are those of `SlotOutput`.

    Attributes:
        frames: The clips: floats in [0, 1], `b t h w 3` for ``"np"`` and `b t 3 h w` for ``"pt"``;
            lists of pictures for ``"pil"``; the latents for ``"latent"``.
        uint8_frames: The same clips as they are shown and saved.
        latents: The clean latents.
        slots: As in `SlotOutput`, and so are the fields after it.
        attention_masks: Of the slot encoder.
        alpha_masks: Of the slot decoder, once the pixels have been seen: `posterior_masks`.
        correlation: All pairs of frames.
        presence: Which slots are there.
        assignment: Which slot continues which.
        candidates: Which of its noises each clip comes from, 0 for the first; a long clip in its
            last window.
    """

    frames: Any
    uint8_frames: UInt8[np.ndarray, "b t h w 3"]
    latents: Float[Tensor, "b c lt lh lw"]
    slots: Float[Tensor, "b t k d"]
    attention_masks: Float[Tensor, "b t k h2 w2"]
    alpha_masks: Float[Tensor, "b t k h w"]
    correlation: Float[Tensor, "b t t k k"]
    presence: Bool[Tensor, "b t k"]
    assignment: Int[Tensor, "b t k"]
    candidates: Int[Tensor, " b"]


def check_number(name: str, value: object, legal: Range, is_whole: bool = True) -> None:
    """Refuse a value that is no number of the right kind within a range.

    Args:
        name: Of the argument.
        value: What was given.
        legal: The closed range.
        is_whole: Whether it must be a whole number.

    Raises:
        InputError: If it is not.
    """
    number = real_number(value)
    if number is None or number not in legal or (is_whole and not is_whole_number(value)):
        noun = "a whole number" if is_whole else "a number"
        raise InputError(f"{name} must be {noun} from {legal}, got {shown_value(value)}")


def check_callable(name: str, value: object) -> None:
    """Refuse a value that is neither none nor can be called, as an ``InputError``."""
    if value is not None and not callable(value):
        raise InputError(f"{name} must be a function, got {shown_value(value)}")


def check_slot_selection(num_candidates: object, shuffles_slots: object) -> None:
    """Refuse a choice between noises that cannot be.

    Args:
        num_candidates: How many there are; none is legal.
        shuffles_slots: Whether it is the control.

    Raises:
        InputError: If one of them is not legal.
    """
    if num_candidates is not None:
        check_number("num_candidates", num_candidates, CANDIDATES)
    if not isinstance(shuffles_slots, bool):
        found = shown_value(shuffles_slots)
        raise InputError(f"shuffles_slots must be true or false, got {found}")


def check_slot_guidance(scale: object, floor: object) -> None:
    """Refuse slot guidance that cannot be, as an ``InputError``.

    Args:
        scale: Of the steps.
        floor: From which slots are left alone; none is legal.
    """
    check_number("slot_guidance_scale", scale, SLOT_GUIDANCE, is_whole=False)
    if floor is not None:
        check_number("slot_guidance_floor", floor, SLOT_FLOOR, is_whole=False)


def check_decoding(latents: object, num_frames: object) -> None:
    """Refuse latents that cannot be decoded, as an ``InputError``.

    Args:
        latents: Of clips.
        num_frames: Frames to keep; none is legal.
    """
    _check_tensor("latents", latents, "b c lt lh lw")
    if num_frames is not None:
        check_number("num_frames", num_frames, PIPELINE_FRAMES)


def check_finding(frames: object, num_slots: object, adapt_steps: object, progress: object) -> None:
    """Refuse what no slots can be found in, or not in this way, before any work is done for it.

    Args:
        frames: A clip.
        num_slots: Slots per frame; none is legal.
        adapt_steps: Steps of fitting.
        progress: What is called at each of them; none is legal. What is not is an ``InputError``.
    """
    check_frames("frames", frames)
    if num_slots is not None:
        check_number("num_slots", num_slots, NUM_SLOTS)
    check_number("adapt_steps", adapt_steps, ADAPT_STEPS)
    check_callable("progress", progress)


def legal_prompts(prompts: str | Sequence[str]) -> list[str]:
    """Return prompts as a list; what no tokenizer may see is an ``InputError``.

    Args:
        prompts: One, or several.

    Returns:
        At least one.
    """
    asked = Generation(prompt=prompts)
    asked.check()
    return asked.prompts


def _check_tensor(name: str, values: object, axes: str) -> None:
    """Refuse what is no tensor of floats with these axes; their sizes are the model's to check."""
    is_tensor = isinstance(values, Tensor)
    if (
        not is_tensor
        or values.is_meta
        or not values.numel()
        or values.ndim != len(axes.split())
        or not values.is_floating_point()
    ):
        found = shown_value(values)
        if is_tensor:
            dtype = str(values.dtype).removeprefix("torch.")
            found = f"{dtype} of shape {tuple(values.shape)} on {values.device}"
        raise InputError(f"{name} must be floats of shape {axes}, got {found}")


def _check_embeds(name: str, embeds: object) -> None:
    """Refuse what no text encoder could have given."""
    _check_tensor(name, embeds, "b l e")
    assert isinstance(embeds, Tensor)
    if not bool(embeds.isfinite().all()):
        raise InputError(f"{name} must be finite; encode the prompt again")


def _are_texts(value: object) -> bool:
    """Tell whether this is a text, or a list of at least one."""
    if isinstance(value, str):
        return True
    is_list = isinstance(value, Sequence)
    return is_list and len(value) > 0 and all(isinstance(one, str) for one in value)


def _is_row(value: object) -> bool:
    return isinstance(value, Sequence | np.ndarray)


def as_output(
    frames: UInt8[np.ndarray, "b t h w 3"], latents: Float[Tensor, "b c t2 h2 w2"], output_type: str
) -> np.ndarray | Tensor | list[list[Image.Image]]:
    """Return clips in the form that was asked for.

    Args:
        frames: The clips.
        latents: Their latents.
        output_type: One of `OUTPUT_TYPES`.

    Returns:
        As `OLVDMPipelineOutput.frames` describes.

    Source: the forms of diffusers' video pipelines.
    """
    if output_type == "latent":
        return latents
    if output_type == "pil":
        return [[Image.fromarray(frame) for frame in clip] for clip in frames]
    scaled = frames.astype(np.float32) / 255
    return scaled if output_type == "np" else torch.from_numpy(scaled).permute(0, 1, 4, 2, 3)
