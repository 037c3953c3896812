import math

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
