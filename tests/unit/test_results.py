from typing import Any

import numpy as np
import pytest

from olvdm.evaluation.inspection import Inspection
from olvdm.request import InspectionRequest
from olvdm.results import finished_inspection
from olvdm.serving.clip_shelf import ShelvedClip
from tests.app_server import stored_clip
from visualize.screen import texts


def inspection(*, has_objects: bool = True, explained: float = 0.9) -> Inspection:
    scores = {"reconstruction_psnr": 40.0, "explained": explained}
    found: dict[str, Any] = stored_clip(0.1) | scores
    if not has_objects:
        found["flicker"][:, 1] = np.nan
    return Inspection(**found)


def warning(*found: Inspection, adapt_steps: int = 0) -> str:
    frames = found[0].frames
    clips = [ShelvedClip(name, frames, 8.0, is_upload=True) for name in ("one", "two")]
    request = InspectionRequest(adapt_steps=adapt_steps)
    _, finished = finished_inspection(clips[: len(found)], found, request, "0" * 16)
    return finished.warning


def test_clip_that_the_model_knows_has_no_warning() -> None:
    assert warning(inspection()) == ""


@pytest.mark.parametrize(("adapt_steps", "remedy"), [(0, texts.ADAPT_MORE), (50, texts.ADAPT_LESS)])
def test_clip_without_objects_is_told_with_a_remedy(adapt_steps, remedy) -> None:
    said = warning(inspection(has_objects=False), adapt_steps=adapt_steps)
    assert said == texts.NOTHING_FOUND.format(clips=texts.THIS_CLIP, remedy=remedy)


def test_of_two_clips_the_one_without_objects_is_named() -> None:
    said = warning(inspection(), inspection(has_objects=False))
    assert said == texts.NOTHING_FOUND.format(clips="two", remedy=texts.ADAPT_MORE)


def test_after_an_adaptation_nobody_is_told_to_adapt() -> None:
    said = warning(inspection(has_objects=False, explained=0.1), adapt_steps=50)
    assert said.startswith(texts.UNFAMILIAR_STILL)
    assert texts.ADAPT_LESS in said
