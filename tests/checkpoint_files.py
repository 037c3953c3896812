"""Checkpoints, honest and forged, for the tests that load them."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

WEIGHTS = "diffusion_pytorch_model.safetensors"


def copied(folder: Path, target: Path) -> Path:
    """Return a copy to break."""
    shutil.copytree(folder, target)
    return target


def sign(folder: Path) -> None:
    """Make the manifest list what is there now, as an author of bad intent would."""
    path = folder / "olvdm.json"
    manifest = json.loads(path.read_text())
    manifest["files"] = {
        one.relative_to(folder).as_posix(): {
            "size": one.stat().st_size,
            "sha256": hashlib.sha256(one.read_bytes()).hexdigest(),
        }
        for one in sorted(folder.rglob("*"))
        if one.is_file() and one != path
    }
    path.write_text(json.dumps(manifest))


def edit_json(path: Path, changes: Mapping[str, Any]) -> None:
    """Change some keys; ``...`` removes one."""
    values = json.loads(path.read_text()) | dict(changes)
    kept = {key: value for key, value in values.items() if value is not ...}
    path.write_text(json.dumps(kept))


def edit_weights(path: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    """Change the tensors of a file."""
    tensors = {key: value.clone() for key, value in load_file(path).items()}
    change(tensors)
    save_file(tensors, path)


def first_key(tensors: Mapping[str, Tensor]) -> str:
    return min(tensors)


def spoil(tensors: dict[str, Tensor], value: float) -> None:
    """Put one bad number into the last tensor."""
    tensors[max(tensors)].view(-1)[-1] = value


def reshape(tensors: dict[str, Tensor]) -> None:
    key = first_key(tensors)
    tensors[key] = torch.cat([tensors[key], tensors[key]])
