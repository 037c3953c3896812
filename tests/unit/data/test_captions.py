"""The grammar says what it is given, and can be read back."""

import re

import numpy as np
import pytest

from olvdm.data.captions import (
    PromptObject,
    describe,
    example_prompts,
    parse_prompt,
    vocabulary,
)
from olvdm.data.scene import HELD_OUT_PAIRS, LEVELS, SIMPLE_SHAPES, ShapesObject

CIRCLE = ShapesObject("circle", "red", "flat", "right", depth=1, radius=9.0)
SQUARE = ShapesObject("square", "green", "flat", "still", depth=0, radius=9.0)
STAR = ShapesObject("star", "orange", "striped", "bounce", depth=2, radius=9.0)
PASSING = ((1, 0),)


def phrasings(*objects: ShapesObject, passings=(), returning=()) -> set[str]:
    rng = np.random.default_rng(0)
    return {describe(objects, passings, returning, rng) for _ in range(300)}


def test_one_object_is_described_in_several_ways() -> None:
    said = phrasings(CIRCLE)
    assert {"a red circle moves right", "a red circle sliding to the right"} <= said


def test_vowel_takes_an() -> None:
    assert "an orange star bounces around" in phrasings(STAR)


def test_texture_is_said_before_the_colour() -> None:
    assert "a striped orange star bounces around" in phrasings(STAR)


def test_farther_object_passes_behind_the_nearer() -> None:
    said = phrasings(CIRCLE, SQUARE, passings=PASSING)
    assert "a red circle moves right and passes behind a green square" in said


def test_farther_object_never_passes_in_front() -> None:
    assert not any("front" in text for text in phrasings(CIRCLE, SQUARE, passings=PASSING))


def test_nearer_object_passes_in_front() -> None:
    said = phrasings(CIRCLE, SQUARE, passings=((0, 1),))
    assert "a red circle moves right and passes in front of a green square" in said


def test_resting_object_is_never_said_to_pass() -> None:
    assert not any(
        text.startswith("a green square") and (" behind " in text or " front " in text)
        for text in phrasings(CIRCLE, SQUARE, passings=PASSING)
    )


def test_nothing_is_said_to_pass_where_nothing_does() -> None:
    assert not any("behind" in text or "front" in text for text in phrasings(CIRCLE, SQUARE))


def test_return_is_said() -> None:
    said = phrasings(STAR, returning=(0,))
    assert all("out of view and return" in text for text in said)


def test_three_objects_may_be_counted_and_are_joined_as_a_person_would() -> None:
    counted = re.compile(r"three shapes: an? [^,]+, an? [^,]+ and an? [^,]+")
    assert any(counted.fullmatch(text) for text in phrasings(CIRCLE, SQUARE, STAR))


def test_prompt_is_read_back_in_its_order() -> None:
    assert parse_prompt("a red circle moves right and passes behind a green square") == (
        PromptObject("red", "circle", "right"),
        PromptObject("green", "square", "still"),
    )


def test_circle_as_a_noun_is_no_motion() -> None:
    assert parse_prompt("a red circle bounces around")[0].motion == "bounce"


def test_circle_as_a_verb_is_a_motion() -> None:
    assert parse_prompt("a red circle circles around")[0].motion == "circle"


def test_moving_in_a_circle_is_a_motion() -> None:
    assert parse_prompt("a striped red square moving in a circle")[0].motion == "circle"


def test_capitals_are_read_as_small_letters() -> None:
    assert parse_prompt("A Red STAR moves LEFT") == (PromptObject("red", "star", "left"),)


def test_nothing_is_read_from_a_prompt_without_shapes() -> None:
    assert parse_prompt("a cat walks over a bridge") == ()


def test_vocabulary_is_sorted_and_has_each_word_once() -> None:
    words = vocabulary()
    assert list(words) == sorted(set(words))


@pytest.mark.parametrize("level", LEVELS)
def test_examples_use_only_the_vocabulary(level: str) -> None:
    words = " ".join(example_prompts(level)).replace(",", "").replace(":", "").split()
    assert set(words) <= set(vocabulary())


@pytest.mark.parametrize("level", LEVELS)
def test_there_are_eight_examples(level: str) -> None:
    assert len(set(example_prompts(level))) == 8


@pytest.mark.parametrize(
    ("level", "least", "most"), [("simple", 1, 2), ("full", 1, 4), ("ood", 5, 6)]
)
def test_examples_have_the_number_of_objects_of_their_level(
    level: str, least: int, most: int
) -> None:
    counts = [len(parse_prompt(prompt)) for prompt in example_prompts(level)]
    assert min(counts) >= least
    assert max(counts) <= most


@pytest.mark.parametrize("level", ["simple", "full"])
def test_examples_of_training_levels_ask_for_no_held_out_pair(level: str) -> None:
    asked = {(o.colour, o.shape) for prompt in example_prompts(level) for o in parse_prompt(prompt)}
    assert not asked & HELD_OUT_PAIRS


def test_every_ood_example_asks_for_a_held_out_pair() -> None:
    assert all(
        {(o.colour, o.shape) for o in parse_prompt(prompt)} & HELD_OUT_PAIRS
        for prompt in example_prompts("ood")
    )


def test_simple_examples_ask_for_simple_shapes_only() -> None:
    asked = {o.shape for prompt in example_prompts("simple") for o in parse_prompt(prompt)}
    assert asked <= set(SIMPLE_SHAPES)


def test_example_of_the_title_is_there() -> None:
    title = "a red circle moves right and passes behind a green square"
    assert title in example_prompts("simple")


def test_unknown_level_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="got hard"):
        example_prompts("hard")
