"""Scores the slots of whole test clips against the true masks, beside k-means."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Float64

from olvdm.data.moving_shapes import ShapesClip
from olvdm.evaluation.bootstrap import estimate_mean
from olvdm.evaluation.identity_score import IdentityScores, score_identity
from olvdm.evaluation.object_quality import (
    ObjectScores,
    cluster_latents,
    cluster_pixels,
    label_pixels,
    score_objects,
)
from olvdm.pipeline import OLVDMPipeline

SCORES = tuple(field.name for field in fields(ObjectScores) if field.name != "num_objects")
IDENTITY = tuple(field.name for field in fields(IdentityScores))


@dataclass(frozen=True)
class SlotRow:
    """What one clip scored.

    Attributes:
        model: By the model's slots.
        kmeans: By k-means on colour and position, as many clusters as there are slots.
        kmeans_latents: By k-means on the latents that the slots see, as many again.
        identity: How well the model's slots are known again by their correlation.
        has_occlusion: Whether an object passes before another.
    """

    model: ObjectScores
    kmeans: ObjectScores
    kmeans_latents: ObjectScores
    identity: IdentityScores
    has_occlusion: bool


def score_slots(
    pipeline: OLVDMPipeline, clips: Iterable[ShapesClip], advance: Callable[[], None]
) -> dict[str, Any]:
    """Find the slots of every clip, and compare them with the truth.

    Args:
        pipeline: The model.
        clips: Real clips with their true masks.
        advance: Called after each clip.

    Returns:
        Scores by group of clips, as JSON can hold them. One object makes foreground ARI 1 or
        nearly 0, so the group ``several_objects`` has the score that counts.

    Source: method.md section 7.
    """
    rows: list[SlotRow] = []
    for clip in clips:
        rows.append(_score_clip(pipeline, clip))
        advance()
    counts = sorted({row.model.num_objects for row in rows})
    groups = {
        "all": rows,
        "several_objects": [row for row in rows if row.model.num_objects > 1],
        **{
            f"{count}_object{'s' if count != 1 else ''}": [
                row for row in rows if row.model.num_objects == count
            ]
            for count in counts
        },
        "with_occlusion": [row for row in rows if row.has_occlusion],
        "without_occlusion": [row for row in rows if not row.has_occlusion],
    }
    return {
        "num_clips": len(rows),
        "num_slots": pipeline.slot_encoder.num_slots,
        "groups": {name: _summary(group) for name, group in groups.items() if group},
    }


def _score_clip(pipeline: OLVDMPipeline, clip: ShapesClip) -> SlotRow:
    from threadpoolctl import threadpool_limits

    found = pipeline.inspect(clip.frames)
    labels = label_pixels(found.alpha_masks[0].float().cpu().numpy())
    latents = pipeline.frame_latents(clip.frames)[0].transpose(0, 1).cpu().numpy()
    num_slots, size = pipeline.slot_encoder.num_slots, clip.frames.shape[1:3]
    with threadpool_limits(1):  # several threads sum in any order, which moves the last bits
        clusters = cluster_pixels(clip.frames, num_slots)
        latent_clusters = cluster_latents(latents, num_slots, *size)
    return SlotRow(
        model=score_objects(clip.true_masks, labels),
        kmeans=score_objects(clip.true_masks, clusters),
        kmeans_latents=score_objects(clip.true_masks, latent_clusters),
        identity=score_identity(found.correlation[0].cpu().numpy(), labels, clip.true_masks),
        has_occlusion=any(event.kind == "occludes" for event in clip.events),
    )


def _summary(rows: Sequence[SlotRow]) -> dict[str, Any]:
    """Average the scores of some clips, and how far the model is above either k-means."""
    model, kmeans, latents = (
        _table([getattr(row, side) for row in rows], SCORES)
        for side in ("model", "kmeans", "kmeans_latents")
    )
    identity = _table([row.identity for row in rows], IDENTITY)
    return {
        "num_clips": len(rows),
        "identity": _means(identity, IDENTITY),
        "model": _means(model, SCORES),
        "kmeans": _means(kmeans, SCORES),
        "model_minus_kmeans": _means(model - kmeans, SCORES),
        "kmeans_latents": _means(latents, SCORES),
        "model_minus_kmeans_latents": _means(model - latents, SCORES),
    }


def _table(
    scores: Sequence[ObjectScores | IdentityScores], names: Sequence[str]
) -> Float64[np.ndarray, "n s"]:
    """Return a row a clip and a column a score."""
    return np.array([[getattr(one, name) for name in names] for one in scores], dtype=np.float64)


def _means(values: Float64[np.ndarray, "n s"], names: Sequence[str]) -> dict[str, Any]:
    return {
        name: estimate_mean(column).as_json() for name, column in zip(names, values.T, strict=True)
    }
