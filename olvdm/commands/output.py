"""Files of a command that appear together once all are written, or not at all."""

import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from olvdm.errors import InputError


@contextmanager
def written_together(folder: Path) -> Generator[Path]:
    """Give a temporary folder whose files move into another once the ``with`` block is done.

    If the block fails, nothing of it stays, nor does a folder that was made for it.

    Args:
        folder: Where the files shall appear; it may hold others, and those of the same name are
            replaced.

    Yields:
        The temporary folder, on the same disk.

    Raises:
        InputError: If the name is that of a file, or no folder can be made there.
    """
    if any(one.exists() and not one.is_dir() for one in (folder, *folder.parents)):
        raise InputError(f"{folder.name[:64]!r} is no folder to write into; give another output")
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    temporary = folder / f".{secrets.token_hex(8)}.tmp"
    try:
        _make(temporary)
        yield temporary
        for path in sorted(temporary.iterdir()):
            path.replace(folder / path.name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        for made in missing:
            with suppress(OSError):  # it holds what was written
                made.rmdir()


def _make(temporary: Path) -> None:
    try:
        temporary.mkdir(parents=True)
    except OSError as error:
        name = temporary.parent.name[:64]
        raise InputError(
            f"nothing can be written into {name!r} ({error.strerror}); give another output"
        ) from error


def check_ending(path: Path, *endings: str) -> None:
    """Refuse an output whose name does not say the kind of file that will be written.

    Args:
        path: The output.
        *endings: Those that do, with their dots.

    Raises:
        InputError: If it ends otherwise.
    """
    if path.suffix.lower() not in endings or path.is_dir():
        raise InputError(f"output must end in {' or '.join(endings)}, got {path.name[-64:]!r}")
