from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import COMPARED, DESK
from visualize.screen import texts
from visualize.screen.tour import STATES

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
CARD = ".tour-card"
TITLES = list(texts.TOUR_STEPS)
PHONE = {"width": 390, "height": 844}


def open_tour(page: "Page") -> None:
    page.get_by_role("button", name=texts.TOUR, exact=True).click()
    page.get_by_role("dialog", name=TITLES[0]).wait_for()


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=("desk", "phone"))
def test_every_step_outlines_what_it_tells_of_within_sight(page, compared) -> None:
    open_tour(page)
    for (title, words), (_, part) in zip(texts.TOUR_STEPS.items(), STATES, strict=True):
        page.get_by_role("dialog", name=title).wait_for()
        assert words in page.locator(CARD).inner_text()
        assert page.locator(".tour-outlined").count() == 1
        assert compared.find(part).evaluate("node => node.classList.contains('tour-outlined')")
        box = compared.find(part).bounding_box()
        assert 0 <= box["y"] < page.viewport_size["height"] / 2
        page.locator(".tour-next").click()
    assert not page.locator(CARD).is_visible()


def test_steps_set_the_inspector(page, compared) -> None:
    open_tour(page)
    assert compared.data("frame") == "0"
    page.keyboard.press("ArrowRight")
    assert compared.find(".si-chip.si-alone").count() == 1
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert compared.data("cell") == "13.1.14.1"
    page.keyboard.press("ArrowLeft")
    assert compared.data("cell") == ""


def test_escape_ends_it_where_it_began(page, compared) -> None:
    open_tour(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    assert not page.locator(CARD).is_visible()
    assert page.locator(".tour-outlined").count() == 0
    assert compared.data("frame") == "14"
    assert compared.find(".si-chip.si-alone").count() == 0
    assert page.evaluate("document.activeElement.className") == "tour-button"


def test_blind_trial_is_not_given_away(page) -> None:
    page.locator("#blind input").check()
    page.locator(f"{COMPARED} .si[data-blind=true]").wait_for()
    page.get_by_role("button", name=texts.TOUR, exact=True).click()
    page.locator(CARD).get_by_text(texts.TOUR_WORDS["later"]).wait_for()
    assert page.locator(".tour-outlined").count() == 0
