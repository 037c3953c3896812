"""The data set keeps its promises, counted over a few hundred clips."""

import re
from functools import cache
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest

from olvdm.data.moving_shapes import (
    COLOURS,
    LEVELS,
    SPLITS,
    MovingShapes,
    ShapesClip,
    parse_prompt,
    vocabulary,
)

NUM_CLIPS = 240
HEADINGS = {
    "left": np.array([-1, 0]),
    "right": np.array([1, 0]),
    "up": np.array([0, -1]),
    "down": np.array([0, 1]),
}


@cache
def make_clips(level: str) -> tuple[ShapesClip, ...]:
    return tuple(MovingShapes(level, "val", num_clips=NUM_CLIPS))


def has_event(clip: ShapesClip, kind: str) -> bool:
    return any(event.kind == kind for event in clip.events)


def test_third_of_the_full_clips_hide_half_an_object() -> None:
    assert np.mean([has_event(clip, "occludes") for clip in make_clips("full")]) >= 0.3


def test_fifth_of_the_full_clips_have_an_object_that_leaves_and_returns() -> None:
    assert np.mean([has_event(clip, "returns") for clip in make_clips("full")]) >= 0.2


def test_half_of_the_full_clips_have_two_objects_of_one_colour_or_shape() -> None:
    has_twins = [
        any(a.colour == b.colour or a.shape == b.shape for a, b in combinations(clip.objects, 2))
        for clip in make_clips("full")
    ]
    assert np.mean(has_twins) >= 0.45


def test_quarter_of_the_simple_captions_name_an_occlusion() -> None:
    assert (
        np.mean([" behind " in c.prompt or " front " in c.prompt for c in make_clips("simple")])
        > 0.25
    )


def test_no_simple_object_leaves() -> None:
    assert not any(has_event(clip, "leaves") for clip in make_clips("simple"))


def attributes(objects) -> list[tuple[str, str, str]]:
    return sorted((thing.colour, thing.shape, thing.motion) for thing in objects)


@pytest.mark.parametrize("level", LEVELS)
def test_caption_reads_back_as_the_objects_of_the_clip(level: str) -> None:
    for clip in make_clips(level):
        assert attributes(parse_prompt(clip.prompt)) == attributes(clip.objects)


@pytest.mark.parametrize("level", LEVELS)
def test_caption_is_short_lower_case_ascii_without_full_stop(level: str) -> None:
    for clip in make_clips(level):
        assert re.fullmatch(r"[a-z]+(?:[,:]? [a-z]+)*", clip.prompt)
        assert len(clip.prompt.split()) <= 45


def test_captions_use_the_vocabulary_and_all_of_it() -> None:
    prompts = " ".join(clip.prompt for level in LEVELS for clip in make_clips(level))
    assert set(re.findall("[a-z]+", prompts)) == set(vocabulary())


def said_passings(clip: ShapesClip, place: str) -> set[tuple[int, int]]:
    """Find the pairs of which the caption says that the first passes at a place of the second."""
    asked = [(thing.colour, thing.shape) for thing in parse_prompt(clip.prompt)]
    names = [(thing.colour, thing.shape) for thing in clip.objects]
    starts = [clip.prompt.index(" ".join(name)) for name in asked]
    return {
        (names.index(subject), names.index(other))
        for (subject, other), (start, end) in zip(pairwise(asked), pairwise(starts), strict=True)
        if place in clip.prompt[start:end]
    }


def occlusions_of(clip: ShapesClip) -> set[tuple[int, int | None]]:
    return {(event.object, event.other) for event in clip.events if event.kind == "occludes"}


@pytest.mark.parametrize("level", LEVELS)
def test_whoever_is_said_to_pass_behind_is_hidden_by_the_other(level: str) -> None:
    for clip in make_clips(level):
        hidden_by = {(other, subject) for subject, other in said_passings(clip, " behind ")}
        assert hidden_by <= occlusions_of(clip)


@pytest.mark.parametrize("level", LEVELS)
def test_whoever_is_said_to_pass_in_front_hides_the_other(level: str) -> None:
    for clip in make_clips(level):
        assert said_passings(clip, " in front of ") <= occlusions_of(clip)


def mask_centre(clip: ShapesClip, index: int, frame: int) -> np.ndarray:
    return np.argwhere(clip.true_masks[frame] == index + 1)[:, ::-1].mean(0)


def seen_travel(clip: ShapesClip) -> list[float]:
    """Measure on the masks how far each object goes its way while it can be seen all along."""
    return [
        float((mask_centre(clip, n, -1) - mask_centre(clip, n, 0)) @ HEADINGS[thing.motion])
        for n, thing in enumerate(clip.objects)
        if thing.motion in HEADINGS and clip.visibility[[0, -1], n].min() > 0.95
    ]


@pytest.mark.parametrize("level", LEVELS)
def test_object_is_seen_to_move_twelve_pixels_the_way_its_caption_says(level: str) -> None:
    assert min(way for clip in make_clips(level) for way in seen_travel(clip)) >= 12


@pytest.mark.parametrize("level", LEVELS)
def test_every_object_is_half_visible_for_a_third_of_the_clip(level: str) -> None:
    shares = [(clip.visibility > 0.5).mean(0).min() for clip in make_clips(level)]
    assert min(shares) >= 1 / 3


def test_visible_objects_are_where_their_tracks_say() -> None:
    for clip in make_clips("simple"):
        for index, thing in enumerate(clip.objects):
            if clip.visibility[0, index] > 0.99:
                error = mask_centre(clip, index, 0) + 0.5 - clip.tracks[0, index]
                assert np.abs(error).max() < 0.1 * thing.radius + 0.6


def test_inside_of_a_simple_mask_has_the_named_colour_exactly() -> None:
    for clip in make_clips("simple")[:60]:
        ids = clip.true_masks[:, 1:-1, 1:-1]
        neighbours = [
            clip.true_masks[:, 1 + dy : 63 + dy, 1 + dx : 63 + dx]
            for dy in (-1, 0, 1)
            for dx in (-1, 0, 1)
        ]
        is_inner = np.all([near == ids for near in neighbours], axis=0)
        for index, thing in enumerate(clip.objects):
            pixels = clip.frames[:, 1:-1, 1:-1][is_inner & (ids == index + 1)]
            assert (np.abs(pixels.astype(int) - COLOURS[thing.colour]) <= 1).mean() > 0.99


@pytest.mark.parametrize(
    ("level", "prompt"),
    [
        ("simple", "an orange star slides upwards and passes in front of a green circle"),
        (
            "full",
            (
                "a red circle slides up and goes in front of a white star that moves left,"
                " a green triangle bounces around and a blue square rests"
            ),
        ),
        (
            "ood",
            (
                "a green star moves up and passes in front of a blue triangle, a yellow diamond"
                " bounces around, an orange diamond moves down and a white circle stays still"
            ),
        ),
    ],
)
def test_published_test_split_never_changes(level: str, prompt: str) -> None:
    assert MovingShapes(level, "test")[0].prompt == prompt


def test_length_of_the_data_set_changes_no_clip() -> None:
    short, long = MovingShapes(num_clips=4)[3], MovingShapes(num_clips=400)[3]
    np.testing.assert_array_equal(short.frames, long.frames)


@pytest.mark.parametrize("change", [{"seed": 1}, {"split": "test"}, {"level": "simple"}])
def test_another_seed_split_or_level_gives_other_clips(change: dict[str, Any]) -> None:
    ordinary, changed = MovingShapes(num_clips=20), MovingShapes(num_clips=20, **change)
    assert not {c.frames.tobytes() for c in ordinary} & {c.frames.tobytes() for c in changed}


@pytest.mark.parametrize("split", SPLITS)
def test_splits_repeat_no_clip_of_their_own(split: str) -> None:
    clips = MovingShapes("simple", split, num_clips=100)
    assert len({clip.frames.tobytes() for clip in clips}) == 100


def test_negative_index_counts_from_the_end() -> None:
    clips = MovingShapes(num_clips=5)
    np.testing.assert_array_equal(clips[-1].frames, clips[4].frames)


def test_index_past_the_end_is_refused_with_the_number() -> None:
    with pytest.raises(IndexError, match="below 5, got 5"):
        MovingShapes(num_clips=5)[5]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"level": "hard"}, "level must be one of simple, full, ood, got hard"),
        ({"split": "dev"}, "split must be one of train, val, test, got dev"),
        ({"num_frames": 0}, "num_frames must be at least 1, got 0"),
        ({"height": 8}, "height must be at least 16, got 8"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
    ],
)
def test_wrong_setting_is_refused_with_its_name_and_value(
    wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        MovingShapes(**wrong)
