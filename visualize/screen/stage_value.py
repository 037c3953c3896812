"""Clips -> the value of the stage: pictures as data URIs, curves and figures as plain numbers."""

import base64
import io
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from einops import rearrange
from jaxtyping import Float, UInt8
from PIL import Image

from visualize.atlas import atlas_layout
from visualize.heatmap import correlation_chart
from visualize.palette import slot_colours, slot_label, slot_mark, slot_styles
from visualize.screen import texts
from visualize.screen.shown import Finished, ShownClip

LOSSLESS_PIXELS = 32 * 64 * 64  # a clip of more travels with loss: it came with loss
TINT_LEVELS = 16  # of a tint's strength; more cost bytes and cannot be seen
HEATMAP_SIDE = 384

_deliveries = itertools.count(1)


def empty_value(message: str) -> dict[str, Any]:
    """Return the value of a stage on which nothing was ever shown.

    Args:
        message: What to do now.

    Returns:
        A value of the stage.
    """
    return {"phase": "empty", "delivery": next(_deliveries), "message": message}


def restored_value() -> dict[str, Any]:
    """Return the value that puts the last finished result back.

    Ours: the browser has it still, so nothing is kept here.
    """
    return {"phase": "restore", "delivery": next(_deliveries), "message": texts.NOTHING_YET}


def running_value(previews: Sequence[UInt8[np.ndarray, "t h w 3"]]) -> dict[str, Any]:
    """Return the value that shows clips on their way.

    Args:
        previews: In the order of the players; none only dims what is shown.

    Returns:
        A value of the stage.
    """
    pictures = [picture_grid(frames, is_lossless=False) for frames in previews]
    return {"phase": "running", "delivery": next(_deliveries), "previews": pictures}


def finished_value(finished: Finished, *, plays: bool) -> dict[str, Any]:
    """Return the value that shows a result.

    Args:
        finished: The result.
        plays: Whether the clips begin to play by themselves.

    Returns:
        A value of the stage.
    """
    return {
        "phase": "done",
        "delivery": next(_deliveries),
        "badge": finished.badge,
        "caption": finished.caption,
        "notes": list(finished.notes),
        "warning": finished.warning,
        "clips": [clip_value(clip) for clip in finished.clips],
        "figures": figures(finished.clips),
        "verdict": verdict(finished.clips),
        "start": 0 if plays else start_frame(finished.clips),
        "plays": plays,
    }


def clip_value(clip: ShownClip) -> dict[str, Any]:
    """Return what the stage needs to draw one clip.

    Args:
        clip: A clip and what its slots say.

    Returns:
        Pictures and numbers that JSON can carry.
    """
    num_frames, height, width = clip.frames.shape[:3]
    styles = slot_styles(clip.alpha_masks.shape[1], clip.background)
    chart = correlation_chart(
        clip.correlation,
        order="slot",
        presence=clip.presence,
        background=clip.background,
        side=HEATMAP_SIDE,
    )
    return {
        "name": clip.name,
        "what": clip.what,
        "num_frames": num_frames,
        "height": height,
        "width": width,
        "fps": clip.fps,
        "clip": picture_grid(
            clip.frames, is_lossless=num_frames * height * width <= LOSSLESS_PIXELS
        ),
        "tint": picture_grid(tint(clip), is_lossless=True),
        "heatmap": data_uri(chart, "PNG"),
        "slots": [
            {
                "label": slot_label(slot, clip.background),
                "mark": slot_mark(slot, clip.background),
                "colour": style.hex,
                "is_background": slot == clip.background,
                "is_present": bool(clip.presence[:, slot].any()),
            }
            for slot, style in enumerate(styles)
        ],
        "flicker": _numbers(clip.flicker.T),
        "motion": _numbers(clip.motion),
    }


def tint(clip: ShownClip) -> UInt8[np.ndarray, "t h w 4"]:
    """Colour every pixel by the slot that holds it, as strong as its share, background clear.

    Args:
        clip: A clip with its masks.

    Returns:
        Red, green, blue and alpha; the page lays it over the clip.

    Ours: the browser mixes, so the strength can be changed without a way to the server.
    """
    winner = clip.alpha_masks.argmax(axis=1)
    share = clip.alpha_masks.max(axis=1)
    colours = slot_colours(clip.alpha_masks.shape[1], clip.background)[winner]
    levels = np.rint(share * (TINT_LEVELS - 1)) * (255 // (TINT_LEVELS - 1))
    alpha = np.where(winner == clip.background, 0, levels).astype(np.uint8)
    colours[alpha == 0] = 0
    return np.concatenate([colours, alpha[..., None]], axis=-1)


def figures(clips: Sequence[ShownClip]) -> list[dict[str, Any]]:
    """Return the rows of the table of figures.

    Args:
        clips: The clips, one column each.

    Returns:
        Label, direction and a text a clip.
    """
    rows = [
        (texts.FLICKER_OBJECTS, texts.LOWER, [_text(object_flicker(clip)) for clip in clips]),
        (texts.FLICKER_ALL, texts.LOWER, [_text(_mean(clip.flicker_all)) for clip in clips]),
        (texts.SWITCHES, texts.LOWER, [str(clip.switches) for clip in clips]),
        (texts.MOTION, texts.CONTEXT, [_text(_mean(clip.motion)) for clip in clips]),
    ]
    names = dict.fromkeys(name for clip in clips for name in clip.scores)
    rows += [
        (name, texts.SCORES[name], [_text(clip.scores.get(name, math.nan)) for clip in clips])
        for name in names
    ]
    return [{"label": label, "better": better, "values": v} for label, better, v in rows]


def verdict(clips: Sequence[ShownClip]) -> str:
    """Say in words what the figures of two clips say; nothing for one.

    Args:
        clips: The clips.

    Returns:
        One or two sentences that claim no more than one seed can show.
    """
    if len(clips) < 2:
        return ""
    first, second = (object_flicker(clip) for clip in clips[:2])
    if math.isnan(first) or math.isnan(second):
        return texts.UNDEFINED_VERDICT
    if abs(first - second) < 0.02 * max(first, second):
        words = "flickers about as much as"
    else:
        words = "flickers less than" if second < first else "flickers more than"
    return texts.VERDICT.format(
        second=clips[1].name, words=words, first=clips[0].name, b=_text(second), a=_text(first)
    )


def object_flicker(clip: ShownClip) -> float:
    """Return the mean flicker of all slots but that of the background, NaN where none has any."""
    objects = np.delete(clip.flicker, clip.background, axis=1)
    return _mean(objects)


def start_frame(clips: Sequence[ShownClip]) -> int:
    """Choose the frame on which a paused page opens: where the clips differ most in flicker.

    Args:
        clips: The clips.

    Returns:
        A frame number; the middle for a single clip.
    """
    num_frames = min(len(clip.frames) for clip in clips)
    if len(clips) < 2:
        return num_frames // 2
    first, second = (np.nan_to_num(clip.flicker_all[:num_frames]) for clip in clips[:2])
    return int(np.abs(first - second).argmax())


def picture_grid(
    frames: UInt8[np.ndarray, "t h w c"], *, is_lossless: bool
) -> dict[str, str | int]:
    """Pack frames into one picture of cells.

    Args:
        frames: Three or four channels.
        is_lossless: Whether every pixel must come back.

    Returns:
        A data URI, how many cells there are and how many stand in a row, and their size.
    """
    num_frames, height, width, channels = frames.shape
    columns, rows = atlas_layout(num_frames, height, width)
    cells = np.zeros((columns * rows, height, width, channels), dtype=np.uint8)
    cells[:num_frames] = frames
    grid = rearrange(cells, "(r c) h w d -> (r h) (c w) d", c=columns)
    quality = 20 if is_lossless else 82
    source = data_uri(grid, "WEBP", lossless=is_lossless, quality=quality)
    return {
        "src": source,
        "columns": columns,
        "num_frames": num_frames,
        "width": width,
        "height": height,
    }


def data_uri(picture: UInt8[np.ndarray, "h w c"], kind: str, **options: object) -> str:
    """Return a picture as text that a page can show without asking for a file.

    Args:
        picture: Three or four channels.
        kind: Pillow's name of the format.
        **options: Of its encoder.

    Returns:
        A ``data:`` URI.

    Ours: a picture sent as a file stays in the temporary folder, one a preview.
    """
    buffer = io.BytesIO()
    speed = {"method": 1} if kind == "WEBP" else {}
    Image.fromarray(picture).save(buffer, format=kind, **speed, **options)
    text = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/{kind.lower()};base64,{text}"


def _numbers(values: Float[np.ndarray, "..."]) -> Any:  # noqa: ANN401 - nested lists
    """Return an array as lists, None where a number is undefined: JSON has no NaN."""
    if values.ndim > 1:
        return [_numbers(row) for row in values]
    return [round(float(value), 5) if np.isfinite(value) else None for value in values]


def _mean(values: Float[np.ndarray, "..."]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else math.nan


def _text(value: float) -> str:
    """Return a number as the table shows it."""
    if math.isnan(value):
        return texts.UNDEFINED
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"
