"""The clips that an experiment shows: of the default beside the reference, drawn once, and kept."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from pydantic import ValidationError

from olvdm.evaluation.measures import MEASURES
from olvdm.evaluation.prompt_rows import ROWS_NAME, PromptRow, read_rows, write_text
from olvdm.evaluation.protocol import (
    SPLIT,
    Evaluation,
    clip_size,
    evaluation_of,
    real_clips,
    rows_key,
)
from olvdm.experiment.branch import Branch
from olvdm.experiment.examples import choose_examples, draw_example
from olvdm.experiment.plan import Plan
from olvdm.experiment.result_parts import Example
from olvdm.manifest import MANIFEST_NAME, file_sha256
from olvdm.pipeline import OLVDMPipeline

FILE_NAME = "examples.json"
# By the classical tracker, against which no model is trained: neither side is favoured.
MEASURE = next(one for one in MEASURES if one.name == "object_warp_error")


def draw_gallery(plan: Plan, evaluations: Mapping[str, Evaluation]) -> None:
    """Draw the examples once default and reference are scored, unless they are drawn already.

    Args:
        plan: Whose rows are shown, by the first seed that both have.
        evaluations: By level; the first one is shown.

    Ours: chosen by what the prompts scored, so that nobody chooses.
    """
    level, evaluation = next(iter(evaluations.items()))
    pair = _pair(plan, evaluation)
    if pair is None or _kept(plan, level, pair) is not None:
        return
    before, after = map(_rows, pair)
    models = {
        one.branch.row.name: (_load(one.branch), evaluation_of(one.report["protocol"]))
        for one in pair
    }
    pipeline = models[plan.suite.reference][0]
    clips = real_clips(clip_size(pipeline), level, SPLIT, evaluation.num_prompts)
    chosen = choose_examples(before, after, MEASURE)
    drawn = [
        draw_example(rule, place, MEASURE.name, clips, models).model_dump(mode="json")
        for rule, place in chosen.items()
    ]
    text = json.dumps({"key": _key(level, pair), "examples": drawn})
    write_text(plan.places.output / FILE_NAME, text + "\n")


def gallery(plan: Plan, evaluations: Mapping[str, Evaluation]) -> tuple[Example, ...]:
    """Return the examples, nothing where they are not drawn, or others were scored since.

    Args:
        plan: Whose rows are shown.
        evaluations: By level.

    Returns:
        One example a rule.
    """
    level, evaluation = next(iter(evaluations.items()))
    pair = _pair(plan, evaluation)
    return () if pair is None else _kept(plan, level, pair) or ()


class _Scored(NamedTuple):
    """A branch with its finished report of a level."""

    branch: Branch
    report: Mapping[str, Any]


def _pair(plan: Plan, evaluation: Evaluation) -> tuple[_Scored, _Scored] | None:
    """Return reference and default of the first seed with which both are scored."""
    names = plan.suite.reference, plan.suite.default
    for seed in sorted({seed for _, seed in plan.branches}):
        found = [plan.branches.get((name, seed)) for name in names]
        scored = [
            _Scored(branch, report)
            for branch in found
            if branch and (report := branch.report(evaluation))
        ]
        if len(scored) == len(names):
            return scored[0], scored[1]
    return None


def _kept(plan: Plan, level: str, pair: tuple[_Scored, _Scored]) -> tuple[Example, ...] | None:
    """Return what is on the disk, if it was chosen from the scores that are there now."""
    try:
        content = json.loads((plan.places.output / FILE_NAME).read_bytes())
        if content["key"] != _key(level, pair):
            return None
        return tuple(Example.model_validate_json(json.dumps(one)) for one in content["examples"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None


def _key(level: str, pair: tuple[_Scored, _Scored]) -> dict[str, Any]:
    return {
        "measure": MEASURE.name,
        "checkpoints": [file_sha256(one.branch.checkpoint / MANIFEST_NAME) for one in pair],
        "rows": [file_sha256(one.branch.scores(level) / ROWS_NAME) for one in pair],
    }


def _rows(scored: _Scored) -> list[PromptRow]:
    protocol = scored.report["protocol"]
    folder, key = scored.branch.scores(protocol["level"]), rows_key(dict(protocol))
    return read_rows(folder, key, protocol["num_prompts"])


def _load(branch: Branch) -> OLVDMPipeline:
    pipeline = OLVDMPipeline.from_pretrained(branch.checkpoint)
    pipeline.to("cuda" if torch.cuda.is_available() else "cpu")
    return pipeline
