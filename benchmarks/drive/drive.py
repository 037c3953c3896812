"""One drive through the page: its steps, pictures and times, and every fault on the way."""

import re
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.browser.conftest import DESK, open_page

STOPWATCH = (Path(__file__).parent / "stopwatch.js").read_text(encoding="utf-8")
PATIENCE = 60_000  # ms; a shared machine may be slow
LONGEST_REASON = 300  # characters


@dataclass(frozen=True)
class Measure:
    """One time or size, and what it should be.

    Attributes:
        name: What was measured.
        value: In its unit.
        unit: Such as ``s``.
        goal: Highest value that is wanted.
    """

    name: str
    value: float
    unit: str
    goal: float

    @property
    def is_met(self) -> bool:
        """Return whether the goal is reached."""
        return self.value <= self.goal


@dataclass
class Drive:
    """A browser before a running app, and what was seen so far.

    Attributes:
        browser: In which pages are opened.
        url: Of the app.
        output: Takes the pictures.
        measures: Times and sizes.
        faults: What each page complained of, by the page's name.
        failed: Steps that could not be done, each with the reason.
        num_shots: Pictures so far.
    """

    browser: Browser
    url: str
    output: Path
    measures: list[Measure] = field(default_factory=list)
    faults: dict[str, list[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    num_shots: int = 0

    def open(self, name: str, path: str = "", **options: Any) -> Page:  # noqa: ANN401
        """Open a page in a context of its own.

        Args:
            name: Of the page in the list of faults.
            path: After the app's address.
            **options: Of the context, such as another `viewport`.

        Returns:
            The page, with a stopwatch inside.
        """
        settings: dict[str, Any] = {"viewport": DESK, "reduced_motion": "no-preference"} | options
        page, self.faults[name] = open_page(self.browser, "about:blank", **settings)
        page.set_default_timeout(PATIENCE)
        page.add_init_script(STOPWATCH)
        page.goto(self.url + path)
        return page

    @contextmanager
    def step(self, name: str) -> Generator[None]:
        """Do a step; if it cannot be done, note why and go on with the next one.

        Args:
            name: What a person would say they do.
        """
        begun = time.monotonic()
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, the other steps shall be seen
            self.failed[name] = re.sub(r"\s+", " ", str(error))[:LONGEST_REASON]
        said = "FAILED" if name in self.failed else "done"
        print(f"{time.monotonic() - begun:6.1f} s  {said:6}  {name}", flush=True)

    def shoot(self, page: Page, name: str, *, is_whole: bool = False) -> None:
        """Photograph a page.

        Args:
            page: As it is.
            name: Of the picture.
            is_whole: Whether to take what lies beyond the screen too.
        """
        self.num_shots += 1
        path = self.output / f"{self.num_shots:02d}-{name}.png"
        page.screenshot(path=path, full_page=is_whole)

    def time(self, page: Page, name: str, change: str, value: str | None, goal: float) -> None:
        """Measure from the last click on a page to the first change after it, as painted.

        Args:
            page: On which somebody clicked, or which was just opened.
            name: What is measured.
            change: Attribute of the inspector that changes.
            value: What it becomes; none for anything.
            goal: Milliseconds.
        """
        waited = page.wait_for_function(
            "([name, value]) => window.stopwatch.since(name, value)", arg=[change, value]
        )
        self.measures.append(Measure(name, float(waited.json_value()), "ms", goal))


def table_of(measures: Iterable[Measure]) -> str:
    """Return measures as a table of Markdown.

    Args:
        measures: In the order of the rows.

    Returns:
        Name, value, goal, and whether it was met.
    """
    rows = ["| what | measured | goal | |", "|---|---|---|---|"]
    for one in measures:
        said = "met" if one.is_met else "NOT MET"
        rows.append(f"| {one.name} | {one.value:,.0f} {one.unit} | {one.goal:,.0f} | {said} |")
    return "\n".join(rows)
