import dataclasses

import numpy as np
import pytest

from olvdm.evaluation.attribute_judge import pack_features
from olvdm.evaluation.prompt_rows import PromptRow
from olvdm.evaluation.report_comparison import Comparison, compare_rows
from olvdm.evaluation.set_comparison import SET_MEASURES, have_features

NAMES = [measure.name for measure in SET_MEASURES]


def make_rows(shift: float = 0.0, seed: int = 0, count: int = 60) -> list[PromptRow]:
    """Return rows whose clips are real ones moved by a shift, with some noise of their own."""
    real = np.random.default_rng(9).normal(size=(count, 4)).astype(np.float32)
    noise = 0.3 * np.random.default_rng(seed).normal(size=real.shape).astype(np.float32)
    return [
        PromptRow(
            index=index,
            prompt=f"prompt {index}",
            noise_seed=index,
            frames_sha256="",
            seconds=1.0,
            generated={},
            real={},
            thumbnail="",
            real_thumbnail="",
            features=pack_features(real[index] + noise[index] + np.float32(shift)),
            real_features=pack_features(real[index]),
        )
        for index in range(count)
    ]


def compared(first: list[PromptRow], second: list[PromptRow]) -> dict[str, Comparison]:
    from olvdm.evaluation.measures import MEASURES

    may_judge = {measure.name: False for measure in MEASURES}
    return {one.measure.name: one for one in compare_rows(first, second, may_judge)}


@pytest.mark.parametrize("name", NAMES)
def test_clips_that_are_farther_from_the_real_ones_are_worse(name: str) -> None:
    assert compared(make_rows(), make_rows(1.5, seed=1))[name].verdict == "worse"


@pytest.mark.parametrize("name", NAMES)
def test_clips_that_are_nearer_are_better(name: str) -> None:
    assert compared(make_rows(1.5), make_rows(seed=1))[name].verdict == "better"


@pytest.mark.parametrize("name", NAMES)
def test_two_draws_of_one_model_are_undecided(name: str) -> None:
    assert compared(make_rows(seed=1), make_rows(seed=2))[name].verdict == "undecided"


@pytest.mark.parametrize("name", NAMES)
def test_the_interval_holds_the_difference(name: str) -> None:
    one = compared(make_rows(), make_rows(0.5, seed=1))[name]
    assert one.difference.low < one.second - one.first < one.difference.high


def test_rows_without_features_have_no_sets() -> None:
    rows = make_rows(count=3)
    bare = [dataclasses.replace(row, features="") for row in rows]
    assert have_features(rows)
    assert not have_features(bare)
    assert compared(bare, rows) == {}
