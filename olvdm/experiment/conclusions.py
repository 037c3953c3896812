"""Results -> what follows from them: changes over all seeds, aims that are met, cost, gaps."""

import math
from collections.abc import Mapping, Sequence
from statistics import mean

from olvdm.evaluation.bootstrap import LEVEL, as_number
from olvdm.experiment.result_parts import Number, Verdict
from olvdm.experiment.results import BranchCost, PairedDifference, Results, Row, SetScore
from olvdm.experiment.summary import Aim, Change, Demand, RowCost, Summary

GAIN_PERCENT, STEADY_PERCENT, COST_PERCENT = 25.0, 5.0, 20.0
# Asked of the default before anything was measured; its control must not show the gains.
GAINS = ("identity_switches", "colour_drift", "area_drift", "object_warp_error")
STEADY = ("mean_flow", "dynamic_degree", "track_length")
DISTANCE = "frechet"  # part of the name of the number of all clips that must not grow
CONTROL = "shuffled"  # part of the name of the row whose gain must vanish


def summarise(results: Results) -> Summary:
    """Draw the conclusions that the report states.

    Args:
        results: What was found; a summary that is there already is not read.

    Returns:
        The summary, all of whose numbers follow from the results.

    Ours: a report that computes nothing can be checked, number by number, against its JSON.
    """
    changes = {row.name: _row_changes(results, row) for row in results.rows}
    changes = {name: levels for name, levels in changes.items() if levels}
    minutes = [one.minutes for one in results.missing]
    return Summary(
        interval_percent=100 * LEVEL,
        changes=changes,
        aims=tuple(_aims(results, changes)),
        costs=tuple(_costs(results)),
        cost_bound_percent=COST_PERCENT,
        missing_minutes=None if None in minutes else _rounded(sum(filter(None, minutes))),
    )


def relative_interval(
    paired: PairedDifference, reference_mean: Number
) -> tuple[float, float, float] | None:
    """Return a paired difference in percent of the reference's mean.

    Args:
        paired: Of a measure whose goal is not the real clip, where the difference is another one.
        reference_mean: Of the reference over all prompts that it could be measured on; asked only
            where the difference is 0, which says nothing of the scale.

    Returns:
        Change and both ends of its interval; none where one of them is unknown.
    """
    difference, change = paired.difference, paired.relative_percent
    if change is None or None in (difference.mean, difference.low, difference.high):
        return None
    middle, low, high = (float(one or 0) for one in _ends(paired))
    scale = change / middle if middle else 100 / abs(reference_mean) if reference_mean else 0.0
    return change, low * scale, high * scale


def combine(
    changes: Sequence[PairedDifference],
    references: Sequence[Number],
    goal: str,
    pooled: PairedDifference | None = None,
) -> Change:
    """Put the seeds of one row together.

    Args:
        changes: One measure, one a seed; at least one.
        references: Mean of the reference of the same seed.
        goal: Of the measure.
        pooled: The seeds as one; none where there is one seed, and for numbers of all clips.

    Returns:
        What the pooled difference says; without one, the mean change, and an interval that holds
        the interval of every seed: it leaves out 0 only where each seed does so on the same side,
        which is then what the verdict asks for.

    Ours: where seeds cannot be drawn anew, nothing is assumed of how they vary; one seed that
    shows nothing is then enough to claim nothing.
    """
    told, scales = list(changes), list(references)
    if pooled:
        known = [one for one in references if one is not None]
        told, scales = [pooled], [mean(known) if known else None]
    percents = [one.relative_percent for one in told if one.relative_percent is not None]
    effects = [one.effect_size for one in told if one.effect_size is not None]
    pairs = zip(told, scales, strict=True)
    spans = [relative_interval(*pair) for pair in pairs] if goal != "real" else []
    inside = [one for one in spans if one is not None]
    verdicts: list[Verdict] = [one.verdict for one in changes]
    joint: set[Verdict] = {one.verdict for one in told}
    return Change(
        percent=_rounded(mean(percents)) if percents else None,
        low=_rounded(min(low for _, low, _ in inside)) if inside else None,
        high=_rounded(max(high for _, _, high in inside)) if inside else None,
        effect_size=_rounded(mean(effects)) if effects else None,
        verdict=joint.pop() if len(joint) == 1 else "undecided",
        num_seeds=len(verdicts),
        num_better=verdicts.count("better"),
        num_worse=verdicts.count("worse"),
    )


def control_of(results: Results) -> Row | None:
    """Return the control whose gain must vanish: the default with its slots shuffled.

    Where the default has none of its own, it is the first control that there is.
    """
    own = f"{results.protocol.default}_{CONTROL}"
    controls = (row for row in results.rows if CONTROL in row.name)
    return min(controls, key=lambda row: row.name != own, default=None)  # the first of equal ones


def _ends(paired: PairedDifference) -> tuple[Number, Number, Number]:
    return paired.difference.mean, paired.difference.low, paired.difference.high


def _row_changes(results: Results, row: Row) -> dict[str, dict[str, Change]]:
    """Return the changes of a row by level and measure; the reference has none."""
    found: dict[str, dict[str, Change]] = {}
    for level in results.protocol.levels:
        changes = {
            one.name: change
            for one in results.measures
            if (change := _change(results, row, level, one.name, one.goal)) is not None
        }
        found |= {level: changes} if changes else {}
    return found


def _change(results: Results, row: Row, level: str, measure: str, goal: str) -> Change | None:
    reference = {one.seed: one for one in results.row(results.protocol.reference).branches}
    pairs = [
        (scores.paired[measure], reference[branch.seed].levels[level].measures.get(measure))
        for branch in row.branches
        if (scores := branch.levels.get(level)) and measure in scores.paired
        if branch.seed in reference and level in reference[branch.seed].levels
    ]
    if not pairs:
        return None
    means = [None if interval is None else interval.mean for _, interval in pairs]
    pooled = row.seeds[level].pooled.get(measure)
    return combine([paired for paired, _ in pairs], means, goal, pooled)


def _aims(results: Results, changes: dict[str, dict[str, dict[str, Change]]]) -> list[Aim]:
    """Hold what was found at the first level against what was asked."""
    default, control = results.protocol.default, control_of(results)
    known = {one.name for one in results.measures}
    agreement = [one.name for one in results.measures if one.group == "agreement"]
    asked: list[tuple[str, str, Demand, Number]] = [
        *((default, name, "gain", GAIN_PERCENT) for name in GAINS),
        *((default, name, "steady", STEADY_PERCENT) for name in STEADY),
        *((default, name, "not worse", None) for name in agreement),
        *((control.name, name, "no gain", None) for name in GAINS if control),
    ]
    level = results.protocol.levels[0]
    return [
        *(
            _aim(row, name, demand, bound, changes.get(row, {}).get(level, {}).get(name))
            for row, name, demand, bound in asked
            if name in known
        ),
        *_distance_aims(results, level),
    ]


def _distance_aims(results: Results, level: str) -> list[Aim]:
    """Ask of distances of all clips, which have no interval, that their mean is no larger."""
    default = _sets(results, results.protocol.default, level)
    reference = _sets(results, results.protocol.reference, level)
    names = sorted({name for sets in default.values() for name in sets if DISTANCE in name})
    pairs = {
        name: [
            (_generated(sets, name), _generated(reference.get(seed, {}), name))
            for seed, sets in default.items()
        ]
        for name in names
    }
    return [
        _aim(results.protocol.default, name, "no larger", 0.0, _set_change(pairs[name]))
        for name in names
    ]


def _set_change(pairs: Sequence[tuple[Number, Number]]) -> Change:
    """Put together a number of all clips, which has no interval, over the seeds."""
    percents = [
        100 * (after / before - 1) for after, before in pairs if before and after is not None
    ]
    return Change(
        percent=_rounded(mean(percents)) if percents else None,
        low=None,
        high=None,
        effect_size=None,
        verdict="undecided",
        num_seeds=len(percents),
        num_better=0,
        num_worse=0,
    )


def _sets(results: Results, row: str, level: str) -> dict[int, Mapping[str, SetScore]]:
    """Return the numbers of all clips together, by seed; none of a row that there is not."""
    branches = next((one.branches for one in results.rows if one.name == row), ())
    return {one.seed: one.levels[level].sets for one in branches if level in one.levels}


def _generated(sets: Mapping[str, SetScore], name: str) -> Number:
    return sets[name].generated if name in sets else None


def _aim(row: str, measure: str, demand: Demand, bound: Number, change: Change | None) -> Aim:
    is_met = None
    if change is not None and change.percent is not None:
        is_met = {
            "gain": change.verdict == "better" and abs(change.percent) >= (bound or 0),
            "steady": abs(change.percent) <= (bound or 0),
            "not worse": change.num_worse == 0 and change.verdict != "worse",
            "no larger": change.percent <= (bound or 0),
            "no gain": change.num_better == 0 and change.verdict != "better",
        }[demand]
    return Aim(
        row=row, measure=measure, demand=demand, bound_percent=bound, change=change, is_met=is_met
    )


def _costs(results: Results) -> list[RowCost]:
    by_row: dict[str, list[BranchCost]] = {row.name: [] for row in results.rows}
    for cost in results.cost:
        by_row.setdefault(cost.row, []).append(cost)
    base = by_row.get(results.protocol.reference, [])
    return [_row_cost(name, costs, base) for name, costs in by_row.items() if costs]


def _row_cost(row: str, costs: Sequence[BranchCost], base: Sequence[BranchCost]) -> RowCost:
    seconds, memory = _mean(costs, "seconds_per_step"), _mean(costs, "peak_memory_mb")
    return RowCost(
        row=row,
        seconds_per_step=seconds,
        extra_time_percent=_above(seconds, _mean(base, "seconds_per_step")),
        peak_memory_mb=memory,
        extra_memory_percent=_above(memory, _mean(base, "peak_memory_mb")),
        training_minutes=_mean(costs, "training_minutes"),
        drawing_seconds=_mean(costs, "drawing_seconds"),
    )


def _mean(costs: Sequence[BranchCost], name: str) -> Number:
    known = [value for one in costs if (value := getattr(one, name)) is not None]
    return _rounded(mean(known)) if known else None


def _above(value: Number, base: Number) -> Number:
    return None if value is None or not base else _rounded(100 * (value / base - 1))


def _rounded(value: float) -> Number:
    """Round as reports do: the last bits of a mean say nothing."""
    return as_number(float(value)) if math.isfinite(value) else None
