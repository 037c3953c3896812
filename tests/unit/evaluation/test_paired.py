import numpy as np
import pytest
import torch

from olvdm.evaluation.paired import draw_together
from olvdm.request import Request
from tests.tiny_networks import PROMPTS, tiny_pipeline

REQUEST = Request(
    prompt=PROMPTS[0], seed=5, num_frames=8, height=32, width=32, num_inference_steps=3
)


def test_models_take_every_step_together() -> None:
    pipelines = {"lvdm": tiny_pipeline(0), "olvdm": tiny_pipeline(1)}
    *reached, _ = draw_together(pipelines, REQUEST)
    steps = [{name: step.step for name, step in each.steps.items()} for each in reached]
    assert steps == [{"lvdm": step, "olvdm": step} for step in (1, 2, 3)]


def test_equal_models_draw_equal_clips() -> None:
    pipelines = {"lvdm": tiny_pipeline(0), "olvdm": tiny_pipeline(0)}
    *_, last = draw_together(pipelines, REQUEST)
    first, second = last.outputs.values()
    np.testing.assert_array_equal(first.uint8_frames, second.uint8_frames)


def test_clip_is_the_one_that_the_model_draws_alone() -> None:
    *_, last = draw_together({"olvdm": tiny_pipeline(1), "lvdm": tiny_pipeline(0)}, REQUEST)
    alone = tiny_pipeline(1)(
        REQUEST.prompt,
        num_frames=8,
        num_inference_steps=3,
        guidance_scale=REQUEST.guidance_scale,
        generator=torch.Generator().manual_seed(5),
    )
    np.testing.assert_array_equal(last.outputs["olvdm"].uint8_frames, alone.uint8_frames)


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_drawing_can_be_left_after_a_step() -> None:
    drawing = draw_together({"lvdm": tiny_pipeline()}, REQUEST)
    next(drawing)
    drawing.close()
    assert list(drawing) == []
