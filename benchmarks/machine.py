"""What the numbers of a suite depend on beside the code: processor, versions, allocator, load."""

import os
import platform
from importlib import metadata
from pathlib import Path

import torch

from olvdm.threads import num_cores

PACKAGES = ("torch", "diffusers", "numpy", "slot-attention")
ALLOCATOR = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_", "MALLOC_TRIM_THRESHOLD_", "LD_PRELOAD")


def machine(threads: int) -> dict[str, object]:
    """Return the machine as JSON can hold it.

    Args:
        threads: Threads of torch.

    Returns:
        Processor, its cores that this process may use, load, versions and allocator settings.
    """
    capabilities = torch.cpu.get_capabilities()
    return {
        "cpu": cpu_name(),
        "bf16_instructions": [
            name for name in ("avx512_bf16", "amx_bf16") if capabilities.get(name)
        ],
        "cores_allowed": num_cores(),
        "load_average": os.getloadavg()[0],
        "threads": threads,
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "allocator": {name: os.environ[name] for name in ALLOCATOR if name in os.environ},
    }


def cpu_name() -> str:
    """Return what the processor calls itself, with the numbers that tell it from its kin."""
    fields: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    name = fields.get("model name", platform.machine())
    return f"{name}, family {fields.get('cpu family')}, model {fields.get('model')}"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
