"""Laws of the moving-shapes world that hold for any size, length, seed and level."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from olvdm.data.moving_shapes import LEVELS, SPLITS, MovingShapes, ShapesClip, parse_prompt

clip_settings = st.fixed_dictionaries(
    {
        "level": st.sampled_from(LEVELS),
        "split": st.sampled_from(SPLITS),
        "seed": st.integers(0, 2**32),
        "num_frames": st.integers(1, 20),
        "height": st.integers(16, 96),
        "width": st.integers(16, 96),
    }
)
indices = st.integers(0, 9_999)


def make_clip(options: dict[str, Any], index: int) -> ShapesClip:
    return MovingShapes(**options)[index]


@settings(deadline=None, max_examples=30)
@given(options=clip_settings, index=indices)
def test_asking_twice_gives_the_same_clip(options: dict[str, Any], index: int) -> None:
    first, second = make_clip(options, index), make_clip(options, index)
    assert first.prompt == second.prompt
    np.testing.assert_array_equal(first.frames, second.frames)


@settings(deadline=None, max_examples=30)
@given(options=clip_settings, index=indices)
def test_clip_has_the_asked_size(options: dict[str, Any], index: int) -> None:
    clip = make_clip(options, index)
    size = (options["num_frames"], options["height"], options["width"])
    assert clip.frames.shape == (*size, 3)
    assert clip.true_masks.shape == size


@settings(deadline=None, max_examples=30)
@given(options=clip_settings, index=indices)
def test_masks_name_only_objects_that_are_there(options: dict[str, Any], index: int) -> None:
    clip = make_clip(options, index)
    assert clip.true_masks.max() <= len(clip.objects)


@settings(deadline=None, max_examples=30)
@given(options=clip_settings, index=indices)
def test_visibility_is_a_share(options: dict[str, Any], index: int) -> None:
    visibility = make_clip(options, index).visibility
    assert visibility.min() >= 0
    assert visibility.max() <= 1


@settings(deadline=None, max_examples=30)
@given(options=clip_settings, index=indices)
def test_invisible_object_has_no_pixel(options: dict[str, Any], index: int) -> None:
    clip = make_clip(options, index)
    ids = np.arange(1, len(clip.objects) + 1)
    pixels = (clip.true_masks[..., None] == ids).sum((1, 2))
    assert not pixels[clip.visibility == 0].any()


@settings(deadline=None, max_examples=30)
@given(options=clip_settings, index=indices)
def test_caption_always_reads_back(options: dict[str, Any], index: int) -> None:
    clip = make_clip(options, index)
    asked = sorted((o.colour, o.shape, o.motion) for o in parse_prompt(clip.prompt))
    assert asked == sorted((o.colour, o.shape, o.motion) for o in clip.objects)


@settings(deadline=None, max_examples=30)
@given(options=clip_settings, index=indices)
def test_events_name_objects_and_frames_of_the_clip(options: dict[str, Any], index: int) -> None:
    clip = make_clip(options, index)
    assert all(0 <= event.frame < options["num_frames"] for event in clip.events)
    assert all(event.object < len(clip.objects) for event in clip.events)


@settings(deadline=None, max_examples=30)
@given(options=clip_settings, index=indices)
def test_nearer_object_occludes_the_farther(options: dict[str, Any], index: int) -> None:
    clip = make_clip(options, index)
    pairs = [(e.object, e.other) for e in clip.events if e.other is not None]
    assert all(clip.objects[a].depth < clip.objects[b].depth for a, b in pairs)
