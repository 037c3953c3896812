from dataclasses import replace

import numpy as np
import torch

from olvdm.sampling import DenoisingStep
from olvdm.serving import denoising_views
from olvdm.serving.denoising_views import DenoisingViews
from tests.tiny_networks import CHANNELS, tiny_pipeline
from visualize.payload import PREVIEW_QUALITY, sheet


def step() -> DenoisingStep:
    latents = torch.zeros(1, CHANNELS, 2, 8, 8)
    return DenoisingStep(0, 1, 9, 900.0, latents, latents)


def test_preview_is_the_clip_that_the_model_expects() -> None:
    pipeline = tiny_pipeline()
    (picture,) = DenoisingViews({"olvdm": pipeline}).pictures({"olvdm": step()})
    np.testing.assert_array_equal(picture, pipeline.decode_latents(step().predicted)[0])


def test_every_model_has_its_preview() -> None:
    pipelines = {"lvdm": tiny_pipeline(0), "olvdm": tiny_pipeline(1)}
    assert len(DenoisingViews(pipelines).pictures({"lvdm": step(), "olvdm": step()})) == 2


def test_second_preview_must_wait(monkeypatch) -> None:
    clock = iter([10.0, 10.01, 10.1, 10.3, 10.31])
    monkeypatch.setattr(denoising_views.time, "monotonic", lambda: next(clock))
    made = DenoisingViews({"olvdm": tiny_pipeline()})
    counts = [len(made.pictures({"olvdm": step()})) for _ in range(3)]
    assert counts == [1, 0, 1]


def test_slow_previews_leave_four_fifths_of_the_time_to_the_drawing(monkeypatch) -> None:
    clock = iter([0.0, 1.0, 4.9, 5.1, 6.0])
    monkeypatch.setattr(denoising_views.time, "monotonic", lambda: next(clock))
    made = DenoisingViews({"olvdm": tiny_pipeline()})
    counts = [len(made.pictures({"olvdm": step()})) for _ in range(3)]
    assert counts == [1, 0, 1]


def test_every_step_can_be_looked_at_afterwards() -> None:
    views = DenoisingViews({"lvdm": tiny_pipeline(0), "olvdm": tiny_pipeline(1)})
    for _ in range(3):
        views.pictures({"lvdm": step(), "olvdm": step()})
    assert [(view.step, len(view.sheets)) for view in views.views()] == [(1, 2), (2, 2), (3, 2)]


def test_clip_that_goes_on_from_another_noise_is_looked_at_on_the_way_from_it() -> None:
    pipeline, zero = tiny_pipeline(), step()
    retold = tuple(torch.full_like(zero.latents, value) for value in (1.0, 2.0))
    views = DenoisingViews({"lvdm": pipeline, "olvdm": pipeline})
    for own in (zero, zero, zero, replace(zero, retold=retold)):
        views.note({"lvdm": zero, "olvdm": own})
    ours = [view.sheets[1] for view in views.views()]
    expected = [pipeline.decode_latents(one)[0] for one in (zero.latents, *retold, zero.latents)]
    assert ours == [sheet(frames, quality=PREVIEW_QUALITY) for frames in expected]
    theirs = [view.sheets[0] for view in views.views()]
    assert theirs == theirs[:1] * 4


def test_of_many_steps_ten_are_looked_at_the_first_and_the_last_among_them() -> None:
    views = DenoisingViews({"olvdm": tiny_pipeline()})
    for _ in range(35):
        views.pictures({"olvdm": step()})
    steps = [view.step for view in views.views()]
    assert len(steps) == 10
    assert (steps[0], steps[-1]) == (1, 35)


def test_slots_of_a_step_are_shown_for_every_video_frame() -> None:
    views = DenoisingViews({"olvdm": tiny_pipeline()})
    views.pictures({"olvdm": step()})
    (view,) = views.views()
    assert view.masks[0].shape[0] == view.sheets[0].num_frames
