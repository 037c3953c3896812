from typing import TYPE_CHECKING

import pytest

from tests.app_server import STORED_PROMPT
from tests.browser.conftest import set_slider
from visualize.screen import texts

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

PIXELS = "canvas => canvas.toDataURL()"
COLOURS = """canvas => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}"""


def stage(page: "Page", phase: str = "") -> "Locator":
    return page.locator(f"#compare-stage .stage{f'[data-phase={phase}]' if phase else ''}")


def set_steps(page: "Page", steps: int) -> None:
    page.locator("#settings").get_by_role("button", name=texts.SETTINGS).click()
    set_slider(page, "steps", steps)


def generate(page: "Page", prompt: str = STORED_PROMPT, steps: int = 3) -> None:
    """Press the button, and wait for a new result."""
    before = stage(page).get_attribute("data-delivery")
    page.locator("#prompt textarea").fill(prompt)
    set_steps(page, steps)
    page.locator("#generate").click()
    page.wait_for_function(
        """before => {
          const stage = document.querySelector('#compare-stage .stage');
          return stage.dataset.phase === 'done' && stage.dataset.delivery !== before;
        }""",
        arg=before,
    )


@pytest.mark.parametrize("place", range(4))
def test_each_player_shows_a_clip_before_any_click(page, place) -> None:
    assert page.locator("#compare-stage canvas").nth(place).evaluate(COLOURS) > 1


def test_stored_comparison_says_that_it_is_stored(page) -> None:
    assert stage(page).locator(".badge").inner_text() == f"{texts.BADGE_STORED}, seed 3"


def test_another_stored_comparison_can_be_chosen(page) -> None:
    before = stage(page).get_attribute("data-delivery")
    page.get_by_label("where OLVDM is worse").click()
    page.wait_for_function(
        "old => document.querySelector('#compare-stage .stage').dataset.delivery !== old",
        arg=before,
    )
    assert stage(page).get_attribute("data-phase") == "done"


def test_page_opens_paused_where_the_clips_differ_most(page) -> None:
    assert stage(page).get_attribute("data-frame") == "14"


def test_scrubber_moves_every_player(page) -> None:
    canvases = page.locator("#compare-stage canvas")
    before = [canvases.nth(place).evaluate(PIXELS) for place in range(4)]
    stage(page).locator(".frame").fill("2")
    after = [canvases.nth(place).evaluate(PIXELS) for place in range(4)]
    assert stage(page).get_attribute("data-frame") == "2"
    assert not set(before) & set(after)


def test_strength_of_zero_shows_the_bare_clip(page) -> None:
    stage(page).locator(".opacity").fill("0")
    first_player = page.locator("#compare-stage .player").first
    clip, overlay = (first_player.locator(f"canvas.{kind}") for kind in ("clip", "overlay"))
    assert clip.evaluate(PIXELS) == overlay.evaluate(PIXELS)


def test_play_runs_and_pauses(page) -> None:
    stage(page).locator(".frame").fill("0")
    stage(page).locator(".play").click()
    page.wait_for_function("document.querySelector('#compare-stage .stage').dataset.frame > 1")
    stage(page).locator(".play").click()
    assert stage(page).locator(".play").inner_text() == "Play"


def test_generating_shows_a_new_result_with_its_prompt(page) -> None:
    generate(page, "a blue square moves left")
    assert stage(page).locator(".caption").inner_text() == "a blue square moves left"
    assert texts.BADGE_NEW in stage(page).locator(".badge").inner_text()


def test_same_seed_draws_the_same_pixels(page) -> None:
    canvas = page.locator("#compare-stage canvas.clip").nth(1)
    generate(page)
    page.locator("#compare-stage .frame").fill("5")
    first = canvas.evaluate(PIXELS)
    page.locator("#generate").click()
    page.locator("#compare-stage .stage[data-phase='running']").wait_for()
    stage(page, "done").wait_for()
    page.locator("#compare-stage .frame").fill("5")
    assert canvas.evaluate(PIXELS) == first


def test_both_clips_are_seen_on_their_way(page) -> None:
    set_steps(page, 40)
    page.locator("#generate").click()
    page.wait_for_function(
        """() => {
          const stage = document.querySelector('#compare-stage .stage');
          return stage.dataset.phase === 'running' && Number(stage.dataset.preview) > 0;
        }"""
    )
    page.locator("#cancel").click()
    stage(page, "done").wait_for()


def test_cancel_puts_the_previous_result_back(page) -> None:
    set_steps(page, 100)
    page.locator("#generate").click()
    page.wait_for_function(
        "/Step [0-9]+ of 100/.test(document.querySelector('#compare-status').innerText)"
    )
    page.locator("#cancel").click()
    page.get_by_text(texts.CANCELLED).wait_for()
    stage(page, "done").wait_for()
    assert texts.BADGE_STORED in stage(page).locator(".badge").inner_text()
    assert page.locator("#generate").is_enabled()


def test_dice_chooses_another_seed(page) -> None:
    page.locator("#dice").click()
    page.wait_for_function("document.querySelector('#seed input').value !== '3'")


def test_blank_prompt_is_refused_in_words(page) -> None:
    page.locator("#prompt textarea").fill("  ")
    page.locator("#generate").click()
    page.get_by_text("Describe the clip").wait_for()
    page.wait_for_function("!document.querySelector('#generate').disabled")
    assert stage(page).get_attribute("data-phase") == "done"


def test_hostile_prompt_stays_text(page) -> None:
    hostile = "${alert(1)}{{1}}<img src=x onerror=alert(1)>"
    generate(page, hostile)
    assert stage(page).locator(".caption").inner_text() == hostile
    assert page.locator("img[src=x]").count() == 0
