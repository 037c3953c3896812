import dataclasses
import math
import unicodedata

import numpy as np
import pytest

from olvdm import limits
from olvdm.errors import InputError
from olvdm.request import (
    INSPECTION_CHECKS,
    REQUEST_CHECKS,
    InspectionRequest,
    Request,
    check_inspection,
    check_request,
    clean_text,
)

WHOLE = ["seed", "num_frames", "height", "width", "num_inference_steps", "num_samples"]
INSPECTION_WHOLE = ["num_slots", "max_frames", "adapt_steps"]
NO_NUMBERS = [
    math.nan,
    math.inf,
    -math.inf,
    float("1e400"),
    2**70,
    -(2**70),
    10**400,
    "10",
    "abc",
    "",
    True,
    [1],
    {},
    1j,
]


def refusal(**raw: object) -> str:
    with pytest.raises(InputError) as caught:
        check_request(**({"prompt": "a red circle"} | raw))
    assert "\n" not in caught.value.user_message
    return caught.value.user_message


def test_prompt_alone_is_a_request():
    assert check_request(prompt=" a red\ncircle ") == Request(prompt="a red circle")


def test_every_default_is_legal():
    defaults = dataclasses.asdict(Request(prompt="a red circle"))
    assert dataclasses.asdict(check_request(**defaults)) == defaults


def test_every_field_is_checked():
    assert set(REQUEST_CHECKS) == {field.name for field in dataclasses.fields(Request)}
    names = {field.name for field in dataclasses.fields(InspectionRequest)}
    assert set(INSPECTION_CHECKS) == names


@pytest.mark.parametrize("field", [*WHOLE, "guidance_scale"])
@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_is_no_number_is_refused_by_name(field, value):
    assert refusal(**{field: value}).startswith(f"{field} must be ")


@pytest.mark.parametrize("field", INSPECTION_WHOLE)
@pytest.mark.parametrize("value", [*NO_NUMBERS, 10.5, -1, 201])
def test_inspection_refuses_it_too(field, value):
    with pytest.raises(InputError, match=f"^{field} must be "):
        check_inspection(**{field: value})


@pytest.mark.parametrize(
    ("field", "legal"),
    [
        ("seed", "a whole number from 0 to 2,147,483,647"),
        ("guidance_scale", "a number from 0.0 to 20.0"),
    ],
)
def test_empty_field_is_called_missing_with_its_range(field, legal):
    assert refusal(**{field: None}) == f"{field} is missing; give {legal}."


@pytest.mark.parametrize("field", INSPECTION_WHOLE)
def test_empty_field_of_an_inspection_is_called_missing(field):
    with pytest.raises(InputError, match=f"^{field} is missing; give a whole number from "):
        check_inspection(**{field: None})


@pytest.mark.parametrize("field", WHOLE)
def test_part_of_a_whole_number_is_refused(field):
    assert refusal(**{field: 10.5}).endswith("got 10.5.")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", -1),
        ("seed", 2**31),
        ("num_frames", 7),
        ("num_frames", 9),
        ("num_frames", 66),
        ("num_frames", 257),
        ("height", 33),
        ("width", 144),
        ("num_inference_steps", 0),
        ("num_inference_steps", 101),
        ("num_samples", 0),
        ("num_samples", 5),
        ("guidance_scale", -0.1),
        ("guidance_scale", 20.1),
    ],
)
def test_number_outside_its_limits_is_named_with_them(field, value):
    message = refusal(**{field: value})
    assert str(value) in message
    assert "from" in message or "one of" in message


def test_long_clip_is_refused_by_a_server_with_the_way_to_it():
    assert refusal(num_frames=66) == (
        "num_frames must be an even number from 8 to 64, got 66; olvdm generate draws up to 256."
    )


def test_command_line_may_ask_for_a_long_clip():
    assert check_request(limits.LONG_FRAMES, prompt="a", num_frames=256).num_frames == 256


@pytest.mark.parametrize("value", [7, 9, 131, 258, float("nan")])
def test_length_that_nobody_draws_names_the_limits_of_the_command_line(value):
    with pytest.raises(InputError) as caught:
        check_request(limits.LONG_FRAMES, prompt="a", num_frames=value)
    assert caught.value.user_message == (
        f"num_frames must be an even number from 8 to 256, got {value}."
    )


@pytest.mark.parametrize("value", [10.0, 10, np.int64(10), np.float32(10)])
def test_ten_by_any_name_is_ten(value):
    request = check_request(prompt="a", num_inference_steps=value)
    assert request.num_inference_steps == 10
    assert type(request.num_inference_steps) is int


@pytest.mark.parametrize("value", [0, -0, -0.0, 0.0])
def test_minus_zero_is_zero(value):
    request = check_request(prompt="a", seed=value, guidance_scale=value)
    assert str(request.seed) == "0"
    assert str(request.guidance_scale) == "0.0"


@pytest.mark.parametrize("prompt", ["", "   ", "\n\t", "\u200b\u200d", "\0\x1b", "\u00a0"])
def test_blank_prompt_asks_for_words(prompt):
    assert refusal(prompt=prompt).startswith("Describe the clip")


@pytest.mark.parametrize("prompt", [None, 3, ["a"], b"a", True])
def test_prompt_that_is_no_text_is_refused(prompt):
    assert "prompt must be text" in refusal(prompt=prompt)


def test_missing_prompt_is_named():
    with pytest.raises(InputError, match="prompt is missing"):
        check_request(seed=3)


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
@pytest.mark.parametrize(("length", "shown"), [(301, "301"), (10**6, "1,000,000")])
def test_long_text_is_refused_and_never_cut(field, length, shown):
    assert refusal(**{field: "a" * length}).startswith(f"{field} has {shown} characters")


def test_text_of_just_the_limit_passes():
    assert check_request(prompt="a" * limits.PROMPT_CHARS.high).prompt == "a" * 300


def test_text_is_counted_after_cleaning():
    assert check_request(prompt="a" + "\0" * 800 + "e\u0301" * 150).prompt == "a" + "\u00e9" * 150


def test_empty_negative_prompt_is_fine():
    assert check_request(prompt="a", negative_prompt=" ").negative_prompt == ""


def test_lone_surrogate_is_refused():
    assert "broken character" in refusal(prompt="a \ud800 circle")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\nb\tc\x85d\u2028e", "a b c d e"),
        ("a\0b\x7f", "ab"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\u202eabc", "\u202eabc"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("\U0001f600\U0001f469\u200d\U0001f680", "\U0001f600\U0001f469\u200d\U0001f680"),
        ("e\0\u0301", "\u00e9"),
    ],
)
def test_text_is_kept_and_controls_go(text, cleaned):
    assert clean_text(text) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)


@pytest.mark.parametrize("value", ["OLVDM", "../olvdm", "olvdm ", "", None, 0, True, ["olvdm"]])
def test_only_shipped_checkpoints_can_be_named(value):
    assert refusal(checkpoint=value).startswith("checkpoint must be one of olvdm, lvdm, got ")


def test_shipped_checkpoint_can_be_named():
    assert check_request(prompt="a", checkpoint="lvdm").checkpoint == "lvdm"


def test_unknown_setting_suggests_the_nearest():
    assert "did you mean num_frames?" in refusal(num_frame=16)


def test_number_that_python_will_not_print_is_refused():
    assert refusal(seed=10**5_000).endswith("got a number of too many digits.")


def test_message_shows_text_on_one_plain_line():
    message = refusal(seed="\x1b[31m\n\u7ea2" + "x" * 10_000)
    assert message.isascii()
    assert message.isprintable()
    assert len(message) < 250


def test_inspection_has_defaults():
    assert check_inspection() == InspectionRequest()


def test_inspection_takes_its_ends():
    request = check_inspection(num_slots=11, max_frames=8.0, adapt_steps=200)
    assert request == InspectionRequest(num_slots=11, max_frames=8, adapt_steps=200)
