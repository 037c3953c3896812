"""What an evaluation is asked to do, checked, and all that its numbers follow from."""

import functools
import hashlib
import json
import platform
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from olvdm.data.moving_shapes import LEVELS, MovingShapes
from olvdm.errors import InputError
from olvdm.generation import (
    Generation,
    check_number,
    check_slot_guidance,
    check_slot_selection,
)
from olvdm.limits import GUIDANCE, SEED, STEPS, WholeRange
from olvdm.manifest import MANIFEST_NAME, file_sha256, verify_folder
from olvdm.pipeline import OLVDMPipeline

PARTS = ("reconstruction", "slots", "judge", "generation")
SPLIT = "test"
DATA_SEED = 0  # the world of the trainings, of which this split was never shown
NUM_FRAMES = 16
NUM_CLIPS = WholeRange(1, 10_000)
PACKAGES = (
    "olvdm",
    "torch",
    "diffusers",
    "numpy",
    "scipy",
    "scikit-learn",
    "opencv-python-headless",
)
# What may differ between two evaluations that measured the same clips in the same way.
PRESENTATION = ("command", "parts", "num_clips", "num_prompts", "checkpoint", "trained_on")
# Settings that must be equal before two checkpoints can be compared prompt by prompt.
PAIRED = (
    "level",
    "split",
    "data_seed",
    "seed",
    "num_frames",
    "height",
    "width",
    "num_inference_steps",
    "guidance_scale",
)
# Files that only write down what others measured.
WRITERS = ("report.py", "report_comparison.py", "report_markdown.py")


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What to measure, and on how much.

    Attributes:
        level: Level of ``MovingShapes``.
        num_clips: Test clips to reconstruct, to segment and to try the judge on.
        num_prompts: Captions of the test split to draw clips from.
        seed: Noise seed of the first prompt; each prompt's is one more than the one before.
        num_inference_steps: Denoising steps.
        guidance_scale: Strength of the prompt.
        slot_guidance_scale: How far slots that lose their object are brought back.
        slot_guidance_floor: From where on they are left alone; none to measure it on real clips.
        num_candidates: Noises that each clip may begin from, as slots choose; none for as many as
            the model was made for.
        shuffles_slots: Whether the choice forgets which slot is which: its control.
        num_training_clips: Training clips among which the nearest to each drawn one is sought.
        parts: Some of ``PARTS``.
    """

    level: str = "simple"
    num_clips: int = 64
    num_prompts: int = 256
    seed: int = 0
    num_inference_steps: int = Generation.num_inference_steps
    guidance_scale: float = Generation.guidance_scale
    slot_guidance_scale: float | int = Generation.slot_guidance_scale
    slot_guidance_floor: float | int | None = None
    num_candidates: int | None = Generation.num_candidates
    shuffles_slots: bool = Generation.shuffles_slots
    num_training_clips: int = 1_000
    parts: tuple[str, ...] = PARTS

    def check(self) -> None:
        """Refuse what cannot be measured.

        Raises:
            InputError: If a value is of the wrong type or out of its range.
        """
        if self.level not in LEVELS:
            raise InputError(f"level must be one of {', '.join(LEVELS)}, got {self.level!r:.32}")
        unknown = [part for part in self.parts if part not in PARTS]
        if unknown or not self.parts:
            found = f"{unknown[0]!r:.32}" if unknown else "none"
            raise InputError(f"parts must be some of {', '.join(PARTS)}, got {found}")
        check_number("num_clips", self.num_clips, NUM_CLIPS)
        check_number("num_prompts", self.num_prompts, NUM_CLIPS)
        check_number("num_training_clips", self.num_training_clips, NUM_CLIPS)
        check_number("seed", self.seed, SEED)
        check_number("num_inference_steps", self.num_inference_steps, STEPS)
        check_number("guidance_scale", self.guidance_scale, GUIDANCE, is_whole=False)
        check_slot_selection(self.num_candidates, self.shuffles_slots)
        check_slot_guidance(self.slot_guidance_scale, self.slot_guidance_floor)

    def has(self, part: str) -> bool:
        """Say whether a part is measured; what is drawn is judged, so the judge is tried first."""
        return part in self.parts or (part == "judge" and "generation" in self.parts)

    def command(self, checkpoint: Path) -> str:
        """Return the words that repeat this evaluation."""
        place = checkpoint.name if checkpoint.is_absolute() else checkpoint.as_posix()
        words = ["olvdm", "evaluate", "--checkpoint", place]
        for setting in fields(self):
            value = getattr(self, setting.name)
            if setting.name == "level" or value != setting.default:
                words += [f"--{setting.name.replace('_', '-')}"]
                words += list(value) if isinstance(value, tuple) else [str(value)]
        return f"{shlex.join(words)} --output DIR"


def describe_protocol(
    evaluation: Evaluation,
    pipeline: OLVDMPipeline,
    checkpoint: Path,
    judges_sha256: str | None = None,
) -> dict[str, Any]:
    """Write down all that the numbers follow from.

    Args:
        evaluation: What was asked for.
        pipeline: The model.
        checkpoint: Folder that it was loaded from.
        judges_sha256: Of the manifest of the judges, where there are any.

    Returns:
        Settings, checksums, versions and machine, as JSON can hold them.

    Source: method.md section 7: every table states its protocol.
    """
    height, width = clip_size(pipeline)
    settings = {one.name: getattr(evaluation, one.name) for one in fields(evaluation)}
    return {
        "command": evaluation.command(checkpoint),
        "checkpoint": checkpoint.resolve().name,
        "checkpoint_sha256": file_sha256(checkpoint / MANIFEST_NAME),
        "trained_on": _trained_on(pipeline),
        "judges_sha256": judges_sha256,
        "code_sha256": code_sha256(),
        "split": SPLIT,
        "data_seed": DATA_SEED,
        **settings,
        "parts": [part for part in PARTS if evaluation.has(part)],
        "num_frames": NUM_FRAMES,
        "height": height,
        "width": width,
        "device": pipeline.device.type,
        "dtype": str(pipeline.dtype).removeprefix("torch."),
        "num_threads": torch.get_num_threads(),
        "machine": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _trained_on(pipeline: OLVDMPipeline) -> str:
    """Return what a checkpoint says of its clips; it may come from anywhere, so no markup is."""
    told = str(pipeline.about.get("data") or "clips that it does not name")
    return re.sub(r"[^\w ,.'-]", "", told)[:64]


def rows_key(protocol: dict[str, Any]) -> str:
    """Return a checksum of all that decides what a clip of a prompt looks like and scores.

    Args:
        protocol: Of the evaluation.

    Returns:
        64 characters; equal ones mean that stored results may be used again.
    """
    deciding = {name: value for name, value in protocol.items() if name not in PRESENTATION}
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def clip_size(pipeline: OLVDMPipeline) -> tuple[int, int]:
    """Return height and width of the clips that a model was trained on."""
    factor, settings = pipeline.autoencoder.spatial_factor, pipeline.denoiser.config
    return factor * settings["height"], factor * settings["width"]


def real_clips(size: tuple[int, int], level: str, split: str, num_clips: int) -> MovingShapes:
    """Return real clips of the world of the trainings.

    Args:
        size: Height and width, those of ``clip_size``.
        level: Level of ``MovingShapes``.
        split: Split of it.
        num_clips: How many.

    Returns:
        The clips, each of which is drawn when it is asked for.
    """
    return MovingShapes(level, split, num_clips, DATA_SEED, NUM_FRAMES, *size)


def compared_clips(
    size: tuple[int, int], checkpoint: Path, evaluation: Evaluation
) -> tuple[MovingShapes, MovingShapes]:
    """Return the real clips with which drawn ones are compared.

    Args:
        size: Height and width of the drawn clips.
        checkpoint: That draws them.
        evaluation: How many prompts there are, and at which level.

    Returns:
        Clips of its training, and as many clips as there are prompts, which are not those of the
        prompts.
    """
    about = verify_folder(checkpoint).get("about")
    told = about.get("trainings", {}).get("denoiser", {}) if isinstance(about, dict) else {}
    level = told.get("config", {}).get("level", evaluation.level)
    return (
        real_clips(size, level, "train", evaluation.num_training_clips),
        real_clips(size, evaluation.level, "val", evaluation.num_prompts),
    )


def evaluation_of(protocol: Mapping[str, Any]) -> Evaluation:
    """Return what a report was asked for, with what was measured on the way to it.

    Args:
        protocol: Of the report; what reports of its time did not know yet has its default.

    Returns:
        The settings by which its clips were drawn.
    """
    known = [one.name for one in fields(Evaluation) if one.name in protocol]
    settings: dict[str, Any] = {name: protocol[name] for name in known}
    settings["parts"] = tuple(settings["parts"])
    return Evaluation(**settings)


@functools.cache  # files that change while this process runs do not change what it runs
def code_sha256() -> str:
    """Return the checksum of the code that draws and measures."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for pattern in ("*.py", "data/*.py", "evaluation/*.py"):
        for path in sorted(package.glob(pattern)):
            if path.name not in WRITERS:
                digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
