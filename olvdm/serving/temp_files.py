"""One private temporary folder for the process: swept while it runs, wiped when it ends."""

import atexit
import os
import secrets
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from olvdm import limits

PREFIX = "olvdm-temp-"
VARIABLES = ("GRADIO_TEMP_DIR", "TMPDIR")  # Gradio's cache, and Python's own


class TempFiles:
    """A folder that only this user can open, for everything that may be lost.

    Folders that killed processes left behind are removed first.

    Args:
        parent: Where the folder is made; the system's place where not given.

    Ours: Gradio leaves aborted uploads and previews for ever, and cleans nothing on SIGTERM.
    """

    def __init__(self, parent: str | Path | None = None) -> None:
        self.parent = Path(tempfile.gettempdir() if parent is None else parent)
        _remove_orphans(self.parent)
        self.folder = self.parent / f"{PREFIX}{os.getpid()}-{secrets.token_hex(8)}"
        self.folder.mkdir(mode=0o700)
        self.lasting = self.folder / "lasting"  # is not swept: what is there goes with the process
        self._is_wiped = threading.Event()
        atexit.register(self.wipe)

    def use(self) -> None:
        """Make Gradio, Python and child processes write here; call before Gradio is imported."""
        for variable in VARIABLES:
            os.environ[variable] = str(self.folder)
        tempfile.tempdir = str(self.folder)

    def start_janitor(
        self, every: float | int = limits.CACHE_SWEEP[0], max_age: float | int = limits.TEMP_AGE
    ) -> threading.Thread:
        """Sweep from time to time, in a thread that ends with the process or with `wipe`.

        Args:
            every: Seconds between two sweeps.
            max_age: Seconds that a file may stay.

        Returns:
            The thread.
        """

        def sweep_until_wiped() -> None:
            while not self._is_wiped.wait(every):
                self.sweep(max_age)

        janitor = threading.Thread(target=sweep_until_wiped, name="janitor", daemon=True)
        janitor.start()
        return janitor

    def sweep(self, max_age: float | int = limits.TEMP_AGE) -> int:
        """Remove what nobody has written to for a while; links are removed, never followed.

        What lies in `lasting` stays.

        Args:
            max_age: Seconds since a file's last change.

        Returns:
            How many files went.
        """
        oldest = time.time() - max_age
        removed = 0
        for root, folders, files in os.walk(self.folder, topdown=False):
            if Path(root).is_relative_to(self.lasting):
                continue
            for path in (Path(root) / name for name in files + folders):
                with suppress(OSError):  # gone already, or a folder that is not empty
                    if path.lstat().st_mtime > oldest:
                        continue
                    if path.is_dir() and not path.is_symlink():
                        path.rmdir()
                    else:
                        path.unlink()
                        removed += 1
        return removed

    def wipe(self) -> None:
        """Remove the folder and all in it; twice does no harm."""
        self._is_wiped.set()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.wipe)


def _remove_orphans(parent: Path) -> None:
    """Remove folders of ours whose process is gone."""
    for folder in parent.glob(f"{PREFIX}*-*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not _is_running(int(pid)) and _is_ours(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    """Tell whether this is a true folder of this user: the system's place is open to all."""
    with suppress(OSError):
        is_own = not hasattr(os, "getuid") or folder.lstat().st_uid == os.getuid()
        return is_own and folder.is_dir() and not folder.is_symlink()
    return False


def _is_running(pid: int) -> bool:
    """Tell whether a process of that number lives, whoever owns it."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
