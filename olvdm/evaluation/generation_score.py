"""Draws a clip for every test prompt, and scores it beside the real clip of the same prompt."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, UInt8

from olvdm.data.moving_shapes import MovingShapes, parse_prompt
from olvdm.evaluation.attribute_judge import unpack_features
from olvdm.evaluation.bootstrap import as_number, estimate_mean, estimate_ratio
from olvdm.evaluation.feature_distance import diversity
from olvdm.evaluation.judges import Judges
from olvdm.evaluation.measures import (
    MEASURES,
    NETWORK_MEASURES,
    THUMBNAIL_MEASURES,
    Measure,
    measure_clip,
)
from olvdm.evaluation.optical_flow import estimate_flow
from olvdm.evaluation.prompt_rows import PromptRow, RowStore
from olvdm.evaluation.protocol import NUM_FRAMES, Evaluation
from olvdm.evaluation.thumbnails import (
    FEATURES,
    ThumbnailSpace,
    pack_thumbnail,
    thumbnail,
    thumbnail_features,
    unpack_thumbnails,
)
from olvdm.evaluation.tracker import track
from olvdm.pipeline import OLVDMPipeline


def draw_rows(
    pipeline: OLVDMPipeline,
    evaluation: Evaluation,
    clips: MovingShapes,
    store: RowStore,
    advance: Callable[[bool], None],
    judges: Judges | None = None,
) -> list[PromptRow]:
    """Draw and measure every prompt that the store does not know yet.

    Args:
        pipeline: The model.
        evaluation: Steps, guidance and the first noise seed.
        clips: Real clips whose captions are the prompts.
        store: Rows of an earlier start; new ones are added to it.
        advance: Called after each prompt, with whether it was drawn now.
        judges: Those that bring networks of their own.

    Returns:
        One row for each prompt.

    Ours: the noise follows from the place of the prompt alone, so two checkpoints are paired.
    """
    for index in range(len(clips)):
        is_new = index not in store.rows
        if is_new:
            store.add(_draw_row(pipeline, evaluation, clips, index, judges))
        advance(is_new)
    return [store.rows[index] for index in range(len(clips))]


def summarise_rows(
    rows: Sequence[PromptRow], may_judge: Mapping[str, bool], judges: Judges | None = None
) -> dict[str, Any]:
    """Sum up what the clips of all prompts scored.

    Args:
        rows: One for each prompt.
        may_judge: Whether its judge is right often enough on real clips, by measure; others are
            not reported of drawn clips.
        judges: Those that bring networks of their own, and the space of the thumbnails.

    Returns:
        Measures by group, drawn clips beside real ones, as JSON can hold them.

    Source: method.md section 7.
    """
    groups: dict[str, dict[str, Any]] = {}
    for measure in known_measures(rows):
        is_judged = may_judge.get(measure.name, True)
        groups.setdefault(measure.group, {})[measure.name] = summarise_measure(
            rows, measure, is_judged
        )
    summary: dict[str, Any] = {
        "num_prompts": len(rows),
        **groups,
        "diversity": {
            "features": FEATURES,
            "generated": _diversity([row.thumbnail for row in rows]),
            "real": _diversity([row.real_thumbnail for row in rows]),
        },
    }
    if judges and len(rows) > 1:
        summary["thumbnail_distances"] = compare_thumbnails(rows, judges.space)
    if judges and judges.attributes and may_judge.get("distances") and len(rows) > 1:
        summary["distances"] = judges.attributes.compare_sets(
            unpack_features([row.features for row in rows]),
            unpack_features([row.real_features for row in rows]),
        )
    return summary


def known_measures(rows: Sequence[PromptRow]) -> list[Measure]:
    """Return the measures that were taken of every clip, in the order of the tables.

    Args:
        rows: One for each prompt.

    Returns:
        All of the frames themselves, and of the others those that were taken.
    """
    others = (*THUMBNAIL_MEASURES, *NETWORK_MEASURES)
    return [*MEASURES, *(one for one in others if all(one.name in row.generated for row in rows))]


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


def draw_clip(
    pipeline: OLVDMPipeline, evaluation: Evaluation, prompt: str, noise_seed: int
) -> UInt8[np.ndarray, "t h w 3"]:
    """Draw the clip of one prompt, the same one at every call.

    Args:
        pipeline: The model.
        evaluation: Steps and guidance.
        prompt: What to draw.
        noise_seed: Of the noise that it begins from.

    Returns:
        The clip that is scored.
    """
    return pipeline(
        prompt,
        num_frames=NUM_FRAMES,
        num_inference_steps=evaluation.num_inference_steps,
        guidance_scale=evaluation.guidance_scale,
        slot_guidance_scale=evaluation.slot_guidance_scale,
        slot_guidance_floor=evaluation.slot_guidance_floor,
        num_candidates=evaluation.num_candidates,
        shuffles_slots=evaluation.shuffles_slots,
        generator=torch.Generator().manual_seed(noise_seed),
    ).uint8_frames[0]


def _draw_row(
    pipeline: OLVDMPipeline,
    evaluation: Evaluation,
    clips: MovingShapes,
    index: int,
    judges: Judges | None,
) -> PromptRow:
    clip, noise_seed = clips[index], evaluation.seed + index
    started = time.perf_counter()
    frames = draw_clip(pipeline, evaluation, clip.prompt, noise_seed)
    seconds = time.perf_counter() - started
    generated, features = _measure(frames, clip.prompt, judges)
    real, real_features = _measure(clip.frames, clip.prompt, judges)
    return PromptRow(
        index=index,
        prompt=clip.prompt,
        noise_seed=noise_seed,
        frames_sha256=hashlib.sha256(np.ascontiguousarray(frames).tobytes()).hexdigest(),
        seconds=round(seconds, 3),
        generated=generated,
        real=real,
        thumbnail=pack_thumbnail(thumbnail(frames)),
        real_thumbnail=pack_thumbnail(thumbnail(clip.frames)),
        features=features,
        real_features=real_features,
    )


def _measure(
    frames: UInt8[np.ndarray, "t h w 3"], prompt: str, judges: Judges | None
) -> tuple[dict[str, float], str]:
    """Take every measure of one clip, and what distances need of it."""
    flow, tracks = estimate_flow(frames), track(frames)
    found = measure_clip(frames, parse_prompt(prompt), flow, tracks)
    judged, features = judges.measure(frames, flow, tracks) if judges else ({}, "")
    return found | judged, features


def compare_thumbnails(rows: Sequence[PromptRow], space: ThumbnailSpace) -> dict[str, Any]:
    """Compare all drawn clips with the real ones by their thumbnails.

    Args:
        rows: One for each prompt, at least two.
        space: That compares them.

    Returns:
        Distances, as JSON can hold them.
    """
    return space.compare(
        unpack_thumbnails([row.thumbnail for row in rows]),
        unpack_thumbnails([row.real_thumbnail for row in rows]),
    )


def with_nearest(rows: Sequence[PromptRow], space: ThumbnailSpace) -> list[PromptRow]:
    """Return rows that say how far each clip is from the nearest training clip.

    Args:
        rows: Some of which may say it already.
        space: That measures it.

    Returns:
        All rows, with ``nearest_thumbnail`` for both clips of a prompt.
    """
    (name,) = (one.name for one in THUMBNAIL_MEASURES)
    lacking = [row for row in rows if name not in row.generated]
    if not lacking:
        return list(rows)
    drawn = space.nearest(unpack_thumbnails([row.thumbnail for row in lacking]))
    real = space.nearest(unpack_thumbnails([row.real_thumbnail for row in lacking]))
    found = {
        row.index: replace(
            row, generated=row.generated | {name: own}, real=row.real | {name: other}
        )
        for row, own, other in zip(lacking, drawn, real, strict=True)
    }
    return [found.get(row.index, row) for row in rows]


def summarise_measure(
    rows: Sequence[PromptRow], measure: Measure, is_judged: bool
) -> dict[str, Any]:
    """Average one measure over all prompts.

    Args:
        rows: One for each prompt.
        measure: Which one.
        is_judged: Whether its judge may be asked of drawn clips.

    Returns:
        Drawn clips, real ones and the difference, as JSON can hold them.
    """
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
    return as_number(diversity(thumbnail_features(unpack_thumbnails(thumbnails))))
