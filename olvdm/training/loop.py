"""Runs any stage: precision, clipping, averaging, logging, saving, resuming, stopping."""

import json
import logging
import math
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from olvdm.errors import InputError, StorageError, TrainingError
from olvdm.limits import BAD_STEPS, SAVE_FAILURES
from olvdm.manifest import remove_stale, write_folder
from olvdm.training.average import AveragedWeights, trainable_weights
from olvdm.training.batches import BatchOrder, batches
from olvdm.training.config import TrainingConfig, to_toml
from olvdm.training.journal import Journal
from olvdm.training.optimizer import (
    learning_rate_at,
    load_optimizer_tensors,
    make_optimizers,
    optimizer_tensors,
)
from olvdm.training.processes import Processes
from olvdm.training.stage import Batch, Stage
from olvdm.training.state import (
    Position,
    check_output,
    explained_storage,
    fill_tensors,
    model_tensors,
    newest_state,
    read_state,
    save_networks,
    save_state,
)
from olvdm.training.stop_signal import StopSignal

GLOBAL_NOISE = 2**32  # stands where a step's number would: no step shares these generators' seed
PATHS = ("videos", "init_from", "autoencoder", "slots", "latents")

logger = logging.getLogger(__name__)


def train(
    stage: Stage,
    config: TrainingConfig,
    output: Path,
    resume: bool = False,
    follow: Callable[[int], bool] | None = None,
) -> dict[str, float]:
    """Train a stage to its last step, its time limit or a signal to stop.

    Args:
        stage: The stage to train, on the CPU, with the weights to begin from; seed torch before
            building it.
        config: How to train it.
        output: The folder of the training: states, log, previews, and the averaged networks in
            ``final``.
        resume: Whether to go on from the newest whole state in that folder.
        follow: Called with the steps done after each one, in place of the progress bar; where it
            says so, the training stops and saves, as a signal would have it.

    Returns:
        The step, the share that is done as ``progress``, the last logged numbers, and the scores of
        the last validation under ``val/``.

    Ours: everything random follows from (seed, step, place), so that a resumed training equals an
    uninterrupted one, and two processes draw what one would.
    """
    with StopSignal() as stop:
        training = _Training(stage, config, output, stop)
        training.follow = follow
        training.start(resume)
        return training.run()


class _Training:
    """Hold what a training is made of while it runs."""

    def __init__(
        self, stage: Stage, config: TrainingConfig, output: Path, stop: StopSignal
    ) -> None:
        self.stage, self.config, self.output, self.stop = stage, config, output, stop
        self.follow: Callable[[int], bool] | None = None
        self.processes = Processes()
        count = self.processes.count
        if config.batch_size % count:
            raise InputError(
                f"batch_size must be a multiple of the {count} processes, got {config.batch_size}"
            )
        self.order = BatchOrder(
            config.seed, stage.num_examples, config.batch_size, count, self.processes.index
        )
        self.position = Position()
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}
        self.bad_steps = self.save_failures = 0
        self.last: dict[str, float] = {}
        self.saved_step: int | None = None

    @property
    def progress(self) -> float:
        """The share that is done, by steps or by time, whichever is further."""
        by_steps = self.position.step / self.config.max_steps
        if self.config.max_minutes is None:
            return by_steps
        return max(by_steps, self.position.elapsed / (60 * self.config.max_minutes))

    def start(self, resume: bool) -> None:
        """Place the stage on its device, with the weights to begin or to go on from."""
        folder = self._find_state(resume)
        states = (self.config.seed, GLOBAL_NOISE, self.processes.index)
        torch.manual_seed(int(np.random.SeedSequence(states).generate_state(1, np.uint64)[0]))
        if self.processes.device.type == "cuda":
            torch.set_float32_matmul_precision("high")
        self.stage.to(self.processes.device)
        if self.config.compile:
            for network in self.stage.networks().values():
                network.compile()
        self.model = cast("Callable[..., dict[str, Tensor]]", self.processes.wrap(self.stage))
        self.average = AveragedWeights(self.stage, self.config.ema_decay)
        self.optimizers = make_optimizers(self.stage, self.config)
        if folder is not None:
            self._load(folder)

    def run(self) -> dict[str, float]:
        """Make steps until the end, then log, score, show and save what has come out."""
        step, config = self.position.step, self.config
        self.weights = list(trainable_weights(self.stage).values())
        self.elapsed_before, self.started = self.position.elapsed, time.monotonic()
        self.timed_step, self.timed_since = step, self.started
        steps = range(step, config.max_steps)
        source = batches(self.stage, self.order, steps, config.num_workers)
        self.stage.train()
        is_main, has_bar = self.processes.is_main, self.follow is None
        with Journal(self.output, step, config.max_steps, is_main, has_bar) as journal:
            is_stopped = False
            while self.progress < 1 and not is_stopped:
                batch = self._next(source)
                is_stopped = batch is None or self._step(batch, journal)
            if self.progress >= 1:  # who asks to stop earlier wants it soon
                self._log(journal)
                self._look(journal, is_last=True)
            self._save(is_last=True)
        return {"step": float(self.position.step), "progress": self.progress, **self.last}

    def _next(self, source: Iterator[Batch]) -> Batch | None:
        """Read a batch, or nothing where a signal has also reached the workers who read."""
        try:
            return next(source)
        except RuntimeError:
            if self.stop.is_set and self.config.num_workers and self.processes.count == 1:
                return None
            raise

    def _step(self, batch: Batch, journal: Journal) -> bool:
        """Make one step; return whether to stop after it."""
        config, device = self.config, self.processes.device
        with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16"):
            generators = self.order.generators(self.position.step)
            losses = self.model(self.processes.place(batch), generators, self.progress)
        losses["loss"].backward()
        norm = torch.nn.utils.clip_grad_norm_(self.weights, config.clip_norm)
        loss, grad_norm, is_stopping = self._agree(losses["loss"], norm)
        if math.isfinite(loss) and math.isfinite(grad_norm):
            self._update()
            self._sum({**losses, "grad_norm": norm})
        else:
            self.bad_steps += 1
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        self.position.step += 1
        if self.bad_steps >= BAD_STEPS:
            self._fail(loss, grad_norm)
        self._tell(journal, loss)
        return is_stopping

    def _agree(self, loss: Tensor, norm: Tensor) -> tuple[float, float, bool]:
        """Let every process know loss, norm, time and the wish to stop, so that all act alike."""
        elapsed = self.elapsed_before + time.monotonic() - self.started
        own = torch.stack([loss.detach().float(), norm.detach().float()])
        if self.processes.count == 1:
            mean, largest = own.tolist()
            self.position.elapsed = elapsed
            return mean, largest, self.stop.is_set
        rows = self.processes.rows(torch.cat([own, own.new_tensor([elapsed, self.stop.is_set])]))
        self.position.elapsed = float(rows[:, 2].max())
        return float(rows[:, 0].mean()), float(rows[:, 1].max()), bool(rows[:, 3].any())

    def _update(self) -> None:
        """Change the weights and their average."""
        rate = learning_rate_at(self.config, self.position.updates, self.progress)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
        self.average.update(self.position.updates)
        self.position.updates += 1
        self.bad_steps = 0

    def _sum(self, losses: dict[str, Tensor]) -> None:
        """Add up on the device what is logged as a mean; a loss may be there only at times."""
        for name, value in losses.items():
            term = value.detach().float()
            self.sums[name] = self.sums[name] + term if name in self.sums else term
            self.counts[name] = self.counts.get(name, 0) + 1

    def _tell(self, journal: Journal, loss: float) -> None:
        """Do what is due after this step."""
        step, config = self.position.step, self.config
        speed = (step - self.timed_step) / (time.monotonic() - self.timed_since)
        left = (config.max_steps - step) / speed
        if config.max_minutes is not None:
            left = min(left, 60 * config.max_minutes - self.position.elapsed)
        journal.advance(loss, speed * config.batch_size, max(left, 0.0))
        if self.follow is not None and self.follow(step):
            self.stop.is_set = True
        if self.progress < 1:
            if step % config.log_every == 0:
                self._log(journal)
            paused = time.monotonic()
            self._look(journal)
            if step % config.save_every == 0:
                self._save()
            self.timed_since += time.monotonic() - paused  # the speed is that of the steps alone

    def _log(self, journal: Journal) -> None:
        """Write the means since the last line."""
        if not self.sums:
            return
        step, now = self.position.step, time.monotonic()
        names = list(self.sums)
        means = torch.stack([self.sums[name] / self.counts[name] for name in names])
        line = dict(zip(names, self.processes.mean(means).tolist(), strict=True))
        line["learning_rate"] = float(self.optimizers[0].param_groups[0]["lr"])
        speed = (step - self.timed_step) / (now - self.timed_since)
        line["clips_per_second"] = speed * self.config.batch_size
        line["elapsed"] = self.position.elapsed
        journal.write(step, line)
        self.last |= line
        self.sums, self.counts = {}, {}
        self.timed_step, self.timed_since = step, now

    def _look(self, journal: Journal, is_last: bool = False) -> None:
        """Score and show the averaged weights, without touching the random state."""
        step, config = self.position.step, self.config
        does_score = is_last or step % config.validate_every == 0
        does_show = is_last or step % config.preview_every == 0
        if not does_score and not does_show:
            return
        if self.processes.is_main:
            with self._shown_weights():
                if does_score:
                    self._score(journal)
                if does_show:
                    journal.show(step, self.stage.preview(step))
        self.processes.wait()

    def _score(self, journal: Journal) -> None:
        scores = {f"val/{name}": float(value) for name, value in self.stage.validate().items()}
        journal.write(self.position.step, scores)
        self.last |= scores
        score, best = scores.get("val/score"), self.position.best_score
        if score is not None and math.isfinite(score) and (best is None or score >= best):
            self.position.best_score, self.position.best_step = score, self.position.step

    def _save(self, is_last: bool = False) -> None:
        """Save the state and the averaged networks; a full disk is survived a few times."""
        step = self.position.step
        if self.saved_step == step:
            return
        rng, sums = self.processes.random_states(), self._shared_sums()
        has_failed = False
        if self.processes.is_main:
            try:
                self._write(rng, sums)
            except OSError as error:
                logger.warning("could not save step %d: %s", step, error.strerror)
                has_failed = True
        if not self.processes.any(has_failed):
            self.saved_step, self.save_failures = step, 0
            return
        self.save_failures += 1
        if is_last or self.save_failures >= SAVE_FAILURES:
            raise StorageError(
                f"saving failed {self.save_failures} times in a row; make space and resume"
            )

    def _write(self, rng: dict[str, Tensor], sums: dict[str, float]) -> None:
        """Write the state, then the networks to ship."""
        tensors = {
            "model": model_tensors(self.stage),
            "ema": self.average.average,
            "optimizer": optimizer_tensors(self.stage, self.optimizers),
            "rng": rng,
        }
        settings = asdict(self.config)
        about: dict[str, object] = {
            "stage": type(self.stage).__name__,
            "versions": {"python": sys.version.split()[0], "torch": torch.__version__},
            "num_processes": self.processes.count,
        }
        record = {**about, "config": settings, "sums": sums, "counts": self.counts}
        save_state(self.output, self.position, tensors, record)
        shipped = {name: value for name, value in settings.items() if name not in PATHS}
        shown: dict[str, object] = {
            "step": self.position.step,
            "data": self.config.clips_name,
            **about,
            "config": shipped,
        }
        with self._shown_weights():
            self.stage.prepare_networks()
            dtype_name = self.config.weights_dtype
            save_networks(self.output / "final", self.stage.networks(), dtype_name, shown)

    @contextmanager
    def _shown_weights(self) -> Generator[None]:
        """Have the averaged weights in place, and leave no trace in weights or random state."""
        device = self.processes.device
        self.stage.eval()
        with (
            torch.random.fork_rng([device] if device.type == "cuda" else []),
            self.average.applied(),
            torch.no_grad(),
        ):
            yield
        self.stage.train()

    def _shared_sums(self) -> dict[str, float]:
        """Return the sums of the log line that is under way, so that a resumed one is the same."""
        if not self.sums:
            return {}
        means = self.processes.mean(torch.stack(list(self.sums.values())))
        return dict(zip(self.sums, means.tolist(), strict=True))

    def _find_state(self, resume: bool) -> Path | None:
        """Prepare the folder and find what to go on from."""
        check_output(self.output, resume)
        if self.processes.is_main:
            with explained_storage():
                self.output.mkdir(parents=True, exist_ok=True)
                remove_stale(self.output)
        self.processes.wait()
        folder = newest_state(self.output) if resume else None
        if self.processes.is_main:
            with explained_storage():
                (self.output / "config.toml").write_text(to_toml(self.config), encoding="utf-8")
        self.processes.wait()
        return folder

    def _load(self, folder: Path) -> None:
        """Put everything back as it was when the state was saved."""
        self.position, tensors, record = read_state(folder)
        fill_tensors(model_tensors(self.stage), tensors["model"])
        fill_tensors(self.average.average, tensors["ema"])
        load_optimizer_tensors(self.stage, self.optimizers, tensors["optimizer"])
        device = self.processes.device
        self.counts, self.saved_step = record["counts"], self.position.step
        sums: dict[str, float] = record["sums"]
        self.sums = {name: torch.tensor(sums[name], device=device) for name in self.counts}
        if record["num_processes"] == self.processes.count:
            self.processes.set_random_states(tensors["rng"])
        before: dict[str, Any] = record["config"]
        now = json.loads(json.dumps(asdict(self.config)))
        changed = [name for name, value in now.items() if before.get(name) != value]
        logger.info("resumed at step %d; changed: %s", self.saved_step, changed or "nothing")

    def _fail(self, loss: float, grad_norm: float) -> None:
        """Leave a note and stop; the good states stay as they are."""
        step = self.position.step
        if self.processes.is_main:
            note = {"step": step, "loss": str(loss), "grad_norm": str(grad_norm)}
            failed = self.output / f"failed-{step:08d}"
            with suppress(OSError), write_folder(failed, "failure", note) as folder:
                (folder / "config.toml").write_text(to_toml(self.config), encoding="utf-8")
        raise TrainingError(
            f"loss or gradient were not finite in {BAD_STEPS} steps in a row, the last being step "
            f"{step}; resume with a lower learning_rate"
        )
