from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.browser.conftest import INSPECTED, set_slider, shown
from tests.browser.inspector.opened import Opened
from tests.clip_files import make_video, moving_frames
from visualize.screen import texts

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

HOSTILE_NAME = "${alert(1)}<img src=x onerror=alert(1)>.mp4"


@pytest.fixture
def tab(page: "Page") -> "Page":
    page.get_by_role("tab", name=texts.TAB_INSPECT).click()
    page.locator(f"{INSPECTED} .si[data-phase='empty']").wait_for()
    return page


def upload(page: "Page", data: bytes, name: str = "clip.mp4", place: str = "#upload") -> None:
    field = page.locator(f"{place} input[type=file]")
    field.set_input_files({"name": name, "mimeType": "video/mp4", "buffer": data})
    said = texts.CLIP_READ if place == "#upload" else texts.SECOND_READ
    page.get_by_text(said).wait_for()


def inspect(page: "Page") -> Opened:
    page.locator("#inspect").click()
    return shown(page, INSPECTED)


def names(opened: Opened) -> list[str]:
    players = opened.find(".si-player:visible .si-name")
    return [players.nth(place).inner_text() for place in range(players.count())]


def test_empty_inspector_says_what_to_do(tab) -> None:
    assert texts.NO_CLIP_YET in tab.locator(INSPECTED).inner_text()


def test_test_clip_is_taken_apart_at_once_with_a_notice(tab) -> None:
    tab.locator("#test-shapes").click()
    opened = shown(tab, INSPECTED)
    assert len(names(opened)) == 1
    assert texts.EXPLAINED in opened.find(".si-verdict").inner_text()
    assert opened.find(".si-warning").inner_text() == texts.UNFAMILIAR


def test_upload_of_any_shape_is_drawn_at_its_own_shape(tab) -> None:
    upload(tab, make_video())
    opened = inspect(tab)
    assert opened.find(".si-what").first.inner_text() == "12 frames of 96x64"
    height, width = opened.pixels(opened.plot("player")).shape[:2]
    assert width / height == 1.5


def test_crop_shows_the_square_in_the_middle(tab) -> None:
    upload(tab, make_video())
    tab.locator("#crop input").check()
    assert inspect(tab).find(".si-what").first.inner_text() == "12 frames of 64x64"


def test_two_uploads_of_different_length_share_their_common_frames(tab) -> None:
    upload(tab, make_video(frames=moving_frames(12, 64, 64)))
    upload(tab, make_video(frames=moving_frames(9, 64, 64)), "b.mp4", "#upload-b")
    opened = inspect(tab)
    assert names(opened) == ["Your clip A", "Your clip B"]
    assert opened.find(".si-frame").get_attribute("max") == "8"
    opened.find(".si-facts summary").click()
    assert texts.COMMON_FRAMES.format(count=9) in opened.find(".si-notes").inner_text()


def test_both_clips_of_compare_can_be_inspected(tab) -> None:
    tab.locator("#take").click()
    opened = shown(tab, INSPECTED)
    assert names(opened) == ["LVDM", "OLVDM"]


def test_gain_of_an_adaptation_is_told(tab) -> None:
    set_slider(tab, "adapt", 10)
    tab.locator("#test-shapes").click()
    opened = shown(tab, INSPECTED)
    opened.find(".si-facts summary").click()
    assert "Adaptation: slots explain" in opened.find(".si-notes").inner_text()


def test_text_file_named_mp4_is_refused_in_words(tab) -> None:
    field = tab.locator("#upload input[type=file]")
    field.set_input_files({"name": "a.mp4", "mimeType": "video/mp4", "buffer": b"not a video"})
    tab.locator("[data-testid=toast-body]").get_by_text("This is not a readable").wait_for()
    tab.locator("#inspect-status").get_by_text("This is not a readable").wait_for()


@pytest.mark.parametrize("place", ["#upload", "#upload-b"])
def test_refused_file_leaves_its_field_and_the_words_stay(tab, place) -> None:
    field = tab.locator(f"{place} input[type=file]")
    field.set_input_files({"name": "a.mp4", "mimeType": "video/mp4", "buffer": b"not a video"})
    tab.locator("#inspect-status").get_by_text("This is not a readable").wait_for()
    tab.locator(place).get_by_text("Click to Upload").wait_for()
    tab.wait_for_timeout(500)
    assert "a.mp4" not in tab.locator(place).inner_text()
    assert "This is not a readable" in tab.locator("#inspect-status").inner_text()


def test_hostile_file_name_stays_text(tab) -> None:
    upload(tab, make_video(), HOSTILE_NAME)
    inspect(tab)
    assert tab.locator("img[src=x]").count() == 0


def test_nothing_to_inspect_is_said_in_words(tab) -> None:
    tab.locator("#inspect").click()
    tab.locator("#inspect-status").get_by_text(texts.FIRST_A_CLIP).wait_for()
    assert texts.NO_CLIP_YET in tab.locator(INSPECTED).inner_text()


def test_arrays_of_an_upload_can_be_taken_away(tab, tmp_path) -> None:
    upload(tab, make_video())
    inspect(tab)
    tab.locator("#inspect-kind input").click()
    tab.get_by_role("option", name="(npz)").click()
    with tab.expect_download() as coming:
        tab.locator("#inspect-download").click()
    coming.value.save_as(tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz", allow_pickle=False) as arrays:
        assert arrays["clip-a_frames"].shape == (12, 64, 96, 3)


def test_upload_has_no_link(tab) -> None:
    upload(tab, make_video())
    run = inspect(tab).data("run")
    assert run not in tab.url
