"""Finished runs as folders: those that ship with the models, and those that the store keeps."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from olvdm.errors import CheckpointError
from olvdm.manifest import MANIFEST_NAME, verify_folder, write_folder
from visualize.payload import DenoisingView

KIND = "example"
SHARES = ("alpha_masks", "attention_masks")  # kept in one byte each
SHARE_LEVELS = 255
DENOISING_NAME = "denoising.json"
VIEWS = TypeAdapter(tuple[DenoisingView, ...])


@dataclass(frozen=True, eq=False)
class StoredRun:
    """A finished run: one clip that was inspected, or two that were drawn together.

    Attributes:
        title: A few words.
        settings: Prompt, seed and all other settings.
        clips: Arrays and numbers of each clip, by the names of `Inspection`'s fields.
        denoising: What the models expected on the way; empty where nobody looked.
    """

    title: str
    settings: Mapping[str, Any]
    clips: Mapping[str, Mapping[str, Any]]
    denoising: Sequence[DenoisingView] = ()

    def reversed(self) -> "StoredRun":
        """Return the same run with its clips in the other order."""
        return replace(
            self,
            clips=dict(list(self.clips.items())[::-1]),
            denoising=tuple(view.reversed() for view in self.denoising),
        )


@dataclass(frozen=True)
class ListedRun:
    """What a list says of a stored run.

    Attributes:
        title: A few words.
        prompt: What was drawn; empty where nobody noted it.
        seed: Of the noise; empty where nobody noted it.
    """

    title: str
    prompt: str = ""
    seed: str = ""


def save_stored_run(folder: Path, run: StoredRun) -> None:
    """Write a run as a folder that is whole or not there at all.

    Args:
        folder: Where it shall be; one of that name is replaced.
        run: What to write.

    Ours: masks lose what no eye sees, since the repository carries these files.
    """
    with write_folder(folder, KIND, about_run(run)) as draft:
        write_run(draft, run)


def load_stored_run(folder: Path, kind: str = KIND) -> StoredRun:
    """Read a run, or refuse with the reason.

    Args:
        folder: Of the run.
        kind: Of its manifest.

    Returns:
        The run; shares sum to 1 again.

    Raises:
        CheckpointError: If a file is missing, altered or not what it should be.

    Ours.
    """
    about = verify_folder(folder, kind)["about"]
    try:
        clips = {name: _read_clip(folder / f"{name}.npz") for name in about["clips"]}
        views = folder / DENOISING_NAME
        denoising = VIEWS.validate_json(views.read_bytes()) if views.is_file() else ()
        return StoredRun(str(about["title"]), dict(about["settings"]), clips, denoising)
    except (KeyError, TypeError, ValueError, OSError, ValidationError) as error:
        raise CheckpointError("a stored run is damaged; copy checkpoints/examples again") from error


def list_stored_runs(folder: Path) -> dict[str, ListedRun]:
    """Return the stored runs of a folder.

    Args:
        folder: Holds a folder a run.

    Returns:
        What each is, by folder name, in the order of the names; what cannot be read is left out.

    Ours: only manifests are opened, since all runs together are large.
    """
    listed: dict[str, ListedRun] = {}
    for manifest in sorted(folder.glob(f"*/{MANIFEST_NAME}")):
        try:
            about = json.loads(manifest.read_bytes())["about"]
            asked = {name: str(about["settings"].get(name, "")) for name in ("prompt", "seed")}
            listed[manifest.parent.name] = ListedRun(str(about["title"]), **asked)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return listed


def about_run(run: StoredRun) -> dict[str, object]:
    """Return what a run's manifest says of it."""
    return {"title": run.title, "settings": dict(run.settings), "clips": list(run.clips)}


def write_run(folder: Path, run: StoredRun) -> None:
    """Write the files of a run into a folder that is there."""
    for name, clip in run.clips.items():
        packed = {field: _packed(field, value) for field, value in clip.items()}
        np.savez_compressed(folder / f"{name}.npz", allow_pickle=False, **packed)
    if run.denoising:
        (folder / DENOISING_NAME).write_bytes(VIEWS.dump_json(tuple(run.denoising)))


def _packed(field: str, value: object) -> np.ndarray:
    if field in SHARES:
        return np.rint(np.asarray(value) * SHARE_LEVELS).astype(np.uint8)
    return np.asarray(value)


def _read_clip(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as archive:
        clip: dict[str, Any] = {field: archive[field] for field in archive.files}
    for field in (field for field in SHARES if field in clip):
        levels = clip[field].astype(np.float32)
        clip[field] = levels / np.maximum(levels.sum(axis=1, keepdims=True), 1)
    return {field: value.item() if value.ndim == 0 else value for field, value in clip.items()}
