"""The failures that we can explain: each carries one sentence that is safe to show anybody."""

import numbers
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

SHOWN_HEAD, SHOWN_TAIL = 40, 20  # characters of what is too long to be shown whole


class OlvdmError(Exception):
    """Say what is wrong, where, and what would be right, in one sentence.

    Args:
        user_message: The sentence; it names the value, the limit and the remedy, and holds no
            path, no traceback and no text of another library.

    Attributes:
        exit_code: With which a command ends.
    """

    exit_code: int = 2

    def __init__(self, user_message: str) -> None:
        super().__init__(user_message)
        self.user_message = user_message


class InputError(OlvdmError, ValueError):
    """Refuse a value that a person or a program asked for."""


class VideoError(OlvdmError):
    """Refuse a file that is not a video which we can read."""


class CheckpointError(OlvdmError):
    """Refuse weights that are missing, damaged or of another format."""


class TrainingError(OlvdmError):
    """Stop a training: the loss is not finite, or there is nothing to resume."""

    exit_code = 3


class StorageError(TrainingError):
    """Stop a training that can no longer save what it learns."""

    exit_code = 4


def quoted_name(path: str | os.PathLike[str]) -> str:
    """Return the last name of a path as a message shows it: quoted, short, and on one line.

    Args:
        path: Of a file or folder, which need not exist.

    Returns:
        The name without its folders; of a long one the beginning and the end.

    Ours: a whole path tells of the machine, and no name at all leaves people to guess.
    """
    name = Path(path).name or Path(os.path.abspath(path)).name  # of "." too  # noqa: PTH100
    if len(name) > SHOWN_HEAD + SHOWN_TAIL:
        name = f"{name[:SHOWN_HEAD]}...{name[-SHOWN_TAIL:]}"
    return repr(name)


def shown_value(value: object) -> str:
    """Return a refused value as a message shows it: short, and on one line of plain characters.

    Args:
        value: Of any type and size.

    Returns:
        The number or the quoted text, or the type of anything else.

    Ours: Python prints no whole number of more than 4,300 digits.
    """
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, numbers.Integral):
        whole = int(value)
        return str(whole) if abs(whole) < 10**SHOWN_HEAD else "a number of too many digits"
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Rational):
        return str(value)
    if isinstance(value, str):
        head = ascii(value[:SHOWN_HEAD])
        return head if len(value) <= SHOWN_HEAD else f"{head} and so on"
    return f"a value of type {type(value).__name__[:SHOWN_HEAD]}"


@contextmanager
def named(noun: str, path: str | os.PathLike[str]) -> Generator[None]:
    """Begin the sentence of whatever the ``with`` block refuses with a file's or folder's name.

    Args:
        noun: What the path leads to, such as "video".
        path: Where it is.

    Raises:
        OlvdmError: The same that the block raised, with its sentence made longer.

    Ours: who reads a video from a request may not tell its name, who types it must be told.
    """
    try:
        yield
    except OlvdmError as error:
        reason = error.user_message[:1].lower() + error.user_message[1:]
        error.user_message = f"{noun} {quoted_name(path)}: {reason}"
        error.args = (error.user_message,)
        raise
