import math

import numpy as np
import pytest

from olvdm import limits


def test_range_holds_both_its_ends():
    assert 1 in limits.STEPS
    assert 100 in limits.STEPS
    assert 101 not in limits.STEPS


def test_no_range_holds_nan():
    not_a_number = math.nan
    assert not_a_number not in limits.GUIDANCE


def test_even_range_holds_even_numbers_alone():
    held = [number for number in range(70) if number in limits.NUM_FRAMES]
    assert held == list(range(8, 65, 2))


def test_range_reads_as_words():
    assert str(limits.SEED) == "0 to 2,147,483,647"


def test_payload_is_as_many_frames_as_a_clip_may_have():
    assert limits.CLIP_FRAMES.high * limits.DECODED_SIDE**2 * 3 == limits.DECODE_PAYLOAD


def test_upload_body_leaves_room_for_its_envelope():
    assert limits.UPLOAD_BODY > limits.UPLOAD_BYTES


@pytest.mark.parametrize(
    ("value", "number", "is_whole"),
    [
        (3, 3.0, True),
        (np.int64(3), 3.0, True),
        (3.0, 3.0, False),
        (np.float32(3), 3.0, False),
        (math.inf, None, False),
        (10**400, None, True),
        (True, None, False),
        (np.True_, None, False),
        ("3", None, False),
        (None, None, False),
    ],
)
def test_numbers_are_those_of_python_and_of_numpy(value, number, is_whole):
    assert limits.real_number(value) == number
    assert limits.is_whole_number(value) == is_whole
