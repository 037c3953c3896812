"""Declares one setting of a training: its kind, its legal values, and how it reads as text."""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import Field, field
from typing import Any

from olvdm.errors import InputError

PATH_CHARS = 4_096
ROW_LENGTH = 8


def number(default: int | float, low: int | float, high: int | float) -> Any:  # noqa: ANN401
    """Declare a number; whether it is whole follows from the default.

    Args:
        default: Its value where none is given.
        low: Smallest legal value.
        high: Largest legal value.

    Returns:
        A field of a dataclass.
    """
    return field(default=default, metadata={"kind": type(default), "bounds": (low, high)})


def choice(default: str, *others: str) -> Any:  # noqa: ANN401
    """Declare one word out of several.

    Args:
        default: The word where none is given.
        *others: The other legal words.

    Returns:
        A field of a dataclass.
    """
    return field(default=default, metadata={"kind": str, "words": (default, *others)})


def flag(default: bool) -> Any:  # noqa: ANN401
    """Declare a yes or no.

    Args:
        default: Its value where none is given.

    Returns:
        A field of a dataclass.
    """
    return field(default=default, metadata={"kind": bool})


def widths(*default: int, low: int = 1) -> Any:  # noqa: ANN401
    """Declare a row of whole numbers.

    Args:
        *default: The row where none is given.
        low: Smallest legal number in it.

    Returns:
        A field of a dataclass.
    """
    return field(default=default, metadata={"kind": tuple, "bounds": (low, 4096)})


def optional_path() -> Any:  # noqa: ANN401
    """Declare a path that may be left out.

    Returns:
        A field of a dataclass.
    """
    return field(default=None, metadata={"kind": str, "optional": True})


def optional_name() -> Any:  # noqa: ANN401
    """Declare a name that may be left out.

    Returns:
        A field of a dataclass.
    """
    return field(default=None, metadata={"kind": str, "optional": True, "noun": "name"})


def optional_number(low: int | float, high: int | float) -> Any:  # noqa: ANN401
    """Declare a number that may be left out.

    Args:
        low: Smallest legal value.
        high: Largest legal value.

    Returns:
        A field of a dataclass.
    """
    metadata = {"kind": float, "bounds": (low, high), "optional": True}
    return field(default=None, metadata=metadata)


def checked(declared: Field[Any], value: object) -> object:
    """Return a value in the kind of its field.

    Args:
        declared: A field that one of the functions above made.
        value: What somebody gave; whole numbers do for others, and lists for rows.

    Returns:
        The value, equal to what was given.

    Raises:
        InputError: If it is of another kind or not legal; the sentence says what would be.
    """
    metadata = declared.metadata
    kind: type = metadata["kind"]
    if value is None and metadata.get("optional"):
        return None
    if kind is float and type(value) is int and abs(value) < 2**53:
        value = float(value)
    if kind is tuple and isinstance(value, list):
        value = tuple(value)
    if type(value) is not kind or not _is_legal(declared, value):
        legal = _legal_values(declared)
        raise InputError(f"{declared.name} must be {legal}, got {_shown(value)}")
    return value


def read_text(declared: Field[Any], text: str) -> object:
    """Read a value as a command line gives it.

    Args:
        declared: The field that it is for.
        text: A TOML value, or the text itself where the field is one; ``none`` for no value, and
            a row may go without brackets.

    Returns:
        The value, not yet checked; the text where it is no value at all.
    """
    metadata = declared.metadata
    if metadata.get("optional") and text.lower() == "none":
        return None
    if metadata["kind"] is str:
        return text
    row = f"[{text}]" if metadata["kind"] is tuple and not text.startswith("[") else text
    try:
        document = tomllib.loads(f"value = {row}")
    except (ValueError, RecursionError):  # the former also of endless numbers
        return text
    return document["value"] if len(document) == 1 else text


def toml_value(value: object) -> str:
    """Write a value as TOML.

    Args:
        value: A legal value of any field.

    Returns:
        Text that TOML reads back as an equal value.
    """
    if isinstance(value, tuple):
        row: Sequence[object] = value
        return f"[{', '.join(toml_value(one) for one in row)}]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)  # TOML and JSON write printable texts alike


def _is_legal(declared: Field[Any], value: Any) -> bool:  # noqa: ANN401
    """Tell whether a value of the right kind is within what the field takes."""
    metadata = declared.metadata
    kind: type = metadata["kind"]
    if kind is bool:
        return True
    if kind is str:
        words = metadata.get("words")
        is_path = 0 < len(value) <= PATH_CHARS and value.isprintable()
        return is_path if words is None else value in words
    low, high = metadata["bounds"]
    if kind is tuple:
        is_whole = all(type(one) is int and low <= one <= high for one in value)
        return 1 <= len(value) <= ROW_LENGTH and is_whole
    return low <= value <= high


def _shown(value: object) -> str:
    try:
        return repr(value)[:64]
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        return "a number of too many digits"


def _legal_values(declared: Field[Any]) -> str:
    """Say which values a field takes."""
    metadata = declared.metadata
    kind: type = metadata["kind"]
    if kind is bool:
        return "true or false"
    if kind is str:
        words, noun = metadata.get("words"), metadata.get("noun", "path")
        return f"one of {', '.join(words)}" if words else f"a {noun} without control characters"
    low, high = metadata["bounds"]
    if kind is tuple:
        return f"1 to {ROW_LENGTH} whole numbers within {low} to {high}"
    noun = "a whole number" if kind is int else "a number"
    return f"{noun} within {low:.10g} to {high:.10g}"
