"""Which code runs: the commit of its checkout, or the version of the installed package."""

import re
from functools import cache
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = "unknown"
POINTED_BYTES = 4096  # HEAD, a branch and a pointer hold one short line
PACKED_BYTES = 2**23  # one line a branch and tag
HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
BRANCH = re.compile(r"refs/(?:[\w+@-][\w.+@-]*/)*[\w+@-][\w.+@-]*")


def source_commit(root: Path = ROOT) -> str:
    """Return which code this is.

    Args:
        root: The folder in which the code lies.

    Returns:
        The checksum of the commit that is checked out there. Where it is no checkout, or one that
        cannot be read, name and version of the package, or "unknown".

    Ours: git's own files are read, since starting git would run what a machine's settings and the
    checkout's hooks name. Only this folder counts, not one above it: an installed package may lie
    in a checkout of something else. What was edited since the commit is not seen.
    """
    return _found_commit(root) or _version()


@cache  # what runs was read from the disk once, whatever is checked out later
def running_commit() -> str:
    """Return which code runs, as `source_commit` says it."""
    return source_commit()


def _found_commit(root: Path) -> str | None:
    """Return the commit that is checked out, none where there is no telling."""
    try:
        own = _git_folder(root / ".git")
        head = _text(own / "HEAD")
        if HASH.fullmatch(head):
            return head
        branch = head.removeprefix("ref: ")
        return _commit_of(own, branch) if BRANCH.fullmatch(branch) else None
    except (OSError, ValueError):  # missing, locked, or no text
        return None


def _git_folder(path: Path) -> Path:
    """Return the folder of a checkout; a second worktree names it in a file."""
    if path.is_dir():
        return path
    return path.parent / _text(path).removeprefix("gitdir: ")


def _commit_of(own: Path, branch: str) -> str | None:
    """Return the last commit of a branch, from a file of its own or the list of packed ones."""
    common = own / "commondir"
    folders = [own, own / _text(common)] if common.is_file() else [own]
    for folder in folders:
        if (folder / branch).is_file():
            found = _text(folder / branch)
            return found if HASH.fullmatch(found) else None
    for line in _text(folders[-1] / "packed-refs", PACKED_BYTES).splitlines():
        found, _, name = line.partition(" ")
        if name == branch and HASH.fullmatch(found):
            return found
    return None


def _text(path: Path, most: int = POINTED_BYTES) -> str:
    with path.open("rb") as file:
        return file.read(most).decode().strip()


def _version() -> str:
    try:
        return f"olvdm {metadata.version('olvdm')}"
    except metadata.PackageNotFoundError:
        return UNKNOWN
