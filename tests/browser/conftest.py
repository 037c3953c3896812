"""The harness: the real app, Debian's chromium, and a page that tolerates no fault."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.app_server import AppServer, make_checkpoints, running_app
from tests.browser.inspector.opened import Opened
from visualize.screen import texts

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
PATIENCE = 120_000  # ms; a shared machine may be slow
DESK = {"width": 1280, "height": 900}
COMPARED, INSPECTED = "#compare-inspector", "#clip-inspector"
PINNED = "#compare-pins"


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoints(tmp_path_factory.mktemp("checkpoints"))


@pytest.fixture(scope="session")
def server(
    browser: "Browser", checkpoints: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AppServer]:
    del browser  # without one there is no need to start the app
    with running_app(checkpoints, tmp_path_factory.mktemp("app")) as app:
        yield app


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    path = shutil.which("chromium")
    if path is None:
        reason = "chromium is missing: apt-get install -y --no-install-recommends chromium"
        if os.environ.get("OLVDM_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def viewport() -> dict[str, int]:
    return DESK


@pytest.fixture
def page(
    browser: "Browser",
    server: AppServer,
    viewport: dict[str, int],
    request: pytest.FixtureRequest,
) -> "Iterator[Page]":
    """Open the app; afterwards nothing may have gone wrong, and no request left the machine."""
    page, faults = open_page(browser, server.url, viewport)
    shown(page)
    page.locator("#generate").wait_for()  # the form may come after the clips
    yield page
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{request.node.name}.png", full_page=True)
    page.context.close()
    assert faults == []


@pytest.fixture
def compared(page: "Page") -> Opened:
    """The inspector of the first tab."""
    return Opened(page, COMPARED)


def shown(page: "Page", host: str = COMPARED) -> Opened:
    """Wait for a result."""
    page.locator(f"{host} .si[data-phase='done']").wait_for(timeout=PATIENCE)
    return Opened(page, host)


def open_page(
    browser: "Browser", url: str, viewport: dict[str, int], **options: object
) -> "tuple[Page, list[str]]":
    """Return a page of the app and the list to which its faults are added."""
    faults: list[str] = []

    def only_here(route: "Route") -> None:
        if urlsplit(route.request.url).hostname in ("127.0.0.1", None):
            route.continue_()
        else:
            faults.append(f"a request left the machine: {route.request.url}")
            route.abort()

    settings = {"viewport": viewport, "reduced_motion": "reduce"} | options
    context = browser.new_context(**settings)  # pyright: ignore[reportArgumentType]
    context.set_default_timeout(PATIENCE)
    context.route("**/*", only_here)
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(f"page error: {error}"))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on(
        "response",
        lambda got: faults.append(f"{got.status} {got.url}") if got.status >= 400 else None,
    )
    page.goto(url)
    return page, faults


def set_slider(page: "Page", name: str, value: int) -> None:
    """Type into a slider's field until the slider has it: a fresh one may forget the first time."""
    field, slider = (page.locator(f"#{name} input[type={kind}]") for kind in ("number", "range"))
    slider.wait_for()
    while slider.input_value() != str(value):
        field.fill(str(value))
        field.press("Tab")
        page.wait_for_timeout(100)


def set_steps(page: "Page", steps: int) -> None:
    """Open the settings if they are closed, and set the denoising steps."""
    if not page.locator("#steps input[type=range]").is_visible():
        page.locator("#settings > button, #settings button").first.click()
    set_slider(page, "steps", steps)


def generate(page: "Page", prompt: str, steps: int = 3, seed: int = 3) -> str:
    """Press the button, wait for another run, and return its name."""
    before = Opened(page, COMPARED).data("run")
    page.locator("#prompt textarea").fill(prompt)
    page.locator("#seed input").fill(str(seed))
    set_steps(page, steps)
    page.locator("#generate").click()
    return another_run(page, before)


def another_run(page: "Page", before: str, host: str = COMPARED, button: str = "#generate") -> str:
    """Wait until an inspector shows another run whole and can make more; return its name."""
    page.wait_for_function(
        """([host, before]) => {
          const root = document.querySelector(host + ' .si');
          return root.dataset.phase === 'done' && root.dataset.run !== before;
        }""",
        arg=[host, before],
    )
    page.wait_for_function(f"!document.querySelector('{button}').disabled")
    return Opened(page, host).data("run")


def pin(page: "Page", count: int) -> None:
    """Pin what is on the first tab, and wait until as many runs are listed."""
    page.locator(f"{COMPARED} .si-pin").click()
    title = texts.PINNED.format(count=count, most=3)
    page.locator(PINNED).get_by_role("region", name=title).wait_for()


def choose_pinned(page: "Page", clip: str, number: int, side: str) -> None:
    """Put a clip of a pinned run on a side."""
    name = texts.PINNED_CLIP.format(clip=clip, number=number, side=side)
    page.locator(PINNED).get_by_role("button", name=name, exact=True).click()


def set_blind(page: "Page", is_blind: bool) -> None:
    """Switch the blind trial, and wait until the pair on the screen has followed."""
    page.locator("#blind input").set_checked(is_blind)
    until_blind(page, is_blind)


def until_blind(page: "Page", is_blind: bool) -> None:
    """Wait until the pair on the screen is blind, or has its names again."""
    page.wait_for_function(
        """([host, isBlind]) => {
          const { phase, blind } = document.querySelector(host + ' .si').dataset;
          return phase === 'done' && blind === String(isBlind);
        }""",
        arg=[COMPARED, is_blind],
    )


def open_tab(page: "Page", tab: str) -> None:
    """Choose a tab, from the menu where the screen is too narrow for all of them."""
    found = page.get_by_role("tab", name=tab, exact=True)
    if not found.is_visible():
        page.locator(".overflow-menu > button").click()
        found = page.locator(".overflow-dropdown").get_by_role("button", name=tab)
    found.click()
    page.get_by_role("tabpanel").filter(visible=True).wait_for()


def download(page: "Page", kind: str, folder: Path, tab: str = "compare") -> Path:
    """Choose a kind of file below an inspector, press the button, and keep what comes."""
    label = next(label for label, value in texts.EXPORTS.items() if value == kind)
    page.locator(f"#{tab}-kind input").click()
    page.get_by_role("option", name=label, exact=True).click()
    with page.expect_download() as coming:
        page.locator(f"#{tab}-download").click()
    path = folder / coming.value.suggested_filename
    coming.value.save_as(path)
    return path
