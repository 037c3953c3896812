"""Inspections -> numbers in files: all arrays, a row for every slot of every frame, and sums."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from olvdm.commands.pictures import slot_rows
from olvdm.commands.record import RECORD_FORMAT, finite, scores_of
from olvdm.evaluation.inspection import Inspection

ARRAYS = (
    "frames",
    "slots",
    "attention_masks",
    "alpha_masks",
    "correlation",
    "presence",
    "assignment",
    "flicker",
    "flicker_all",
    "motion",
)


def write_arrays(path: Path, clips: Mapping[str, Inspection]) -> None:
    """Write all arrays of all clips as one compressed file.

    Args:
        path: The npz file.
        clips: Clips and their slots by name; an array is called ``name_field``, and ``field`` alone
            where the name is empty.
    """
    arrays = {
        f"{name}_{field}" if name else field: getattr(found, field)
        for name, found in clips.items()
        for field in ARRAYS
    }
    np.savez_compressed(path, allow_pickle=False, **arrays)


def write_table(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows as CSV; what is undefined, and what a row lacks, is empty.

    Args:
        path: The file.
        rows: At least one; a column stands where the first row that has it says.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, fieldnames=columns, restval="")
        table.writeheader()
        table.writerows(finite(row) for row in rows)


def metric_rows(clips: Mapping[str, Inspection]) -> list[dict[str, object]]:
    """Return the rows of all clips, and after them one row a clip that sums it up.

    Args:
        clips: Clips and their slots by name.

    Returns:
        Rows of a table; the last ones have neither frame nor slot.
    """
    rows: list[dict[str, object]] = [
        {"clip": name, **row} for name, found in clips.items() for row in slot_rows(found)
    ]
    for name, found in clips.items():
        sums: dict[str, object] = {**scores_of(found)}
        sums["flicker_all"] = sums.pop("flicker")  # in a row, flicker is that of one slot
        rows.append({"clip": name, **sums})
    return rows


def write_metrics(path: Path, clips: Mapping[str, Inspection]) -> None:
    """Write the numbers of all clips as JSON: of each its sums, and a row a slot and frame.

    Args:
        path: The file.
        clips: Clips and their slots by name.
    """
    told: dict[str, Any] = {
        name: {"summary": scores_of(found), "slots": slot_rows(found)}
        for name, found in clips.items()
    }
    value = finite({"format": RECORD_FORMAT, "kind": "metrics", "clips": told})
    path.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", encoding="utf-8")
