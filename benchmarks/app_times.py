"""Measure the app: start to page, and a click to both clips with their slots and figures."""

import argparse
import statistics
import sys
import time
from pathlib import Path

from benchmarks.running_app import free_port, running_app
from olvdm import limits
from olvdm.data.captions import example_prompts

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=limits.DEFAULT_STEPS)
    options = parser.parse_args()
    port = free_port()
    command = [sys.executable, "app.py", "--port", str(port)]
    with running_app(command, ROOT, {}, port) as app:
        print(f"start to page: {app.start_seconds:.1f} s")
        begun = time.monotonic()
        prompts = example_prompts("simple")
        app.call("compare", prompts[0], 0, 1, limits.DEFAULT_GUIDANCE)
        print(f"page to first clips, models loaded on the way: {time.monotonic() - begun:.1f} s")
        times: list[float] = []
        for place in range(options.rounds):
            begun = time.monotonic()
            app.call(
                "compare",
                prompts[place % len(prompts)],
                place,
                options.steps,
                limits.DEFAULT_GUIDANCE,
            )
            times.append(time.monotonic() - begun)
        print(
            f"click to both clips, {options.steps} steps: {statistics.median(times):.1f} s "
            f"(median of {options.rounds}, {min(times):.1f} to {max(times):.1f})"
        )


if __name__ == "__main__":
    main()
