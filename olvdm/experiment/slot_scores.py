"""How well slots find the objects of real clips: scored once for each seed and level, and kept."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from olvdm.evaluation.prompt_rows import write_text
from olvdm.evaluation.protocol import SPLIT, Evaluation, clip_size, code_sha256, real_clips
from olvdm.evaluation.slot_score import SCORES, score_slots
from olvdm.experiment.plan import Plan, SlotNetwork, part_sha256
from olvdm.experiment.result_parts import Interval, SlotScores
from olvdm.training.assembly import assemble

FOLDER_NAME = "slots"
BY_SLOTS = "slots"
BASELINES = {"kmeans": "k-means, colour and position", "kmeans_latents": "k-means, latents"}


def score_network(
    plan: Plan, network: SlotNetwork, evaluation: Evaluation, advance: Callable[[], None]
) -> None:
    """Score slots beside k-means on real clips of one level.

    Args:
        plan: Of which the slots are a part.
        network: The slots.
        evaluation: Its level and number of clips.
        advance: Called after each clip; it may raise to stop, and then nothing is kept.
    """
    places = plan.places
    pipeline, _ = assemble(
        {"autoencoder": places.autoencoder, "slots": network.folder, "denoiser": places.base}
    )
    pipeline.to("cuda" if torch.cuda.is_available() else "cpu")
    clips = real_clips(clip_size(pipeline), evaluation.level, SPLIT, evaluation.num_clips)
    scores = score_slots(pipeline, clips, advance)
    path = _path(plan, network, evaluation)
    path.parent.mkdir(exist_ok=True)
    write_text(path, json.dumps({"key": _key(plan, network, evaluation), **scores}) + "\n")


def is_scored(plan: Plan, network: SlotNetwork, evaluation: Evaluation) -> bool:
    """Say whether slots are scored at a level."""
    return _kept(plan, network, evaluation) is not None


def slot_scores(plan: Plan, evaluations: Mapping[str, Evaluation]) -> tuple[SlotScores, ...]:
    """Return what is scored so far.

    Args:
        plan: Whose slots they are.
        evaluations: By level.

    Returns:
        For each level and group of clips the slots, one entry a seed, and then the baselines, which
        have no seed and are those of the first slots: as many clusters as these have slots.

    Source: method.md section 7.
    """
    return tuple(one for evaluation in evaluations.values() for one in _of_level(plan, evaluation))


def _of_level(plan: Plan, evaluation: Evaluation) -> Iterator[SlotScores]:
    kept = [(one.seed, _kept(plan, one, evaluation)) for one in plan.slot_networks]
    known = [(seed, scores["groups"]) for seed, scores in kept if scores is not None]
    if not known:
        return
    baselines = known[0][1]
    for group in baselines:
        for seed, groups in known:
            yield _scores(evaluation.level, group, groups[group], "model", seed)
        for side in BASELINES:
            yield _scores(evaluation.level, group, baselines[group], side, None)


def _scores(
    level: str, group: str, found: Mapping[str, Any], side: str, seed: int | None
) -> SlotScores:
    return SlotScores(
        level=level,
        group=group,
        by=BASELINES.get(side, BY_SLOTS),
        seed=seed,
        num_clips=found["num_clips"],
        scores={name: Interval(**found[side][name]) for name in SCORES},
    )


def _kept(plan: Plan, network: SlotNetwork, evaluation: Evaluation) -> dict[str, Any] | None:
    """Return what is on the disk, if it is of these slots, clips and code."""
    try:
        scores = json.loads(_path(plan, network, evaluation).read_bytes())
        is_same = scores["key"] == _key(plan, network, evaluation)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return scores if is_same else None


def _key(plan: Plan, network: SlotNetwork, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "slots_sha256": network.sha256,
        "autoencoder_sha256": part_sha256(plan.places.autoencoder, "autoencoder"),
        "code_sha256": code_sha256(),
        "num_clips": evaluation.num_clips,
    }


def _path(plan: Plan, network: SlotNetwork, evaluation: Evaluation) -> Path:
    return plan.places.output / FOLDER_NAME / f"seed-{network.seed}-{evaluation.level}.json"
