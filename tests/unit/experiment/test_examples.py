"""Clips to look at are chosen by what prompts scored, and by nobody."""

import hashlib
import math

import numpy as np
import pytest

from olvdm.data.moving_shapes import MovingShapes
from olvdm.evaluation.generation_score import draw_rows
from olvdm.evaluation.measures import MEASURES
from olvdm.evaluation.prompt_rows import PromptRow, RowStore
from olvdm.evaluation.protocol import Evaluation
from olvdm.experiment.examples import choose_examples, draw_example
from olvdm.experiment.result_parts import unpack_strip
from tests.app_server import tiny_model

AREA = next(one for one in MEASURES if one.name == "area_drift")
COLOUR = next(one for one in MEASURES if one.name == "colour")


def rows(name: str, *values: float) -> list[PromptRow]:
    return [
        PromptRow(
            index=index,
            prompt="a red circle moves right",
            noise_seed=index,
            frames_sha256="",
            seconds=0.0,
            generated={name: float(value)},
            real={name: 0.0},
            thumbnail="",
            real_thumbnail="",
        )
        for index, value in enumerate(values)
    ]


def test_the_median_the_largest_gain_and_the_largest_loss_are_chosen() -> None:
    before, after = rows("area_drift", 5, 5, 5, 5, 5), rows("area_drift", 4, 1, 9, 5, 3)
    assert choose_examples(before, after, AREA) == {"typical": 0, "best": 1, "worst": 2}


def test_of_a_measure_that_shall_rise_more_is_a_gain() -> None:
    before, after = rows("colour", 0, 0, 0), rows("colour", 0.5, 1, 0)
    assert choose_examples(before, after, COLOUR) == {"typical": 0, "best": 1, "worst": 2}


def test_of_equal_gains_the_first_prompt_is_chosen() -> None:
    same = rows("area_drift", 1, 1, 1, 1)
    assert choose_examples(same, same, AREA)["best"] == 0


def test_prompt_that_could_not_be_measured_is_not_chosen() -> None:
    before, after = rows("area_drift", math.nan, 5), rows("area_drift", 0, 4)
    assert set(choose_examples(before, after, AREA).values()) == {1}


def test_nothing_is_chosen_where_nothing_was_measured() -> None:
    assert choose_examples(rows("area_drift", math.nan), rows("area_drift", 1), AREA) == {}


@pytest.mark.slow
def test_example_shows_the_clip_that_was_scored() -> None:
    evaluation = Evaluation(num_prompts=1, num_inference_steps=1)
    clips, model = MovingShapes("simple", "test", 1), tiny_model(0)
    scored = draw_rows(model, evaluation, clips, RowStore(None, ""), lambda _: None)
    example = draw_example("best", 0, "warp_error", clips, {"corr": (model, evaluation)})
    assert [clip.row for clip in example.clips] == [None, "corr"]
    real, drawn = (unpack_strip(clip.strip, example.num_frames) for clip in example.clips)
    np.testing.assert_array_equal(real, clips[0].frames)
    assert hashlib.sha256(drawn.tobytes()).hexdigest() == scored[0].frames_sha256
    values = [clip.value for clip in example.clips]
    assert values == pytest.approx(
        [scored[0].real["warp_error"], scored[0].generated["warp_error"]]
    )
