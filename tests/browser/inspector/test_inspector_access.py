"""The inspector by keyboard, for screen readers, on a phone, in the dark, and with hostile text."""

from typing import TYPE_CHECKING

import pytest

from tests.browser.inspector.conftest import ARTIFACTS, Open
from tests.browser.inspector.opened import Opened
from tests.unit.visualize.payloads import LAST, denoising_steps, metric, pair_payload, with_slots
from visualize.payload import done_payload

if TYPE_CHECKING:
    from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser
HOSTILE = "</script><img src=x onerror=alert(1)><b>${alert(2)}</b>{{value}}"
BEYOND = """() => [...document.querySelectorAll('.si *')]
  .filter(each => !each.closest('.si-scroll, .si-tools, .si-sets') && each.getClientRects().length)
  .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
  .map(each => String(each.className.baseVal ?? each.className))"""
SMALL = """() => [...document.querySelectorAll('.si button, .si select, .si summary, .si input')]
  .filter(each => each.getClientRects().length)
  .filter(each => each.getBoundingClientRect().height < 43.5)
  .map(each => each.className || each.textContent)"""


@pytest.fixture(scope="session")
def axe() -> "Axe":
    from axe_playwright_python.sync_playwright import Axe

    return Axe()


@pytest.mark.parametrize(
    ("keys", "frame"),
    [
        (["ArrowRight"], 3),
        (["ArrowLeft"], 1),
        (["End"], LAST),
        (["Home"], 0),
        (["Home", "Shift+ArrowRight"], 5),
        (["End", "ArrowRight"], 0),
    ],
)
def test_arrows_move_the_frame(report: Opened, keys: list[str], frame: int) -> None:
    for key in keys:
        report.key(key)
    assert report.data("frame") == str(frame)


def test_space_plays_and_pauses(report: Opened) -> None:
    play = report.find(".si-play")
    report.key("Space")
    assert play.get_attribute("aria-pressed") == "true"
    report.key("Space")
    assert play.get_attribute("aria-pressed") == "false"


def test_digits_toggle_slots_and_s_and_a_choose_one_and_all(report: Opened) -> None:
    report.key("1")
    assert report.chip("slot 1").get_attribute("aria-pressed") == "false"
    report.key("0")
    assert report.chip("background").get_attribute("aria-pressed") == "true"
    report.key("s")
    assert report.find('.si-chip[aria-pressed="true"]').count() == 1
    report.key("a")
    assert report.find('.si-chip[aria-pressed="false"]').count() == 0


@pytest.mark.parametrize(("key", "name"), [("w", "Wipe"), ("m", "By frame"), ("r", "Matched")])
def test_letters_choose_views(report: Opened, key: str, name: str) -> None:
    report.key(key)
    button = report.root.get_by_role("button", name=name, exact=True)
    assert button.get_attribute("aria-pressed") == "true"


def test_brackets_change_the_strength_of_the_colours(report: Opened) -> None:
    before = int(report.find(".si-opacity").input_value())
    report.key("]")
    assert report.find(".si-opacity").input_value() == str(before + 10)
    report.key("[")
    report.key("[")
    assert report.find(".si-opacity").input_value() == str(before - 10)


def test_arrows_in_a_matrix_move_the_cell_and_enter_holds_it(report: Opened) -> None:
    matrix = report.plot("pair")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        matrix.press(key)
    assert report.readout().startswith("A: Slot 1 in frame 1 and slot 1 in frame 2")
    matrix.press("Enter")
    assert report.data("cell") == "1.1.2.1"
    assert report.data("frame") == "2"


def test_keys_do_nothing_while_the_focus_is_elsewhere(report: Opened) -> None:
    report.page.evaluate("document.activeElement.blur()")
    report.page.keyboard.press("ArrowRight")
    assert report.data("frame") == "2"


def test_question_mark_lists_the_keys(report: Opened) -> None:
    report.key("?")
    assert "play or pause" in report.find(".si-help").inner_text()
    report.key("Escape")
    assert report.find(".si-help:visible").count() == 0


def test_screen_reader_finds_every_part_by_name(report: Opened) -> None:
    tree = report.root.aria_snapshot()
    (ARTIFACTS / "inspector-aria.txt").write_text(tree, encoding="utf-8")
    for name in (
        "A, LVDM, frame 2",
        "B, OLVDM, frame 2",
        "Film strip of LVDM: 4 slots over 6 frames",
        "Correlation of all slots of all frames of OLVDM",
        "Identity over time of LVDM: 2 switches",
        "Flicker over time",
        'slider "Frame"',
        'button "Play"',
    ):
        assert name in tree


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious(open_report: Open, axe: "Axe", scheme: str, width: int) -> None:
    payload = pair_payload(denoising=denoising_steps(2), warning="Careful.", notes=("Cut.",))
    report = open_report(payload, width, color_scheme=scheme)
    report.key("?")
    report.find(".si-tables summary").click()
    found = axe.run(report.page)
    (ARTIFACTS / f"inspector-axe-{scheme}-{width}.json").write_text(str(found.response))
    bad = [each for each in found.response["violations"] if each["impact"] in SERIOUS]
    assert [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in bad] == []


SERIOUS = ("serious", "critical")


@pytest.mark.parametrize("width", [390, 640, 1280])
def test_nothing_is_cut_off(open_report: Open, width: int) -> None:
    clips = (with_slots(9, 16, 32), with_slots(6, 16, 32, 1))
    report = open_report(
        done_payload(clips, caption="word" * 60, metrics=(metric(-0.1, 0.2),)), width
    )
    for view in ("Wipe", "Side by side"):
        report.press(view)
        assert report.page.evaluate(BEYOND) == []


def test_everything_to_touch_on_a_phone_is_large_enough(open_report: Open) -> None:
    report = open_report(pair_payload(denoising=denoising_steps(2)), 390, has_touch=True)
    assert report.page.evaluate(SMALL) == []


def test_phone_keeps_the_controls_in_reach(open_report: Open) -> None:
    report = open_report(None, 390)
    report.plot("matrix", 1).scroll_into_view_if_needed()
    bar = report.find(".si-bar").bounding_box()
    assert bar is not None
    assert 0 <= bar["y"] < 900


def test_hostile_text_stays_text(open_report: Open) -> None:
    report = open_report(
        pair_payload(
            caption=HOSTILE,
            badge=HOSTILE,
            warning=HOSTILE,
            verdict=HOSTILE,
            notes=(HOSTILE,),
            settings={HOSTILE: HOSTILE},
            metrics=(metric(-0.1, 0.1, label=HOSTILE, judge=HOSTILE, unit=HOSTILE),),
        )
    )
    assert report.find(".si-caption").inner_text() == HOSTILE
    assert report.find(".si-warning").inner_text() == HOSTILE
    assert report.page.locator("img").count() == 0
    assert report.find("h3").inner_text() == HOSTILE


def test_reduced_motion_begins_nothing_by_itself(open_report: Open) -> None:
    report = open_report(pair_payload(plays=True))
    assert report.find(".si-play").get_attribute("aria-pressed") == "false"


def test_playing_begins_by_itself_where_motion_is_welcome(open_report: Open) -> None:
    report = open_report(pair_payload(plays=True), reduced_motion="no-preference")
    assert report.find(".si-play").get_attribute("aria-pressed") == "true"
