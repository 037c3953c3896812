"""One frame drives every view; a pressed slot and a wiped clip show what they say."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.browser.inspector.conftest import Open
from tests.browser.inspector.opened import Opened
from tests.unit.visualize.circles import NUM_FRAMES, NUM_SLOTS, SIDE, make_masks, make_world
from tests.unit.visualize.payloads import (
    LAST,
    denoising_steps,
    inspected,
    metric,
    pair_payload,
    shortened,
    with_slots,
)
from visualize.palette import style_of
from visualize.payload import Payload, done_payload
from visualize.report import Report

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
SCALE = 16  # pixels of a canvas for one of the clip


def enlarged(frame: np.ndarray) -> np.ndarray:
    return frame.repeat(SCALE, axis=0).repeat(SCALE, axis=1)


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return which pixels of the clip differ, in positions of the clip."""
    differs = (before.astype(int) - after).any(axis=-1)
    return np.asarray(differs.reshape(SIDE, SCALE, SIDE, SCALE).any(axis=(1, 3)))


def test_report_opens_where_it_was_told(report: Opened) -> None:
    assert report.data("frame") == "2"
    assert report.find(".si-reason").inner_text() == "Look here."


@pytest.mark.parametrize("side", [0, 1])
def test_without_tint_the_player_shows_the_exact_frame(report: Opened, side: int) -> None:
    report.slide(".si-opacity", 0)
    report.slide(".si-frame", 4)
    frames = make_world(side).frames
    np.testing.assert_array_equal(report.pixels(report.plot("player", side)), enlarged(frames[4]))


def test_scrubbing_moves_every_playhead(report: Opened) -> None:
    report.slide(".si-frame", 5)
    assert report.find(".si-frame-words").inner_text() == f"frame 5 / {LAST}"
    heads = report.find(".si-mark-head")
    assert heads.count() == 4
    assert {head.get_attribute("x") for head in heads.all()} == {"5"}
    lines = report.find(".si-mark-line")
    assert {line.get_attribute("x") for line in lines.all()} == {"5.5"}


def test_both_players_name_the_same_frame(report: Opened) -> None:
    report.slide(".si-frame", 3)
    for side, name in enumerate(("LVDM", "OLVDM")):
        label = report.plot("player", side).locator("canvas").get_attribute("aria-label")
        assert label == f"{'AB'[side]}, {name}, frame 3"


def test_toggling_a_slot_changes_pixels_of_that_slot_alone(report: Opened) -> None:
    player = report.plot("player")
    before = report.pixels(player)
    report.chip("slot 1").click()
    now = changed(before, report.pixels(player))
    winner = make_world().masks[2].argmax(axis=0) == 1
    near = np.pad(winner, 1)
    near = np.lib.stride_tricks.sliding_window_view(near, (3, 3)).any(axis=(2, 3))
    assert now.any()
    assert not (now & ~near).any()


def test_double_press_shows_one_slot_in_both_clips(report: Opened) -> None:
    report.chip("slot 2").dblclick()
    assert report.find('.si-chip[aria-pressed="true"]').count() == 1
    assert report.chip("slot 2").get_attribute("aria-pressed") == "true"
    for side in (0, 1):
        assert report.plot("player", side).locator(".si-numbers span:visible").count() == 1


def test_background_starts_hidden(report: Opened) -> None:
    assert report.chip("background").get_attribute("aria-pressed") == "false"


def test_pressing_an_object_shows_it_alone(report: Opened) -> None:
    masks = make_world().masks[2]
    row, column = np.argwhere(masks.argmax(axis=0) == 2)[0]
    report.click(report.plot("player"), (column + 0.5) / SIDE, (row + 0.5) / SIDE)
    assert "slot 2" in (report.find(".si-alone").get_attribute("title") or "")
    report.key("Escape")
    assert report.find(".si-alone").count() == 0


def middle_of(slot: int) -> tuple[int, int]:
    """Return a place of the clip in the middle of what a slot holds."""
    places = np.argwhere(make_world().masks[2, slot] > 0.9)
    row, column = places[len(places) // 2]
    return int(row), int(column)


def test_clips_open_outlined_and_in_their_own_colours(report: Opened) -> None:
    frame, pixels = make_world().frames[2], report.pixels(report.plot("player"))
    row, column = middle_of(1)
    centre = pixels[row * SCALE + SCALE // 2, column * SCALE + SCALE // 2]
    np.testing.assert_array_equal(centre, frame[row, column])
    assert (pixels != enlarged(frame)).any()


def test_one_press_fills_the_slots(report: Opened) -> None:
    report.press("Fill")
    pixels = report.pixels(report.plot("player"))
    row, column = middle_of(1)
    centre = pixels[row * SCALE + SCALE // 2, column * SCALE + SCALE // 2]
    assert (centre != make_world().frames[2, row, column]).any()


@pytest.mark.parametrize(("slot", "edge"), [(1, "dark"), (2, "dark"), (5, "light")])
def test_outline_is_two_pixels_wide_on_a_phone_and_its_edges_stand_out(
    open_report: Open, slot: int, edge: str
) -> None:
    grey, masks = np.full((NUM_FRAMES, SIDE, SIDE, 3), 128, np.uint8), make_masks(0, 6)
    clip = replace(with_slots(6, NUM_FRAMES, SIDE), frames=grey, alpha_masks=masks)
    report = open_report(done_payload((clip,)), width=390)
    report.chip(f"slot {slot}").dblclick()
    plot = report.plot("player")
    middle = np.argwhere(masks[0, slot] > 0.5).mean(axis=0)
    line = report.pixels(plot)[round((middle[0] + 0.5) * SCALE)].astype(int)
    near = np.abs(line - np.array(style_of(slot).rgb)).max(axis=1) < 60
    start = int(near.argmax())
    width = int(near[start:].argmin())
    box = plot.locator("canvas").bounding_box()
    assert box is not None
    assert width * box["width"] / len(line) >= 2
    sides = [line[start - 3 : start], line[start + width : start + width + 3]]
    for brightness in (side.mean(axis=1) for side in sides):
        assert brightness.min() < 70 if edge == "dark" else brightness.max() > 200


def test_wipe_keeps_the_outlines_of_both_clips(report: Opened) -> None:
    first, second = (report.pixels(report.plot("player", side)) for side in (0, 1))
    report.press("Wipe")
    report.slide(".si-wipe", 50)
    both = report.pixels(report.plot("both"))
    half = both.shape[1] // 2
    np.testing.assert_array_equal(both[:, :half], first[:, :half])
    np.testing.assert_array_equal(both[:, half:], second[:, half:])


def test_wipe_shows_a_left_of_the_line_and_b_right_of_it(report: Opened) -> None:
    report.slide(".si-opacity", 0)
    report.press("Wipe")
    report.slide(".si-wipe", 50)
    both = report.pixels(report.plot("both"))
    half = both.shape[1] // 2
    first, second = (enlarged(make_world(seed).frames[2]) for seed in (0, 1))
    np.testing.assert_array_equal(both[:, :half], first[:, :half])
    np.testing.assert_array_equal(both[:, half:], second[:, half:])


def test_difference_is_twice_the_distance_of_the_pixels(report: Opened) -> None:
    report.press("Difference")
    first, second = (make_world(seed).frames[2].astype(int) for seed in (0, 1))
    wanted = np.minimum(255, 2 * np.abs(first - second))
    shown = report.pixels(report.plot("both")).astype(int)
    assert np.abs(shown - enlarged(wanted)).max() <= 2


def test_clips_of_two_lengths_and_sizes_share_their_first_frames(open_report: Open) -> None:
    clips = (shortened(inspected(make_world()), 4), with_slots(6, 9, 48))
    report = open_report(done_payload(clips))
    report.slide(".si-frame", 99)
    assert report.data("frame") == "3"
    for view in ("Wipe", "Difference", "Side by side"):
        report.press(view)
    for kind in ("matrix", "strip", "timeline"):
        report.click(report.plot(kind, 1), 0.95, 0.5)
        assert int(report.data("frame")) <= 3


def test_single_clip_has_no_second_anything(open_report: Open) -> None:
    report = open_report(done_payload((inspected(make_world(), "Your clip"),)))
    for selector in (".si-views", ".si-sides", '[data-side="1"]:not(button)'):
        assert report.find(f"{selector}:visible").count() == 0
    report.click(report.plot("strip"), 0.1, 0.9)
    assert report.readout().startswith("Slot 3 in frame 0, ")


def test_background_is_no_object_in_view(open_report: Open) -> None:
    presence = np.zeros((NUM_FRAMES, NUM_SLOTS), dtype=bool)
    presence[:, 0] = True
    report = open_report(done_payload((replace(inspected(make_world()), presence=presence),)))
    assert report.readout() == "Frame 0. 0 objects in view."


def test_denoising_slider_shows_an_earlier_guess_and_the_final_clip(open_report: Open) -> None:
    report = open_report(pair_payload(denoising=denoising_steps(2, 5)))
    assert report.find(".si-step-words").inner_text() == "final"
    report.slide(".si-opacity", 0)
    report.slide(".si-step", 1)
    report.page.locator('.si[data-step="5"]').wait_for()
    assert (report.pixels(report.plot("player")) == 100).all()
    assert report.find(".si-step-words").inner_text() == "after step 5"
    report.slide(".si-step", 2)
    report.page.locator('.si[data-step="final"]').wait_for()
    wanted = enlarged(make_world().frames[2])
    np.testing.assert_array_equal(report.pixels(report.plot("player")), wanted)


def test_playing_reads_nothing_aloud_and_pausing_says_the_frame(report: Opened) -> None:
    said = report.readout()
    report.press("Play")
    report.page.locator('.si:not([data-frame="2"])').wait_for()
    assert report.readout() == said
    report.press("Pause")
    assert report.readout().startswith(f"Frame {report.data('frame')}. ")


@pytest.mark.parametrize(
    ("interval", "word"),
    [((-0.004, -0.001), "B better"), ((0.001, 0.004), "A better"), ((-0.1, 0.1), "no clear")],
)
def test_only_a_spread_beside_zero_names_a_better_one(
    open_report: Open, interval: tuple[float, float], word: str
) -> None:
    report = open_report(pair_payload(metrics=(metric(*interval),)))
    assert word in report.find(".si-outcome").inner_text()


def test_spread_is_told_in_words(report: Opened) -> None:
    assert report.find(".si-spread").inner_text() == (
        "B lower on 180 of 256 prompts; 95 % interval of the difference "
        "\N{MINUS SIGN}0.004 to \N{MINUS SIGN}0.001."
    )


@pytest.mark.parametrize("changes", [{"spread": None}, {"better": "context"}])
def test_without_spread_or_direction_nothing_is_better(
    open_report: Open, changes: dict[str, object]
) -> None:
    report = open_report(pair_payload(metrics=(metric(-0.004, -0.001, **changes),)))
    assert report.find(".si-outcome").count() == 0


def test_repaint_takes_less_than_20_ms_at_32_frames_of_8_slots(open_report: Open) -> None:
    report = open_report(done_payload((with_slots(8, 32, 64), with_slots(8, 32, 64, 1))))
    times: list[float] = []
    for frame in range(32):
        report.slide(".si-frame", frame)
        times.append(float(report.data("paint-ms")))
    assert float(np.percentile(times, 25)) < 20  # the slow ones waited for another process


def test_empty_value_shows_its_message(open_report: Open) -> None:
    payload = Payload(phase="empty", message="No stored runs. Press Generate.")
    report = open_report(payload, phase="empty")
    assert report.find(".si-empty").inner_text() == "No stored runs. Press Generate."
    assert report.find(".si-body:visible").count() == 0


def test_slots_beyond_seven_have_stripes(open_report: Open) -> None:
    report = open_report(done_payload((with_slots(9, 3, 32),)))
    assert report.find(".si-chip.si-lapped").count() == 1
    assert report.find(".si-chip").count() == 9 > NUM_SLOTS


def test_notebook_cell_shows_the_inspector(browser: "Browser") -> None:
    page = browser.new_page()
    page.set_content(Report(pair_payload())._repr_html_())
    frame = page.frame_locator("iframe")
    frame.locator('.si[data-phase="done"]').wait_for()
    frame.locator(".si-next").click()
    frame.locator('.si[data-frame="3"]').wait_for()
    page.close()
