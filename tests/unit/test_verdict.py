import json
from typing import Any

import numpy as np
import pytest

from olvdm.verdict import (
    COMPARISON_NAME,
    CONTEXT,
    OWN_SLOTS,
    SHOWN,
    read_spreads,
    slot_rows,
    verdict_rows,
)
from tests.app_server import SPREAD as ROW
from tests.app_server import stored_clip
from visualize.payload import Metric, Spread

SPREAD = Spread(num_prompts=256, a=0.03, b=0.02, low=-0.02, high=-0.005, num_lower=180)


@pytest.fixture(scope="module")
def rows() -> dict[str, Metric]:
    steady = stored_clip()["frames"]
    noise = np.random.default_rng(0).integers(0, 60, steady.shape, dtype=np.uint8)
    noise[::2] = 0
    measured = verdict_rows([steady + noise, steady], {"warp_error": SPREAD})
    return {row.id: row for row in measured}


def slots(**changes):
    flicker = np.array([[0.9, np.nan], [0.9, 0.2], [0.9, 0.4]], np.float32)
    given: dict[str, Any] = {
        "flicker": [flicker],
        "backgrounds": [0],
        "motion": [np.array([0.5, 1.5, np.nan], np.float32)],
        "scores": {"pixels explained": [80.0]},
    }
    return {row.id: row for row in slot_rows(**given | changes)}


def test_every_shown_measure_has_a_row(rows) -> None:
    assert tuple(rows) == SHOWN


def test_motion_stands_last_beside_which_flicker_is_read(rows) -> None:
    assert list(rows)[-1] == "mean_flow"
    assert rows["mean_flow"].better == "context"


def test_noisier_clip_has_more_flicker(rows) -> None:
    first, second = rows["warp_error"].values
    assert rows["warp_error"].better == "lower"
    assert first > second


def test_spread_stands_beside_its_measure_alone(rows) -> None:
    assert rows["warp_error"].spread == SPREAD
    assert rows["vanishing"].spread is None


def test_no_row_is_judged_by_slots(rows) -> None:
    assert not any("slots" in row.judge for row in rows.values())


def test_flicker_of_the_objects_leaves_background_and_gaps_out() -> None:
    assert slots()["slot_flicker"].values == (pytest.approx(0.3),)


def test_judge_that_was_trained_against_says_so() -> None:
    assert slots()["slot_flicker"].judge == OWN_SLOTS


def test_clip_without_objects_has_no_flicker() -> None:
    nothing = np.full((3, 2), np.nan, np.float32)
    assert slots(flicker=[nothing])["slot_flicker"].values == (None,)


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_score_that_is_no_number_is_undefined(score) -> None:
    assert slots(scores={"one": [score]})["one"].values == (None,)


def test_motion_is_the_mean_of_what_is_known() -> None:
    assert slots()["mean_flow"].values == (1.0,)


def test_spreads_are_read_by_the_name_of_their_measure(tmp_path) -> None:
    (tmp_path / COMPARISON_NAME).write_text(json.dumps({"measures": [ROW]}))
    assert read_spreads(tmp_path) == {"warp_error": SPREAD}


def test_measures_without_a_direction_have_no_spread(tmp_path) -> None:
    row = ROW | {"name": CONTEXT[0]}
    (tmp_path / COMPARISON_NAME).write_text(json.dumps({"measures": [row]}))
    assert read_spreads(tmp_path) == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"measures": 3}',
        '{"measures": [{}]}',
        '{"measures": [3]}',
        '{"measures": [{"name": "warp_error"}]}',
        json.dumps({"measures": [ROW | {"num_prompts": "many"}]}),
        json.dumps({"measures": [ROW | {"difference": None}]}),
        "\ufeff{}",
    ],
)
def test_damaged_evaluation_is_none(tmp_path, text) -> None:
    (tmp_path / COMPARISON_NAME).write_text(text)
    assert read_spreads(tmp_path) == {}


def test_no_evaluation_is_no_failure(tmp_path) -> None:
    assert read_spreads(tmp_path / "nothing") == {}
