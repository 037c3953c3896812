"""Load and save the parts of a model strictly: every file, key, shape and value is checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from olvdm.autoencoder import VideoAutoencoder
from olvdm.denoiser import VideoDenoiser
from olvdm.diffusers_api import FlowMatchEulerDiscreteScheduler, ModelMixin
from olvdm.errors import CheckpointError
from olvdm.limits import CONFIG_BYTES, MODEL_PARAMETERS
from olvdm.manifest import verify_folder
from olvdm.slot_decoder import SlotDecoder
from olvdm.slot_encoder import SlotEncoder
from olvdm.text_encoder import TextEncoder

# File and class names are part of the format: published weights name them.
NETWORKS: dict[str, type[ModelMixin]] = {
    "autoencoder": VideoAutoencoder,
    "text_encoder": TextEncoder,
    "slot_encoder": SlotEncoder,
    "slot_decoder": SlotDecoder,
    "denoiser": VideoDenoiser,
}
SCHEDULER = "scheduler"
PROMPTS_NAME = "prompt_embeds.safetensors"
LARGEST_SETTING = (
    65_536  # no honest setting is larger, and one that is could stall us before we count
)

Network = TypeVar("Network", bound=ModelMixin)


@dataclass(frozen=True)
class Checkpoint:
    """The parts of a model, loaded.

    Attributes:
        parts: Networks and scheduler by folder name.
        prompt_embeds: Embeddings of some prompts, stored so that those need no text encoder.
        about: What the manifest says of data, steps and scores.
    """

    parts: dict[str, Any]
    prompt_embeds: dict[str, Tensor]
    about: Mapping[str, object]


def load_checkpoint(folder: str | Path, dtype: torch.dtype) -> Checkpoint:
    """Load every part of a model, or refuse with the reason.

    Args:
        folder: A local folder that ``OLVDMPipeline.save_pretrained`` wrote.
        dtype: Of the weights in memory.

    Returns:
        Networks in evaluation mode, scheduler, stored prompts, and what is known of them.

    Raises:
        CheckpointError: If a file is missing, altered or of another format, or a weight is
            missing, unexpected, of another shape or not finite.

    Ours: diffusers only logs a missing tensor and goes on with random weights.
    """
    path = Path(folder)
    manifest = verify_folder(path, kind="pipeline")
    _check_index(path)
    parts: dict[str, Any] = {
        name: load_network(path / name, kind, dtype) for name, kind in NETWORKS.items()
    }
    settings = read_config(path / SCHEDULER, "scheduler_config.json")
    parts[SCHEDULER] = FlowMatchEulerDiscreteScheduler.from_config(settings)
    return Checkpoint(parts, _load_prompts(path / PROMPTS_NAME), manifest["about"])


def load_network(folder: Path, kind: type[Network], dtype: torch.dtype | None = None) -> Network:
    """Load one network from the folder that ``save_pretrained`` wrote.

    Args:
        folder: Holds its settings and weights.
        kind: Its class; the settings must name the same one.
        dtype: Of the weights in memory, or none for the stored one.

    Returns:
        The network, in evaluation mode.

    Raises:
        CheckpointError: If it does not fit in any way.
    """
    settings = read_config(folder, "config.json")
    if settings.get("_class_name") != kind.__name__:
        found = str(settings.get("_class_name"))[:40]
        raise CheckpointError(f"{folder.name} holds {found!r}, but {kind.__name__} is needed")
    _check_size(folder.name, settings, kind)
    try:
        network, info = kind.from_pretrained(
            folder, output_loading_info=True, local_files_only=True, low_cpu_mem_usage=False
        )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
        raise CheckpointError(
            f"the weights of {folder.name} cannot be read; copy the checkpoint again"
        ) from error
    for reason in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if info[reason]:
            key = str(sorted(map(str, info[reason]))[0])[:80]
            raise CheckpointError(f"{folder.name} has {reason.replace('_', ' ')}: {key}")
    for key, value in network.state_dict().items():
        if not bool(torch.isfinite(value).all()):
            raise CheckpointError(f"{folder.name} holds values that are not finite: {key[:80]}")
    return network.to(dtype).eval() if dtype else network.eval()


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
            raise CheckpointError(f"{folder.name}/{name} is larger than {CONFIG_BYTES} bytes")
        settings = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{folder.name}/{name} is missing or not JSON") from error
    if not isinstance(settings, dict):
        raise CheckpointError(f"{folder.name}/{name} must hold a JSON object")
    return settings


def save_prompts(path: Path, prompt_embeds: Mapping[str, Tensor]) -> None:
    """Store embeddings of prompts, one row each, the prompts themselves in the header.

    Args:
        path: The file.
        prompt_embeds: One embedding `l d` a prompt.
    """
    rows = {str(index): value.contiguous() for index, value in enumerate(prompt_embeds.values())}
    save_file(rows, path, metadata={"prompts": json.dumps(list(prompt_embeds))})


def _load_prompts(path: Path) -> dict[str, Tensor]:
    if not path.exists():
        return {}
    from safetensors import safe_open

    try:
        with safe_open(path, framework="pt") as opened:
            prompts = json.loads((opened.metadata() or {})["prompts"])
        rows = load_file(path)
        return {str(prompt): rows[str(index)] for index, prompt in enumerate(prompts)}
    except (KeyError, ValueError, SafetensorError) as error:
        raise CheckpointError(f"{path.name} is damaged; copy the checkpoint again") from error


def _check_index(folder: Path) -> None:
    """Compare the index of parts with our own table, so that data never names code."""
    index = read_config(folder, "model_index.json")
    for name, kind in NETWORKS.items():
        wanted = [kind.__module__, kind.__name__]
        if index.get(name) != wanted:
            raise CheckpointError(f"model_index.json must say {wanted} for {name}")


def _check_size(name: str, settings: dict[str, Any], kind: type[ModelMixin]) -> None:
    """Refuse settings that describe no legal network, or too large a one, before any allocation."""
    known = {key: value for key, value in settings.items() if not key.startswith("_")}
    for key, value in known.items():
        if isinstance(value, int) and abs(value) > LARGEST_SETTING:
            raise CheckpointError(f"{name}/config.json: {key[:40]} must be below {LARGEST_SETTING}")
    try:
        with torch.device("meta"):
            network = kind(**known)
    except (TypeError, ValueError, RuntimeError, OverflowError, ZeroDivisionError) as error:
        raise CheckpointError(
            f"{name}/config.json does not describe a {kind.__name__}; copy the checkpoint again"
        ) from error
    size = sum(weight.numel() for weight in network.parameters())
    if size > MODEL_PARAMETERS:
        raise CheckpointError(f"{name} claims {size:,} weights; at most {MODEL_PARAMETERS:,}")
