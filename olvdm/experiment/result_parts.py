"""The pieces that results of an experiment are made of: intervals, scores of slots, shown clips."""

import base64
import binascii
import io
from typing import Annotated, Literal

import numpy as np
from einops import rearrange
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel, ConfigDict, Field

from olvdm.errors import InputError

Count = Annotated[int, Field(ge=0)]
Number = float | None  # none where nothing could be measured
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Verdict = Literal["better", "worse", "undecided"]
SIDES = range(8, 513)  # pixels of a shown frame
MOST_FRAMES = 64


class Part(BaseModel):
    """Refuse unknown fields, wrong kinds, and numbers that JSON cannot carry."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Interval(Part):
    """A mean over prompts with its 95 % bootstrap interval.

    Attributes:
        mean: The value.
        low: Lower end.
        high: Upper end.
        count: Prompts that could be measured.
    """

    mean: Number
    low: Number
    high: Number
    count: Count


class SlotScores(Part):
    """How well some clusters of pixels find the objects of real clips.

    Attributes:
        level: Of the clips.
        group: Which of them, such as ``several_objects`` or ``with_occlusion``.
        by: ``slots``, or the name of a baseline such as ``k-means, colour and position``.
        seed: Of the slots' training; none for a baseline.
        num_clips: Clips of the group.
        scores: By name, such as ``foreground_ari``.
    """

    level: str
    group: str
    by: str
    seed: Count | None
    num_clips: Count
    scores: dict[str, Interval]


class ExampleClip(Part):
    """A clip that the report shows.

    Attributes:
        row: Row that drew it; none for the real clip of the prompt.
        value: Its measure by which the example was chosen.
        strip: Its frames side by side, a PNG as base64; ``pack_strip`` writes it.
    """

    row: str | None
    value: Number
    strip: str


class Example(Part):
    """One prompt, chosen by a rule, and the clips that were drawn from it.

    Attributes:
        rule: Such as ``typical``; the rules stand in ``experiment.examples``.
        measure: By which the rule chose.
        level: Of the prompt.
        prompt: What was asked for.
        noise_seed: Of the clips.
        num_frames: Of each strip.
        clips: The real one first, then one a row.
    """

    rule: str
    measure: str
    level: str
    prompt: str
    noise_seed: Count
    num_frames: Annotated[int, Field(ge=1, le=MOST_FRAMES)]
    clips: tuple[ExampleClip, ...]


def pack_strip(frames: UInt8[np.ndarray, "t h w 3"]) -> str:
    """Lay frames side by side and write them as text.

    Args:
        frames: Of the clip.

    Returns:
        A PNG as base64: no pixel is lost.
    """
    buffer = io.BytesIO()
    Image.fromarray(rearrange(frames, "t h w c -> h (t w) c")).save(buffer, "png")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def unpack_strip(strip: str, num_frames: int) -> UInt8[np.ndarray, "t h w 3"]:
    """Read frames that ``pack_strip`` wrote.

    Args:
        strip: The text.
        num_frames: Frames that it holds.

    Returns:
        The frames.

    Raises:
        InputError: If it is no PNG of so many frames.
    """
    try:
        with Image.open(io.BytesIO(base64.b64decode(strip, validate=True)), formats=["PNG"]) as one:
            size = one.size
            pixels = _pixels(one, num_frames)
    except (binascii.Error, UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise InputError("a strip of an example is damaged; run olvdm experiment again") from error
    if pixels is None:
        raise InputError(
            f"an example's strip of {num_frames} frames has {size[0]} x {size[1]} pixels"
        )
    return rearrange(pixels, "h (t w) c -> t h w c", t=num_frames)


def _pixels(picture: Image.Image, num_frames: int) -> UInt8[np.ndarray, "h w 3"] | None:
    """Decode a picture whose size is that of so many frames, and no other."""
    width, rest = divmod(picture.width, num_frames)
    if rest or width not in SIDES or picture.height not in SIDES:
        return None
    return np.asarray(picture.convert("RGB"), dtype=np.uint8)
