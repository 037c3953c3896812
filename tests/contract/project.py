"""What the contract tests read: the files of the project and the words of its documents."""

import re
import shlex
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tracked_files() -> list[Path]:
    """Return what git has or would add; without git, everything that is no cache."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        paths = [
            one
            for one in ROOT.rglob("*")
            if not re.search(r"/(\.venv|\.\w+_cache|runs)/", f"{one}")
        ]
    return [path for path in paths if path.is_file()]


def python_files(*places: str) -> list[Path]:
    """Return the Python files of some top-level places."""
    return [
        path
        for path in tracked_files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in places
    ]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code_blocks(name: str, language: str) -> list[str]:
    """Return the fenced blocks of a document."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text_of(name), re.DOTALL | re.MULTILINE)


def commands(name: str, program: str) -> list[list[str]]:
    """Return the words of every call of a program in a document, comments left out."""
    lines = [
        line
        for block in code_blocks(name, "bash")
        for line in block.replace("\\\n", " ").splitlines()
    ]
    calls = [shlex.split(line, comments=True) for line in lines]
    return [words for words in calls if words and words[0] == program]
