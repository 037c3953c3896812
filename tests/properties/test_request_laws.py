import dataclasses
import unicodedata

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from olvdm import limits
from olvdm.errors import InputError
from olvdm.request import (
    INSPECTION_CHECKS,
    REQUEST_CHECKS,
    check_inspection,
    check_request,
    clean_text,
)

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(st.characters(exclude_categories=())),
    st.binary(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
    st.fractions(),
    st.decimals(),
    st.sampled_from([10**400, -(2**70), "a" * 2_000, object(), int]),
)


def sentence(check, raw) -> str:
    """Return the refusal, or nothing where the request is legal."""
    try:
        check(**raw)
    except InputError as error:
        return error.user_message
    return ""


@settings(max_examples=500, deadline=None)
@given(raw=st.dictionaries(st.sampled_from([*REQUEST_CHECKS, "extra"]), ANYTHING))
def test_generation_request_is_legal_or_refused_in_one_sentence(raw):
    message = sentence(check_request, raw)
    assert message.isprintable()
    assert len(message) < 300


@settings(max_examples=300, deadline=None)
@given(raw=st.dictionaries(st.sampled_from([*INSPECTION_CHECKS, "extra"]), ANYTHING))
def test_inspection_request_is_legal_or_refused_in_one_sentence(raw):
    message = sentence(check_inspection, raw)
    assert message.isprintable()
    assert len(message) < 300


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(value=ANYTHING)
def test_a_seed_that_passes_is_a_whole_number_within_its_limits(value):
    assume(not sentence(check_request, {"prompt": "a", "seed": value}))
    seed = check_request(prompt="a", seed=value).seed
    assert type(seed) is int
    assert seed in limits.SEED


@settings(max_examples=300, deadline=None)
@given(
    prompt=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=60),
    seed=st.integers(0, limits.SEED.high),
    steps=st.integers(1, 100),
    guidance=st.floats(0, 20),
    frames=st.integers(4, 32).map(lambda half: 2 * half),
)
def test_checking_a_checked_request_changes_nothing(prompt, seed, steps, guidance, frames):
    request = check_request(
        prompt=prompt,
        seed=seed,
        num_inference_steps=steps,
        guidance_scale=guidance,
        num_frames=frames,
    )
    assert check_request(**dataclasses.asdict(request)) == request


@settings(max_examples=500, deadline=None)
@given(text=st.text(st.characters(exclude_categories=())))
def test_cleaned_text_is_one_composed_line_and_stays_so(text):
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in cleaned)
    cleaned.encode("utf-8")
