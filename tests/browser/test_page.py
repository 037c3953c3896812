from typing import TYPE_CHECKING

import pytest

from tests.app_server import running_app
from tests.browser.conftest import PATIENCE, open_page
from visualize.screen import texts

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

OVERHANGING = """() => [...document.querySelectorAll('.gradio-container *')]
  .filter((node) => node.getClientRects().length)
  .filter((node) => !node.closest('.scroll, .gallery, .katex, table, [role=listbox]'))
  .filter((node) => node.getBoundingClientRect().right > window.innerWidth + 1)
  .map((node) => node.tagName + '.' + node.className)"""
TABS = (texts.TAB_COMPARE, texts.TAB_INSPECT, texts.TAB_HOW)


@pytest.fixture
def phone() -> dict[str, int]:
    return {"width": 390, "height": 844}


class TestPhone:
    @pytest.fixture
    def viewport(self, phone: dict[str, int]) -> dict[str, int]:
        return phone

    @pytest.mark.parametrize("tab", TABS)
    def test_nothing_reaches_beyond_the_screen(self, page: "Page", tab: str) -> None:
        page.get_by_role("tab", name=tab).click()
        page.get_by_role("tabpanel").filter(visible=True).wait_for()
        assert page.evaluate(OVERHANGING) == []

    def test_play_button_is_large_enough_for_a_thumb(self, page: "Page") -> None:
        box = page.locator("#compare-stage .play").bounding_box()
        assert box is not None
        assert box["height"] >= 44


def test_dark_mode_turns_the_page_dark(page) -> None:
    page.get_by_role("button", name="Switch between light and dark").click()
    page.wait_for_function(
        """() => {
          const colour = getComputedStyle(document.querySelector('.page-head h1')).color;
          return Math.min(...colour.match(/[0-9]+/g).slice(0, 3).map(Number)) > 200;
        }"""
    )


def test_loss_is_set_as_a_formula(page) -> None:
    page.get_by_role("tab", name=texts.TAB_HOW).click()
    page.locator(".katex-display").first.wait_for()


def test_stage_has_no_serious_fault_of_access(page) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context="#compare-stage").response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []


def test_missing_weights_are_named_with_the_remedy(browser, server, tmp_path) -> None:
    del server  # one app after another, for the sake of memory
    with running_app(tmp_path / "nothing", tmp_path) as app:
        page, faults = open_page(browser, app.url, {"width": 1280, "height": 900})
        page.locator("#banner code").wait_for(timeout=PATIENCE)
        assert page.locator("#banner code").inner_text() == texts.MISSING_COMMAND
        assert texts.NOTHING_YET in page.locator("#compare-stage").inner_text()
        page.context.close()
        assert faults == []
