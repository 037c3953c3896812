"""Rehearse the Hugging Face Space: a clean environment, a copy of what git has, one clip made."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.running_app import free_port, running_app
from olvdm import limits
from olvdm.manifest import file_sha256

ROOT = Path(__file__).resolve().parents[1]
PROMPT = "a red circle moves right and passes behind a green square"
SERVED = ("app.py", "olvdm", "visualize", "checkpoints", "requirements.txt", "README.md")


def main() -> int:
    """Run the rehearsal; return 0 where all went well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--python", type=Path, help="an environment to use; without it a clean one is made"
    )
    parser.add_argument("--steps", type=int, default=limits.DEFAULT_STEPS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="space-") as made:
        folder = Path(made)
        copy_project(folder / "app")
        python = options.python.absolute() if options.python else make_environment(folder / "env")
        problems = rehearse(folder, str(python), options.steps)
    for problem in problems:
        print(f"problem: {problem}")
    print("The Space would not work." if problems else "The Space works.")
    return 1 if problems else 0


def copy_project(target: Path) -> None:
    """Copy what the Space serves and git has or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *SERVED]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout  # noqa: S603
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)


def make_environment(folder: Path) -> Path:
    """Make an environment from requirements.txt alone, and return its Python."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)  # noqa: S603
    python = folder / "bin" / "python"
    command = [python, "-m", "pip", "install", "-q", "-r", ROOT / "requirements.txt"]
    subprocess.run(command, check=True)  # noqa: S603
    return python


def rehearse(folder: Path, python: str, steps: int) -> list[str]:
    """Run the copy as a Space does, and return what went wrong."""
    app, temp, port = folder / "app", folder / "temp", free_port()
    temp.mkdir()
    before = checksums(app)
    variables = {
        "SPACE_ID": "someone/olvdm",
        "PORT": str(port),
        "TMPDIR": str(temp),
        "HOME": str(temp),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
    }
    problems: list[str] = []
    with running_app([python, "app.py"], app, variables, port) as space:
        print(f"start to page: {space.start_seconds:.1f} s")
        if "OLVDM" not in space.get("/"):
            problems.append("the page does not name itself")
        shown = space.call("compare", PROMPT, 3, steps, limits.DEFAULT_GUIDANCE)
        if not (shown and isinstance(shown[0], dict) and shown[0].get("run_id")):
            problems.append("no clip was made")
    if checksums(app) != before:
        problems.append("the app wrote outside of the temporary folder")
    return problems


def checksums(folder: Path) -> dict[str, str]:
    """Return the checksum of every file of a folder."""
    # Gradio itself writes a stub beside a component of ours where it can, and goes on where not.
    files = sorted(one for one in folder.rglob("*") if one.is_file() and one.suffix != ".pyi")
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in files}


if __name__ == "__main__":
    sys.exit(main())
