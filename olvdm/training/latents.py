"""Latents of a whole data set, encoded once and kept on the disk under what they were made from."""

import hashlib
import json
import logging
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from accelerate import PartialState
from jaxtyping import Float, UInt8
from numpy.lib.format import open_memmap
from torch import Tensor, nn
from tqdm import tqdm

from olvdm.errors import CheckpointError, TrainingError
from olvdm.manifest import possible_place, remove_stale, verify_folder, write_folder

LATENTS_NAME, MASKS_NAME, PROMPTS_NAME = "latents.npy", "true_masks.npy", "prompts.json"
PROGRESS_NAME = "finished.jsonl"
KIND = "latents"

logger = logging.getLogger(__name__)

Encode = Callable[[UInt8[Tensor, "b t h w 3"]], Float[Tensor, "b c lt lh lw"]]


@runtime_checkable
class EncodableClip(Protocol):
    """What a data set gives by index; clips may also carry ``true_masks``, uint8 `t h w`."""

    @property
    def frames(self) -> UInt8[np.ndarray, "t h w 3"]:
        """The pixels."""
        ...

    @property
    def prompt(self) -> str:
        """What the clip shows, empty where nobody said."""
        ...


@runtime_checkable
class EncodableClips(Protocol):
    """A data set of clips by index."""

    def __len__(self) -> int:
        """Return the number of clips."""
        ...

    def __getitem__(self, index: int) -> EncodableClip:
        """Return one clip, the same one every time."""
        ...


class LatentsDataset:
    """Read latents and prompts by index from a folder that ``encode_dataset`` wrote.

    Args:
        folder: The folder.

    Raises:
        CheckpointError: If it is damaged.
    """

    def __init__(self, folder: Path) -> None:
        about: Mapping[str, str] = verify_folder(folder, KIND)["about"]
        self.folder = folder
        self.sample_sha256 = about.get("sample_sha256")
        try:
            self.latents = np.load(folder / LATENTS_NAME, mmap_mode="r", allow_pickle=False)
            self.prompts: list[str] = json.loads((folder / PROMPTS_NAME).read_bytes())
            masks = folder / MASKS_NAME
            self.true_masks = (
                np.load(masks, mmap_mode="r", allow_pickle=False) if masks.is_file() else None
            )
        except (OSError, ValueError) as error:
            raise CheckpointError("the encoded clips cannot be read; encode them again") from error
        if len(self.prompts) != len(self.latents):
            counts = f"{len(self.latents)} latents but {len(self.prompts)} prompts"
            raise CheckpointError(f"the encoded clips have {counts}; encode them again")

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.latents)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor | list[str]]:
        """Read some clips.

        Args:
            indices: Places in the data set.

        Returns:
            ``latents``, fp32 `b c lt lh lw`; ``prompt``, one text a clip; and ``true_masks``,
            uint8 `b t h w`, where the data set has them.
        """
        rows = list(indices)
        batch: dict[str, Tensor | list[str]] = {
            "latents": torch.from_numpy(self.latents[rows].astype(np.float32)),
            "prompt": [self.prompts[row] for row in rows],
        }
        if self.true_masks is not None:
            batch["true_masks"] = torch.from_numpy(np.array(self.true_masks[rows]))
        return batch


def encode_dataset(
    root: Path,
    clips: EncodableClips,
    encode: Encode,
    made_from: Mapping[str, object],
    batch_size: int = 16,
    keeps_masks: bool = False,
) -> LatentsDataset:
    """Encode every clip of a data set once, or find that this was done before.

    What was encoded with other weights or settings, or from clips that are others by now, is never
    used: ``made_from`` is part of the folder's name, and a few clips are compared. An encoding that
    was interrupted goes on where it stopped.

    Args:
        root: Where such folders are kept.
        clips: The data set.
        encode: Turns a batch of frames into latents; it moves them to its own device.
        made_from: All that the latents follow from, as JSON can hold it: the settings of the data,
            and ``weights_sha256`` of the autoencoder.
        batch_size: Clips of one call of ``encode``.
        keeps_masks: Whether to keep the true masks too, for scores.

    Returns:
        The latents, in half precision on the disk.

    Ours: the cache. Latents that are not finite are a ``TrainingError``.
    """
    source = {**made_from, "num_clips": len(clips), "keeps_masks": keeps_masks}
    text = json.dumps(source, sort_keys=True, ensure_ascii=True)
    folder = root / f"latents-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    sample = _sample_sha256(clips)
    with PartialState().main_process_first():
        with suppress(CheckpointError):
            found = LatentsDataset(folder)
            if found.sample_sha256 in {None, sample}:
                return found
        with possible_place(root):
            root.mkdir(parents=True, exist_ok=True)
        remove_stale(root)
        encoder = _Encoder(root / f".partial-{folder.name}-{sample[:8]}", clips, keeps_masks)
        encoder.run(encode, batch_size)
        with write_folder(folder, KIND, {**source, "sample_sha256": sample}) as temporary:
            encoder.hand_over(temporary)
        return LatentsDataset(folder)


def weights_sha256(network: nn.Module) -> str:
    """Return a checksum of a network's settings and weights.

    Args:
        network: Any network; one of diffusers' kind counts with its settings.

    Returns:
        64 hexadecimal characters, equal on every device.
    """
    settings = {
        name: value
        for name, value in dict(getattr(network, "config", {})).items()
        if not name.startswith("_")  # diffusers notes its version and the path there
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for name, value in sorted(network.state_dict().items()):
        plain = value.detach().cpu().contiguous().reshape(-1)
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(plain.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _sample_sha256(clips: EncodableClips) -> str:
    """Return a checksum of a few clips, by which a changed folder or generator shows."""
    digest = hashlib.sha256()
    for index in sorted({0, len(clips) // 2, len(clips) - 1}) if len(clips) else []:
        clip = clips[index]
        digest.update(np.ascontiguousarray(clip.frames).tobytes())
        digest.update(clip.prompt.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


class _Encoder:
    """Fill a partial folder batch by batch; its lines of prompts tell how far it is whole."""

    def __init__(self, partial: Path, clips: EncodableClips, keeps_masks: bool) -> None:
        self.partial, self.clips, self.keeps_masks = partial, clips, keeps_masks
        partial.mkdir(exist_ok=True)
        self.prompts = self._finished_prompts()

    def run(self, encode: Encode, batch_size: int) -> None:
        """Encode what is left, or say how much is kept for the next time."""
        try:
            self._run(encode, batch_size)
        except KeyboardInterrupt:
            count = f"{len(self.prompts)} of {len(self.clips)}"
            logger.warning("kept %s encoded clips; the same command goes on from there", count)
            raise

    def _run(self, encode: Encode, batch_size: int) -> None:
        total = len(self.clips)
        interval = 0.5 if sys.stderr.isatty() else 30.0  # a log file needs no animation
        with tqdm(
            total=total,
            initial=len(self.prompts),
            unit="clip",
            desc="encoding",
            mininterval=interval,
        ) as bar:
            while len(self.prompts) < total:
                first = len(self.prompts)
                rows = range(first, min(first + batch_size, total))
                self._encode(rows, encode)
                bar.update(len(rows))

    def hand_over(self, folder: Path) -> None:
        """Move what is whole into the final folder."""
        for name in (LATENTS_NAME, MASKS_NAME):
            if (self.partial / name).is_file():
                (self.partial / name).rename(folder / name)
        (folder / PROMPTS_NAME).write_text(json.dumps(self.prompts), encoding="utf-8")
        shutil.rmtree(self.partial)

    def _finished_prompts(self) -> list[str]:
        """Return the prompts of the clips that are encoded; a line that was cut off is not."""
        names = [LATENTS_NAME, *([MASKS_NAME] if self.keeps_masks else [])]
        log = self.partial / PROGRESS_NAME
        prompts: list[str] = []
        if log.is_file() and all((self.partial / name).is_file() for name in names):
            with suppress(ValueError):
                for line in log.read_text(encoding="utf-8").splitlines():
                    prompts.append(json.loads(line))  # noqa: PERF401
        log.write_text("".join(f"{json.dumps(prompt)}\n" for prompt in prompts), encoding="utf-8")
        return prompts

    def _encode(self, rows: range, encode: Encode) -> None:
        """Encode one batch, bring it to the disk, and only then count it."""
        batch = [self.clips[row] for row in rows]
        frames = torch.from_numpy(np.stack([clip.frames for clip in batch]))
        with np.errstate(over="ignore"):  # what overflows is caught as infinite
            latents = encode(frames).detach().float().cpu().numpy().astype(np.float16)
        if not np.isfinite(latents).all():
            raise TrainingError("the autoencoder gives latents that are not finite; train it anew")
        self._store(LATENTS_NAME, rows, latents)
        if self.keeps_masks:
            masks = [getattr(clip, "true_masks") for clip in batch]  # noqa: B009
            self._store(MASKS_NAME, rows, np.stack(masks))
        new = [clip.prompt for clip in batch]
        with (self.partial / PROGRESS_NAME).open("a", encoding="utf-8") as log:
            log.writelines(f"{json.dumps(prompt)}\n" for prompt in new)
        self.prompts += new

    def _store(self, name: str, rows: range, values: np.ndarray) -> None:
        """Write rows of an array on the disk that has one row a clip."""
        path = self.partial / name
        if path.is_file() and rows.start > 0:
            array = open_memmap(path, mode="r+")
        else:
            shape = (len(self.clips), *values.shape[1:])
            array = open_memmap(path, mode="w+", dtype=values.dtype, shape=shape)
        array[rows.start : rows.stop] = values
        array.flush()
