import dataclasses

import numpy as np
import pytest

from olvdm.evaluation.attribute_judge import pack_features
from olvdm.evaluation.measures import MEASURES
from olvdm.evaluation.prompt_rows import PromptRow
from olvdm.evaluation.report_comparison import Comparison, compare_rows
from olvdm.evaluation.set_comparison import SET_MEASURES, have_features
from olvdm.evaluation.thumbnails import SHAPE, pack_thumbnail

NAMES = [one.measure.name for one in SET_MEASURES]


def make_rows(shift: float = 0.0, seed: int = 0, count: int = 60) -> list[PromptRow]:
    """Return rows whose clips are real ones moved by a shift, with some noise of their own."""
    real = np.random.default_rng(9).normal(size=(count, 4)).astype(np.float32)
    noise = 0.3 * np.random.default_rng(seed).normal(size=real.shape).astype(np.float32)
    drawn = real + noise + np.float32(shift)
    return [
        PromptRow(
            index=index,
            prompt=f"prompt {index}",
            noise_seed=index,
            frames_sha256="",
            seconds=1.0,
            generated={},
            real={},
            thumbnail=shaded(drawn[index]),
            real_thumbnail=shaded(real[index]),
            features=pack_features(drawn[index]),
            real_features=pack_features(real[index]),
        )
        for index in range(count)
    ]


def shaded(shades: np.ndarray) -> str:
    """Return a thumbnail of four columns, each as bright as a number says."""
    columns = np.repeat(120 + 30 * shades, 2)[None, None, :, None]
    pixels = np.broadcast_to(columns, SHAPE).clip(0, 255).astype(np.uint8)
    return pack_thumbnail(pixels)


def compared(first: list[PromptRow], second: list[PromptRow]) -> dict[str, Comparison]:
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
    bare = [dataclasses.replace(row, features="", thumbnail="") for row in rows]
    for one in SET_MEASURES:
        assert have_features(rows, one)
        assert not have_features(bare, one)
    assert compared(bare, rows) == {}


def test_network_below_its_bar_is_not_asked_and_thumbnails_are() -> None:
    may_judge = {measure.name: False for measure in MEASURES} | {"distances": False}
    found = compare_rows(make_rows(), make_rows(seed=1), may_judge)
    assert {one.measure.name for one in found} == {
        one.measure.name for one in SET_MEASURES if not one.features.needs_judge
    }
