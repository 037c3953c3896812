"""What a finished run notes of itself, so that another person can repeat it."""

import hashlib
import json
import math
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from olvdm.errors import CheckpointError, InputError, named
from olvdm.evaluation.inspection import Inspection
from olvdm.limits import JSON_BODY
from olvdm.manifest import manifest_bytes

RECORD_FORMAT = 1
DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}
REQUEST_FIELDS = (
    "prompt",
    "negative_prompt",
    "seed",
    "num_frames",
    "height",
    "width",
    "num_inference_steps",
    "guidance_scale",
)
PACKAGES = ("olvdm", "torch", "diffusers", "numpy", "av")


def environment(dtype: torch.dtype) -> dict[str, object]:
    """Return what, beside its settings, the bytes of a result follow from.

    Args:
        dtype: Of the weights.

    Returns:
        Dtype, thread count, kind of machine and versions, as JSON can hold them.
    """
    return {
        "dtype": str(dtype).removeprefix("torch."),
        "num_threads": torch.get_num_threads(),
        "machine": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version(), **package_versions(PACKAGES)},
    }


def dtype_name(long_name: str) -> str | None:
    """Return what an option calls the dtype that `environment` noted, none for an unknown one."""
    known = {str(dtype).removeprefix("torch."): name for name, dtype in DTYPES.items()}
    return known.get(long_name)


def package_versions(names: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of packages, or that one is missing, or that we run from the source."""
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "from source" if name == "olvdm" else "not installed"
    return found


def checkpoint_sha256(folder: Path) -> str:
    """Return the checksum of a checkpoint.

    Args:
        folder: A whole checkpoint.

    Returns:
        That of its manifest, which holds those of all its files. A folder without one is a
        ``CheckpointError``.
    """
    return hashlib.sha256(manifest_bytes(folder)).hexdigest()


def check_usual_place(folder: str | Path, usual: str, held: str = "the model") -> None:
    """Refuse a folder that is missing where nobody named one, and say how one is named.

    Args:
        folder: That shall be read.
        usual: Where it is looked for if nobody says where.
        held: What it holds.

    Raises:
        CheckpointError: If it is the usual one, and is not there.
    """
    if Path(folder) == Path(usual) and not Path(folder).exists():
        raise CheckpointError(
            f"there is no {usual} in the folder from which this was started; name the folder of "
            f"{held} with --checkpoint DIR"
        )


def frames_sha256(frames: UInt8[np.ndarray, "t h w 3"]) -> str:
    """Return the checksum of the pixels of a clip; files of equal clips may differ."""
    return hashlib.sha256(np.ascontiguousarray(frames).tobytes()).hexdigest()


def scores_of(found: Inspection) -> dict[str, float | int | None]:
    """Sum an inspection up in numbers.

    Args:
        found: The clip and its slots.

    Returns:
        Means over the frames, and counts; none where a score was not measured. Flicker is read
        beside motion, for a clip that stands still has none.
    """
    values = {
        "flicker": float(np.nanmean(found.flicker_all)),
        "motion": float(np.nanmean(found.motion)),
        "switches": found.switches,
        "background": found.background,
        "num_objects": int(np.delete(found.presence.any(axis=0), found.background).sum()),
        "reconstruction_psnr": found.reconstruction_psnr,
        "explained": found.explained,
    }
    return finite(values)


def finite(value: Any) -> Any:  # noqa: ANN401 - any value of JSON
    """Return a value as JSON can hold it: none for NaN and infinity, at any depth.

    Args:
        value: Mappings, sequences, numbers and texts; numbers may be numpy's.

    Returns:
        The same in Python's own types.
    """
    if isinstance(value, Mapping):
        return {str(key): finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(one) for one in value]
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def write_record(path: Path, record: Mapping[str, object]) -> None:
    """Write a record as JSON that is read back equal.

    Args:
        path: The file.
        record: What to note; ``NaN`` is refused.
    """
    text = json.dumps({"format": RECORD_FORMAT, **record}, indent=2, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_record(path: Path, *kinds: str) -> dict[str, Any]:
    """Read a record.

    Args:
        path: A file that ``write_record`` wrote.
        *kinds: What it may be of.

    Returns:
        The record. A file that holds no such record is an ``InputError`` that names it.
    """
    with named("record", path):
        return _record(path, kinds)


def _record(path: Path, kinds: tuple[str, ...]) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            record = json.loads(file.read(JSON_BODY + 1)[:JSON_BODY])
    except (OSError, ValueError, RecursionError) as error:
        raise InputError("the record cannot be read; give a JSON file that olvdm wrote") from error
    if not isinstance(record, dict) or record.get("kind") not in kinds:
        wanted = " or a ".join(kinds)
        raise InputError(f"the record is not of a {wanted}; give the JSON file beside a clip")
    if record.get("format") != RECORD_FORMAT:
        found = str(record.get("format"))[:32]
        raise InputError(
            f"the record has format {found}, but {RECORD_FORMAT} is known; install the olvdm that "
            "wrote it"
        )
    return record
