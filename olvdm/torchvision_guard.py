"""Makes torchvision importable beside a CPU build of torch, before anything imports it."""

import functools
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from typing import Literal

import torch

Outcome = Literal["absent", "loaded", "native", "schema-only"]

# A library of schemas unregisters itself when it is collected, so it lives as long as the process.
_KEPT_LIBRARIES: list[torch.library.Library] = []


@functools.cache
def ensure_torchvision() -> Outcome:
    """Make ``import torchvision`` work, natively where its library loads.

    The wheel of torchvision on PyPI is linked against CUDA. Beside a CPU build of torch its
    library cannot load, and the import then fails for want of ``torchvision::nms``, which takes
    diffusers, timm and open_clip with it. The order is the whole point: defining a schema and
    loading the library afterwards aborts the process.

    Returns:
        ``"loaded"`` where somebody imported torchvision before, ``"absent"`` where it is not
        installed, ``"native"`` where its library works, ``"schema-only"`` where we stood in for it:
        then everything imports, and ``torchvision.ops.nms`` alone fails with its own message.

    Source: pytorch/vision issues 9077 and 9085. Ours: the stand-in schemas.
    """
    if "torchvision" in sys.modules:
        return "loaded"
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return "absent"
    library = _native_library(Path(spec.origin).parent)
    try:
        if library is not None:
            torch.ops.load_library(library)
            return "native"
    except OSError:
        pass
    _define_schemas()
    return "schema-only"


def _native_library(package: Path) -> str | None:
    """Find the library in the way in which torchvision itself looks for it."""
    loaders = (
        importlib.machinery.ExtensionFileLoader,
        importlib.machinery.EXTENSION_SUFFIXES,
    )
    spec = importlib.machinery.FileFinder(str(package), loaders).find_spec("_C")
    return None if spec is None else spec.origin


def _define_schemas() -> None:
    """Define the two operators whose mere existence the import of torchvision needs."""
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _KEPT_LIBRARIES.append(library)
