"""What several trainings say together, where prompts and trainings could have been others."""

from dataclasses import replace

import numpy as np
import pytest

from olvdm.evaluation.pooling import pool_trainings
from olvdm.evaluation.report_comparison import Comparison, compare_rows
from tests.unit.evaluation.test_report_comparison import make_rows


def trainings(shifts: list[float], name: str = "warp_error") -> list[Comparison]:
    """Return comparisons of one measure, each with a shift of its own."""
    found = [
        compare_rows(make_rows(), make_rows(name, shift, seed=seed))
        for seed, shift in enumerate(shifts, start=1)
    ]
    return [next(one for one in ones if one.measure.name == name) for ones in found]


def pooled(shifts: list[float], name: str = "warp_error") -> Comparison:
    found = pool_trainings(trainings(shifts, name))
    assert found is not None
    return found


def test_trainings_that_agree_need_not_each_be_sure() -> None:
    assert pooled([-0.1, -0.1, -0.002]).verdict == "better"


def test_one_training_of_three_is_no_verdict() -> None:
    assert pooled([-0.3, 0.0, 0.0]).verdict == "undecided"


def test_trainings_that_contradict_each_other_are_no_verdict() -> None:
    assert pooled([-0.3, -0.3, 0.2]).verdict == "undecided"


def test_more_agreement_in_all_is_better() -> None:
    assert pooled([0.1, 0.2, 0.1], "colour").verdict == "better"


def test_its_difference_is_the_mean_of_theirs() -> None:
    ones = trainings([-0.3, 0.1])
    mean = np.mean([one.difference.mean for one in ones])
    assert pooled([-0.3, 0.1]).difference.mean == pytest.approx(mean)


def test_its_change_is_in_shares_of_the_mean_reference() -> None:
    found = pooled([-0.3, 0.1])
    assert found.relative == pytest.approx(found.difference.mean / found.first)


def test_it_counts_the_prompts_of_all() -> None:
    assert pooled([-0.3, -0.3]).num_prompts == 80
    assert pooled([-0.3, -0.3]).num_lower == 80


def test_a_prompt_that_one_training_could_not_be_measured_on_counts_in_the_others() -> None:
    holed = make_rows("warp_error", -0.1, seed=2)
    holed[0].generated["warp_error"] = float("nan")
    ones = [
        next(one for one in compare_rows(make_rows(), rows) if one.measure.name == "warp_error")
        for rows in (make_rows("warp_error", -0.1, seed=1), holed)
    ]
    found = pool_trainings(ones)
    assert found is not None
    assert (found.num_prompts, found.difference.count) == (79, 40)
    assert np.isfinite(found.difference.mean)


def test_one_training_has_nothing_to_be_pooled_with() -> None:
    assert pool_trainings(trainings([-0.1])) is None


def test_sets_of_clips_have_no_value_a_prompt_to_pool() -> None:
    bare = [replace(one, differences=np.empty(0)) for one in trainings([-0.1, -0.1])]
    assert pool_trainings(bare) is None
