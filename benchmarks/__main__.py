"""Measure the model: ``python -m benchmarks`` runs every suite, each in a process of its own."""

import argparse
import ast
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.settings import ROOT, Settings

SUITES = ("denoiser", "clip", "slots", "decode", "growth", "memory", "training")
SCRIPTS = ("app_times", "pictures", "space_rehearsal")
# Read by the allocator when a process starts, so it cannot be set later.
ENVIRONMENTS = {"memory": {"MALLOC_MMAP_THRESHOLD_": "131072"}}
DEFAULTS = Settings()
EXAMPLES = """examples:
  taskset -c 0 python -m benchmarks denoiser      one suite, on one core
  python -m benchmarks --json results.json        all of them, kept for a program to read
  python -m benchmarks clip --threads 2           ratios from wall time, on two threads
  python -m benchmarks slots --peers PATH         with packages and checkouts found in PATH

peers:
  diffusers is installed already. PATH may hold a checkout of YingqingHe/LVDM as PATH/LVDM, and
  may be the site-packages of an environment with the package slot-attention. A peer that is not
  there is skipped, and the reason printed.

how to read a ratio:
  Every round times a matrix product (what the core gives at that moment), then every case, each
  round from another case on. A ratio is the median of the ratios of the rounds, with quartiles.
  "unstable" is printed where the matrix product moved by more than 20 %: measure again on a
  quieter machine. Times are CPU times of one thread, or wall times of several.
"""


def main(words: Sequence[str] | None = None) -> int:
    """Run suites; return 0 where all went well.

    Args:
        words: Of the command line, or none for those of this process.

    Returns:
        The exit code.
    """
    options = make_parser().parse_args(words)
    settings = Settings(options.rounds, options.threads, options.checkpoint, options.peers)
    results: dict[str, object] = {}
    for name in [options.suite] if options.suite else SUITES:
        result = run_apart(name, settings)
        if result is None:
            print(f"the suite {name} failed; its last lines say why", file=sys.stderr)
            return 1
        results[name] = result
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def make_parser() -> argparse.ArgumentParser:
    """Return what reads the command line, and teaches it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=f"suites:\n{_described(SUITES)}\n\nother scripts, run by their own names:\n"
        f"{_described(SCRIPTS, prefix='benchmarks.')}\n\n{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("suite", nargs="?", choices=SUITES, help="one suite; none runs all")
    parser.add_argument("--rounds", type=_positive, default=DEFAULTS.rounds, help="default 7")
    parser.add_argument(
        "--threads", type=_positive, default=DEFAULTS.threads, help="of torch; default 1"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there too")
    parser.add_argument("--peers", type=Path, metavar="PATH", help="where other peers are found")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="PATH",
        default=DEFAULTS.checkpoint,
        help="the model that is ours; default checkpoints/olvdm",
    )
    return parser


def run_apart(name: str, settings: Settings) -> dict[str, object] | None:
    """Run one suite in a process of its own, so that no suite warms another one up.

    Args:
        name: Of the suite.
        settings: How to measure.

    Returns:
        Its result, or None where it failed.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        path = Path(folder) / "result.json"
        command = [sys.executable, "-m", "benchmarks.suite", name, json.dumps(settings.as_json())]
        environment = os.environ | ENVIRONMENTS.get(name, {})
        ended = subprocess.run(  # noqa: S603 - our own program
            [*command, str(path)], cwd=ROOT, env=environment, check=False
        )
        return None if ended.returncode else json.loads(path.read_text(encoding="utf-8"))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"need a number of at least 1, got {number}")
    return number


def _described(names: Sequence[str], prefix: str = "") -> str:
    """Return a line a module, with the first line of its text, and import none of them."""
    lines: list[str] = []
    for name in names:
        source = (ROOT / "benchmarks" / f"{name}.py").read_text(encoding="utf-8")
        text = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
        lines.append(f"  {prefix + name:28}{text}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
