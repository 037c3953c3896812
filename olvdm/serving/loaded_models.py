"""The models of an app: loaded once, in the background, and given to one job at a time."""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from olvdm import limits
from olvdm.errors import CheckpointError, InputError
from olvdm.manifest import MANIFEST_NAME
from olvdm.serving.middleware import log_stack

Model = TypeVar("Model")


class LoadedModels(Generic[Model]):
    """Models by name, from folders of those names.

    Args:
        folder: Holds one folder a model.
        load: Reads a model from its folder; called in another thread.
        names: Of the models.

    Ours: importing and loading take seconds, during which the page can already be read.
    """

    def __init__(
        self,
        folder: Path,
        load: Callable[[Path], Model],
        names: Sequence[str] = limits.CHECKPOINTS,
    ) -> None:
        self.folder = folder
        self.names = tuple(names)
        self._load = load
        self._models: dict[str, Model] = {}
        self._failure: CheckpointError | None = None
        self._is_finished = threading.Event()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None
        self._turn = threading.Semaphore(limits.CONCURRENCY)

    def missing(self) -> tuple[str, ...]:
        """Return the names of models that are not in the folder."""
        return tuple(n for n in self.names if not (self.folder / n / MANIFEST_NAME).is_file())

    def start_loading(self) -> None:
        """Begin to load in the background; a second call does nothing."""
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._load_all, name="loading", daemon=True)
                self._thread.start()

    def wait(self, seconds: float | int) -> bool:
        """Wait for the models a while.

        Args:
            seconds: How long at the most.

        Returns:
            Whether loading has ended, well or not.
        """
        self.start_loading()
        return self._is_finished.wait(seconds)

    def get(self) -> dict[str, Model]:
        """Return all models, once they are loaded.

        Returns:
            A model for each name.

        Raises:
            CheckpointError: If one is missing or damaged.
        """
        self.wait(limits.JOB_SECONDS)
        if self._failure is not None:
            raise CheckpointError(self._failure.user_message)
        if len(self._models) < len(self.names):
            raise CheckpointError("The models are still loading; try again in a moment.")
        return dict(self._models)

    @contextmanager
    def turn(self) -> Generator[None]:
        """Let one job at a time through, whatever queue stands before.

        Raises:
            InputError: If another job holds the models for longer than any job may.
        """
        if not self._turn.acquire(timeout=limits.JOB_SECONDS):
            raise InputError("Another job holds the models; try again in a minute.")
        try:
            yield
        finally:
            self._turn.release()

    def _load_all(self) -> None:
        try:
            for name in self.names:
                self._models[name] = self._load(self.folder / name)
        except CheckpointError as error:
            self._failure = error
        except Exception as error:  # noqa: BLE001 - a thread has nobody above it who would hear
            log_stack("loading", error)
            self._failure = CheckpointError("A model could not be loaded; see the server's log.")
        finally:
            self._is_finished.set()
