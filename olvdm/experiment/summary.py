"""What follows from the results of an experiment, as its report states it: all seeds together."""

from typing import Literal

from olvdm.experiment.result_parts import Count, Number, Part, Verdict

Demand = Literal["gain", "steady", "not worse", "no larger", "no gain"]


class Change(Part):
    """One measure of a row against the reference, all seeds together.

    Attributes:
        percent: Change of the mean, in percent of the reference's.
        low: Lower end of its interval, likewise; none where the goal is the real clip.
        high: Upper end.
        effect_size: Cohen's d of the paired differences.
        verdict: ``undecided`` where the interval holds 0.
        num_seeds: Seeds that were compared.
        num_better: Those whose interval says better.
        num_worse: Those whose interval says worse.
    """

    percent: Number
    low: Number
    high: Number
    effect_size: Number
    verdict: Verdict
    num_seeds: Count
    num_better: Count
    num_worse: Count


class Aim(Part):
    """One thing that was asked of the method before it was measured.

    Attributes:
        row: Whom it is asked of.
        measure: Of what: a measure of a clip, or a number of all clips together.
        demand: ``gain``: better, by the bound; ``steady``: its mean within the bound of the
            reference's; ``not worse``: worse neither in all seeds together nor in one alone; ``no
            larger``: its mean, where there is no interval; ``no gain``: better neither in all seeds
            together nor in one alone, as is asked of a control.
        bound_percent: The bound; none where the demand has none.
        change: What was found; none where nothing was.
        is_met: Whether it is; none where nothing was found.
    """

    row: str
    measure: str
    demand: Demand
    bound_percent: Number
    change: Change | None
    is_met: bool | None


class RowCost(Part):
    """What a step of training takes in a row, mean over its seeds.

    Attributes:
        row: Its name.
        seconds_per_step: Of training.
        extra_time_percent: Above the reference's.
        peak_memory_mb: Of training.
        extra_memory_percent: Above the reference's.
        training_minutes: Of one branch.
        drawing_seconds: Of one clip with its slots.
    """

    row: str
    seconds_per_step: Number
    extra_time_percent: Number
    peak_memory_mb: Number
    extra_memory_percent: Number
    training_minutes: Number
    drawing_seconds: Number


class Summary(Part):
    """What follows from results.

    Attributes:
        interval_percent: Of every interval.
        changes: By row, level and measure.
        aims: What was asked of the method, and whether it was reached.
        costs: One a row that was trained.
        cost_bound_percent: What the slot term may add to the time of a step.
        missing_minutes: That all missing branches would take; none where one is unknown.
    """

    interval_percent: float
    changes: dict[str, dict[str, dict[str, Change]]]
    aims: tuple[Aim, ...]
    costs: tuple[RowCost, ...]
    cost_bound_percent: float
    missing_minutes: Number
