"""What branches took, and what those that are missing would take."""

from collections.abc import Mapping
from statistics import mean, median
from typing import Any

from olvdm.evaluation.bootstrap import as_number
from olvdm.evaluation.protocol import Evaluation
from olvdm.experiment.branch import Branch, log_lines
from olvdm.experiment.plan import Plan
from olvdm.experiment.results import BranchCost, Missing

Reports = Mapping[tuple[str, int, str], Mapping[str, Any]]  # by row, seed and level


def missing_branches(plan: Plan, evaluations: Mapping[str, Evaluation]) -> list[Missing]:
    """List what is not done, with what it would take by the pace of what is.

    Args:
        plan: The branches.
        evaluations: What all are asked to draw, by level.

    Returns:
        One entry a branch that is not done, in the order of computing.
    """
    found: list[Missing] = []
    for (name, seed), branch in plan.branches.items():
        steps = branch.num_steps - branch.steps_done
        to_draw = {
            level: one.num_prompts - branch.prompts_done(one) for level, one in evaluations.items()
        }
        prompts = sum(to_draw.values())
        if steps or prompts:
            seconds = (_step_seconds(plan, branch), _prompt_seconds(plan, branch))
            known = None not in seconds
            minutes = (
                sum(n * (one or 0.0) for n, one in zip((steps, prompts), seconds, strict=True)) / 60
            )
            found.append(
                Missing(
                    row=name,
                    seed=seed,
                    steps=steps,
                    prompts=prompts,
                    levels=tuple(level for level, count in to_draw.items() if count),
                    minutes=round(minutes, 1) if known else None,
                )
            )
    return found


def _step_seconds(plan: Plan, branch: Branch) -> float | None:
    """Return what a step of a branch takes: as its own row does, or as others of its stage do."""
    if branch.row.stage == "none":
        return 0.0
    alike = [one for one in plan.branches.values() if one.row.stage == branch.row.stage]
    own = [one for one in alike if one.row.name == branch.row.name]
    for group in (own, alike):
        seconds = [one for one in map(_seconds_per_step, group) if one is not None]
        if seconds:
            return mean(seconds)
    return None


def _prompt_seconds(plan: Plan, branch: Branch) -> float | None:
    """Return what a prompt takes: in its own row, or in others."""
    own = [one for one in plan.branches.values() if one.row.name == branch.row.name]
    for group in (own, list(plan.branches.values())):
        costs = [cost for cost in (one.cost() for one in group) if cost.get("prompts")]
        if costs:
            return mean(one["scoring_seconds"] / one["prompts"] for one in costs)
    return None


def _seconds_per_step(branch: Branch) -> float | None:
    """Return the median over its log."""
    if branch.config is None:
        return None
    speeds = [line["clips_per_second"] for line in log_lines(branch) if "clips_per_second" in line]
    return branch.config.batch_size / median(speeds) if speeds else None


def branch_cost(branch: Branch, reports: Reports) -> BranchCost:
    """Return what a branch took.

    Args:
        branch: The branch.
        reports: Finished reports of all branches.

    Returns:
        Times and memory.
    """
    lines = [line["elapsed"] for line in log_lines(branch) if "elapsed" in line]
    seconds = _seconds_per_step(branch)
    drawing = [
        report["seconds"]["per_drawn_clip"]["median"]
        for key, report in reports.items()
        if key[:2] == (branch.row.name, branch.seed)
    ]
    peak = branch.cost().get("peak_memory_mb")
    batch_size = branch.config.batch_size if branch.config else 0
    return BranchCost(
        row=branch.row.name,
        seed=branch.seed,
        steps=branch.steps_done,
        training_minutes=round(max(lines) / 60, 2) if lines else None,
        seconds_per_step=None if seconds is None else as_number(seconds),
        clips_per_second=None if seconds is None else as_number(batch_size / seconds),
        peak_memory_mb=None if peak is None else round(peak, 1),
        drawing_seconds=round(mean(drawing), 3) if drawing else None,
    )
