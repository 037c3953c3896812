"""Compute the branches of a plan in their order, and keep the results up to date."""

import fcntl
import json
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from olvdm.errors import InputError
from olvdm.evaluation.prompt_rows import write_text
from olvdm.experiment.branch import Branch, score_branch, supplement_branch, train_branch
from olvdm.experiment.gallery import draw_gallery
from olvdm.experiment.gather import Asked, gather_results
from olvdm.experiment.plan import Plan, part_sha256
from olvdm.experiment.results import RESULTS_NAME, Results, save_results
from olvdm.experiment.slot_scores import is_scored, score_network

RECORD_NAME, LOCK_NAME = "experiment.json", "lock"


class TimeIsUpError(Exception):
    """Ends the scoring of clips between two of them."""


def run_experiment(plan: Plan, asked: Asked, max_minutes: float | None = None) -> Results | None:
    """Train and score all chosen branches that are not done yet.

    Whatever ends it, a signal, the time or the power, the same call goes on where it was: trainings
    from their last saved state, drawings from the last prompt. The results are written after every
    branch, and at the end whatever the end is.

    Args:
        plan: The branches.
        asked: What they are asked to draw.
        max_minutes: After which it stops, by the wall clock; none for no limit.

    Returns:
        The results, none where no branch has been scored yet. A folder in which another process
        is at work, or which holds an experiment from other parts, is an ``InputError``.
    """
    output = plan.places.output
    output.mkdir(parents=True, exist_ok=True)
    with _alone(output):
        _check_same(plan)
        try:
            with _Run(plan, asked, max_minutes) as run:
                run.compute()
        finally:
            results = write_results(plan, asked)
    return results


def write_results(plan: Plan, asked: Asked) -> Results | None:
    """Gather what there is and write it whole or not at all.

    Args:
        plan: The branches.
        asked: What they were asked to draw.

    Returns:
        The results, none where there are none yet.
    """
    results = gather_results(plan, asked)
    if results is not None:
        save_results(plan.places.output / RESULTS_NAME, results)
    return results


class _Run:
    """Hold the progress over all of it, in steps, prompts and real clips alike."""

    def __init__(self, plan: Plan, asked: Asked, max_minutes: float | None) -> None:
        self.plan, self.asked = plan, asked
        self.until = None if max_minutes is None else time.monotonic() + 60 * max_minutes
        chosen = [plan.branches[key] for key in plan.chosen]
        prompts = sum(one.num_prompts for one in asked.evaluations.values())
        clips = [  # each of which the slots are to be found in
            (one.num_clips, is_scored(plan, network, one))
            for network in plan.slot_networks
            for one in asked.evaluations.values()
        ]
        self.bar = tqdm(
            total=sum(branch.num_steps + prompts for branch in chosen)
            + sum(count for count, _ in clips),
            initial=sum(branch.steps_done + self._drawn(branch) for branch in chosen)
            + sum(count for count, is_done in clips if is_done),
            bar_format="{desc}{percentage:3.0f}%|{bar:24}| {n_fmt}/{total_fmt}, {remaining} left",
            mininterval=0.5 if sys.stderr.isatty() else 30.0,  # a log file needs no animation
        )

    def __enter__(self) -> "_Run":
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    @property
    def is_late(self) -> bool:
        """Whether the time is up."""
        return self.until is not None and time.monotonic() > self.until

    def compute(self) -> None:
        """Score the slots, then compute branch after branch, until it is time to stop."""
        try:
            self._supplement()
            self._score_slots()
            for key in self.plan.chosen:
                branch = self.plan.branches[key]
                if self.is_late or not self._train(branch):
                    return
                self._score(branch)
                draw_gallery(self.plan, self.asked.evaluations)
        except TimeIsUpError:
            return

    def _supplement(self) -> None:
        """Bring scores of an earlier version up to date, those of branches not chosen too."""
        for branch in self.plan.branches.values():
            for evaluation in self.asked.evaluations.values():
                supplement_branch(branch, evaluation)

    def _score_slots(self) -> None:
        for network in self.plan.slot_networks:
            for level, evaluation in self.asked.evaluations.items():
                if not is_scored(self.plan, network, evaluation):
                    self.bar.set_description_str(f"slots {network.seed} {level}: ")
                    score_network(self.plan, network, evaluation, self._advance)

    def _advance(self) -> None:
        """Count one clip, and stop after it where the time is up."""
        self.bar.update()
        if self.is_late:
            raise TimeIsUpError

    def _train(self, branch: Branch) -> bool:
        """Train a branch; return whether it has come to its end."""
        if branch.has_checkpoint:
            return True
        self._say(branch, "trains")
        reached = branch.steps_done

        def follow(step: int) -> bool:
            nonlocal reached
            self.bar.update(step - reached)
            reached = step
            return self.is_late

        return train_branch(branch, follow)

    def _score(self, branch: Branch) -> None:
        """Draw and measure at every level that is not done."""
        for level, evaluation in self.asked.evaluations.items():
            if branch.report(evaluation) is not None:
                continue
            self._say(branch, f"draws {level}")
            score_branch(branch, evaluation, self.plan.places.judges, self._advance)
            write_results(self.plan, self.asked)

    def _drawn(self, branch: Branch) -> int:
        return sum(branch.prompts_done(one) for one in self.asked.evaluations.values())

    def _say(self, branch: Branch, what: str) -> None:
        self.bar.set_description_str(f"{branch.row.name} {branch.seed} {what}: ")


@contextmanager
def _alone(output: Path) -> Generator[None]:
    """Keep a second process out of the folder; the lock goes with the process that holds it."""
    with (output / LOCK_NAME).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                "another olvdm experiment is at work in the output folder; wait for it, or choose "
                "another folder"
            ) from error
        yield


def _check_same(plan: Plan) -> None:
    """Refuse a folder whose branches began elsewhere; note where these do."""
    record = _record(plan)
    path = plan.places.output / RECORD_NAME
    if not path.exists():
        write_text(path, json.dumps(record, indent=2) + "\n")
        return
    try:
        earlier: dict[str, Any] = json.loads(path.read_bytes())
    except ValueError as error:
        raise InputError(
            f"{RECORD_NAME} of the output folder is damaged; choose another"
        ) from error
    for name, value in record.items():
        if earlier.get(name) != value:
            found, wanted = str(earlier.get(name))[:32], str(value)[:32]
            raise InputError(
                f"the output folder holds an experiment with {name} {found}, not {wanted}; give "
                "the same, or another folder"
            )


def _record(plan: Plan) -> dict[str, Any]:
    """Return what all branches of a folder share."""
    places = plan.places
    return {
        "suite": plan.suite.name,
        "max_steps": plan.max_steps,
        "base": part_sha256(places.base, "denoiser"),
        "autoencoder": part_sha256(places.autoencoder, "autoencoder"),
        "slots": part_sha256(places.slots, "slots"),
    }
