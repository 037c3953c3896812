"""What follows from results: nothing is claimed that the seeds together do not bear out."""

from typing import Any

import pytest

from olvdm.experiment.conclusions import combine, control_of, relative_interval, summarise
from olvdm.experiment.result_parts import Interval
from olvdm.experiment.results import PairedDifference
from tests.example_results import example_results
from tests.full_results import full_results


def paired(
    middle: float, half: float, verdict: Any, percent: float | None = None
) -> PairedDifference:
    return PairedDifference(
        difference=Interval(mean=middle, low=middle - half, high=middle + half, count=9),
        relative_percent=10 * middle if percent is None else percent,
        effect_size=middle,
        verdict=verdict,
        num_prompts=9,
        num_lower=4,
    )


def test_seeds_together_are_sure_where_one_of_them_is_not() -> None:
    seeds = [paired(-3, 1, "better"), paired(-1, 2, "undecided"), paired(-3, 1, "better")]
    found = combine(seeds, [10.0] * 3, "lower", paired(-2, 1, "better"))
    assert (found.verdict, found.percent, found.low, found.high) == ("better", -20, -30, -10)
    assert (found.num_seeds, found.num_better) == (3, 2)


def test_pooled_interval_is_scaled_by_the_mean_reference_where_nothing_changed() -> None:
    pooled = paired(0, 1, "undecided")
    found = combine([pooled] * 3, [10.0, None, 30.0], "lower", pooled)
    assert (found.low, found.high) == (-5, 5)
    assert combine([pooled] * 2, [None] * 2, "lower", pooled).percent == 0


def test_without_values_a_prompt_one_seed_that_shows_nothing_is_enough_to_claim_nothing() -> None:
    seeds = [paired(-3, 1, "better"), paired(-1, 2, "undecided"), paired(-3, 1, "better")]
    assert combine(seeds, [10.0] * 3, "lower").verdict == "undecided"


@pytest.mark.parametrize(("middle", "verdict"), [(-3, "better"), (3, "worse")])
def test_what_every_seed_says_is_said(middle: float, verdict: str) -> None:
    found = combine([paired(middle, 1, verdict)] * 2, [10.0] * 2, "lower")
    assert (found.verdict, found.num_better + found.num_worse) == (verdict, 2)


def test_the_interval_holds_that_of_every_seed() -> None:
    found = combine([paired(-3, 1, "better"), paired(-4, 3, "better")], [10.0] * 2, "lower")
    assert (found.percent, found.low, found.high) == (-35, -70, -10)


def test_change_of_motion_has_no_interval_since_its_verdict_is_of_distances() -> None:
    found = combine([paired(-3, 1, "better", percent=50)], [10.0], "real")
    assert (found.percent, found.low, found.high) == (50, None, None)


def test_interval_is_scaled_by_the_reference_where_nothing_changed() -> None:
    assert relative_interval(paired(0, 1, "undecided"), 20.0) == (0, -5, 5)


def test_unknown_difference_has_no_interval() -> None:
    unknown = Interval(mean=None, low=None, high=None, count=0)
    known = paired(1, 1, "undecided")
    assert relative_interval(known.model_copy(update={"difference": unknown}), 1.0) is None


def test_reference_is_not_compared_with_itself() -> None:
    assert "lvdm" not in summarise(full_results()).changes


def test_row_that_was_not_run_has_no_change() -> None:
    assert summarise(example_results()).changes.keys() == {"corr"}


def aim(measure: str, row: str = "corr") -> bool | None:
    found = {(one.row, one.measure): one.is_met for one in summarise(full_results()).aims}
    return found[row, measure]


def test_gain_beyond_the_bound_is_reached() -> None:
    assert aim("area_drift") is True


def test_lost_motion_is_not_as_asked() -> None:
    assert aim("mean_flow") is False


def test_worse_agreement_is_not_as_asked() -> None:
    assert aim("colour") is False


def test_distance_of_all_clips_is_asked_not_to_grow() -> None:
    assert aim("frechet_distance") is True


def test_control_without_a_gain_is_as_asked() -> None:
    assert aim("area_drift", "shuffled") is True


def test_small_gain_misses_the_bound() -> None:
    results = example_results()  # both seeds of it change by 25 % or less
    met = {one.measure: one.is_met for one in summarise(results).aims}
    assert met["area_drift"] is False


def test_control_is_found_by_its_name() -> None:
    control = control_of(full_results())
    assert control is not None
    assert control.name == "shuffled"


def test_default_is_held_against_its_own_control_where_it_has_one() -> None:
    results = full_results()
    own = results.row("shuffled").model_copy(update={"name": "corr_shuffled"})
    control = control_of(results.model_copy(update={"rows": (*results.rows, own)}))
    assert control is not None
    assert control.name == "corr_shuffled"


def test_cost_is_told_beside_the_reference() -> None:
    costs = {one.row: one for one in summarise(example_results()).costs}
    assert (costs["lvdm"].extra_time_percent, costs["corr"].extra_time_percent) == (0, 25)


def test_time_of_what_is_missing_is_added_up() -> None:
    assert summarise(example_results()).missing_minutes == 42.5


def test_unknown_time_of_one_branch_leaves_the_sum_unknown() -> None:
    results = example_results()
    unknown = results.missing[0].model_copy(update={"minutes": None})
    changed = results.model_copy(update={"missing": (*results.missing, unknown)})
    assert summarise(changed).missing_minutes is None
