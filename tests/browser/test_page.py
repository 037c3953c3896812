import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.app_server import running_app
from tests.browser.conftest import (
    ARTIFACTS,
    COMPARED,
    DESK,
    PATIENCE,
    open_page,
    open_tab,
    set_steps,
    shown,
)
from tests.browser.inspector.opened import Opened
from visualize.screen import texts

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

OVERHANGING = """() => [...document.querySelectorAll('.gradio-container *')]
  .filter((node) => node.getClientRects().length)
  .filter((node) => !node.closest('.si-scroll, .si-tools, .gallery, .katex, table, .cm-editor'))
  .filter((node) => !node.closest('[role=listbox], .visually-hidden, .si-players figure[hidden]'))
  .filter((node) => node.getBoundingClientRect().right > window.innerWidth + 1)
  .map((node) => node.tagName + '.' + node.className)"""
TABS = (texts.TAB_COMPARE, texts.TAB_INSPECT, texts.TAB_HOW, texts.TAB_RUNS)
OPACITY = """node => {
  const above = (one) => (one ? getComputedStyle(one).opacity * above(one.parentElement) : 1);
  return above(node);
}"""
MOST_SHIFT = 0.1  # of the screen times the way; what web.dev calls good
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((one) => one.value)))
  .observe({ type: 'layout-shift', buffered: true });"""
NAMED = (False, None)  # no blind trial
PHONE = {"width": 390, "height": 844}
LAPTOP = {"width": 1280, "height": 720}
ZOOMED = {"width": 640, "height": 450}  # what a desk's screen is at 200 %


@pytest.mark.parametrize("viewport", [PHONE, ZOOMED], ids=("phone", "zoomed"))
@pytest.mark.parametrize("tab", TABS)
def test_nothing_reaches_beyond_the_screen(page: "Page", tab: str) -> None:
    open_tab(page, tab)
    assert page.evaluate(OVERHANGING) == []


@pytest.mark.parametrize("viewport", [DESK, LAPTOP], ids=("desk", "laptop"))
def test_both_clips_are_whole_on_the_first_screen(page: "Page", compared: Opened) -> None:
    for side in (0, 1):
        box = compared.plot("player", side).bounding_box()
        assert box is not None
        assert box["y"] <= 430
        assert box["y"] + box["height"] <= page.evaluate("window.innerHeight")


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=("desk", "phone"))
def test_page_does_not_jump_while_it_loads(browser, server, viewport) -> None:
    page, faults = open_page(browser, "about:blank", viewport)
    page.add_init_script(SHIFTS)
    page.goto(server.url)
    shown(page)
    page.locator("#prompts .gallery > button").first.wait_for()
    page.wait_for_timeout(500)  # what comes late
    assert page.evaluate("window.shifts.reduce((sum, shift) => sum + shift, 0)") < MOST_SHIFT
    page.context.close()
    assert faults == []


THUMBED = {
    "generate": "#generate",
    "cancel": "#cancel",
    "another-seed": "#dice",
    "prompt-to-try": "#prompts .gallery > button",
    "blind": "#blind label",
    "settings": "#settings > button",
    "stored": "#stored label",
    "tour": ".tour-button",
    "shade": ".shade-button",
    "play": f"{COMPARED} .si-play",
}


@pytest.mark.parametrize("viewport", [PHONE], ids=("phone",))
@pytest.mark.parametrize("name", THUMBED.values(), ids=THUMBED)
def test_target_is_large_enough_for_a_thumb(page: "Page", name: str) -> None:
    box = page.locator(name).first.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 44


def test_dark_mode_turns_page_and_inspector_dark(page) -> None:
    page.get_by_role("button", name="Switch between light and dark").click()
    for node in (".page-head h1", f"{COMPARED} .si-caption"):
        page.wait_for_function(
            """node => {
              const colour = getComputedStyle(document.querySelector(node)).color;
              return Math.min(...colour.match(/[0-9]+/g).slice(0, 3).map(Number)) > 160;
            }""",
            arg=node,
        )


def test_loss_is_set_as_a_formula(page) -> None:
    open_tab(page, texts.TAB_HOW)
    page.locator(".katex-display").first.wait_for()


@pytest.mark.parametrize("is_dark", [False, True], ids=("light", "dark"))
def test_inspector_has_no_serious_fault_of_access(page, is_dark) -> None:
    from axe_playwright_python.sync_playwright import Axe

    if is_dark:
        page.get_by_role("button", name="Switch between light and dark").click()
    everywhere = Axe().run(page).response["violations"]
    ARTIFACTS.mkdir(exist_ok=True)
    (ARTIFACTS / f"axe-{'dark' if is_dark else 'light'}.json").write_text(
        json.dumps(everywhere, indent=1), encoding="utf-8"
    )
    found = Axe().run(page, context=f"{COMPARED} .si").response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []


def test_screen_reader_finds_the_parts_by_name(page) -> None:
    tree = page.locator("body").aria_snapshot()
    (ARTIFACTS / "aria.txt").write_text(tree, encoding="utf-8")
    for name in (texts.PROMPT, texts.SEED, texts.GENERATE, texts.CANCEL, "Slot inspector", "Frame"):
        assert f'"{name}"' in tree


@pytest.mark.parametrize(
    ("has_stored", "said"), [(False, texts.MISSING_ALONE), (True, texts.MISSING_STORED)]
)
def test_missing_weights_are_named_with_the_remedy_and_what_works_without_them(
    browser, server, checkpoints, tmp_path, has_stored: bool, said: str
) -> None:
    del server  # one app after another, for the sake of memory
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    if has_stored:
        shutil.copytree(checkpoints / "examples", folder / "examples")
    with running_app(folder, tmp_path) as app:
        page, faults = open_page(browser, app.url, DESK)
        page.locator("#banner code").wait_for(timeout=PATIENCE)
        assert page.locator("#banner code").inner_text() == texts.MISSING_COMMAND
        assert page.locator("#banner").inner_text().endswith(said)
        if has_stored:
            shown(page)
        else:
            page.get_by_text(texts.NOTHING_TO_SHOW).wait_for()
        page.context.close()
        assert faults == []


def test_without_stored_comparisons_the_page_says_what_to_press(
    browser, server, checkpoints, tmp_path
) -> None:
    del server
    folder = tmp_path / "checkpoints"
    shutil.copytree(checkpoints, folder, ignore=shutil.ignore_patterns("examples"))
    with running_app(folder, tmp_path) as app:
        page, faults = open_page(browser, app.url, DESK)
        page.get_by_text(texts.NOTHING_YET).wait_for(timeout=PATIENCE)
        assert page.locator("#banner").count() == 0
        page.context.close()
        assert faults == []


@pytest.fixture(scope="module")
def small(browser, checkpoints, tmp_path_factory):
    del browser
    program = (
        "import sys; from olvdm import limits; limits.QUEUE_SIZE = 1;"
        " import app; sys.exit(app.main())"
    )
    with running_app(checkpoints, tmp_path_factory.mktemp("small"), program=("-c", program)) as app:
        yield app


def start_long_job(browser, app, seed: int):
    page, faults = open_page(browser, app.url, DESK)
    shown(page)
    page.locator("#seed input").fill(str(seed))
    set_steps(page, 100)
    page.locator("#generate").click()
    page.wait_for_function(
        "/Step [0-9]+ of 100/.test(document.querySelector('#compare-status').innerText)"
    )
    return page, faults


@pytest.mark.parametrize("viewport", [PHONE], ids=("phone",))
def test_whoever_waits_sees_their_place_in_the_queue_and_can_leave_it(
    page: "Page", browser, server
) -> None:
    running, _ = start_long_job(browser, server, 5)
    before, _ = open_page(browser, server.url, DESK)
    shown(before)
    for place, waiting in enumerate((before, page), start=1):
        waiting.locator("#generate").click()
        said = waiting.get_by_text(texts.QUEUED.format(place=place, count=place))
        said.wait_for()
        assert said.evaluate(OPACITY) == 1
        waiting.screenshot(path=ARTIFACTS / f"test_queue_place_{place}.png")
    page.locator("#cancel").click()
    page.locator("#compare-status").get_by_text(texts.CANCELLED).wait_for()
    assert shown(page).data("run") == "1-behind"
    for other in (running, before):
        other.context.close()


class TestLeaving:
    """What happens when somebody goes: a person, or the server; its queue holds one."""

    def test_closing_the_tab_frees_the_models(self, browser, small) -> None:
        page, faults = start_long_job(browser, small, 1)
        page.context.close()
        event, _ = small.call("on_generate", "a red circle moves right", 2, 1, 3.0, *NAMED)
        assert event == "complete"  # one job at a time: the other has ended
        steps = [
            json.loads(path.read_text())["about"]["settings"]["num_inference_steps"]
            for path in small.runs.glob("*/olvdm.json")
        ]
        assert steps == [1]  # and it did not end by itself
        assert faults == []

    def test_full_queue_is_said_and_the_old_result_stays(self, browser, small) -> None:
        first, _ = start_long_job(browser, small, 3)
        second, _ = open_page(browser, small.url, DESK)
        third, _ = open_page(browser, small.url, DESK)
        for page in (second, third):
            shown(page)
            page.locator("#generate").click()
        busy = third.locator('[data-testid="toast-body"]')
        busy.wait_for()
        assert "busy" in busy.inner_text()
        third.get_by_text(texts.BUSY_HINT).wait_for()
        assert shown(third).data("run") == "1-behind"
        for page in (first, second, third):
            page.context.close()

    def test_lost_server_is_said_and_the_clip_stays(self, browser, small) -> None:
        page, _ = start_long_job(browser, small, 4)
        small.process.kill()
        page.get_by_text(texts.LOST).wait_for()
        page.get_by_role("link", name="Reload the page").wait_for()
        page.screenshot(path=ARTIFACTS / "test_lost_server.png")
        page.context.close()
