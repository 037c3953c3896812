"""A folder that is written whole or not at all, and the list by which its files are verified."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from olvdm.errors import CheckpointError, InputError, named, quoted_name

FORMAT = 1
MANIFEST_NAME = "olvdm.json"
MANIFEST_BYTES = 1_048_576
COPY_AGAIN = "copy the checkpoint again"
NO_PLACE = (errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.ENAMETOOLONG)  # for a folder


def write_folder(
    folder: Path, kind: str, about: Mapping[str, object] | None = None
) -> AbstractContextManager[Path]:
    """Write a folder that appears under its name only once it is complete and on the disk.

    If the ``with`` block fails, or the disk is full, nothing of it stays, and a folder of that
    name that was there before is left as it was.

    Args:
        folder: Where it shall appear; one that is there already is replaced if it is empty or was
            written by this function, and refused with an ``InputError`` otherwise.
        kind: What the folder holds, such as ``"training"`` or ``"pipeline"``.
        about: What a reader may want to know of it: data, steps, scores.

    Returns:
        A context that gives a temporary folder beside it, to be filled.

    Ours: the order of write, sync and rename, measured under SIGKILL.
    """
    return _written_folder(folder, kind, about or {})


def verify_folder(folder: Path, kind: str | None = None) -> dict[str, Any]:
    """Check that a folder holds exactly the files that its manifest lists, byte for byte.

    Args:
        folder: The folder to check. Hidden files and Markdown in it are not looked at.
        kind: What it must hold, if that is known.

    Returns:
        The manifest. A folder that is missing, of another format or kind, or of which a file is
        missing, added or altered, is a ``CheckpointError``; its sentence names the folder, the file
        and the reason.

    Ours: the format.
    """
    with named("checkpoint", folder):
        return _verified(folder, kind)


def manifest_bytes(folder: Path) -> bytes:
    """Return the bytes of a folder's manifest, which nobody has checked yet.

    Args:
        folder: That it lies in.

    Returns:
        The bytes, which hold the checksums of all files of the folder. A folder without them is a
        ``CheckpointError`` that names it.
    """
    with named("checkpoint", folder):
        return _manifest_bytes(folder)


@contextmanager
def possible_place(folder: Path) -> Generator[None]:
    """Explain a place where no folder can be, to whoever makes one in the ``with`` block.

    Args:
        folder: That is made.

    Raises:
        InputError: If its name is too long, or what is above it is no folder.
        OSError: If it fails for a reason that may pass, such as a full disk.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in NO_PLACE:
            raise
        raise InputError(
            f"no folder can be made at {quoted_name(folder)} ({error.strerror}); give another one"
        ) from error


def _verified(folder: Path, kind: str | None) -> dict[str, Any]:
    """Do what ``verify_folder`` says; the sentence of a refusal does not name the folder yet."""
    manifest = _read_manifest(folder)
    if kind is not None and manifest["kind"] != kind:
        found = str(manifest["kind"])[:32]
        raise CheckpointError(
            f"the checkpoint is of kind {found!r}, but {kind!r} is needed; give another folder"
        )
    files: dict[str, dict[str, object]] = manifest["files"]
    for name, entry in files.items():
        _verify_file(folder, name, entry)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in files and not _is_beside_the_point(path, folder):
            raise CheckpointError(
                f"{name[:80]!r} is not listed in the checkpoint's {MANIFEST_NAME}; remove it"
            )
    return manifest


def remove_stale(parent: Path) -> None:
    """Clear up after writers that were killed, and put back what one had just moved aside.

    Args:
        parent: The folder in which ``write_folder`` wrote.
    """
    for temporary in parent.glob(".tmp-*-*"):
        if not _is_running(temporary.name.rpartition("-")[2]):
            shutil.rmtree(temporary, ignore_errors=True)
    for moved in filter(_is_ours, parent.glob(".old-*")):
        target = parent / moved.name.removeprefix(".old-")
        if target.exists():
            shutil.rmtree(moved.rename(_temporary(target)), ignore_errors=True)
        else:
            moved.rename(target)


def file_sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's bytes.

    Args:
        path: The file.

    Returns:
        64 characters.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _written_folder(folder: Path, kind: str, about: Mapping[str, object]) -> Generator[Path]:
    folder = folder.resolve()  # of a link, the folder that it leads to
    temporary = _temporary(folder)
    with possible_place(folder):
        _check_replaced(folder)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
    try:
        yield temporary
        _write_manifest(temporary, kind, about)
        for path in sorted(temporary.rglob("*")):
            _sync(path)
        _sync(temporary)
        _put_in_place(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    _sync(folder.parent)


def _temporary(folder: Path) -> Path:
    """Return where this process writes a folder, and moves what is to be removed."""
    return folder.with_name(f".tmp-{folder.name}-{os.getpid()}")


def _check_replaced(folder: Path) -> None:
    """Refuse a place where somebody else's files would be lost."""
    for path in (folder, _aside(folder)):
        name = quoted_name(path)
        if not path.exists():
            continue
        if not path.is_dir():
            raise InputError(f"{name} is a file; give a folder that is new or empty")
        if Path.cwd().is_relative_to(path):
            raise InputError(f"{name} is the folder you are in, or around it; give one inside it")
        if not _is_ours(path):
            raise InputError(
                f"the folder {name} holds what olvdm did not write, and writing would remove it; "
                "give a folder that is new or empty"
            )


def _is_ours(folder: Path) -> bool:
    """Tell whether a folder is empty or one that ``write_folder`` wrote, whole or damaged."""
    is_folder = folder.is_dir() and not folder.is_symlink()
    return is_folder and ((folder / MANIFEST_NAME).is_file() or not any(folder.iterdir()))


def _write_manifest(folder: Path, kind: str, about: Mapping[str, object]) -> None:
    """List every file of the folder with size and checksum."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {
        path.relative_to(folder).as_posix(): {
            "size": path.stat().st_size,
            "sha256": file_sha256(path),
        }
        for path in paths
    }
    manifest = {
        "format": FORMAT,
        "kind": kind,
        "created_by": f"olvdm {_own_version()}",
        "about": dict(about),
        "files": files,
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8")


def _own_version() -> str:
    try:
        return metadata.version("olvdm")
    except metadata.PackageNotFoundError:
        return "from source"


def _aside(folder: Path) -> Path:
    """Return where a folder waits while the one that replaces it takes its place."""
    return folder.with_name(f".old-{folder.name}")


def _put_in_place(temporary: Path, folder: Path) -> None:
    """Rename the folder; an older one is set aside first, since no rename replaces a full one.

    What was set aside goes by the name of the temporary folder, so that one which is only half
    removed is never taken for a whole one.
    """
    aside = _aside(folder)
    if folder.exists():
        shutil.rmtree(aside, ignore_errors=True)
        folder.rename(aside)
    try:
        temporary.rename(folder)
    except OSError:
        if aside.exists():
            aside.rename(folder)
        raise
    with suppress(OSError):  # there was none, or ``remove_stale`` will find it
        aside.rename(temporary)


def _sync(path: Path) -> None:
    """Bring a file or the entries of a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest and check its form, before any file that it lists is opened."""
    try:
        manifest = json.loads(_manifest_bytes(folder))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"the checkpoint's {MANIFEST_NAME} is not valid JSON; {COPY_AGAIN}"
        ) from error
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise CheckpointError(
            f"the checkpoint's {MANIFEST_NAME} is no JSON object with a format; {COPY_AGAIN}"
        )
    if manifest["format"] != FORMAT:
        found, remedy = str(manifest["format"])[:32], "install the olvdm that wrote it"
        raise CheckpointError(f"the checkpoint has format {found}, but {FORMAT} is known; {remedy}")
    _check_entries(manifest)
    return manifest


def _manifest_bytes(folder: Path) -> bytes:
    """Read the manifest as far as a manifest may go."""
    remedy = "give a whole checkpoint folder"
    if not folder.is_dir():
        found = "it is a file" if folder.exists() else "there is no such folder"
        raise CheckpointError(f"{found}; {remedy}")
    path = folder / MANIFEST_NAME
    if not path.is_file():
        raise CheckpointError(f"the checkpoint has no {MANIFEST_NAME}; {remedy}")
    with path.open("rb") as file:
        content = file.read(MANIFEST_BYTES + 1)
    if len(content) > MANIFEST_BYTES:
        raise CheckpointError(
            f"the checkpoint's {MANIFEST_NAME} is larger than {MANIFEST_BYTES} bytes; {COPY_AGAIN}"
        )
    return content


def _check_entries(manifest: dict[str, Any]) -> None:
    """Check that every listed name stays in the folder and has a size and a checksum."""
    files = manifest.get("files")
    if not isinstance(manifest.get("kind"), str) or not isinstance(files, dict):
        raise CheckpointError(
            f"the checkpoint's {MANIFEST_NAME} lacks its kind or its files; {COPY_AGAIN}"
        )
    for name, entry in files.items():
        parts = name.split("/")
        is_inside = not {"", ".", ".."} & set(parts) and "\\" not in name and "\0" not in name
        if not is_inside or not isinstance(entry, dict) or not {"size", "sha256"} <= entry.keys():
            raise CheckpointError(
                f"the checkpoint's {MANIFEST_NAME} lists {name[:80]!r} wrongly; {COPY_AGAIN}"
            )


def _verify_file(folder: Path, name: str, entry: Mapping[str, object]) -> None:
    """Compare one file with its entry."""
    path = folder / name
    if not path.is_file():
        raise CheckpointError(f"{name[:80]!r} of the checkpoint is missing; {COPY_AGAIN}")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise CheckpointError(
            f"{name[:80]!r} of the checkpoint leads out of its folder; {COPY_AGAIN}"
        )
    size = path.stat().st_size
    if size != entry["size"]:
        raise CheckpointError(
            f"{name[:80]!r} of the checkpoint has {size} bytes instead of "
            f"{str(entry['size'])[:32]}; {COPY_AGAIN}"
        )
    if file_sha256(path) != entry["sha256"]:
        raise CheckpointError(
            f"{name[:80]!r} of the checkpoint is damaged: its sha256 differs; {COPY_AGAIN}"
        )


def _is_beside_the_point(path: Path, folder: Path) -> bool:
    """Tell whether an unlisted file can have no effect on what is loaded."""
    parts = path.relative_to(folder).parts
    is_hidden = any(part.startswith(".") for part in parts)
    return is_hidden or path.suffix == ".md" or parts == (MANIFEST_NAME,)


def _is_running(pid: str) -> bool:
    """Tell whether a process of this machine is alive; the writer's name ends in its id."""
    if not pid.isdigit() or int(pid) == os.getpid():
        return False
    with suppress(ProcessLookupError, OverflowError):
        try:
            os.kill(int(pid), 0)
        except PermissionError:
            return True
        return True
    return False
