"""Finished runs on disk, found again by their settings; the only place that keeps prompts."""

import hashlib
import json
import re
import shutil
import threading
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from olvdm import limits
from olvdm.errors import CheckpointError
from olvdm.manifest import MANIFEST_NAME, remove_stale, verify_folder, write_folder

STORE_VERSION = 1  # another number: runs of older code are not found any more
KIND = "run"
RUN_ID = re.compile(r"[0-9a-f]{16}")


def settings_key(settings: Mapping[str, object]) -> str:
    """Return the name of the run that these settings make.

    Args:
        settings: All that the result depends on, checkpoint hashes and dtype included; values of
            JSON. Their order does not matter.

    Returns:
        16 hexadecimal digits.

    Ours: equal settings make equal frames, so a hash of them names the result.
    """
    canonical = json.dumps([STORE_VERSION, settings], sort_keys=True, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


class RunStore:
    """A folder of finished runs, each whole or not there, the oldest leaving first.

    Args:
        folder: Where the runs are; the web server must not serve it.
        max_bytes: Largest sum of all files; only the newest run alone may be above it.

    Ours.
    """

    def __init__(self, folder: str | Path, max_bytes: int = limits.RUN_STORE_BYTES) -> None:
        self.folder = Path(folder)
        self.max_bytes = max_bytes
        self._placing = threading.Lock()  # a run that is replaced while it is read looks damaged
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        remove_stale(self.folder)

    def run_ids(self) -> list[str]:
        """Return the names of all runs, the newest first."""
        manifests = self.folder.glob(f"*/{MANIFEST_NAME}")
        runs = [path for path in manifests if RUN_ID.fullmatch(path.parent.name)]
        return [path.parent.name for path in sorted(runs, key=_age, reverse=True)]

    def find(self, run_id: str) -> Path | None:
        """Return the folder of a run, if there is one and it is whole.

        Args:
            run_id: What `settings_key` gave; anything else is not found, whatever it spells.

        Returns:
            The folder, or None; a damaged run is removed.
        """
        if not RUN_ID.fullmatch(run_id):
            return None
        with self._placing:
            if not (self.folder / run_id).is_dir():
                return None
            try:
                verify_folder(self.folder / run_id, KIND)
            except CheckpointError:
                shutil.rmtree(self.folder / run_id, ignore_errors=True)
                return None
        return self.folder / run_id

    def settings(self, run_id: str) -> dict[str, object] | None:
        """Return the settings that made a run.

        Args:
            run_id: Its name.

        Returns:
            The settings as they were saved, or None where there is no such run.
        """
        folder = self.find(run_id)
        if folder is None:
            return None
        return json.loads((folder / MANIFEST_NAME).read_bytes())["about"]

    def save(
        self, settings: Mapping[str, object], run_id: str | None = None
    ) -> AbstractContextManager[Path]:
        """Keep a run: fill the folder that the context gives, and it appears once it is complete.

        Args:
            settings: What made the run.
            run_id: Its name, where it does not follow from the settings: random for an upload.

        Returns:
            A context that gives an empty folder for the run's files.

        Raises:
            ValueError: If the name is not 16 hexadecimal digits.
        """
        name = settings_key(settings) if run_id is None else run_id
        if not RUN_ID.fullmatch(name):
            raise ValueError(f"run_id must be 16 hexadecimal digits, got {len(name)} characters")
        return self._saved(name, settings)

    @contextmanager
    def _saved(self, name: str, settings: Mapping[str, object]) -> Generator[Path]:
        """Write the run, then make room for it."""
        with ExitStack() as writing:
            yield writing.enter_context(write_folder(self.folder / name, KIND, settings))
            with self._placing:
                writing.close()
                self._drop_oldest(keep=name)

    def _drop_oldest(self, keep: str) -> None:
        """Remove old runs until the rest fits."""
        total = 0
        for run_id in [keep, *(name for name in self.run_ids() if name != keep)]:
            total += _size(self.folder / run_id)
            if total > self.max_bytes and run_id != keep:
                shutil.rmtree(self.folder / run_id, ignore_errors=True)


def _age(path: Path) -> tuple[int, str]:
    """Return when a run was written; its name decides between equals."""
    return path.stat().st_mtime_ns, path.parent.name


def _size(folder: Path) -> int:
    """Return the bytes of all files of a run."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
