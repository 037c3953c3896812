"""The value that the inspector shows: typed, checked, and the same in the app and in a file."""

import base64
import itertools
import zlib
from collections.abc import Sequence
from typing import Annotated, Literal, Self

import numpy as np
from jaxtyping import Float, UInt8
from pydantic import BaseModel, ConfigDict, Field

from visualize.atlas import encode_atlas
from visualize.heatmap import correlation_codes, correlation_colours, ordered_correlation
from visualize.inspected import InspectedClip, shared_palette
from visualize.palette import slot_label, slot_mark, style_of
from visualize.pixels import resize_masks

FORMAT = 1
MASK_SIDE = 64  # longer side of the masks that travel; the browser smooths them
MASK_LEVELS = 32  # more cost bytes and cannot be seen
LOSSLESS_PIXELS = 32 * 64 * 64  # a clip of more travels with loss: it came with loss
PREVIEW_QUALITY = 60
CLIP_QUALITY = 82

Count = Annotated[int, Field(ge=0)]
Phase = Literal["empty", "running", "done", "restore"]
Direction = Literal["lower", "higher", "context"]

_deliveries = itertools.count(1)


class _Part(BaseModel):
    """Refuse unknown fields, wrong kinds, and numbers that JSON cannot carry."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Packed(_Part):
    """An array of bytes as text.

    Attributes:
        shape: Of the array.
        data: Its bytes, deflated, in base64.
    """

    shape: tuple[Count, ...]
    data: str


class Sheet(_Part):
    """A clip as one picture of cells; frame ``t`` is cell ``(t % columns, t // columns)``.

    Attributes:
        src: A data URI, so that nothing needs to be fetched and nothing can have gone.
        columns: Cells in a row.
        num_frames: Frames of the clip.
        height: Of a cell, pixels.
        width: Of a cell, pixels.
    """

    src: Annotated[str, Field(pattern=r"^data:image/webp;base64,")]
    columns: Count
    num_frames: Count
    height: Count
    width: Count


class SlotPayload(_Part):
    """How one slot is called and drawn.

    Attributes:
        label: Its name, as in a legend.
        mark: The same for a narrow place.
        colour: ``#rrggbb``.
        lap: 0 for a plain colour; from 1 on the colour returns with a pattern.
        is_background: Whether it holds the background.
        is_present: Whether it ever holds anything.
    """

    label: str
    mark: str
    colour: Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]
    lap: Count
    is_background: bool
    is_present: bool


class ClipPayload(_Part):
    """One clip with its slots.

    Attributes:
        name: A few words.
        what: One short line below the name.
        fps: Frames a second.
        sheet: The frames.
        slots: One entry a slot.
        masks: Share of each position over the slots, ``t k gh gw``, 0 to 255.
        correlation: ``(t k) (t k)``, 0 to 254 for -1 to 1, 255 undefined.
        presence: ``t k``, 0 or 1.
        assignment: Slot of each frame that continues slot k of frame 0, -1 where absent.
        flicker: Of each slot in each frame, ``t k``; null where undefined.
        flicker_all: Of the whole picture in each frame.
        motion: Pixels a frame.
        switches: How often an object passes to another slot.
        mask_source: Where the masks come from, a few words.
    """

    name: Annotated[str, Field(max_length=80)]
    what: Annotated[str, Field(max_length=200)]
    fps: Annotated[float, Field(gt=0)]
    sheet: Sheet
    slots: tuple[SlotPayload, ...]
    masks: Packed
    correlation: Packed
    presence: Packed
    assignment: tuple[tuple[int, ...], ...]
    flicker: tuple[tuple[float | None, ...], ...]
    flicker_all: tuple[float | None, ...]
    motion: tuple[float | None, ...]
    switches: Count
    mask_source: str = "slot decoder"


class Spread(_Part):
    """What many prompts say of a measure, paired by prompt and noise.

    Attributes:
        num_prompts: How many.
        a: Mean of the first model.
        b: Mean of the second.
        low: Lower end of the 95 % interval of B - A.
        high: Upper end.
        num_lower: Prompts on which B is lower; none where nobody counted.
    """

    num_prompts: Count
    a: float
    b: float
    low: float
    high: float
    num_lower: Count | None

    def reversed(self) -> Self:
        """Return what the same prompts say of A and B exchanged; equal ones were not counted."""
        return type(self)(
            num_prompts=self.num_prompts,
            a=self.b,
            b=self.a,
            low=-self.high,
            high=-self.low,
            num_lower=None,
        )


class Metric(_Part):
    """One row of the verdict card.

    Attributes:
        id: What the program calls it.
        label: What the person reads.
        unit: Of the values; empty for none.
        better: Which direction is good; "context" for neither.
        values: One a clip, null where undefined.
        judge: Who measured it.
        spread: What many prompts say; none where nothing was measured.
    """

    id: str
    label: str
    unit: str = ""
    better: Direction
    values: tuple[float | None, ...]
    judge: str
    spread: Spread | None = None

    def reversed(self) -> Self:
        """Return the row of the same clips in the other order."""
        spread = self.spread.reversed() if self.spread else None
        return self.model_copy(update={"values": self.values[::-1], "spread": spread})


class Start(_Part):
    """Where the inspector opens.

    Attributes:
        frame: Video frame.
        cell: ``(t1, k1, t2, k2)`` of a pinned cell of the correlation, or none.
        side: Clip of the cell and of the pair of frames, 0 for A and 1 for B.
        reason: One sentence that says why there; empty for none.
    """

    frame: Count = 0
    cell: tuple[Count, Count, Count, Count] | None = None
    side: Annotated[int, Field(ge=0, le=1)] = 0
    reason: str = ""


class DenoisingView(_Part):
    """What the models expect after one denoising step.

    Attributes:
        step: 1 is the first.
        sheets: Predicted clean clips, one a model.
        masks: Their slots' shares, ``t k gh gw``, one a model.
    """

    step: Count
    sheets: tuple[Sheet, ...]
    masks: tuple[Packed, ...]

    def reversed(self) -> Self:
        """Return the step of the same clips in the other order."""
        return self.model_copy(update={"sheets": self.sheets[::-1], "masks": self.masks[::-1]})


class Payload(_Part):
    """What the inspector shows.

    Attributes:
        format: Of this value.
        phase: "empty" shows a message, "running" previews over what was there, "done" a result;
            "restore" brings the last result back.
        delivery: Makes each value differ from the last, so that the page sees every one.
        run_id: Names the run; empty where it has none.
        sources: Run and clip of each clip, as ``run/clip``; empty where nobody may know.
        is_blind: Whether the clips are shown without anything that could tell their models.
        clips: One or two.
        metrics: Rows of the verdict card.
        verdict: What they say, in words.
        start: Where to open.
        denoising: Steps on the way, the first one first.
        previews: While running.
        caption: The prompt or the clip's name; a person's own text.
        badge: Where the result comes from, a few words.
        notes: What was changed on the way.
        warning: What to know first.
        message: Shown where there is no result.
        plays: Whether playing begins by itself.
        settings: All that the result follows from, as text to read.
        colours: The colour of each correlation code, ``256 3``.
    """

    format: Literal[1] = FORMAT
    phase: Phase
    delivery: Count = Field(default_factory=lambda: next(_deliveries))
    run_id: Annotated[str, Field(pattern=r"^[0-9a-z-]{0,64}$")] = ""
    sources: tuple[str, ...] = ()
    is_blind: bool = False
    clips: tuple[ClipPayload, ...] = ()
    metrics: tuple[Metric, ...] = ()
    verdict: str = ""
    start: Start = Start()
    denoising: tuple[DenoisingView, ...] = ()
    previews: tuple[Sheet, ...] = ()
    caption: str = ""
    badge: str = ""
    notes: tuple[str, ...] = ()
    warning: str = ""
    message: str = ""
    plays: bool = False
    settings: dict[str, str] = Field(default_factory=dict)
    colours: Packed | None = None

    def as_json(self) -> dict[str, object]:
        """Return the value as JSON can hold it."""
        return self.model_dump(mode="json")


def done_payload(
    clips: Sequence[InspectedClip],
    *,
    metrics: Sequence[Metric] = (),
    start: Start | None = None,
    denoising: Sequence[DenoisingView] = (),
    **texts: object,
) -> Payload:
    """Return the value that shows a result.

    Args:
        clips: One or two.
        metrics: Rows of the verdict card.
        start: Where to open, none for the first frame.
        denoising: Steps on the way.
        **texts: Further fields of `Payload`.

    Returns:
        The value; a field that is unknown or of the wrong kind is a `ValueError`.
    """
    palettes = shared_palette(clips)
    return Payload(
        phase="done",
        clips=tuple(clip_payload(*pair) for pair in zip(clips, palettes, strict=True)),
        metrics=tuple(metrics),
        start=start or Start(),
        denoising=tuple(denoising),
        colours=packed(correlation_colours()),
        **texts,  # pyright: ignore[reportArgumentType] - pydantic checks them
    )


def clip_payload(clip: InspectedClip, palette: Sequence[int]) -> ClipPayload:
    """Pack one clip.

    Args:
        clip: The clip and what its slots say.
        palette: Place of each slot in the palette.

    Returns:
        Its part of the value.
    """
    is_lossless = clip.frames[..., 0].size <= LOSSLESS_PIXELS
    matrix = ordered_correlation(clip.correlation, presence=clip.presence)
    return ClipPayload(
        name=clip.name,
        what=clip.what,
        fps=float(clip.fps),
        sheet=sheet(clip.frames, quality=None if is_lossless else CLIP_QUALITY),
        slots=tuple(_slot(clip, slot, index) for slot, index in enumerate(palette)),
        masks=packed_masks(clip.alpha_masks),
        correlation=packed(correlation_codes(matrix)),
        presence=packed(clip.presence.astype(np.uint8)),
        assignment=tuple(tuple(int(slot) for slot in row) for row in clip.assignment),
        flicker=tuple(_numbers(row) for row in clip.flicker),
        flicker_all=_numbers(clip.flicker_all),
        motion=_numbers(clip.motion),
        switches=int(clip.switches),
    )


def sheet(frames: UInt8[np.ndarray, "t h w 3"], *, quality: int | None = None) -> Sheet:
    """Pack a clip into one picture.

    Args:
        frames: The clip.
        quality: 0 to 100 of a picture with loss, none for one without.

    Returns:
        The picture and the layout of its cells.
    """
    atlas = encode_atlas(frames, quality)
    text = base64.b64encode(atlas.data).decode("ascii")
    return Sheet(
        src=f"data:image/webp;base64,{text}",
        columns=atlas.columns,
        num_frames=atlas.num_frames,
        height=atlas.height,
        width=atlas.width,
    )


def packed(values: UInt8[np.ndarray, "*shape"]) -> Packed:
    """Pack bytes as text; browsers inflate them by themselves."""
    data = base64.b64encode(zlib.compress(np.ascontiguousarray(values).tobytes(), 6))
    return Packed(shape=values.shape, data=data.decode("ascii"))


def unpacked(array: Packed) -> UInt8[np.ndarray, "*shape"]:
    """Return the bytes that `packed` packed."""
    data = zlib.decompress(base64.b64decode(array.data))
    return np.frombuffer(data, dtype=np.uint8).reshape(array.shape)


def packed_masks(masks: Float[np.ndarray, "t k h w"]) -> Packed:
    """Pack shares in few levels, at a size that an eye needs."""
    height, width = masks.shape[2:]
    shrink = MASK_SIDE / max(height, width, MASK_SIDE)
    size = (max(1, round(height * shrink)), max(1, round(width * shrink)))
    small = masks if size == (height, width) else resize_masks(masks, *size)
    levels = np.rint(np.clip(small, 0, 1) * (MASK_LEVELS - 1)) * (255 / (MASK_LEVELS - 1))
    return packed(np.rint(levels).astype(np.uint8))


def _slot(clip: InspectedClip, slot: int, index: int) -> SlotPayload:
    style = style_of(index)
    return SlotPayload(
        label=slot_label(slot, clip.background),
        mark=slot_mark(slot, clip.background),
        colour=style.hex,
        lap=style.lap,
        is_background=slot == clip.background,
        is_present=bool(clip.presence[:, slot].any()),
    )


def _numbers(values: Float[np.ndarray, " n"]) -> tuple[float | None, ...]:
    """Return numbers that JSON can hold, None where one is undefined."""
    return tuple(round(float(value), 5) if np.isfinite(value) else None for value in values)
