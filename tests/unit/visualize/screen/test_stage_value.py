import base64
import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.app_server import stored_clip
from visualize.palette import slot_colours
from visualize.screen import texts
from visualize.screen.shown import Finished, ShownClip
from visualize.screen.stage_value import (
    clip_value,
    empty_value,
    figures,
    finished_value,
    object_flicker,
    picture_grid,
    running_value,
    start_frame,
    tint,
    verdict,
)


def shown(name: str = "A", jitter: float = 0.0) -> ShownClip:
    return ShownClip.of(name, "what", stored_clip(jitter))


def pixels(grid: dict[str, str | int]) -> np.ndarray:
    data = str(grid["src"]).partition("base64,")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def row(clips: list[ShownClip], label: str) -> list[str]:
    return next(each["values"] for each in figures(clips) if each["label"] == label)


def test_small_clip_arrives_exactly() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
    grid = picture_grid(frames, is_lossless=True)
    assert grid["columns"] == 2
    np.testing.assert_array_equal(pixels(grid)[16:, :16], frames[2])


def test_value_is_json_without_nan() -> None:
    value = finished_value(Finished((shown("A"), shown("B", 0.1))), plays=False)
    json.dumps(value, allow_nan=False)


def test_every_value_differs_from_the_one_before() -> None:
    deliveries = [running_value(())["delivery"], empty_value("")["delivery"]]
    assert deliveries[0] != deliveries[1]


def test_undefined_flicker_is_a_gap() -> None:
    assert clip_value(shown())["flicker"][1][0] is None


def test_tint_has_the_colour_of_the_slot_that_holds_the_pixel() -> None:
    clip = shown()
    frame = tint(clip)[0]
    assert tuple(frame[32, 8]) == (*slot_colours(2, 0)[1], 255)


def test_background_is_not_tinted() -> None:
    assert tint(shown())[0, 0, 0, 3] == 0


def test_pixel_that_two_slots_share_is_paler() -> None:
    clip = shown()
    shared = np.stack([np.full((16, 64, 64), 0.4), np.full((16, 64, 64), 0.6)], axis=1)
    assert 0 < tint(replace(clip, alpha_masks=shared))[0, 0, 0, 3] < 255


def test_flicker_of_the_objects_leaves_the_background_out() -> None:
    flicker = np.full((16, 2), 0.5)
    flicker[:, 1] = 0.1
    assert object_flicker(replace(shown(), flicker=flicker)) == pytest.approx(0.1)


def test_clip_without_objects_has_undefined_flicker() -> None:
    nothing = replace(shown(), flicker=np.full((16, 2), math.nan))
    assert row([nothing], texts.FLICKER_OBJECTS) == [texts.UNDEFINED]


def test_figures_have_a_column_a_clip() -> None:
    assert row([shown("A", 0.2), shown("B")], texts.SWITCHES) == ["0", "0"]


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (0.2, 0.1, "B flickers less than A"),
        (0.1, 0.2, "B flickers more than A"),
        (0.1, 0.1, "B flickers about as much as A"),
    ],
)
def test_verdict_says_which_is_worse(first, second, words) -> None:
    assert words in verdict([shown("A", first), shown("B", second)])


def test_verdict_on_one_seed_claims_nothing_more() -> None:
    assert "not a result" in verdict([shown("A", 0.1), shown("B")])


def test_single_clip_has_no_verdict() -> None:
    assert verdict([shown()]) == ""


def test_page_opens_where_the_clips_differ_most() -> None:
    gap = np.zeros(16)
    gap[9] = 1.0
    clips = [shown("A"), replace(shown("B"), flicker_all=shown("B").flicker_all + gap)]
    assert start_frame(clips) == 9


def test_large_clip_travels_with_loss_but_small() -> None:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (1, 256, 256, 3), dtype=np.uint8).repeat(32, axis=0)
    clip = replace(shown(), frames=frames, alpha_masks=np.ones((32, 2, 8, 8)) / 2)
    value = picture_grid(clip.frames, is_lossless=False)
    assert len(str(value["src"])) < frames.nbytes // 2
