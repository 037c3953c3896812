"""What a comparison of models notes of itself, and how each of its clips is drawn again."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from olvdm.commands.record import (
    REQUEST_FIELDS,
    checkpoint_sha256,
    dtype_name,
    environment,
    finite,
    frames_sha256,
)
from olvdm.errors import InputError
from olvdm.request import Request

KIND = "comparison"
MODELS_FOLDER = "checkpoints"
MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")  # it becomes part of file names
MOST_MODELS = 4
COMMAND = f"olvdm generate --from run.json --checkpoint {MODELS_FOLDER} --output again.mp4"
ENVIRONMENT_FIELDS = ("device", "dtype", "num_threads", "machine", "versions", "commit")
DAMAGED = "the record of the comparison is damaged; give a run.json as the app wrote it"


def comparison_settings(
    request: Request, checkpoints: Mapping[str, Path], dtype: torch.dtype, device: str
) -> dict[str, object]:
    """Return all that the clips of a comparison follow from; their store is keyed by it.

    Args:
        request: What all models were asked for.
        checkpoints: Folder of each model, by its name.
        dtype: Of the weights.
        device: Its kind, such as "cpu".

    Returns:
        Settings, as JSON can hold them. The folders do not stand in it: where somebody keeps files
        changes no frame, and is nobody else's business. Nor does the commit, which would make every
        stored run stale: whoever draws adds it to what is kept.

    Ours.
    """
    return {
        **dataclasses.asdict(request),
        "checkpoints_sha256": {name: checkpoint_sha256(one) for name, one in checkpoints.items()},
        "device": device,
        **environment(dtype),
    }


def comparison_record(
    settings: Mapping[str, Any],
    clips: Mapping[str, UInt8[np.ndarray, "t h w 3"]],
    fps: float = 8.0,
) -> dict[str, Any]:
    """Return the record of a comparison, from which ``olvdm generate --from`` draws it again.

    Args:
        settings: As `comparison_settings` gave them, and the commit that drew; of an older run
            those that it has.
        clips: Frames that each model drew, by its name.
        fps: Frames a second.

    Returns:
        The record, as JSON can hold it; what is not known of an older run is left out.

    Ours.
    """
    known = finite(dict(settings))
    request = {name: known[name] for name in REQUEST_FIELDS if name in known}
    dtype = {"dtype": dtype_name(known["dtype"])} if "dtype" in known else {}
    used = {*REQUEST_FIELDS, *ENVIRONMENT_FIELDS, "checkpoints_sha256", "checkpoint"}
    return {
        "kind": KIND,
        "settings": {**request, "fps": fps, **dtype},
        "command": COMMAND,
        "models": list(clips),
        "checkpoint_sha256": known.get("checkpoints_sha256", {}),
        "frames_sha256": {name: frames_sha256(frames) for name, frames in clips.items()},
        "shape": {name: list(frames.shape) for name, frames in clips.items()},
        **{name: known[name] for name in ENVIRONMENT_FIELDS if name in known},
        "about": {name: value for name, value in known.items() if name not in used},
    }


def model_records(record: Mapping[str, Any], folder: str | None = None) -> dict[str, Any]:
    """Split the record of a comparison into one of each model, as if it had drawn alone.

    Args:
        record: Of a comparison.
        folder: Holds a folder a model; none for the usual one.

    Returns:
        Records by the model's name.

    Raises:
        InputError: If a part is missing or of the wrong kind, or a name would not be safe in the
            name of a file.
    """
    settings, frames, weights = (
        record.get(field) for field in ("settings", "frames_sha256", "checkpoint_sha256")
    )
    if not isinstance(settings, dict) or not isinstance(frames, dict):
        raise InputError(DAMAGED)
    if not isinstance(weights, dict) or not 1 <= len(frames) <= MOST_MODELS:
        raise InputError(DAMAGED)
    if not all(map(MODEL_NAME.fullmatch, frames)):
        raise InputError(DAMAGED)
    common = {name: record[name] for name in ENVIRONMENT_FIELDS if name in record}
    return {
        name: {
            **common,
            "settings": {**settings, "checkpoint": str(Path(folder or MODELS_FOLDER) / name)},
            "frames_sha256": checksum,
            **({"checkpoint_sha256": weights[name]} if name in weights else {}),
        }
        for name, checksum in frames.items()
    }
