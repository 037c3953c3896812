import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from olvdm.data.moving_shapes import MovingShapes, parse_prompt
from olvdm.evaluation.bootstrap import (
    as_number,
    effect_size,
    estimate_crossed,
    estimate_mean,
    estimate_ratio,
)
from olvdm.evaluation.measures import MEASURES, NEED_OBJECTS, measure_clip
from olvdm.evaluation.object_flicker import ObjectFlicker
from olvdm.evaluation.prompt_rows import PromptRow, RowStore, read_rows, write_text
from olvdm.evaluation.report_markdown import render_table, show_estimate
from olvdm.evaluation.tracker import Agreement, ObjectStability
from olvdm.evaluation.video_quality import VideoScores

NUMBERS = st.lists(st.floats(-100, 100), min_size=1, max_size=30)


def row_of(index: int, value: float = 1.0) -> PromptRow:
    return PromptRow(
        index=index,
        prompt="a red circle",
        noise_seed=index,
        frames_sha256="",
        seconds=1.0,
        generated={"warp_error": value},
        real={"warp_error": 0.5},
        thumbnail="",
        real_thumbnail="",
    )


@given(values=NUMBERS)
def test_the_mean_lies_in_its_interval(values: list[float]) -> None:
    found = estimate_mean(np.array(values))
    spread = 1e-9 + 1e-9 * abs(found.mean)
    assert min(values) - spread <= found.low <= found.high <= max(values) + spread


def test_the_interval_is_that_of_the_normal_law_for_many_clips() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 400)
    half = 1.96 * values.std(ddof=1) / 20
    found = estimate_mean(values)
    assert (found.low, found.high) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=0.02
    )


def test_what_cannot_be_measured_is_left_out() -> None:
    found = estimate_mean(np.array([1.0, np.nan, 3.0]))
    assert (found.mean, found.count) == (2.0, 2)


@given(rows=st.lists(NUMBERS, min_size=1, max_size=4))
def test_mean_over_trainings_and_clips_lies_in_its_interval(rows: list[list[float]]) -> None:
    values = np.stack([np.resize(row, 5) for row in rows])
    found = estimate_crossed(values)
    spread = 1e-9 + 1e-9 * float(np.abs(values).max())
    assert values.min() - spread <= found.low <= found.high <= values.max() + spread
    assert found.mean == pytest.approx(values.mean(), abs=spread)


def test_interval_of_one_training_is_that_of_its_clips() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 400)
    crossed, plain = estimate_crossed(values[None]), estimate_mean(values)
    assert (crossed.low, crossed.high) == pytest.approx((plain.low, plain.high), abs=0.02)


def test_interval_is_as_wide_as_trainings_differ_where_clips_do_not() -> None:
    values = np.repeat(np.random.default_rng(1).normal(3.0, 2.0, 40)[:, None], 50, axis=1)
    found, plain = estimate_crossed(values), estimate_mean(values[:, 0])
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=0.05)


def test_holes_of_one_training_are_left_out() -> None:
    found = estimate_crossed(np.array([[1.0, np.nan], [3.0, 5.0]]))
    assert (found.mean, found.count) == (3.0, 2)


def test_trainings_without_any_number_say_nothing() -> None:
    assert estimate_crossed(np.full((2, 3), np.nan)).as_json()["mean"] is None


def test_nothing_measured_is_none_in_json() -> None:
    assert estimate_mean(np.array([np.nan])).as_json()["mean"] is None


def test_a_ratio_of_equal_measures_is_one() -> None:
    values = np.array([1.0, 5.0, 9.0])
    found = estimate_ratio(values, values)
    assert (found.low, found.mean, found.high) == (1.0, 1.0, 1.0)


def test_a_ratio_to_nothing_is_no_number() -> None:
    assert math.isnan(estimate_ratio(np.ones(3), np.zeros(3)).mean)


def test_effect_size_of_hand_made_differences() -> None:
    assert effect_size(np.array([1.0, 3.0])) == pytest.approx(2 / math.sqrt(2))


def test_a_number_that_is_not_finite_is_none() -> None:
    assert as_number(math.inf) is None


def test_every_score_of_the_judges_is_a_measure() -> None:
    kinds = (Agreement, VideoScores, ObjectStability, ObjectFlicker)
    names = [field.name for kind in kinds for field in dataclasses.fields(kind)]
    assert sorted(names) == sorted(measure.name for measure in MEASURES)


def test_a_real_clip_agrees_with_its_prompt() -> None:
    clip = MovingShapes("simple", "test", 1)[0]
    found = measure_clip(clip.frames, parse_prompt(clip.prompt))
    assert (found["count"], found["colour"]) == (1.0, 1.0)


def test_an_empty_clip_is_not_a_steady_one() -> None:
    found = measure_clip(np.full((6, 64, 64, 3), 90, np.uint8), parse_prompt("a red circle"))
    assert all(math.isnan(found[name]) for name in NEED_OBJECTS)


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    RowStore(tmp_path, "key").add(row_of(3))
    assert read_rows(tmp_path, "key") == [row_of(3)]


def test_a_value_that_could_not_be_measured_comes_back_so(tmp_path: Path) -> None:
    RowStore(tmp_path, "key").add(row_of(0, math.nan))
    assert math.isnan(read_rows(tmp_path, "key")[0].generated["warp_error"])


def test_rows_of_another_checkpoint_are_dropped(tmp_path: Path) -> None:
    RowStore(tmp_path, "old").add(row_of(0))
    RowStore(tmp_path, "new").add(row_of(1))
    assert (tmp_path / "generation.jsonl").read_text().count("\n") == 1


@pytest.mark.parametrize(
    "damage", ["{", "[]", "null", '{"key": "key"}', "\x00", '{"key": "key", "index']
)
def test_a_damaged_line_costs_no_other(tmp_path: Path, damage: str) -> None:
    RowStore(tmp_path, "key").add(row_of(0))
    with (tmp_path / "generation.jsonl").open("a") as file:
        file.write(damage)
    store = RowStore(tmp_path, "key")
    store.add(row_of(1))
    assert [row.index for row in read_rows(tmp_path, "key")] == [0, 1]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    write_text(tmp_path / "scores.md", "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "scores.md", "half \ud800")
    assert [path.name for path in tmp_path.iterdir()] == ["scores.md"]


def test_a_table_has_a_rule_under_its_head() -> None:
    assert render_table(("a", "b"), [("1", "2")])[1] == "| --- | --- |"


def test_what_was_not_measured_is_a_dash() -> None:
    assert show_estimate(None) == "-"
