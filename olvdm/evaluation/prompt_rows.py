"""What each prompt's clip scored, one line a prompt on the disk, so that a stop loses nothing."""

import json
import math
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from olvdm.errors import InputError

ROWS_NAME = "generation.jsonl"


@dataclass(frozen=True, kw_only=True)
class PromptRow:
    """One prompt, the clip that was drawn from it, and the real clip whose caption it is.

    Attributes:
        index: Place of the prompt in the test split.
        prompt: The caption.
        noise_seed: Of the noise that the clip began from.
        frames_sha256: Checksum of the drawn pixels.
        seconds: That drawing took, slots included.
        generated: Measures of the drawn clip by name, NaN where one cannot be measured.
        real: The same of the real clip.
        thumbnail: Tiny frames of the drawn clip, base64.
        real_thumbnail: The same of the real clip.
        features: Of the drawn clip by the attribute network, base64; empty without one.
        real_features: The same of the real clip.
    """

    index: int
    prompt: str
    noise_seed: int
    frames_sha256: str
    seconds: float
    generated: dict[str, float]
    real: dict[str, float]
    thumbnail: str
    real_thumbnail: str
    features: str = ""
    real_features: str = ""


class RowStore:
    """Keeps rows in a file of one evaluation, and gives back those that are still true.

    Args:
        folder: Output of the evaluation; none keeps nothing.
        key: What the rows follow from; rows of another key are dropped.
    """

    def __init__(self, folder: Path | None, key: str) -> None:
        self.path = folder / ROWS_NAME if folder else None
        self.key = key
        self.rows: dict[int, PromptRow] = {}
        if self.path and self.path.exists():
            lines = self.path.read_text(encoding="utf-8", errors="replace").split("\n")
            self.rows = {row.index: row for row in _parse_lines(lines, key)}
            # What a stop has torn, or another checkpoint has left, must not stay in between.
            save_rows(self.path.parent, key, self.rows.values())

    def add(self, row: PromptRow) -> None:
        """Keep a row; it is on the disk when this returns.

        Args:
            row: The new row.
        """
        self.rows[row.index] = row
        if self.path:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(_as_line(row, self.key))

    def keep(self, rows: Iterable[PromptRow]) -> None:
        """Keep rows that have become more than they were when they were added.

        Args:
            rows: Of prompts that are there already.
        """
        changed = {row.index: row for row in rows if self.rows.get(row.index) != row}
        self.rows |= changed
        if self.path and changed:
            save_rows(self.path.parent, self.key, self.rows.values())


def save_rows(folder: Path, key: str, rows: Iterable[PromptRow]) -> None:
    """Write all rows of an evaluation, whole or not at all.

    Args:
        folder: Its output.
        key: What the rows follow from.
        rows: In the order in which they are to stand.
    """
    write_text(folder / ROWS_NAME, "".join(_as_line(row, key) for row in rows))


def read_rows(folder: Path, key: str, num_prompts: int | None = None) -> list[PromptRow]:
    """Read the rows of a finished evaluation.

    Args:
        folder: Its output.
        key: What its rows follow from.
        num_prompts: Of its report, since an earlier one of more prompts leaves its rows for a later
            one; none for all that are there.

    Returns:
        The rows in the order of their prompts.

    Raises:
        InputError: If there are none.
    """
    try:
        lines = (folder / ROWS_NAME).read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise InputError(
            f"a report has no {ROWS_NAME}; evaluate its checkpoint with the part generation"
        ) from error
    rows = sorted(_parse_lines(lines, key), key=lambda row: row.index)
    return [row for row in rows if num_prompts is None or row.index < num_prompts]


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Args:
        path: The file; one that is there is replaced.
        text: What it shall hold.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _as_line(row: PromptRow, key: str) -> str:
    """Write a row as one line of JSON, which knows no NaN."""
    fields = asdict(row)
    for name in ("generated", "real"):
        values: dict[str, float] = fields[name]
        fields[name] = {
            measure: value if math.isfinite(value) else None for measure, value in values.items()
        }
    return json.dumps({"key": key, **fields}, allow_nan=False) + "\n"


def _parse_lines(lines: Iterable[str], key: str) -> list[PromptRow]:
    """Return the whole lines of this key as rows."""
    rows: list[PromptRow] = []
    for line in lines:
        try:
            fields: dict[str, Any] = json.loads(line)
            if fields.pop("key") != key:
                continue
            for name in ("generated", "real"):
                values: dict[str, float | None] = fields[name]
                fields[name] = {
                    measure: math.nan if value is None else float(value)
                    for measure, value in values.items()
                }
            rows.append(PromptRow(**fields))
        except (ValueError, TypeError, KeyError, AttributeError):
            continue  # a torn line: its prompt is drawn again
    return rows
