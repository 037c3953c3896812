"""Read one network from its folder: settings first, then the headers of its files, then weights."""

import difflib
import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from olvdm.diffusers_api import ModelMixin
from olvdm.errors import CheckpointError
from olvdm.limits import CONFIG_BYTES, MODEL_PARAMETERS, NUM_SLOTS
from olvdm.manifest import COPY_AGAIN

# Parts of a network are built, if only without memory, before their weights can be counted: more
# of them than any honest network has, or wider ones, could stall us before that.
LARGEST_SETTING = 65_536
LARGEST_COUNT = 256
COUNTS = ("layers", "heads")  # and all that begin with num_
STORED_DTYPES = ("F32", "BF16")

Network = TypeVar("Network", bound=ModelMixin)


def load_network(folder: Path, kind: type[Network], dtype: torch.dtype | None = None) -> Network:
    """Load one network from the folder that ``save_pretrained`` wrote.

    Nothing is allocated before settings and headers have been found to describe a legal network;
    random state and global settings stay as they are, and nothing is printed.

    Args:
        folder: Holds its settings and weights.
        kind: Its class; the settings must name the same one.
        dtype: Of the weights in memory, or none for float32; buffers keep the stored one.

    Returns:
        The network, in evaluation mode.

    Raises:
        CheckpointError: If it does not fit in any way.

    Ours: diffusers' own loader goes on without a missing tensor, falls back to pickle, follows
    names in an index file out of the folder, and keeps the folder's path in the settings.
    """
    settings = network_settings(folder, kind)
    try:
        with torch.device("meta"):
            network = kind(**settings)
    except (TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        raise CheckpointError(
            f"{folder.name}/config.json does not describe a {kind.__name__}; copy the checkpoint "
            "again"
        ) from error
    size = sum(weight.numel() for weight in network.parameters())
    if size > MODEL_PARAMETERS:
        raise CheckpointError(
            f"{folder.name} claims {size:,} weights; at most {MODEL_PARAMETERS:,} are allowed"
        )
    values = _read_weights(folder, network.state_dict())
    for key, _ in network.named_parameters():
        values[key] = values[key].to(dtype or torch.float32, copy=True)
    network.load_state_dict(values, strict=True, assign=True)
    return network.eval()


def network_settings(folder: Path, kind: type[ModelMixin]) -> dict[str, Any]:
    """Read the settings of a network and check their names, kinds and ranges.

    Args:
        folder: Of the network.
        kind: Its class.

    Returns:
        A value for every argument of the class.

    Raises:
        CheckpointError: If the settings name another class, an unknown argument or a value that no
            network has.

    Ours: the ranges; they are wide, and only keep the absurd from being built.
    """
    settings = read_config(folder, "config.json")
    found = settings.pop("_class_name", None)
    if found != kind.__name__:
        raise CheckpointError(
            f"{folder.name} holds {str(found)[:40]!r}, but {kind.__name__} is needed"
        )
    settings.pop("_diffusers_version", None)
    parameters = {
        key: one
        for key, one in inspect.signature(kind.__init__).parameters.items()
        if key != "self"
    }
    for key, value in settings.items():
        if key not in parameters:
            nearest = difflib.get_close_matches(key[:64], parameters, n=1, cutoff=0.0)[0]
            raise CheckpointError(
                f"{folder.name}/config.json has no setting {key[:40]!r}; the nearest is {nearest!r}"
            )
        fault = _fault(key, value, parameters[key].annotation)
        if fault is not None:
            raise CheckpointError(
                f"{folder.name}/config.json: {key} must be {fault}, got {str(value)[:40]}"
            )
    return {**{key: one.default for key, one in parameters.items()}, **settings}


def read_config(folder: Path, name: str) -> dict[str, Any]:
    """Read a settings file of a checkpoint.

    Args:
        folder: Of one part.
        name: Of the file.

    Returns:
        The settings.

    Raises:
        CheckpointError: If it is missing, too large or not a JSON object.
    """
    try:
        if (folder / name).stat().st_size > CONFIG_BYTES:
            raise CheckpointError(
                f"{folder.name}/{name} is larger than {CONFIG_BYTES} bytes; {COPY_AGAIN}"
            )
        settings = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{folder.name}/{name} is missing or not JSON; {COPY_AGAIN}"
        ) from error
    if not isinstance(settings, dict):
        raise CheckpointError(f"{folder.name}/{name} must hold a JSON object; {COPY_AGAIN}")
    return settings


def _fault(key: str, value: object, annotation: object) -> str | None:
    """Say what a setting must be, where it is not."""
    if value is None and isinstance(annotation, UnionType):
        return None
    largest = LARGEST_COUNT if key.startswith("num_") or key in COUNTS else LARGEST_SETTING
    largest = NUM_SLOTS.high if key == "num_slots" else largest
    if annotation is bool:
        is_legal, legal = isinstance(value, bool), "true or false"
    elif annotation is int:
        is_legal, legal = _is_number(value, 1, largest), f"a whole number from 1 to {largest}"
    elif annotation == Sequence[int]:
        is_legal = isinstance(value, list) and all(_is_number(one, 0, largest) for one in value)
        legal = f"a list of whole numbers from 0 to {largest}"
    elif annotation == Sequence[float] | None:
        is_legal = isinstance(value, list) and all(
            _is_number(one, -largest, largest, float) for one in value
        )
        legal = f"a list of numbers from -{largest} to {largest}"
    else:  # a checkpoint reads nothing beside itself
        is_legal = isinstance(value, str) and _is_plain_name(value)
        legal = "a name, not a file or an address"
    return None if is_legal else legal


def _is_number(value: object, low: int, high: int, *kinds: type) -> bool:
    """Tell whether a value is a whole number within bounds, or one of another kind."""
    if not isinstance(value, int | float) or type(value) not in (int, *kinds):
        return False
    return low <= value <= high


def _is_plain_name(value: str) -> bool:
    return len(value) <= 128 and not {"/", "\\", ":"} & set(value) and not Path(value).exists()


def _read_weights(folder: Path, wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Read all weight files of a folder, their headers first; keys and shapes must be as wanted."""
    paths = sorted(folder.glob("*.safetensors"))
    if not paths:
        raise CheckpointError(f"{folder.name} has no weights; they are in .safetensors files")
    values: dict[str, Tensor] = {}
    try:
        _check_headers(folder.name, paths, wanted)
        for path in paths:
            values |= load_file(path)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(
            f"the weights of {folder.name} cannot be read; copy the checkpoint again"
        ) from error
    for key, value in values.items():
        if not bool(torch.isfinite(value).all()):
            raise CheckpointError(f"{folder.name} holds values that are not finite: {key[:80]!r}")
    return values


def _check_headers(name: str, paths: Sequence[Path], wanted: Mapping[str, Tensor]) -> None:
    """Check that the files hold every weight of the network once, and nothing else."""
    seen: set[str] = set()
    for path in paths:
        with safe_open(path, framework="pt") as opened:
            keys: list[str] = list(opened.keys())
            for key in keys:
                part = opened.get_slice(key)
                _check_header(name, key, part.get_shape(), part.get_dtype(), wanted)
        if seen & set(keys):
            raise CheckpointError(f"{name} holds a key twice: {min(seen & set(keys))[:80]!r}")
        seen |= set(keys)
    if wanted.keys() - seen:
        raise CheckpointError(f"{name} has a missing key: {min(wanted.keys() - seen)[:80]!r}")


def _check_header(
    name: str, key: str, shape: Sequence[int], dtype: str, wanted: Mapping[str, Tensor]
) -> None:
    """Refuse a weight that the network does not have, or of another shape or kind."""
    if key not in wanted:
        raise CheckpointError(f"{name} has an unexpected key: {key[:80]!r}")
    needed = list(wanted[key].shape)
    if list(shape) != needed:
        raise CheckpointError(
            f"{name} has a mismatched key: {key[:80]!r} has shape {list(shape)}, but {needed} is "
            "needed"
        )
    if dtype not in STORED_DTYPES:
        raise CheckpointError(
            f"{name} has a mismatched key: {key[:80]!r} is {dtype}, but one of "
            f"{', '.join(STORED_DTYPES)} is needed"
        )
