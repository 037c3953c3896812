import itertools
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.app_server import STORED_PROMPT
from tests.browser.conftest import COMPARED, set_blind, set_steps, until_blind
from visualize.screen import texts

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
SEEDS = itertools.count(900)  # another one for every test that must draw anew
VISIBLE_TEXT = "() => document.querySelector('[role=tabpanel]').innerText"


def answer(page: "Page", key: str) -> str:
    page.locator(f"#blind-{key}").click()
    until_blind(page, False)
    page.wait_for_function("/clip A/.test(document.querySelector('#blind-said').innerText)")
    return page.locator("#blind-said").inner_text()


def test_nothing_on_the_screen_names_a_model(page, compared) -> None:
    set_blind(page, True)
    text = page.evaluate(VISIBLE_TEXT)
    assert "LVDM" not in text
    assert urlsplit(page.url).query == ""
    assert "lvdm" not in compared.root.evaluate("root => root.outerHTML").lower()
    for hidden in ("#stored", "#compare-download", ".share button", f"{COMPARED} .si-verdict"):
        assert not page.locator(hidden).is_visible()


def test_nothing_that_is_hidden_leaves_a_gap(page) -> None:
    set_blind(page, True)
    page.get_by_text(texts.PRACTICE).wait_for()
    tops_and_ends = [
        (box["y"], box["y"] + box["height"])
        for box in (
            page.locator(part).bounding_box()
            for part in ("#ask", "#blind-choice", f"{COMPARED} .si-bar", "footer")
        )
        if box is not None
    ]
    (_, ask), (choice, _), (_, bar), (footer, _) = tops_and_ends
    assert choice - ask < 40
    assert footer - bar < 120


def test_pair_that_was_seen_is_for_practice(page) -> None:
    set_blind(page, True)
    page.get_by_text(texts.PRACTICE).wait_for()
    assert answer(page, "a").endswith(texts.NOT_COUNTED)


def test_answer_names_both_in_their_places_and_counts(page, compared) -> None:
    set_blind(page, True)
    page.locator("#prompt textarea").fill(STORED_PROMPT)
    page.locator("#seed input").fill(str(next(SEEDS)))
    set_steps(page, 1)
    page.locator("#generate").click()
    page.wait_for_function(
        f"document.querySelector('{COMPARED} .si-badge').innerText.includes('{texts.BADGE_NEW}')"
    )
    until_blind(page, True)
    pictures = [compared.pixels(compared.plot("player", side)) for side in (0, 1)]
    assert (pictures[0] != pictures[1]).any()
    said = answer(page, "b")
    first, second = compared.find(".si-player .si-name").all_inner_texts()
    assert {first, second} == {"LVDM", "OLVDM"}
    tally = texts.TALLY.format(times=int(second == "OLVDM"), count=1, name="OLVDM")
    assert said == f"{texts.REVEALED['b'].format(a=first, b=second)} {tally}."
    assert page.locator("#compare-download").is_visible()


def test_both_clips_cannot_be_taken_elsewhere_before_the_answer(page) -> None:
    set_blind(page, True)
    page.get_by_role("tab", name=texts.TAB_INSPECT).click()
    page.locator("#take").click()
    page.get_by_text(texts.NOTHING_TO_TAKE).wait_for()


def test_keyboard_alone_answers(page) -> None:
    page.locator("#blind input").focus()
    page.keyboard.press("Space")
    until_blind(page, True)
    page.locator("#blind-neither").focus()
    page.keyboard.press("Enter")
    until_blind(page, False)


def test_switching_off_shows_the_names_without_an_answer(page, compared) -> None:
    set_blind(page, True)
    set_blind(page, False)
    names = compared.find(".si-player .si-name").all_inner_texts()
    assert sorted(names) == ["LVDM", "OLVDM"]
