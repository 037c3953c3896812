"""The browser in which the page is driven and photographed: headless chromium, without a screen."""

from collections.abc import Generator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

PROGRAM = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--disable-dev-shm-usage")


@contextmanager
def open_browser(program: str = PROGRAM) -> Generator[Browser]:
    """Start a browser, and end it in the end.

    Args:
        program: Of the browser; Debian's chromium plays H.264, Playwright's own does not.

    Yields:
        The browser.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()
