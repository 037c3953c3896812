"""Run one suite in this process and no other: what `python -m benchmarks` starts for each."""

import importlib
import json
import sys
from pathlib import Path

import torch

from benchmarks.machine import machine
from benchmarks.peers import add_folder
from benchmarks.settings import Settings
from benchmarks.tables import Table


def run_suite(name: str, settings: Settings) -> dict[str, object]:
    """Run a suite and print its tables.

    Args:
        name: Of a module of this package.
        settings: How to measure.

    Returns:
        Machine, settings and tables, as JSON can hold them.
    """
    torch.set_num_threads(settings.threads)
    torch.manual_seed(0)
    add_folder(settings.peers)  # first, so that the versions of what lies there are known
    found = machine(settings.threads)
    print(f"## {name}\n\n{machine_text(found, settings)}\n", flush=True)
    tables: list[Table] = importlib.import_module(f"benchmarks.{name}").run(settings)
    for table in tables:
        print(table.markdown(), flush=True)
    return {
        "machine": found,
        "settings": settings.as_json(),
        "tables": [table.as_json() for table in tables],
    }


def machine_text(found: dict[str, object], settings: Settings) -> str:
    """Return the sentence above the tables of a suite."""
    versions = found["versions"]
    assert isinstance(versions, dict)
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{found['cpu']}; {found['cores_allowed']} core(s) allowed, load "
        f"{found['load_average']:.1f}; {settings.threads} thread(s), {settings.rounds} rounds; "
        f"Python {found['python']}, {named}; allocator {found['allocator'] or 'as it comes'}."
    )


def main() -> None:
    """Run the suite that the command line names, and write its result to a file."""
    name, settings, path = sys.argv[1:]
    result = run_suite(name, Settings.from_json(json.loads(settings)))
    Path(path).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
