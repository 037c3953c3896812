import numpy as np
import torch

from olvdm.sampling import DenoisingStep
from olvdm.serving import previews
from olvdm.serving.previews import Previews
from tests.tiny_networks import CHANNELS, tiny_pipeline


def step() -> DenoisingStep:
    latents = torch.zeros(1, CHANNELS, 2, 8, 8)
    return DenoisingStep(0, 1, 9, 900.0, latents, latents)


def test_preview_is_the_clip_that_the_model_expects() -> None:
    pipeline = tiny_pipeline()
    (picture,) = Previews({"olvdm": pipeline}).pictures({"olvdm": step()})
    np.testing.assert_array_equal(picture, pipeline.decode_latents(step().predicted)[0])


def test_every_model_has_its_preview() -> None:
    pipelines = {"lvdm": tiny_pipeline(0), "olvdm": tiny_pipeline(1)}
    assert len(Previews(pipelines).pictures({"lvdm": step(), "olvdm": step()})) == 2


def test_second_preview_must_wait(monkeypatch) -> None:
    clock = iter([10.0, 10.01, 10.1, 10.3, 10.31])
    monkeypatch.setattr(previews.time, "monotonic", lambda: next(clock))
    made = Previews({"olvdm": tiny_pipeline()})
    counts = [len(made.pictures({"olvdm": step()})) for _ in range(3)]
    assert counts == [1, 0, 1]


def test_slow_previews_leave_four_fifths_of_the_time_to_the_drawing(monkeypatch) -> None:
    clock = iter([0.0, 1.0, 4.9, 5.1, 6.0])
    monkeypatch.setattr(previews.time, "monotonic", lambda: next(clock))
    made = Previews({"olvdm": tiny_pipeline()})
    counts = [len(made.pictures({"olvdm": step()})) for _ in range(3)]
    assert counts == [1, 0, 1]
