"""Writes the tree of CONTRIBUTING.md from the first lines of the files; run it by `make tree`."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = ("app.py", "olvdm", "visualize", "benchmarks")
BLOCK = re.compile(r"(<!-- tree: .+? -->\n```text\n)(.*?)(```\n)", re.DOTALL)


def sources() -> list[Path]:
    """Return every Python file that is shipped, a package before what is in it."""
    found = [
        path
        for place in PLACES
        for path in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"))
        if path.is_file() and not any(part.startswith(".") for part in path.parts[-3:])
    ]
    return sorted(found, key=lambda path: (path.parent != ROOT, _name(path)))


def tree() -> str:
    """Return one line a file: its name, and the first line of its docstring."""
    rows = [(_name(path), _first_line(path)) for path in sources()]
    width = max(len(name) for name, _ in rows) + 2
    return "".join(f"{name:{width}}{line}\n" for name, line in rows)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix().removesuffix("__init__.py")


def _first_line(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0].rstrip(".")


if __name__ == "__main__":
    page = ROOT / "CONTRIBUTING.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(BLOCK.sub(lambda found: found[1] + tree() + found[3], text), encoding="utf-8")
