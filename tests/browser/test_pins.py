from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import (
    COMPARED,
    INSPECTED,
    PINNED,
    another_run,
    choose_pinned,
    pin,
    shown,
)
from visualize.screen import texts

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def show_stored(page: "Page", title: str, before: str) -> str:
    page.locator("#stored").get_by_label(title).click()
    return another_run(page, before)


def names(compared) -> list[str]:
    return compared.find(".si-player .si-name").all_inner_texts()


def pressed(page: "Page") -> list[str]:
    return [
        button.get_attribute("aria-label") or ""
        for button in page.locator(f"{PINNED} [aria-pressed=true]").all()
    ]


def test_nothing_is_listed_until_something_is_pinned(page) -> None:
    assert not page.locator(f"{PINNED} .pins").is_visible()


def test_one_press_puts_a_clip_of_another_run_beside_the_one_on_screen(page, compared) -> None:
    pin(page, 1)
    assert pressed(page) == ["LVDM of pinned run 1 as A", "OLVDM of pinned run 1 as B"]
    show_stored(page, "where OLVDM is worse", "1-behind")
    pin(page, 2)
    choose_pinned(page, "OLVDM", 1, "A")
    another_run(page, "2-failure")
    assert names(compared) == ["OLVDM, seed 3 A", "OLVDM, seed 3 B"]
    assert pressed(page) == ["OLVDM of pinned run 1 as A", "OLVDM of pinned run 2 as B"]
    assert "95 %" not in compared.find(".si-verdict").inner_text()


def test_fourth_is_refused_in_words_until_one_is_unpinned(page) -> None:
    pin(page, 1)
    run = show_stored(page, "where OLVDM is worse", "1-behind")
    pin(page, 2)
    choose_pinned(page, "LVDM", 1, "A")
    run = another_run(page, run)
    pin(page, 3)
    choose_pinned(page, "LVDM", 2, "A")
    another_run(page, run)
    choose_pinned(page, "LVDM", 1, "B")
    another_run(page, "2-failure")
    page.locator(f"{COMPARED} .si-pin").click()
    page.get_by_text(texts.PINS_FULL.format(most=3)).wait_for()
    page.locator(PINNED).get_by_role("button", name=texts.UNPIN.format(number=3)).press("Enter")
    page.locator(PINNED).get_by_role("region", name=texts.PINNED.format(count=2, most=3)).wait_for()
    pin(page, 3)


def test_clip_from_elsewhere_stands_beside_a_drawn_one(page, compared) -> None:
    pin(page, 1)
    page.get_by_role("tab", name=texts.TAB_INSPECT).click()
    page.locator("#test-shapes").click()
    shown(page, INSPECTED)
    page.locator(f"{INSPECTED} .si-pin").click()
    row = page.locator("#inspect-pins li").nth(1)
    row.get_by_role("button", name="as A").click()
    page.locator(COMPARED).wait_for()  # the first tab opens by itself
    another_run(page, "1-behind")
    assert names(compared)[1] == "OLVDM, seed 3"
