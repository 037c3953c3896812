"""Load and save the parts of a model strictly: every file, key, shape and value is checked."""

import inspect
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from olvdm.autoencoder import VideoAutoencoder
from olvdm.denoiser import VideoDenoiser
from olvdm.diffusers_api import ModelMixin
from olvdm.errors import CheckpointError, InputError, named, quoted_name, shown_value
from olvdm.limits import CANDIDATES
from olvdm.manifest import COPY_AGAIN, verify_folder
from olvdm.network_folder import load_network, network_settings, read_config
from olvdm.noise_schedule import SCHEDULES, NoiseSchedule, Scheduler
from olvdm.slot_decoder import SlotDecoder
from olvdm.slot_encoder import SlotEncoder
from olvdm.text_encoder import TextEncoder

__all__ = [
    "NETWORKS",
    "Checkpoint",
    "fastest_dtype",
    "load_checkpoint",
    "load_network",
    "save_prompts",
]

# File and class names are part of the format: published weights name them.
NETWORKS: dict[str, type[ModelMixin]] = {
    "autoencoder": VideoAutoencoder,
    "text_encoder": TextEncoder,
    "slot_encoder": SlotEncoder,
    "slot_decoder": SlotDecoder,
    "denoiser": VideoDenoiser,
}
# What one part says of its own shape must be what its neighbour expects.
SHARED_SETTINGS = (
    ("autoencoder", "latent_channels", "slot_encoder", "latent_channels"),
    ("autoencoder", "latent_channels", "slot_decoder", "latent_channels"),
    ("autoencoder", "latent_channels", "denoiser", "latent_channels"),
    ("slot_encoder", "slot_dim", "slot_decoder", "slot_dim"),
    ("text_encoder", "output_dim", "denoiser", "prompt_dim"),
)
SCHEDULER = "scheduler"
PROMPTS_NAME = "prompt_embeds.safetensors"
SHIFTS = ("shift", "flow_shift")  # of the noise levels towards noise, by what schedulers call it
SMALLEST_SHIFT, LARGEST_SHIFT = 0.01, 100.0  # 1 is none
DTYPES = (torch.float32, torch.bfloat16, torch.float16, torch.float64)  # of weights in memory
BF16_CAPABILITIES = ("avx512_bf16", "amx_bf16")


@dataclass(frozen=True)
class Checkpoint:
    """The parts of a model, loaded.

    Attributes:
        parts: Networks and scheduler by folder name, and what the pipeline is made with beside
            them; in place of the text encoder a function that loads it, since stored prompts need
            none.
        prompt_embeds: Embeddings of some prompts, stored so that those need no text encoder.
        about: What the manifest says of data, steps and scores.
    """

    parts: dict[str, Any]
    prompt_embeds: dict[str, Tensor]
    about: Mapping[str, object]


def fastest_dtype() -> torch.dtype:
    """Return bf16 where this processor has instructions for it, else fp32.

    Ours: bf16 without such instructions is emulated, and slower than fp32.
    """
    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if any(able.get(name) for name in BF16_CAPABILITIES) else torch.float32


def load_checkpoint(folder: str | os.PathLike[str], dtype: torch.dtype | None = None) -> Checkpoint:
    """Load every part of a model, or refuse with a `CheckpointError` that names the reason.

    A file may be missing, altered or of another format; a weight may be missing, unexpected, of
    another shape or not finite; settings may be unknown, absurd or at odds with each other.

    Args:
        folder: A local folder that ``OLVDMPipeline.save_pretrained`` wrote.
        dtype: Of the weights in memory; none for the fastest.

    Returns:
        Networks in evaluation mode, scheduler, stored prompts, and what is known of them.

    Raises:
        CheckpointError: If the folder cannot be read.

    Ours: diffusers only logs a missing tensor and goes on with random weights.
    """
    path, kind = _checked_folder(folder), _checked_dtype(dtype)
    try:
        manifest = verify_folder(path, kind="pipeline")
    except OSError as error:
        raise CheckpointError(
            f"checkpoint {quoted_name(path)}: it cannot be read; give a whole checkpoint folder"
        ) from error
    about = manifest.get("about")
    with named("checkpoint", path):
        parts, prompts = _load_parts(path, kind)
    return Checkpoint(parts, prompts, about if isinstance(about, dict) else {})


def _checked_folder(folder: object) -> Path:
    if not isinstance(folder, str | os.PathLike):
        raise InputError(f"a checkpoint is the path of a folder, got {shown_value(folder)}")
    return Path(folder)


def _checked_dtype(dtype: object) -> torch.dtype:
    """Return a dtype in which networks can compute."""
    if dtype is None:
        return fastest_dtype()
    if not isinstance(dtype, torch.dtype) or dtype not in DTYPES:
        found = dtype if isinstance(dtype, torch.dtype) else shown_value(dtype)
        raise InputError(f"torch_dtype must be one of {', '.join(map(str, DTYPES))}, got {found}")
    return dtype


def _load_parts(path: Path, dtype: torch.dtype) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Load networks, scheduler and stored prompts of a folder whose files are as listed."""
    settings = {name: network_settings(path / name, kind) for name, kind in NETWORKS.items()}
    schedule = _schedule(settings["denoiser"])
    scheduler_class, num_candidates = _check_index(path, schedule)
    for one, its_setting, other, other_setting in SHARED_SETTINGS:
        given, needed = settings[other][other_setting], settings[one][its_setting]
        if given != needed:
            raise CheckpointError(
                f"{other}/config.json: {other_setting} must be {needed} as {one} has it, "
                f"got {given}"
            )
    parts: dict[str, Any] = {
        name: load_network(path / name, kind, dtype)
        for name, kind in NETWORKS.items()
        if kind is not TextEncoder
    }
    parts["text_encoder"] = _text_encoder_loader(path / "text_encoder", dtype)
    parts[SCHEDULER] = _load_scheduler(path / SCHEDULER, schedule, scheduler_class)
    parts["num_candidates"] = num_candidates
    return parts, _load_prompts(path / PROMPTS_NAME, settings["text_encoder"])


def save_prompts(path: Path, prompt_embeds: Mapping[str, Tensor]) -> None:
    """Store embeddings of prompts, one row each, the prompts themselves in the header.

    Args:
        path: The file.
        prompt_embeds: One embedding `l d` a prompt.
    """
    rows = {str(index): value.contiguous() for index, value in enumerate(prompt_embeds.values())}
    save_file(rows, path, metadata={"prompts": json.dumps(list(prompt_embeds))})


def check_scheduler(folder: Path, scheduler: Scheduler, schedule: NoiseSchedule) -> None:
    """Refuse a scheduler that was saved, but that no checkpoint could be loaded with.

    Args:
        folder: Of the checkpoint.
        scheduler: That was saved in it.
        schedule: Of its denoiser.

    Raises:
        InputError: If it is of another class or has other settings than can be loaded.
    """
    try:
        _load_scheduler(folder / SCHEDULER, schedule, type(scheduler))
    except CheckpointError as error:
        raise InputError(
            f"a checkpoint cannot hold this scheduler ({error.user_message}); save the model with "
            f"a {type(schedule.scheduler()).__name__} as the denoiser's schedule makes it"
        ) from error


def _text_encoder_loader(folder: Path, dtype: torch.dtype) -> Callable[[], TextEncoder]:
    def load() -> TextEncoder:
        with named("checkpoint", folder.parent):
            return load_network(folder, TextEncoder, dtype)

    return load


def _schedule(denoiser_settings: Mapping[str, Any]) -> NoiseSchedule:
    """Return how noise came to the denoiser, which decides how it goes."""
    name = denoiser_settings["prediction_type"]
    if not isinstance(name, str) or name not in SCHEDULES:
        raise CheckpointError(
            f"denoiser/config.json: prediction_type must be one of {', '.join(SCHEDULES)}, "
            f"got {str(name)[:40]}"
        )
    return SCHEDULES[name]


def _check_index(folder: Path, schedule: NoiseSchedule) -> tuple[type[Scheduler], int]:
    """Return the scheduler's class and the number of candidates.

    All else of the index must be our own table, so that data names no code.
    """
    index = read_config(folder, "model_index.json")
    index.pop("_diffusers_version", None)
    num_candidates = index.pop("num_candidates", 1)  # earlier checkpoints have none
    if type(num_candidates) is not int or num_candidates not in CANDIDATES:
        raise CheckpointError(
            f"model_index.json: num_candidates must be a whole number from {CANDIDATES}, "
            f"got {str(num_candidates)[:40]}"
        )
    known = {one.__name__: one for one in schedule.scheduler_classes}
    names = [["diffusers", name] for name in known]
    found = index.get(SCHEDULER)
    wanted: dict[str, object] = {
        "_class_name": "OLVDMPipeline",
        SCHEDULER: found if found in names else names[0],
        **{name: [kind.__module__, kind.__name__] for name, kind in NETWORKS.items()},
    }
    for name in sorted(wanted.keys() | index.keys()):
        if index.get(name) != wanted.get(name):
            needed = wanted.get(name, "nothing")
            raise CheckpointError(
                f"model_index.json must say {needed} for {name[:40]}; {COPY_AGAIN}"
            )
    return known[index[SCHEDULER][1]], num_candidates


def _load_scheduler(folder: Path, schedule: NoiseSchedule, kind: type[Scheduler]) -> Scheduler:
    """Return the scheduler; of its settings only the shift is free, for sampling relies on them."""
    settings = read_config(folder, "scheduler_config.json")
    fresh = schedule.scheduler()
    scheduler: Scheduler = fresh if isinstance(fresh, kind) else kind()
    parameters = inspect.signature(kind.__init__).parameters
    wanted = {name: scheduler.config[name] for name in parameters if name != "self"}
    wanted["_class_name"] = kind.__name__
    shift = {name: settings.pop(name) for name in SHIFTS if name in wanted and name in settings}
    settings.pop("_diffusers_version", None)
    for name, value in settings.items():
        if name not in wanted or value != wanted[name] or type(value) is not type(wanted[name]):
            needed = wanted.get(name, "left out")
            raise CheckpointError(
                f"{SCHEDULER}/scheduler_config.json: {name[:40]} must be {needed}"
            )
    for name, value in shift.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not SMALLEST_SHIFT <= value <= LARGEST_SHIFT:
            raise CheckpointError(
                f"{SCHEDULER}/scheduler_config.json: {name} must lie within {SMALLEST_SHIFT:g} and "
                f"{LARGEST_SHIFT:g}"
            )
    return cast("Scheduler", cast("Any", kind).from_config(scheduler.config, **shift))


def _load_prompts(path: Path, text_settings: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the stored embeddings, all of them of the shape that the text encoder gives."""
    if not path.exists():
        return {}
    from safetensors import safe_open

    try:
        with safe_open(path, framework="pt") as opened:
            prompts = json.loads((opened.metadata() or {})["prompts"])
        rows = load_file(path)
        if not isinstance(prompts, list) or len(set(map(str, prompts))) != len(rows):
            raise ValueError(f"need a prompt for each of {len(rows)} rows")
        stored = {str(prompt): rows[str(index)] for index, prompt in enumerate(prompts)}
    except (KeyError, ValueError, TypeError, RecursionError, SafetensorError) as error:
        raise CheckpointError(f"{path.name} is damaged; copy the checkpoint again") from error
    sizes = {tuple(row.shape) for row in stored.values()}
    length, width = next(iter(sizes), (0,))[0], text_settings["output_dim"]
    if text_settings["open_clip_model"] is None:
        length = text_settings["context_length"]
    is_finite = [row.is_floating_point() and bool(row.isfinite().all()) for row in stored.values()]
    if not all(is_finite) or not sizes <= {(length, width)}:
        raise CheckpointError(
            f"{path.name} must hold finite embeddings of shape {length} x {width}, as text_encoder "
            "gives them"
        )
    return stored
