from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import set_slider
from tests.clip_files import make_video
from visualize.screen import texts

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

HOSTILE_NAME = "${alert(1)}<img src=x onerror=alert(1)>.mp4"


@pytest.fixture
def tab(page: "Page") -> "Page":
    page.get_by_role("tab", name=texts.TAB_INSPECT).click()
    page.locator("#inspect-stage .stage[data-phase='empty']").wait_for()
    return page


def upload(page: "Page", data: bytes, name: str = "clip.mp4") -> None:
    field = page.locator("#upload input[type=file]")
    field.set_input_files({"name": name, "mimeType": "video/mp4", "buffer": data})


def done(page: "Page") -> "Locator":
    stage = page.locator("#inspect-stage .stage[data-phase='done']")
    stage.wait_for()
    return stage


def test_empty_stage_says_what_to_do(tab) -> None:
    assert texts.NO_CLIP_YET in tab.locator("#inspect-stage").inner_text()


def test_test_clip_is_taken_apart_at_once(tab) -> None:
    tab.locator("#test-shapes").click()
    assert done(tab).locator(".player:visible").count() == 1
    assert texts.EXPLAINED in done(tab).locator(".figures").inner_text()


def test_clip_that_the_model_does_not_know_has_a_notice(tab) -> None:
    tab.locator("#test-shapes").click()
    assert done(tab).locator(".warning").inner_text() == texts.UNFAMILIAR


def test_upload_of_any_shape_is_drawn_at_its_own_size(tab) -> None:
    upload(tab, make_video())
    tab.get_by_text(texts.CLIP_READ).wait_for()
    tab.locator("#inspect").click()
    assert "12 frames of 96x64" in done(tab).locator(".what").first.inner_text()
    size = done(tab).locator("canvas.overlay").first.evaluate("c => c.width / c.height")
    assert size == 1.5


def test_gain_of_an_adaptation_is_told(tab) -> None:
    set_slider(tab, "adapt", 10)
    tab.locator("#test-shapes").click()
    assert "Adaptation: slots explain" in done(tab).locator(".notes").inner_text()


def test_text_file_named_mp4_is_refused_in_words(tab) -> None:
    upload(tab, b"not a video at all")
    tab.get_by_text("This is not a readable").wait_for()


def test_hostile_file_name_stays_text(tab) -> None:
    upload(tab, make_video(), HOSTILE_NAME)
    tab.get_by_text(texts.CLIP_READ).wait_for()
    assert tab.locator("img[src=x]").count() == 0


def test_nothing_to_inspect_is_said_in_words(tab) -> None:
    tab.locator("#inspect").click()
    tab.get_by_text(texts.FIRST_A_CLIP).wait_for()
