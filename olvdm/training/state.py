"""Everything that a training needs to go on, written whole or not at all and verified when read."""

import copy
import errno
import json
import logging
import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from olvdm.diffusers_api import ModelMixin
from olvdm.errors import CheckpointError, InputError, StorageError, TrainingError, quoted_name
from olvdm.limits import KEEP_CHECKPOINTS, SAVE_FREE_FACTOR
from olvdm.manifest import verify_folder, write_folder

SHARD_SIZE = "9MB"

DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}
PARTS = ("model", "ema", "optimizer", "rng")

logger = logging.getLogger(__name__)

StateTensors = dict[str, dict[str, Tensor]]


@dataclass(kw_only=True)
class Position:
    """How far a training is.

    ``step`` counts the batches read, ``updates`` those of them that changed the weights; both are
    what noise, order and schedule follow from. ``elapsed`` is wall-clock time in seconds, all parts
    of a resumed training together.
    """

    step: int = 0
    updates: int = 0
    elapsed: float = 0.0
    best_score: float | None = None
    best_step: int | None = None


@contextmanager
def explained_storage() -> Generator[None]:
    """Say in one sentence that the folder of a training takes nothing.

    Raises:
        StorageError: In place of an ``OSError``.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(
            "the output folder cannot be written; make space or choose another folder"
        ) from error


def check_output(output: Path, resume: bool) -> None:
    """Refuse a folder that cannot be that of a training, before hours are spent on it.

    Args:
        output: The folder, which is not made.
        resume: Whether it holds what shall go on.

    Raises:
        InputError: If it holds another training.
        TrainingError: If there is nothing to resume in it, or nothing can be written there.
    """
    has_states = bool(state_folders(output))
    if has_states and not resume:
        raise InputError(
            f"the output folder {quoted_name(output)} already holds a training; go on with it by "
            "--resume, or choose another folder"
        )
    if resume and not has_states and (output / "config.toml").is_file():
        raise TrainingError(
            f"the training in the output folder {quoted_name(output)} ended before its first saved "
            "state, so nothing can go on; start it anew without --resume, with a smaller "
            "save_every so that less is lost"
        )
    if resume and not has_states:
        raise TrainingError(
            f"the output folder {quoted_name(output)} holds no training to resume; start a new one"
        )
    with explained_storage():
        place = next(one for one in (output, *output.absolute().parents) if one.exists())
        with tempfile.TemporaryFile(dir=place):
            pass


def save_state(
    output: Path, position: Position, tensors: StateTensors, about: Mapping[str, object]
) -> Path:
    """Write a training state of this step, then prune older ones.

    Args:
        output: The folder of the training.
        position: How far it is; names the folder.
        tensors: Weights, average, optimiser and random state, by part and name.
        about: Settings and versions to record.

    Returns:
        The folder written.

    Ours: the layout, and the refusal of numbers that are not finite. A full disk is an ``OSError``
    that leaves earlier states as they were.
    """
    _require_finite(tensors)
    _require_space(output, tensors)
    folder = output / f"step-{position.step:08d}"
    record = {"position": asdict(position), **about}
    with write_folder(folder, "training", {"step": position.step}) as temporary:
        for part in PARTS:
            plain = {name: one.detach().cpu().contiguous() for name, one in tensors[part].items()}
            save_file(plain, temporary / f"{part}.safetensors")
        text = json.dumps(record, indent=2)
        (temporary / "train_state.json").write_text(text + "\n", encoding="utf-8")
    _prune(output, position)
    return folder


def save_networks(
    folder: Path,
    networks: Mapping[str, ModelMixin],
    dtype_name: str,
    about: Mapping[str, object],
) -> None:
    """Write networks as diffusers does, one folder each, all of them at once.

    Args:
        folder: Where they go; what is there is replaced.
        networks: The networks by folder name, with the weights to ship.
        dtype_name: ``"bf16"`` or ``"fp32"``; buffers keep their own kind.
        about: What to say of them in the manifest.
    """
    with write_folder(folder, "networks", about) as temporary:
        for name, network in networks.items():
            shipped = copy.deepcopy(network).cpu()
            for weight in shipped.parameters():
                weight.data = weight.data.to(DTYPES[dtype_name])
            shipped.save_pretrained(temporary / name, max_shard_size=SHARD_SIZE)


def newest_state(output: Path) -> Path | None:
    """Find the newest training state that is whole, and say which newer ones are not.

    Args:
        output: The folder of the training.

    Returns:
        Its folder, or nothing where no state was ever saved.

    Raises:
        CheckpointError: If there are states but none is whole.
    """
    folders = state_folders(output)
    for folder in folders:
        try:
            verify_folder(folder, "training")
        except CheckpointError as error:
            logger.warning("skipped %s", error.user_message)
        else:
            return folder
    if folders:
        raise CheckpointError(
            f"none of the {len(folders)} saved training states is whole; start a new training"
        )
    return None


def state_folders(output: Path) -> list[Path]:
    """List the training states, newest first.

    Args:
        output: The folder of the training.

    Returns:
        Their folders, whole or not.
    """
    return sorted(output.glob("step-[0-9]*"), reverse=True)


def read_state(folder: Path) -> tuple[Position, StateTensors, dict[str, Any]]:
    """Read a verified training state.

    Args:
        folder: What ``newest_state`` found.

    Returns:
        Position, tensors by part and name, and all that was recorded beside them.

    Raises:
        CheckpointError: If its record or its tensors cannot be read.
    """
    try:
        record = json.loads((folder / "train_state.json").read_text(encoding="utf-8"))
        tensors = {part: load_file(folder / f"{part}.safetensors") for part in PARTS}
        return Position(**record["position"]), tensors, record
    except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
        reason = type(error).__name__
        raise CheckpointError(f"the training state cannot be read ({reason})") from error


def model_tensors(stage: nn.Module) -> dict[str, Tensor]:
    """Return what training changes in a stage: trainable weights and lasting buffers.

    Args:
        stage: Any module.

    Returns:
        The tensors themselves by name, not copies.
    """
    lasting = stage.state_dict(keep_vars=True)
    weights = {name: one for name, one in stage.named_parameters() if one.requires_grad}
    buffers = {name: one for name, one in stage.named_buffers() if name in lasting}
    return {**weights, **buffers}


@torch.no_grad()
def fill_tensors(targets: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    """Copy saved values into tensors of exactly the same names, shapes and kinds.

    Args:
        targets: The tensors to overwrite.
        values: What they shall hold.

    Raises:
        CheckpointError: If a name is missing or unknown, or a shape or kind differs.
    """
    for name in sorted(targets.keys() ^ values.keys()):
        fault = "lacks" if name in targets else "has an unknown tensor"
        raise CheckpointError(f"the training state {fault} {name[:80]!r}")
    for name, target in targets.items():
        value = values[name]
        found, needed = _form(value), _form(target)
        if found != needed:
            raise CheckpointError(f"{name[:80]!r} has {found}, but {needed} is needed")
        target.copy_(value)


def _form(tensor: Tensor) -> str:
    return f"shape {tuple(tensor.shape)} of {str(tensor.dtype).removeprefix('torch.')}"


def _require_finite(tensors: StateTensors) -> None:
    for part in ("model", "ema", "optimizer"):
        for name, value in tensors[part].items():
            if value.is_floating_point() and not bool(value.isfinite().all()):
                raise TrainingError(f"{name[:80]!r} is not finite, so this state is not saved")


def _require_space(output: Path, tensors: StateTensors) -> None:
    """Refuse before writing what the disk cannot hold."""
    output.mkdir(parents=True, exist_ok=True)
    size = sum(one.nbytes for part in tensors.values() for one in part.values())
    if shutil.disk_usage(output).free < SAVE_FREE_FACTOR * size:
        raise OSError(errno.ENOSPC, "not enough free space to save")


def _prune(output: Path, position: Position) -> None:
    """Remove all but the newest states and the best one; later steps are damaged leftovers."""
    names = [f"step-{position.step:08d}", f"step-{position.best_step or 0:08d}"]
    folders = state_folders(output)
    kept = [folder for folder in folders if folder.name <= names[0]][:KEEP_CHECKPOINTS]
    for folder in folders:
        if folder not in kept and folder.name not in names:
            shutil.rmtree(folder, ignore_errors=True)
