"""What a person asked for, checked against the limits before any tensor exists."""

import difflib
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from olvdm import limits
from olvdm.errors import InputError, shown_value

SPACES = frozenset("\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029")


@dataclass(frozen=True, kw_only=True)
class Request:
    """One generation, legal in every field.

    Attributes:
        prompt: What the clip shows, cleaned.
        negative_prompt: What it should not show, cleaned; may be empty.
        seed: Where the noise starts.
        num_frames: Frames of the clip.
        height: Its height, pixels.
        width: Its width, pixels.
        num_inference_steps: Denoising steps.
        guidance_scale: Strength of the prompt; 1 leaves the unconditional call out.
        num_samples: Clips to make, from consecutive seeds.
        checkpoint: Which shipped model.
    """

    prompt: str
    negative_prompt: str = ""
    seed: int = 0
    num_frames: int = 16
    height: int = 64
    width: int = 64
    num_inference_steps: int = limits.DEFAULT_STEPS
    guidance_scale: float = limits.DEFAULT_GUIDANCE
    num_samples: int = 1
    checkpoint: str = limits.CHECKPOINTS[0]


@dataclass(frozen=True, kw_only=True)
class InspectionRequest:
    """One inspection, legal in every field.

    Attributes:
        num_slots: Slots to find; None leaves it to the model.
        max_frames: Frames of the clip to use.
        adapt_steps: Steps of fitting the slots to this clip.
    """

    num_slots: int | None = None
    max_frames: int = limits.INSPECT_FRAMES.high
    adapt_steps: int = 0


def check_request(lengths: limits.EvenRange = limits.NUM_FRAMES, /, **raw: object) -> Request:
    """Return a legal generation request, or say in one sentence what is wrong with it.

    Args:
        lengths: Legal numbers of frames: those of a server, or those of the command line.
        **raw: Fields of `Request` as they came in, of any type. A field left out has its default;
            only the prompt must be there.

    Returns:
        The request, its text cleaned and its numbers of the right type.

    Raises:
        InputError: If a field is missing, unknown or illegal.

    Source: Ours: a screen's own limits are hints, for NaN, None and booleans pass them.
    """
    if "prompt" not in raw:
        raise InputError("The prompt is missing; describe the clip in 1 to 300 characters.")
    checks = {
        **REQUEST_CHECKS,
        "num_frames": lambda name, value: check_length(name, value, lengths),
    }
    return Request(**_checked(raw, checks))


def check_inspection(**raw: object) -> InspectionRequest:
    """Return a legal inspection request, or say in one sentence what is wrong with it.

    Args:
        **raw: Fields of `InspectionRequest` as they came in; a field left out has its default.

    Returns:
        The request, its numbers of the right type.

    Source: Ours, as `check_request`.
    """
    return InspectionRequest(**_checked(raw, INSPECTION_CHECKS))


def clean_text(text: str) -> str:
    """Return text as one line without control characters, in Unicode's composed form.

    Args:
        text: Any text; lone surrogates are dropped with the controls.

    Returns:
        The text, every run of white space now one space; cleaning it again changes nothing.

    Source: Unicode standard annex 15, NFC.
    """
    spaced = "".join(" " if char in SPACES else char for char in text)
    printable = "".join(char for char in spaced if unicodedata.category(char) not in ("Cc", "Cs"))
    return " ".join(unicodedata.normalize("NFC", printable).split())


def check_text(name: str, value: object, chars: limits.WholeRange) -> str:
    """Return a text field cleaned, if its length is legal.

    Args:
        name: The field, as the message calls it.
        value: What came in.
        chars: Legal numbers of characters after cleaning.

    Returns:
        The cleaned text; empty only where the range allows 0.

    Raises:
        InputError: If it is no text, too long, or blank where something must be said.
    """
    if not isinstance(value, str):
        raise InputError(f"{name} must be text of {chars} characters, got {shown_value(value)}.")
    if len(value) > limits.PROMPT_RAW_MAX:
        raise InputError(
            f"{name} has {len(value):,} characters; shorten it to at most {chars.high}."
        )
    if any(unicodedata.category(char) == "Cs" for char in value):
        raise InputError(f"{name} holds a broken character (a lone surrogate); type it again.")
    cleaned = clean_text(value)
    if len(cleaned) > chars.high:
        raise InputError(
            f"{name} has {len(cleaned)} characters; shorten it to at most {chars.high}."
        )
    if chars.low and not any(unicodedata.category(char)[0] in "LMNPS" for char in cleaned):
        raise InputError(f"Describe the clip: {name} is blank, but needs {chars} characters.")
    return cleaned


def check_whole(name: str, value: object, legal: limits.WholeRange, remedy: str = "") -> int:
    """Return a whole number within a range.

    Args:
        name: The field, as the message calls it.
        value: What came in; 10.0 counts as 10, but text and booleans are not converted.
        legal: The range.
        remedy: End of the message, where there is more to say than the range.

    Returns:
        The number as an int.

    Raises:
        InputError: If it is anything else.
    """
    number = _whole(value)
    if value is None:
        raise InputError(f"{name} is missing; give {legal.kind} from {legal}{remedy}.")
    if number is None or number not in legal:
        raise InputError(
            f"{name} must be {legal.kind} from {legal}, got {shown_value(value)}{remedy}."
        )
    return number


def check_length(name: str, value: object, legal: limits.EvenRange) -> int:
    """Return a legal number of frames; who wants a longer clip is told who draws it.

    Args:
        name: The field, as the message calls it.
        value: What came in, as for `check_whole`.
        legal: The range.

    Returns:
        The number as an int. Anything else is an ``InputError``.
    """
    number = _whole(value)
    is_long = number is not None and number in limits.LONG_FRAMES
    longer = f"; olvdm generate draws up to {limits.LONG_FRAMES.high}" if is_long else ""
    return check_whole(name, value, legal, longer)


def check_number(name: str, value: object, legal: limits.Range) -> float:
    """Return a finite number within a range.

    Args:
        name: The field, as the message calls it.
        value: What came in; text and booleans are not converted.
        legal: The range.

    Returns:
        The number as a float; -0 becomes 0.

    Raises:
        InputError: If it is anything else.
    """
    number = limits.real_number(value)
    if value is None:
        raise InputError(f"{name} is missing; give a number from {legal}.")
    if number is None or number not in legal:
        raise InputError(f"{name} must be a number from {legal}, got {shown_value(value)}.")
    return number + 0.0


def check_choice(name: str, value: object, legal: Sequence[int] | Sequence[str]) -> int | str:
    """Return one of a list of numbers or words.

    Args:
        name: The field, as the message calls it.
        value: What came in.
        legal: The list.

    Returns:
        The element of the list.

    Raises:
        InputError: If the value is not in the list.
    """
    wanted = value if isinstance(value, str) else _whole(value)
    for choice in legal:
        if choice == wanted:
            return choice
    choices = ", ".join(str(choice) for choice in legal)
    raise InputError(f"{name} must be one of {choices}, got {shown_value(value)}.")


Check = Callable[[str, object], object]

REQUEST_CHECKS: Mapping[str, Check] = {
    "prompt": lambda name, value: check_text(name, value, limits.PROMPT_CHARS),
    "negative_prompt": lambda name, value: check_text(name, value, limits.NEGATIVE_PROMPT_CHARS),
    "seed": lambda name, value: check_whole(name, value, limits.SEED),
    "num_frames": lambda name, value: check_length(name, value, limits.NUM_FRAMES),
    "height": lambda name, value: check_choice(name, value, limits.SIDES),
    "width": lambda name, value: check_choice(name, value, limits.SIDES),
    "num_inference_steps": lambda name, value: check_whole(name, value, limits.STEPS),
    "guidance_scale": lambda name, value: check_number(name, value, limits.GUIDANCE),
    "num_samples": lambda name, value: check_whole(name, value, limits.SAMPLES),
    "checkpoint": lambda name, value: check_choice(name, value, limits.CHECKPOINTS),
}
INSPECTION_CHECKS: Mapping[str, Check] = {
    "num_slots": lambda name, value: check_whole(name, value, limits.NUM_SLOTS),
    "max_frames": lambda name, value: check_whole(name, value, limits.INSPECT_FRAMES),
    "adapt_steps": lambda name, value: check_whole(name, value, limits.ADAPT_STEPS),
}


def _checked(raw: Mapping[str, object], checks: Mapping[str, Check]) -> dict[str, Any]:
    """Run every field through its check; a name that nobody knows is refused too."""
    for name in raw:
        if name not in checks:
            near = difflib.get_close_matches(name, checks, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"known are {', '.join(checks)}."
            raise InputError(f"There is no setting {shown_value(name)}; {remedy}")
    return {name: checks[name](name, value) for name, value in raw.items()}


def _whole(value: object) -> int | None:
    """Return a number as an int, None for whatever is no whole number."""
    number = limits.real_number(value)
    return int(number) if number is not None and number.is_integer() else None
