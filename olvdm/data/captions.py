"""The grammar that describes a clip of the moving-shapes world, and its way back to attributes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from olvdm.data.scene import COLOURS, LEVELS, SHAPES, ShapesObject

TEXTURE_WORDS = {"flat": "", "striped": "striped", "dotted": "dotted", "gradient": "shaded"}
COUNT_WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
MOTION_PHRASES: dict[str, tuple[tuple[str, str], ...]] = {
    **{
        direction: tuple(
            (f"{finite} {way}", f"{participle} {way}")
            for finite, participle in (
                ("moves", "moving"),
                ("slides", "sliding"),
                ("glides", "gliding"),
            )
            for way in ways
        )
        for direction, ways in {
            "left": ("left", "to the left"),
            "right": ("right", "to the right"),
            "up": ("up", "upwards"),
            "down": ("down", "downwards"),
        }.items()
    },
    "still": (
        ("stays still", "staying still"),
        ("rests", "resting"),
        ("does not move", "not moving"),
    ),
    "bounce": (("bounces around", "bouncing around"),),
    "circle": (
        ("circles around", "circling around"),
        ("moves in a circle", "moving in a circle"),
    ),
}
"""Every motion as a person may say it: after "a red circle", and after "with a red circle"."""

RETURN_PHRASES = {
    "bounce": ("bounces out of view and returns", "bouncing out of view and returning"),
    "circle": ("circles out of view and returns", "circling out of view and returning"),
}
PASSING_VERBS = (("passes", "passing"), ("goes", "going"))
PASSING_PLACES = ("behind", "in front of")
JOINING_WORDS = ("a", "an", "and", "while", "that", "shapes")
MANY_OBJECTS = 4

EXAMPLE_PROMPTS: dict[str, tuple[str, ...]] = {
    "simple": (
        "a red circle moves right and passes behind a green square",
        "a blue star moves left while a yellow square stays still",
        "an orange diamond moves up",
        "a white triangle moves down and passes in front of a purple square",
        "a cyan circle moves right while a cyan star moves left",
        "a yellow star slides to the right",
        "a green triangle moves left and passes behind a red triangle",
        "a blue circle moves down and an orange circle moves up",
    ),
    "full": (
        "a striped red circle moves right and passes behind a dotted blue square",
        "a yellow star bounces around while a purple heart stays still",
        "a dotted cyan circle circles around and a white cross moves up",
        "a shaded orange heart circles out of view and returns",
        (
            "three shapes: a red star moves left, a dotted red square rests and a white "
            "circle moves up"
        ),
        "a green circle moves down and passes in front of a yellow cross that moves left",
        "a striped blue star bounces out of view and returns",
        (
            "four shapes: a red heart moves right, a blue heart moves left, a dotted green "
            "cross stays still and a yellow square bounces around"
        ),
    ),
    "ood": (
        (
            "five shapes: a green star moves right, a red heart moves left, a blue circle "
            "stays still, a yellow square moves up and a white cross circles around"
        ),
        (
            "a purple circle moves up, a cyan square moves down, a red star moves left, a "
            "blue heart stays still and a yellow cross bounces around"
        ),
        (
            "five shapes: a red diamond moves right, a red star moves left, a green heart "
            "moves up, a blue square stays still and a white circle bounces around"
        ),
        (
            "an orange triangle moves left and passes behind a blue square, a green circle "
            "moves up, a yellow heart stays still and a white star moves down"
        ),
        (
            "six shapes: a white heart moves up, a red circle moves down, a blue star moves "
            "left, a green cross moves right, a yellow diamond stays still and an orange "
            "square rests"
        ),
        (
            "a cyan square bounces around, a green circle moves left, a red heart moves "
            "right, a purple star moves up and a blue diamond stays still"
        ),
        (
            "a red diamond circles around, a blue cross moves down, a yellow triangle moves "
            "up, a white circle stays still and a green heart moves right"
        ),
        (
            "six shapes: a purple circle moves left, a purple star moves right, a green "
            "square rests, a yellow heart moves up, a cyan cross moves down and a white "
            "diamond stays still"
        ),
    ),
}


@dataclass(frozen=True)
class PromptObject:
    """What a prompt asks of one object, each in the word of ``ShapesObject``."""

    colour: str
    shape: str
    motion: str


def describe(
    objects: Sequence[ShapesObject],
    passings: Sequence[tuple[int, int]],
    returning: Sequence[int],
    rng: np.random.Generator,
) -> str:
    """Say what a clip shows, in one of many phrasings.

    Args:
        objects: The objects; every one of them is mentioned.
        passings: Nearer and farther object of each pair that pass each other.
        returning: The objects that leave the frame and come back.
        rng: Chooses the phrasing.

    Returns:
        Lower-case words without a full stop, at most about 45.

    Ours: a small grammar, so that text and truth can be compared word by word.
    """
    relation = _choose_relation(objects, passings, rng)
    is_participle = (relation is None or len(objects) == 2) and bool(rng.random() < 0.3)
    writer = _Writer(objects, frozenset(returning), rng, form=int(is_participle))
    said = () if relation is None else relation[:2]
    parts = [] if relation is None else [writer.passing(*relation)]
    parts += [writer.clause(int(n)) for n in rng.permutation(len(objects)) if n not in said]
    has_while = len(parts) > 1 and not is_participle and bool(rng.random() < 0.4)
    if has_while or (len(parts) == 2 and relation is not None):
        return f"{parts[0]} while {_listed(parts[1:])}"
    is_counted = len(objects) > 1 and len(parts) == len(objects) and rng.random() < 0.25
    lead = f"{COUNT_WORDS[len(objects)]} shapes: " if is_counted else ""
    return lead + _listed(parts)


def parse_prompt(prompt: str) -> tuple[PromptObject, ...]:
    """Read back what a prompt asks for.

    Args:
        prompt: A caption of the grammar, or a person's words in its vocabulary.

    Returns:
        The objects in the order of the prompt; one whose motion is not said stays still. Nothing
        where no colour stands before a shape.

    Ours: judges compare a generated clip with this.
    """
    words = prompt.lower()
    matches = list(_OBJECT.finditer(words))
    ends = [*(match.start() for match in matches), len(words)][1:]
    return tuple(
        PromptObject(match["colour"], match["shape"], _motion(words[match.end() : end]))
        for match, end in zip(matches, ends, strict=True)
    )


def vocabulary() -> tuple[str, ...]:
    """List every word that the grammar can produce, sorted.

    Returns:
        Words in lower case, without punctuation.

    Ours: a text encoder trained on these captions need know no others.
    """
    phrases = [
        *COLOURS,
        *SHAPES,
        *TEXTURE_WORDS.values(),
        *COUNT_WORDS.values(),
        *PASSING_PLACES,
        *JOINING_WORDS,
        *(form for forms in PASSING_VERBS for form in forms),
        *(form for forms in RETURN_PHRASES.values() for form in forms),
        *(form for phrases in MOTION_PHRASES.values() for forms in phrases for form in forms),
    ]
    return tuple(sorted({word for phrase in phrases for word in phrase.split()}))


def example_prompts(level: str) -> tuple[str, ...]:
    """List prompts of a level that are worth trying first.

    Args:
        level: One of ``LEVELS``.

    Returns:
        Eight prompts of the grammar.

    Raises:
        ValueError: If there is no such level.

    Ours: chosen to show occlusion, equal colours, equal shapes and every motion.
    """
    if level not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(LEVELS)}, got {level}")
    return EXAMPLE_PROMPTS[level]


@dataclass(frozen=True)
class _Writer:
    """Puts objects into words; form 0 is finite ("moves"), form 1 a participle ("moving")."""

    objects: Sequence[ShapesObject]
    returning: frozenset[int]
    rng: np.random.Generator
    form: int

    def noun(self, index: int) -> str:
        """Name an object, its texture left out now and then, and always in a crowd."""
        thing = self.objects[index]
        has_texture = self.rng.random() < 0.85 and not self.is_crowd
        words = [TEXTURE_WORDS[thing.texture]] if has_texture else []
        name = " ".join(word for word in [*words, thing.colour, thing.shape] if word)
        return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"

    def verb(self, index: int) -> str:
        """Say how an object moves, in the shortest way in a crowd."""
        motion = self.objects[index].motion
        if index in self.returning and not self.is_crowd:
            return RETURN_PHRASES[motion][self.form]
        phrases = MOTION_PHRASES[motion]
        return phrases[0 if self.is_crowd else int(self.rng.integers(len(phrases)))][self.form]

    def clause(self, index: int) -> str:
        """Say what one object does."""
        return f"{self.noun(index)} {self.verb(index)}"

    def passing(self, subject: int, other: int, place: str) -> str:
        """Say what one object does and whom it passes; the other's rest need not be said."""
        verb = PASSING_VERBS[int(self.rng.integers(len(PASSING_VERBS)))][self.form]
        sentence = f"{self.clause(subject)} and {verb} {place} {self.noun(other)}"
        if self.objects[other].motion == "still" and self.rng.random() < 0.8:
            return sentence
        return f"{sentence} {'' if self.form else 'that '}{self.verb(other)}"

    @property
    def is_crowd(self) -> bool:
        """Whether there are so many objects that each gets few words."""
        return len(self.objects) > MANY_OBJECTS


def _choose_relation(
    objects: Sequence[ShapesObject], passings: Sequence[tuple[int, int]], rng: np.random.Generator
) -> tuple[int, int, str] | None:
    """Choose who passes whom and where, the subject being one that moves; mostly the first pair."""
    if not passings or rng.random() < 0.1:
        return None
    front, behind = passings[0]
    choices = [
        choice
        for choice in ((behind, front, "behind"), (front, behind, "in front of"))
        if objects[choice[0]].motion != "still"
    ]
    return choices[int(rng.integers(len(choices)))]


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)


def _any_of(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in words if word)


_OBJECT = re.compile(rf"\b(?P<colour>{_any_of(list(COLOURS))}) (?P<shape>{_any_of(SHAPES)})\b")
_MOTIONS = {
    "left": r"left(?:wards)?",
    "right": r"right(?:wards)?",
    "up": r"up(?:wards)?",
    "down": r"down(?:wards)?",
    "still": r"still|rests?|resting|not (?:move|moving)",
    "bounce": r"bounc\w+",
    "circle": r"circles|circling|in a circle",
}
_MOTION = re.compile(
    "|".join(rf"\b(?P<{motion}>{pattern})\b" for motion, pattern in _MOTIONS.items())
)


def _motion(words: str) -> str:
    match = _MOTION.search(words)
    return "still" if match is None or match.lastgroup is None else match.lastgroup
