"""One branch of an experiment: trained, packaged and scored, each part skipped once it is done."""

import json
import resource
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch

from olvdm.errors import InputError
from olvdm.evaluation.prompt_rows import ROWS_NAME, write_text
from olvdm.evaluation.protocol import Evaluation
from olvdm.evaluation.report import SCORES_NAME, evaluate_checkpoint, supplement_report
from olvdm.experiment.suite import SAMPLING, RowPlan
from olvdm.manifest import MANIFEST_NAME, file_sha256, remove_stale
from olvdm.training.assembly import assemble
from olvdm.training.config import AutoencoderConfig, DenoiserConfig, TrainingConfig, load_config
from olvdm.training.journal import LOG_NAME
from olvdm.training.loop import PATHS, train
from olvdm.training.parts import build_stage
from olvdm.training.state import state_folders

COST_NAME = "cost.json"
FREE = (*PATHS, "num_workers", "compile", "save_every", "log_every")  # change no number


@dataclass(frozen=True)
class Branch:
    """One row with one seed.

    Attributes:
        row: The variant.
        seed: Of its training.
        folder: Where all of it is kept.
        config: Of its training; none where it trains nothing.
        parts: Trainings of which its checkpoint is made, ``autoencoder``, ``slots`` and
            ``denoiser``; that which it trains itself is its own folder.
        checkpoint: Its own, or that of the branch whose clips it draws in another way.
        judges_sha256: Of the manifest of the judges that must have judged its clips; none where it
            does not matter who did.
    """

    row: RowPlan
    seed: int
    folder: Path
    config: TrainingConfig | None
    parts: Mapping[str, Path]
    checkpoint: Path
    judges_sha256: str | None = None

    @property
    def training(self) -> Path:
        """The folder of its training."""
        return self.folder / "training"

    @property
    def num_steps(self) -> int:
        """Steps of its training, done or not."""
        return self.config.max_steps if self.config else 0

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is something to draw with."""
        return (self.checkpoint / MANIFEST_NAME).is_file()

    @property
    def steps_done(self) -> int:
        """Steps of its training that nothing can lose any more."""
        if self.config is None or self.has_checkpoint:
            return self.num_steps
        newest = state_folders(self.training)[:1]
        return int(newest[0].name.removeprefix("step-")) if newest else 0

    def scores(self, level: str) -> Path:
        """Return the folder of its scores at a level."""
        return self.folder / f"scores-{level}"

    def prompts_done(self, evaluation: Evaluation) -> int:
        """Return how many prompts of a level are drawn.

        Args:
            evaluation: What all rows are asked.

        Returns:
            At most as many as are wanted.
        """
        if self.report(evaluation) is not None:
            return evaluation.num_prompts
        if not self._is_judged(self._read_scores(evaluation.level)[1]):
            return 0  # they are drawn again, since pixels are not kept
        rows = self.scores(evaluation.level) / ROWS_NAME
        lines = rows.read_bytes().count(b"\n") if rows.is_file() else 0
        return min(lines, max(evaluation.num_prompts - 1, 0))

    def report(self, evaluation: Evaluation) -> dict[str, Any] | None:
        """Return the finished report of a level, where this checkpoint has one.

        Args:
            evaluation: What all rows are asked; the row's own sampling is added.

        Returns:
            The report, or nothing where it must be made, or made anew.
        """
        report, protocol = self._read_scores(evaluation.level)
        if not self.has_checkpoint or not report:
            return None
        asked = replace(evaluation, **self.row.sampling)
        wanted = {name: getattr(asked, name) for name in ("num_prompts", *SAMPLING)}
        # what an earlier version does not name, it could not do; none is for the model to say
        is_same = all(
            value is None or protocol.get(name, value) == value for name, value in wanted.items()
        )
        is_same = is_same and self._is_judged(protocol)
        checksum = file_sha256(self.checkpoint / MANIFEST_NAME)
        return report if is_same and protocol.get("checkpoint_sha256") == checksum else None

    def _read_scores(self, level: str) -> tuple[dict[str, Any], Mapping[str, Any]]:
        """Return the report that lies there, and how it was made; empty where there is none."""
        try:
            report = json.loads((self.scores(level) / SCORES_NAME).read_bytes())
            return report, report["protocol"]
        except (OSError, ValueError, KeyError, TypeError):
            return {}, {}

    def _is_judged(self, protocol: Mapping[str, Any]) -> bool:
        """Say whether the judges of scores, where there are any, are those that are asked for."""
        others = protocol.get("judges_sha256", self.judges_sha256)
        return self.judges_sha256 in (None, others)

    def cost(self) -> dict[str, float]:
        """Return what it took so far: peak memory, prompts scored, and their seconds."""
        try:
            return json.loads((self.folder / COST_NAME).read_bytes())
        except (OSError, ValueError):
            return {}


def train_branch(branch: Branch, follow: Callable[[int], bool]) -> bool:
    """Train a branch to its end, or go on with it.

    Args:
        branch: The branch.
        follow: Called with the steps done after each; it says whether to stop.

    Returns:
        Whether it has come to its end; if not, somebody asked it to stop, and the next call goes
        on. Once its checkpoint is whole, the states for going on are removed: they are large.
        Other settings than an earlier part of the training had are an ``InputError``.
    """
    config = branch.config
    if config is None or branch.has_checkpoint:
        return True
    branch.folder.mkdir(parents=True, exist_ok=True)
    remove_stale(branch.folder)
    is_begun = bool(state_folders(branch.training))
    if is_begun:
        _check_settings(branch, config)
    torch.manual_seed(config.seed)
    stage = build_stage(config)
    _forget_peak()
    reached = train(stage, config, branch.training, resume=is_begun, follow=follow)
    cost = branch.cost()
    peak = max(cost.get("peak_memory_mb", 0.0), _peak_memory_mb())
    _save_cost(branch, cost | {"peak_memory_mb": peak})
    if reached["step"] < config.max_steps:
        return False
    pipeline, told = assemble(branch.parts)
    pipeline.save_pretrained(branch.checkpoint, about=told)
    for folder in state_folders(branch.training):
        shutil.rmtree(folder, ignore_errors=True)
    return True


def score_branch(
    branch: Branch, evaluation: Evaluation, judges: Path | None, advance: Callable[[], None]
) -> None:
    """Draw and measure the prompts of one level that are not drawn yet.

    Args:
        branch: The branch, whose checkpoint is there.
        evaluation: What all rows are asked; the row's own sampling is added.
        judges: Folder of judges that bring networks of their own, or none.
        advance: Called after each prompt that is drawn; it may raise to stop.
    """
    level = evaluation.level
    settings = asdict(replace(evaluation, **branch.row.sampling))
    drawn, started = 0, time.monotonic()

    def count(part: str) -> None:
        nonlocal drawn
        if part == "generation":
            drawn += 1
            advance()

    try:
        evaluate_checkpoint(
            branch.checkpoint,
            output=branch.scores(level),
            judges=judges,
            progress=False,
            advance=count,
            **settings,
        )
    finally:
        cost = branch.cost()
        spent = {"prompts": float(drawn), "scoring_seconds": time.monotonic() - started}
        _save_cost(branch, cost | {one: cost.get(one, 0.0) + add for one, add in spent.items()})


def supplement_branch(branch: Branch, evaluation: Evaluation) -> None:
    """Add to finished scores what an earlier version did not measure, as far as nothing is drawn.

    Args:
        branch: The branch; where it is not scored to its end, nothing is done.
        evaluation: Level and number of the prompts.
    """
    if branch.report(evaluation) is not None:
        supplement_report(branch.scores(evaluation.level), branch.checkpoint)


def log_lines(branch: Branch) -> list[dict[str, Any]]:
    """Return what its training logged, line by line; nothing where it trains nothing."""
    path = branch.training / LOG_NAME
    if branch.config is None or not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _check_settings(branch: Branch, config: TrainingConfig) -> None:
    """Refuse to go on with other settings: half a training under each would be neither."""
    stage = "autoencoder" if isinstance(config, AutoencoderConfig) else "denoiser"
    assert isinstance(config, AutoencoderConfig | DenoiserConfig)
    before = load_config(stage, branch.training / "config.toml", {})
    for one in fields(config):
        old, new = getattr(before, one.name), getattr(config, one.name)
        if one.name not in FREE and old != new:
            raise InputError(
                f"row {branch.row.name} was begun with {one.name} {old}, not {new}; give the same, "
                "or another output folder"
            )


def _save_cost(branch: Branch, cost: Mapping[str, float]) -> None:
    branch.folder.mkdir(parents=True, exist_ok=True)
    write_text(branch.folder / COST_NAME, json.dumps(cost) + "\n")


def _forget_peak() -> None:
    """Let the peak of the memory begin anew, where the system can do that."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        return
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return  # then it is that of all branches so far


def _peak_memory_mb() -> float:
    """Return the most memory held since `_forget_peak`, on the GPU or resident, in MB."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e6
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return float(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
