"""Files of a command that appear together once all are written, or not at all."""

import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from olvdm.errors import InputError, quoted_name
from olvdm.limits import OUTPUT_NAME


@contextmanager
def written_together(folder: Path) -> Generator[Path]:
    """Give a temporary folder whose files move into another once the ``with`` block is done.

    If the block fails, or one of the files cannot be moved, nothing of it stays, nor does a folder
    that was made for it, and what was there before is as it was.

    Args:
        folder: Where the files shall appear; it may hold others, and those of the same name are
            replaced.

    Yields:
        The temporary folder, on the same disk.

    Raises:
        InputError: If the name is that of a file, or no folder can be made there, or a folder has
            the name of one of the files.
    """
    if any(one.exists() and not one.is_dir() for one in (folder, *folder.parents)):
        raise InputError(f"{folder.name[:64]!r} is no folder to write into; give another output")
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    temporary = folder / f".{secrets.token_hex(8)}.tmp"
    written, replaced = temporary / "written", temporary / "replaced"
    try:
        _make(written, folder)
        yield written
        _move(written, replaced, folder)
    finally:
        shutil.rmtree(written, ignore_errors=True)
        for made in (replaced, temporary, *missing):
            with suppress(OSError):  # it holds what was written, or what could not be put back
                made.rmdir()


def _make(written: Path, folder: Path) -> None:
    try:
        written.mkdir(parents=True)
    except OSError as error:
        raise InputError(
            f"nothing can be written into {quoted_name(folder)} ({error.strerror}); give another "
            "output"
        ) from error


def _move(written: Path, replaced: Path, folder: Path) -> None:
    """Move all files, or none: those that they replace are kept until the last one is in place."""
    paths = sorted(written.iterdir())
    for path in paths:
        if (folder / path.name).is_dir():
            raise InputError(
                f"{quoted_name(path)} is a folder, where a file is to be written; move it away or "
                "give another output"
            )
    replaced.mkdir()
    with ExitStack() as undo:
        for path in paths:
            target, kept = folder / path.name, replaced / path.name
            if target.exists() or target.is_symlink():
                undo.callback(_put_back, kept, target)
                target.rename(kept)
            else:
                undo.callback(target.unlink, missing_ok=True)
            path.rename(target)
        undo.pop_all()
    shutil.rmtree(replaced, ignore_errors=True)


def _put_back(kept: Path, target: Path) -> None:
    with suppress(FileNotFoundError):  # it was not moved yet
        kept.replace(target)


def check_ending(path: Path, *endings: str) -> None:
    """Refuse an output whose name does not say the kind of file that will be written, or is long.

    Args:
        path: The output.
        *endings: Those that do, with their dots.

    Raises:
        InputError: If it ends otherwise, or leaves no room for longer names beside it.
    """
    length = len(os.fsencode(path.name))
    if length > OUTPUT_NAME:
        raise InputError(
            f"the name of an output may have {OUTPUT_NAME} bytes, {quoted_name(path)} has {length}"
        )
    if path.suffix.lower() not in endings or path.is_dir():
        raise InputError(f"output must end in {' or '.join(endings)}, got {path.name[-64:]!r}")
