"""Finished runs, wherever they are kept: with the models, on the disk or in memory; and pairs."""

import dataclasses
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from olvdm.errors import CheckpointError, InputError
from olvdm.manifest import verify_folder
from olvdm.results import MODELS, finished_comparison, label_of, pair_of, shown_name
from olvdm.serving.recent import Recent
from visualize.screen import texts
from visualize.screen.shown import Choice, Finished, PinnedRun, split_order

if TYPE_CHECKING:
    from olvdm.serving.run_store import RunStore
    from olvdm.serving.stored_runs import StoredRun
    from visualize.payload import Spread

MOST_BROUGHT = 8  # inspected clips, which have no place on the disk; memory holds their results
MOST_FRESH = 2  # drawn runs that are still on their way to the disk
MOST_PAIRS = 8  # of clips of other runs, made anew by a press


class RunLibrary:
    """Keep runs, find them again, and put clips of theirs side by side.

    Args:
        checkpoints: Folder of the models, their stored comparisons and their scores.
        runs: Folder in which finished runs are kept.
    """

    def __init__(self, checkpoints: Path, runs: Path) -> None:
        self.checkpoints = checkpoints
        self.examples = checkpoints / "examples"
        self.runs = runs
        self._brought: Recent[tuple[StoredRun, Finished]] = Recent(MOST_BROUGHT)
        self._pairs: Recent[tuple[StoredRun, Finished]] = Recent(MOST_PAIRS)
        self._fresh: Recent[StoredRun] = Recent(MOST_FRESH)
        self._store: RunStore | None = None
        self._spreads: Mapping[str, Spread] | None = None

    @property
    def store(self) -> "RunStore":
        """The runs on the disk."""
        if self._store is None:
            from olvdm.serving.run_store import RunStore

            self._store = RunStore(self.runs)
        return self._store

    def stored(self) -> list[Choice]:
        """Return the stored comparisons to choose from."""
        from olvdm.serving.stored_runs import list_stored_runs

        return [
            Choice(key, one.title, texts.STORED_DETAIL.format(prompt=one.prompt, seed=one.seed))
            for key, one in list_stored_runs(self.examples).items()
        ]

    def whole_stored(self) -> tuple[list[Choice], list[str]]:
        """Return the stored comparisons that are whole, and a sentence on each other one."""
        from olvdm.serving.stored_runs import KIND

        whole: list[Choice] = []
        damaged: list[str] = []
        for choice in self.stored():
            try:
                verify_folder(self.examples / choice.key, KIND)
                whole.append(choice)
            except CheckpointError as error:
                damaged.append(error.user_message)
        return whole, damaged

    def load_stored(self, key: object) -> Finished:
        """Return one of the stored comparisons."""
        from olvdm.serving.stored_runs import list_stored_runs, load_stored_run

        if not isinstance(key, str) or key not in list_stored_runs(self.examples):
            raise InputError("There is no such stored comparison; choose one of the list.")
        return self._finished(load_stored_run(self.examples / key), key, texts.BADGE_STORED)

    def find_run(self, run_id: object, text: str = "") -> Finished:
        """Return a run that was drawn before, by whomever, its clips in the order of its name."""
        name, is_reversed = _split(run_id)
        kept = self._in_memory(name)
        finished = kept[1] if kept else self._found(name, text)
        return finished.reversed() if is_reversed else finished

    def _found(self, name: str, text: str) -> Finished:
        """Return a run that lies on the disk."""
        is_stored = name in {choice.key for choice in self.stored()}
        badge = texts.BADGE_STORED if is_stored else texts.BADGE_FOUND
        return self._finished(self._kept_run(name), name, badge, text)

    def run(self, run_id: object) -> "StoredRun":
        """Return all that is known of a run, whether drawn, inspected or stored."""
        name, is_reversed = _split(run_id)
        run = self._kept_run(name)
        return run.reversed() if is_reversed else run

    def _kept_run(self, name: str) -> "StoredRun":
        """Return a run with its clips in the order in which it was made."""
        from olvdm.serving.stored_runs import load_stored_run

        kept = self._in_memory(name)
        if kept:
            return kept[0]
        fresh = self._fresh.get(name)  # first, for the disk may just be taking it
        if fresh is not None:
            return fresh
        if name in {choice.key for choice in self.stored()}:
            return load_stored_run(self.examples / name)
        folder = self.store.find(name)
        if folder is None:
            raise InputError(texts.NO_SUCH_RUN)
        return load_stored_run(folder, kind="run")

    def _in_memory(self, name: str) -> "tuple[StoredRun, Finished] | None":
        """Return a result that has no place on the disk: a person's own, or made of others."""
        return self._brought.get(name) or self._pairs.get(name)

    def pinned(self, run_id: object) -> PinnedRun:
        """Return a run as it is kept at hand for comparisons."""
        name, _ = _split(run_id)
        run = self._kept_run(name)
        names = self._clip_names(name, run)
        return PinnedRun(name, label_of(run), tuple(Choice(*each) for each in names.items()))

    def _clip_names(self, name: str, run: "StoredRun") -> dict[str, str]:
        """Return what the page calls the clips of a run, by their keys."""
        kept = self._in_memory(name)
        names = [clip.name for clip in kept[1].clips] if kept else map(shown_name, run.clips)
        return dict(zip(run.clips, names, strict=True))

    def pair_clips(
        self, run: object, model: object, other: object, other_model: object
    ) -> Finished:
        """Put one clip of each of two runs side by side; both of one run are that run itself."""
        first, second = self._chosen_clip(run, model), self._chosen_clip(other, other_model)
        sources = (first.source, second.source)
        if first.run_id == second.run_id:
            whole = tuple(f"{first.run_id}/{key}" for key in first.run.clips)
            if sources in (whole, whole[::-1]):
                found = self.find_run(first.run_id)
                return found if sources == whole else found.reversed()
        run_id = secrets.token_hex(8)
        pair = pair_of([(one.run, one.key, one.name) for one in (first, second)])
        finished = self._finished(pair, run_id, texts.PAIR_BADGE)
        finished = dataclasses.replace(finished, sources=sources)
        self._pairs.put(run_id, (pair, finished))
        return finished

    def _chosen_clip(self, run_id: object, key: object) -> "_ChosenClip":
        """Check which clip of which run is meant."""
        name, _ = _split(run_id)
        run = self._kept_run(name)
        if not isinstance(key, str) or key not in run.clips:
            raise InputError("This run has no clip of that model; choose another pair.")
        return _ChosenClip(name, run, key, self._clip_names(name, run)[key])

    def announce(self, run: "StoredRun", run_id: str) -> None:
        """Let a run be found from the moment in which it is shown, while the disk takes it."""
        self._fresh.put(run_id, run)

    def bring(self, run: "StoredRun", finished: Finished) -> Finished:
        """Keep what was found in a person's own clip, which has no place on the disk."""
        self._brought.put(finished.run_id, (run, finished))
        return finished

    def _finished(self, run: "StoredRun", run_id: str, badge: str, text: str = "") -> Finished:
        """Show a comparison; beside what many prompts say, where it is of their two models."""
        from olvdm.verdict import read_spreads

        if self._spreads is None:
            self._spreads = read_spreads(self.checkpoints)
        spreads = self._spreads if tuple(run.clips) == MODELS else {}
        return finished_comparison(run, run_id, badge, text, spreads)


@dataclasses.dataclass(frozen=True, eq=False)
class _ChosenClip:
    """One clip of a run: where it is, and what the page calls it."""

    run_id: str
    run: "StoredRun"
    key: str
    name: str

    @property
    def source(self) -> str:
        return f"{self.run_id}/{self.key}"


def _split(run_id: object) -> tuple[str, bool]:
    """Return the name of a run itself, and whether its clips are wanted in the other order."""
    if not isinstance(run_id, str):
        raise InputError(texts.NO_SUCH_RUN)
    return split_order(run_id)
