"""Draws a clip for every test prompt, and scores it beside the real clip of the same prompt."""

import base64
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, UInt8

from olvdm.data.moving_shapes import MovingShapes, parse_prompt
from olvdm.evaluation.bootstrap import as_number, estimate_mean, estimate_ratio
from olvdm.evaluation.feature_distance import diversity
from olvdm.evaluation.measures import (
    MEASURES,
    THUMBNAIL_FEATURES,
    THUMBNAIL_FRAMES,
    THUMBNAIL_SIDE,
    Measure,
    measure_clip,
    thumbnail,
    thumbnail_features,
)
from olvdm.evaluation.prompt_rows import PromptRow, RowStore
from olvdm.evaluation.protocol import NUM_FRAMES, Evaluation
from olvdm.pipeline import OLVDMPipeline


def draw_rows(
    pipeline: OLVDMPipeline,
    evaluation: Evaluation,
    clips: MovingShapes,
    store: RowStore,
    advance: Callable[[], None],
) -> list[PromptRow]:
    """Draw and measure every prompt that the store does not know yet.

    Args:
        pipeline: The model.
        evaluation: Steps, guidance and the first noise seed.
        clips: Real clips whose captions are the prompts.
        store: Rows of an earlier start; new ones are added to it.
        advance: Called after each prompt.

    Returns:
        One row for each prompt.

    Ours: the noise follows from the place of the prompt alone, so two checkpoints are paired.
    """
    for index in range(len(clips)):
        if index not in store.rows:
            store.add(_draw_row(pipeline, evaluation, clips, index))
        advance()
    return [store.rows[index] for index in range(len(clips))]


def summarise_rows(rows: Sequence[PromptRow], may_judge: Mapping[str, bool]) -> dict[str, Any]:
    """Sum up what the clips of all prompts scored.

    Args:
        rows: One for each prompt.
        may_judge: Whether the judge is right often enough on real clips, by attribute; others
            are not reported of drawn clips.

    Returns:
        Measures by group, drawn clips beside real ones, as JSON can hold them.

    Source: method.md section 7.
    """
    groups: dict[str, dict[str, Any]] = {}
    for measure in MEASURES:
        is_judged = may_judge.get(measure.name, True)
        groups.setdefault(measure.group, {})[measure.name] = _summary(rows, measure, is_judged)
    return {
        "num_prompts": len(rows),
        **groups,
        "diversity": {
            "features": THUMBNAIL_FEATURES,
            "generated": _diversity([row.thumbnail for row in rows]),
            "real": _diversity([row.real_thumbnail for row in rows]),
        },
    }


def values_of(rows: Sequence[PromptRow], side: str, name: str) -> Float64[np.ndarray, " n"]:
    """Return one measure of every row.

    Args:
        rows: One for each prompt.
        side: ``generated`` or ``real``.
        name: Of the measure.

    Returns:
        The values, NaN where it could not be measured.
    """
    return np.array([getattr(row, side)[name] for row in rows], dtype=np.float64)


def _draw_row(
    pipeline: OLVDMPipeline, evaluation: Evaluation, clips: MovingShapes, index: int
) -> PromptRow:
    clip, noise_seed = clips[index], evaluation.seed + index
    started = time.perf_counter()
    frames = pipeline(
        clip.prompt,
        num_frames=NUM_FRAMES,
        num_inference_steps=evaluation.num_inference_steps,
        guidance_scale=evaluation.guidance_scale,
        generator=torch.Generator().manual_seed(noise_seed),
    ).uint8_frames[0]
    seconds = time.perf_counter() - started
    expected = parse_prompt(clip.prompt)
    return PromptRow(
        index=index,
        prompt=clip.prompt,
        noise_seed=noise_seed,
        frames_sha256=hashlib.sha256(np.ascontiguousarray(frames).tobytes()).hexdigest(),
        seconds=round(seconds, 3),
        generated=measure_clip(frames, expected),
        real=measure_clip(clip.frames, expected),
        thumbnail=_packed(thumbnail(frames)),
        real_thumbnail=_packed(thumbnail(clip.frames)),
    )


def _summary(rows: Sequence[PromptRow], measure: Measure, is_judged: bool) -> dict[str, Any]:
    """Average one measure over all prompts."""
    generated = values_of(rows, "generated", measure.name)
    real = values_of(rows, "real", measure.name)
    summary: dict[str, Any] = {
        "generated": estimate_mean(generated).as_json() if is_judged else None,
        "real": estimate_mean(real).as_json(),
        "difference": estimate_mean(generated - real).as_json() if is_judged else None,
    }
    if measure.group == "motion":
        summary["ratio"] = estimate_ratio(generated, real).as_json()
    return summary


def _diversity(thumbnails: Sequence[str]) -> float | int | None:
    if len(thumbnails) < 2:
        return None
    return as_number(diversity(thumbnail_features([_unpacked(one) for one in thumbnails])))


def _packed(pixels: UInt8[np.ndarray, "t h w 3"]) -> str:
    return base64.b64encode(pixels.tobytes()).decode("ascii")


def _unpacked(text: str) -> UInt8[np.ndarray, "t h w 3"]:
    shape = (THUMBNAIL_FRAMES, THUMBNAIL_SIDE, THUMBNAIL_SIDE, 3)
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape)
