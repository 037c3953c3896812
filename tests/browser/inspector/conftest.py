"""A report opened from the disk: the inspector without any server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.inspector.opened import Opened
from tests.unit.visualize.payloads import pair_payload
from visualize.payload import Payload
from visualize.report import report_html

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ARTIFACTS = Path(__file__).parents[3] / "artifacts"
PATIENCE = 60_000  # ms; a shared machine may be slow

Open = Callable[..., Opened]


@pytest.fixture
def open_report(
    browser: "Browser", tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Open]:
    """Open reports; afterwards nothing may have gone wrong in any of them."""
    faults: list[str] = []
    pages: list[Opened] = []

    def opened(
        payload: Payload | None = None, width: int = 1280, phase: str = "done", **context: Any
    ) -> Opened:
        path = tmp_path / f"report-{len(pages)}.html"
        path.write_text(report_html(payload or pair_payload()), encoding="utf-8")
        context.setdefault("reduced_motion", "reduce")
        view = browser.new_context(viewport={"width": width, "height": 900}, **context)
        page = view.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: faults.append(f"page error: {error}"))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on(
            "request",
            lambda sent: (
                None if sent.url.startswith(("file:", "data:")) else faults.append(sent.url)
            ),
        )
        page.goto(path.as_uri())
        page.locator(f".si[data-phase={phase}]").wait_for()
        pages.append(Opened(page))
        return pages[-1]

    yield opened
    ARTIFACTS.mkdir(exist_ok=True)
    for index, each in enumerate(pages):
        each.page.screenshot(path=ARTIFACTS / f"{request.node.name}-{index}.png", full_page=True)
        each.page.context.close()
    assert faults == []


@pytest.fixture
def report(open_report: Open) -> Opened:
    return open_report()
