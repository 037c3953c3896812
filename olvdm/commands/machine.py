"""``olvdm doctor``: what this machine has, and what a bug report needs."""

import argparse
import platform
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch

from olvdm.checkpoint import BF16_CAPABILITIES
from olvdm.commands.record import package_versions
from olvdm.errors import CheckpointError
from olvdm.limits import CHECKPOINTS
from olvdm.manifest import verify_folder
from olvdm.torchvision_guard import ensure_torchvision

PACKAGES = (
    "olvdm",
    "torch",
    "torchvision",
    "diffusers",
    "accelerate",
    "open_clip_torch",
    "gradio",
    "av",
    "numpy",
    "safetensors",
)
GUARD_MEANINGS = {
    "absent": "not installed",
    "loaded": "imported before us",
    "native": "its native library works",
    "schema-only": "its native library is for another torch, so we stand in for it",
}


def examine(arguments: argparse.Namespace) -> None:  # noqa: ARG001
    """Print one line for each thing that a failure may come from.

    Args:
        arguments: Not used: there is nothing to choose.
    """
    for name, value in _findings():
        print(f"{name:24} {value}")


def _findings() -> Iterator[tuple[str, str]]:
    yield "system", f"{platform.system()} {platform.machine()}"
    yield "python", platform.python_version()
    yield from package_versions(PACKAGES).items()
    outcome = ensure_torchvision()
    yield "torchvision guard", f"{outcome} ({GUARD_MEANINGS[outcome]})"
    yield "threads", str(torch.get_num_threads())
    able = torch.cpu.get_capabilities()
    bf16 = ", ".join(name for name in BF16_CAPABILITIES if able.get(name))
    yield "bf16 instructions", bf16 or "none, so weights are kept in fp32"
    yield "GPU", torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    yield "temporary folder", _space(Path(tempfile.gettempdir()))
    yield "working folder", _space(Path.cwd())
    for name in CHECKPOINTS:
        yield f"checkpoints/{name}", _state(Path("checkpoints") / name)


def _space(folder: Path) -> str:
    try:
        with tempfile.TemporaryFile(dir=folder):
            can_write = "can be written"
    except OSError:
        can_write = "CANNOT be written"
    return f"{folder}: {can_write}, {shutil.disk_usage(folder).free / 1e9:.1f} GB free"


def _state(folder: Path) -> str:
    if not folder.is_dir():
        return "not here"
    try:
        manifest = verify_folder(folder, "pipeline")
    except CheckpointError as error:
        return error.user_message
    size = sum(entry["size"] for entry in manifest["files"].values())
    return f"whole, {size / 1e6:.1f} MB, by {manifest['created_by']}"
