from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from olvdm.errors import InputError
from olvdm.generation import (
    Generation,
    as_output,
    check_decoding,
    check_finding,
    check_number,
    legal_prompts,
)
from olvdm.limits import GUIDANCE, PIPELINE_FRAMES, PROMPT_CHARS, SIDES, STEPS

FRAMES = np.zeros((2, 8, 8, 3), dtype=np.uint8)
CLIPS = np.arange(2 * 3 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 3, 4, 5, 3)
LATENTS = torch.zeros(2, 4, 2, 2, 2)


def unchecked(**changes: object) -> Generation:
    """Return a generation past the types, as a caller without a checker gets it."""
    generation = object.__new__(Generation)
    for field in fields(Generation):
        object.__setattr__(generation, field.name, changes.get(field.name, field.default))
    return generation


def refused(**changes: object) -> str:
    settings: dict[str, Any] = {"prompt": "a red circle", **changes}
    with pytest.raises(InputError) as caught:
        Generation(**settings).check()
    return caught.value.user_message


def test_defaults_are_legal() -> None:
    Generation(prompt="a red circle").check()


@pytest.mark.parametrize(
    "changes",
    [
        {"num_frames": 1},
        {"num_frames": PIPELINE_FRAMES.high},
        {"height": SIDES[0], "width": SIDES[-1]},
        {"num_inference_steps": STEPS.high},
        {"guidance_scale": GUIDANCE.low},
        {"guidance_scale": 20},
        {"prompt": ["one", "two"], "generator": [torch.Generator(), torch.Generator()]},
        {"prompt": ""},
        {"prompt": "a" * PROMPT_CHARS.high, "negative_prompt": "a" * PROMPT_CHARS.high},
        {"given_frames": FRAMES},
        {"given_frames": FRAMES, "given_places": [0, 15]},
        {"given_frames": FRAMES, "given_places": (3, 4)},
    ],
)
def test_legal_settings_pass(changes: dict[str, Any]) -> None:
    settings: dict[str, Any] = {"prompt": "a red circle", **changes}
    Generation(**settings).check()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"num_frames": 0}, "num_frames must be a whole number from 1 to 256, got 0"),
        ({"num_frames": 257}, "num_frames must be a whole number from 1 to 256, got 257"),
        ({"num_inference_steps": 0}, "num_inference_steps must be a whole number from 1 to 100"),
        ({"num_inference_steps": 101}, "from 1 to 100, got 101"),
        ({"guidance_scale": -0.1}, "guidance_scale must be a number from 0.0 to 20.0, got -0.1"),
        ({"guidance_scale": float("nan")}, "guidance_scale must be a number"),
        ({"guidance_scale": float("inf")}, "guidance_scale must be a number"),
        ({"height": 33}, "height must be one of 32, 48,"),
        ({"width": 144}, "width must be one of 32, 48,"),
        ({"output_type": "gif"}, "output_type must be one of np, pt, pil, latent, got 'gif'"),
        ({"guidance_scale": float("-inf")}, "guidance_scale must be a number"),
        ({"prompt": "a" * 301}, "prompt has 301 characters; shorten it to at most 300."),
        ({"prompt": "a" * 10**6}, "prompt has 1,000,000 characters; shorten it to at most 300."),
        ({"prompt": ["a", "b" * 10**6]}, "prompt 2 has 1,000,000 characters; shorten it to at"),
        ({"negative_prompt": "a" * 10**6}, "negative_prompt has 1,000,000 characters; shorten it"),
        ({"prompt": "a\ud800"}, "prompt holds a broken character"),
        (
            {"given_frames": FRAMES, "num_frames": 1},
            "given_frames has 2 frames, but num_frames is 1",
        ),
        ({"prompt": []}, "prompt must be a text or a list of at least one text"),
        ({"generator": [torch.Generator()] * 2}, "need one generator a prompt: got 2 for 1"),
        ({"given_places": [0]}, "given_places needs given_frames, the frames that belong there"),
        ({"given_frames": FRAMES, "given_places": [0]}, "given_places must be 2 rising numbers"),
        ({"given_frames": FRAMES, "given_places": [1, 1]}, "from 0 to 15, one for each"),
        ({"given_frames": FRAMES, "given_places": [1, 0]}, "got [1, 0]"),
        ({"given_frames": FRAMES, "given_places": [0, 16]}, "from 0 to 15"),
        ({"given_frames": FRAMES, "given_places": [-1, 3]}, "from 0 to 15"),
        ({"given_frames": FRAMES[:0]}, "given_frames must be uint8 frames"),
    ],
)
def test_illegal_settings_are_refused_with_name_and_limit(
    changes: dict[str, object], sentence: str
) -> None:
    assert sentence in refused(**changes)


@pytest.mark.parametrize("value", [True, "3", None, 2.0, [3], float("nan")])
def test_whole_numbers_must_be_whole_numbers(value: object) -> None:
    with pytest.raises(InputError, match="steps must be a whole number from 1 to 100"):
        check_number("steps", value, STEPS)


def test_message_about_a_number_stays_short() -> None:
    with pytest.raises(InputError) as caught:
        check_number("steps", 10**4000, STEPS)
    assert len(caught.value.user_message) < 120


NUMPY_NUMBERS: dict[str, object] = {
    "num_frames": np.int64(16),
    "height": np.int32(64),
    "num_inference_steps": np.uint8(10),
    "guidance_scale": np.float32(3),
    "slot_guidance_floor": np.float64(0.5),
}


@pytest.mark.parametrize("name", NUMPY_NUMBERS)
def test_numbers_of_numpy_are_numbers(name: str) -> None:
    unchecked(prompt="a red circle", **{name: NUMPY_NUMBERS[name]}).check()


def test_one_prompt_is_a_list_of_one() -> None:
    assert Generation(prompt="one").prompts == ["one"]
    assert Generation(prompt=("one", "two")).prompts == ["one", "two"]


EMBEDS = torch.zeros(2, 5, 12)


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt_embeds": EMBEDS},
        {"prompt_embeds": EMBEDS, "negative_prompt_embeds": EMBEDS[:1]},
        {"prompt_embeds": EMBEDS, "negative_prompt_embeds": EMBEDS},
        {"prompt_embeds": EMBEDS, "generator": [torch.Generator(), torch.Generator()]},
        {"prompt": "one", "negative_prompt_embeds": EMBEDS[:1]},
    ],
)
def test_embeddings_do_in_place_of_texts(changes: dict[str, Any]) -> None:
    Generation(**changes).check()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "give either prompt or prompt_embeds, and not both"),
        ({"prompt": "one", "prompt_embeds": EMBEDS}, "give either prompt or prompt_embeds"),
        ({"prompt_embeds": EMBEDS[0]}, r"of shape b l e, got float32 of shape \(5, 12\)"),
        ({"prompt_embeds": EMBEDS[:0]}, r"floats of shape b l e, .* \(0, 5, 12\)"),
        ({"prompt_embeds": EMBEDS.int()}, "of shape b l e, got int32 of shape"),
        ({"prompt_embeds": [[[0.0]]]}, "floats of shape b l e, got a value of type list"),
        ({"prompt_embeds": EMBEDS * float("nan")}, "prompt_embeds must be finite; encode"),
        ({"prompt_embeds": EMBEDS.to("meta")}, "on meta"),
        (
            {"prompt_embeds": EMBEDS, "negative_prompt_embeds": EMBEDS[[0, 1, 1]]},
            "negative_prompt_embeds must have 1 row or one for each of 2 clips, got 3",
        ),
        (
            {"prompt": "one", "negative_prompt": "no", "negative_prompt_embeds": EMBEDS[:1]},
            "give either negative_prompt or negative_prompt_embeds",
        ),
        (
            {"prompt_embeds": EMBEDS, "generator": [torch.Generator()]},
            "need one generator a prompt: got 1 for 2",
        ),
    ],
)
def test_embeddings_that_nobody_gave_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        unchecked(**changes).check()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"num_frames": 10**5000}, "from 1 to 256, got a number of too many digits"),
        ({"height": 10**5000}, "height must be one of 32, 48, .* of too many digits"),
        ({"height": "6" * 10**6}, "and so on$"),
        ({"height": True}, "height must be one of 32, .*, got True"),
        ({"output_type": "x" * 10**5}, "and so on.$"),
        ({"output_type": np.zeros(3)}, "output_type must be one of np, .* type ndarray"),
        ({"guidance_scale": np.float32(21)}, "guidance_scale must be .*, got 21.0"),
        ({"prompt": 5}, "prompt must be a text or a list of at least one text, got 5"),
        ({"prompt": ["a", 5]}, "prompt must be a text or a list of at least one text"),
        ({"negative_prompt": []}, "negative_prompt must be text .* got a value of type list"),
        ({"generator": 5}, "generator must be a torch.Generator on the CPU, .*, got 5"),
        ({"given_frames": FRAMES / 255}, r"got float64 of .*; uint8_frames\[0\] of a drawn clip"),
        ({"given_frames": list(FRAMES)}, "got list; .* np.stack of pictures are such"),
        ({"given_frames": FRAMES, "given_places": 5}, "given_places must be a list .* got 5"),
        (
            {"given_frames": FRAMES, "given_places": [0, 10**5000]},
            r"got \[0, a number of too many digits\]",
        ),
        ({"given_frames": FRAMES, "given_places": [False, True]}, r"got \[False, True\]"),
    ],
)
def test_values_of_any_type_and_size_are_refused_in_short(
    changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        unchecked(**{"prompt": "a red circle", **changes}).check()
    assert len(caught.value.user_message) < 200


@pytest.mark.parametrize(
    ("latents", "num_frames", "sentence"),
    [
        (LATENTS, -1, "num_frames must be a whole number from 1 to 256, got -1"),
        (LATENTS[0], None, r"latents must be floats of shape b c lt lh lw, got float32 of shape"),
        (LATENTS.long(), None, "got int64 of shape"),
        (LATENTS[:0], None, r"got float32 of shape \(0, 4, 2, 2, 2\) on cpu"),
        (None, None, "latents must be floats of shape b c lt lh lw, got None"),
    ],
)
def test_latents_that_cannot_be_decoded_are_refused(
    latents: object, num_frames: object, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        check_decoding(latents, num_frames)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"frames": None}, "frames must be uint8 frames of shape t h w 3, got NoneType"),
        ({"num_slots": 10**5000}, "num_slots must be .* 2 to 11, got a number of too many digits"),
        ({"adapt_steps": None}, "adapt_steps must be a whole number from 0 to 200, got None"),
        ({"progress": 5}, "progress must be a function, got 5"),
    ],
)
def test_slots_that_cannot_be_found_are_refused(changes: dict[str, object], sentence: str) -> None:
    settings: dict[str, Any] = {
        "frames": FRAMES,
        "num_slots": None,
        "adapt_steps": 0,
        "progress": None,
    }
    check_finding(**settings)
    with pytest.raises(InputError, match=sentence):
        check_finding(**settings | changes)


def test_one_prompt_is_legal_and_so_are_several() -> None:
    assert legal_prompts("one") == ["one"]
    assert legal_prompts(["one", ""]) == ["one", ""]
    with pytest.raises(InputError, match="prompt 2 has 301 characters"):
        legal_prompts(["one", "a" * 301])


def test_given_frames_come_first_where_no_place_is_named() -> None:
    assert Generation(prompt="", given_frames=FRAMES).places() == [0, 1]
    assert Generation(prompt="").places() == []


def test_arrays_are_floats_from_zero_to_one() -> None:
    found = as_output(CLIPS, LATENTS, "np")
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(np.round(found * 255).astype(np.uint8), CLIPS)


def test_tensors_have_channels_before_height() -> None:
    found = as_output(CLIPS, LATENTS, "pt")
    assert isinstance(found, torch.Tensor)
    assert found.shape == (2, 3, 3, 4, 5)


def test_pictures_are_lists_of_lists() -> None:
    found = as_output(CLIPS, LATENTS, "pil")
    assert isinstance(found, list)
    assert isinstance(found[1][2], Image.Image)
    np.testing.assert_array_equal(np.asarray(found[1][2]), CLIPS[1, 2])


def test_latents_are_the_latents() -> None:
    assert as_output(CLIPS, LATENTS, "latent") is LATENTS
