import subprocess
from pathlib import Path

import pytest

from olvdm.commands.source import source_commit

FIRST, SECOND = "1" * 40, "2" * 64


def checkout(root: Path, head: str, **files: str) -> Path:
    """Write the few files of git that say what is checked out."""
    for name, text in {"HEAD": head, **files}.items():
        path = root / ".git" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


def git(folder: Path, *words: str) -> str:
    config = ["-c", "user.name=someone", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *config, *words]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a checkout as git itself makes it, with one commit."""
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q", "-b", "topic/new-slots")
    git(root, "commit", "-q", "--allow-empty", "-m", "first")
    return root


class TestCheckoutOfGit:
    def test_branch(self, repository) -> None:
        assert source_commit(repository) == git(repository, "rev-parse", "HEAD")

    def test_packed_branch(self, repository) -> None:
        git(repository, "pack-refs", "--all")
        assert source_commit(repository) == git(repository, "rev-parse", "HEAD")

    def test_no_branch(self, repository) -> None:
        git(repository, "checkout", "-q", "--detach")
        assert source_commit(repository) == git(repository, "rev-parse", "HEAD")

    def test_second_worktree(self, repository, tmp_path) -> None:
        git(repository, "worktree", "add", "-q", "-b", "other", str(tmp_path / "other"))
        git(tmp_path / "other", "commit", "-q", "--allow-empty", "-m", "second")
        found = source_commit(tmp_path / "other")
        assert found == git(tmp_path / "other", "rev-parse", "HEAD") != source_commit(repository)


def test_long_checksum_is_one(tmp_path) -> None:
    assert source_commit(checkout(tmp_path, SECOND)) == SECOND


def test_own_file_of_a_branch_is_newer_than_the_packed_one(tmp_path) -> None:
    files = {"refs/heads/main": FIRST, "packed-refs": f"{'3' * 40} refs/heads/main"}
    assert source_commit(checkout(tmp_path, "ref: refs/heads/main", **files)) == FIRST


@pytest.mark.parametrize(
    "head",
    [
        "",
        "ref: refs/heads/missing",
        "ref: ../../../secret",
        "ref: refs/heads/../../../secret",
        "ref: /etc/hostname",
        f"{FIRST}0",
        "refs/heads/.invalid",
        "\x00",
    ],
    ids=repr,
)
def test_what_cannot_be_read_gives_the_version_of_the_package(tmp_path, head) -> None:
    (tmp_path / "secret").write_text(FIRST)
    root = checkout(tmp_path / "code", head)
    assert source_commit(root).startswith(("olvdm ", "unknown"))


def test_bytes_that_are_no_text_give_the_version(tmp_path) -> None:
    checkout(tmp_path, "")
    (tmp_path / ".git" / "HEAD").write_bytes(b"\xff" * 40)
    assert source_commit(tmp_path).startswith(("olvdm ", "unknown"))


def test_checkout_of_something_else_above_does_not_count(tmp_path) -> None:
    installed = checkout(tmp_path, FIRST) / "site-packages"
    installed.mkdir()
    assert source_commit(installed).startswith(("olvdm ", "unknown"))


def test_environment_is_not_asked(tmp_path, monkeypatch) -> None:
    elsewhere = checkout(tmp_path / "elsewhere", FIRST)
    monkeypatch.setenv("GIT_DIR", str(elsewhere / ".git"))
    monkeypatch.setenv("PATH", "")
    assert source_commit(checkout(tmp_path / "code", SECOND)) == SECOND
