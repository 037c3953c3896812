"""Start the app with the shipped models, drive its page, and say what was seen."""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.browser import PROGRAM, open_browser
from benchmarks.drive.blind_trials import judge_blind_pairs
from benchmarks.drive.compare_tab import (
    generate,
    look_around,
    measure_growth,
    open_first_page,
    pin_runs,
    take_tour,
)
from benchmarks.drive.downloads import take_away
from benchmarks.drive.drive import Drive, Measure, table_of
from benchmarks.drive.endings import see_missing_weights, wait_in_line
from benchmarks.drive.other_tabs import (
    inspect_samples,
    inspect_uploads,
    read_explanation,
    use_runs,
)
from benchmarks.drive.visitors import (
    follow_link,
    look_in_the_dark,
    use_broken_browser,
    use_keyboard,
    use_phone,
)
from benchmarks.running_app import free_port, running_app
from olvdm.threads import num_cores

ROOT = Path(__file__).resolve().parents[2]
LONGEST_SECONDS = 180
EXPECTED = ("broken browser", "killed server", "queue", "full queue")  # complain, and should


def main() -> int:
    """Drive; return 1 where a step could not be done."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drive", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "artifacts" / "drive")
    parser.add_argument("--num-generations", type=int, default=20, help="to weigh temporary files")
    parser.add_argument("--browser", default=PROGRAM, help="program of the browser")
    options = parser.parse_args()
    output = options.output.resolve()  # a browser opens no relative path
    output.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="drive-") as made,
        open_browser(options.browser) as browser,
    ):
        drive = drive_app(browser, Path(made), output, options.num_generations)
        drive_bare_app(drive, Path(made))
    seconds = time.monotonic() - begun
    drive.measures.append(Measure("the whole drive", seconds, "s", LONGEST_SECONDS))
    report(drive)
    return 1 if drive.failed else 0


def drive_app(browser: Browser, folder: Path, output: Path, num_generations: int) -> Drive:
    """Drive an app that has everything, until it is killed.

    Args:
        browser: Opens the pages.
        folder: Takes what the app writes.
        output: Takes the pictures and the app's log.
        num_generations: Runs that are drawn to weigh temporary files.

    Returns:
        What was seen.
    """
    port, temp = free_port(), folder / "temp"
    temp.mkdir()
    command = [sys.executable, "app.py", "--port", str(port), "--runs", str(folder / "runs")]
    variables = {"TMPDIR": str(temp)}
    with (
        (output / "server.log").open("wb") as log,
        running_app(command, ROOT, variables, port, log) as app,
    ):
        print(f"{app.start_seconds:6.1f} s  done    start the app", flush=True)
        drive = Drive(browser, app.url, output)
        page = open_first_page(drive)
        take_tour(drive, page)
        look_around(drive, page)
        generate(drive, page)
        measure_growth(drive, page, temp, num_generations)
        follow_link(drive, page)
        take_away(drive, page)
        use_runs(drive, page)
        pin_runs(drive, page)
        read_explanation(drive, page)
        inspect_uploads(drive, page)
        inspect_samples(drive, page)
        page.context.close()
        judge_blind_pairs(drive)
        look_in_the_dark(drive)
        use_phone(drive)
        use_keyboard(drive)
        use_broken_browser(drive)
        wait_in_line(drive, app)
    return drive


def drive_bare_app(drive: Drive, folder: Path) -> None:
    """Drive an app that has no models.

    Args:
        drive: So far.
        folder: Takes what the app writes.
    """
    port, temp = free_port(), folder / "bare"
    temp.mkdir()
    command = [sys.executable, "app.py", "--port", str(port), "--checkpoints", str(temp)]
    variables = {"TMPDIR": str(temp)}
    with (
        drive.step("start an app without weights"),
        (drive.output / "server-without-weights.log").open("wb") as log,
        running_app(command, ROOT, variables, port, log) as app,
    ):
        drive.url = app.url
        see_missing_weights(drive)


def report(drive: Drive) -> None:
    """Print what was seen."""
    print(f"\n{drive.num_shots} pictures in {drive.output}\n\n{table_of(drive.measures)}\n")
    cores = num_cores()
    print(f"processor cores: {cores}; load at the end: {os.getloadavg()[0]:.1f}")
    outside = [one for found in drive.faults.values() for one in found if "left the machine" in one]
    print(f"requests that left the machine: {len(outside)}")
    for page, found in drive.faults.items():
        said = " (expected)" if page in EXPECTED else ""
        for fault in dict.fromkeys(one.partition("\n")[0] for one in found):
            print(f"error on the page {page!r}{said}: {fault}")
    print(f"steps that could not be done: {len(drive.failed)}")
    for name, reason in drive.failed.items():
        print(f"{name}: {reason}")


if __name__ == "__main__":
    sys.exit(main())
