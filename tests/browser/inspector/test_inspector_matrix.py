"""The matrices, the timeline and the table say what the arrays say."""

import re

import numpy as np
import pytest

from tests.browser.inspector.conftest import Open
from tests.browser.inspector.opened import Opened
from tests.unit.visualize.circles import NUM_FRAMES, NUM_SLOTS, SWAP_FRAME, make_world
from tests.unit.visualize.payloads import inspected, pair_payload, with_slots
from visualize.heatmap import Order, correlation_codes, correlation_colours, ordered_correlation
from visualize.payload import Start, done_payload
from visualize.timeline import identity_switches

pytestmark = pytest.mark.browser
ROWS = NUM_FRAMES * NUM_SLOTS
CHANGED = (SWAP_FRAME - 1, 1, SWAP_FRAME, 2)  # the same object, in another slot


def expected(order: Order, matching: str, side: int = 0) -> np.ndarray:
    world = make_world(side)
    assignment = world.assignment if matching == "matched" else None
    return ordered_correlation(
        world.correlation, order=order, assignment=assignment, presence=world.presence
    )


def centres(pixels: np.ndarray, rows: int) -> np.ndarray:
    """Return the colour in the middle of every cell."""
    cell = len(pixels) // rows
    return pixels[cell // 2 :: cell, cell // 2 :: cell]


def hold(report: Opened, cell: tuple[int, int, int, int]) -> None:
    """Press a cell of the large matrix in the order by slot."""
    (t1, k1), (t2, k2) = cell[:2], cell[2:]
    place = report.cell_of("matrix", k1 * NUM_FRAMES + t1, k2 * NUM_FRAMES + t2, ROWS)
    report.click(*place)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("matching", ["Raw", "Matched"])
@pytest.mark.parametrize(("order", "name"), [("frame", "By frame"), ("slot", "By slot")])
def test_matrix_has_the_colours_of_the_arrays(
    report: Opened, order: Order, name: str, matching: str, side: int
) -> None:
    report.press(name)
    report.press(matching)
    wanted = expected(order, matching.lower(), side)
    shown = centres(report.pixels(report.plot("matrix", side)), ROWS)
    colours = correlation_colours()[correlation_codes(wanted)]
    defined = ~np.isnan(wanted)
    np.testing.assert_array_equal(shown[defined], colours[defined])


def test_cells_without_a_value_are_hatched(report: Opened) -> None:
    undefined = np.isnan(expected("slot", "raw"))
    row, column = np.argwhere(undefined)[0]
    pixels = report.pixels(report.plot("matrix"))
    cell = len(pixels) // ROWS
    inside = pixels[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell]
    assert len(np.unique(inside.reshape(-1, 3), axis=0)) > 2


def test_pressing_a_cell_says_what_it_means(report: Opened) -> None:
    hold(report, CHANGED)
    world = make_world()
    value = world.correlation[CHANGED[0], CHANGED[2], CHANGED[1], CHANGED[3]]
    said = re.fullmatch(r"A: (.*): r = (\d\.\d\d)\. (.*)", report.readout())
    assert said is not None
    assert said[1] == f"Slot 1 in frame {CHANGED[0]} and slot 2 in frame {CHANGED[2]}"
    assert float(said[2]) == pytest.approx(value, abs=0.01)
    assert said[3] == "The identity changed."


def test_pressing_a_cell_jumps_to_its_second_frame(report: Opened) -> None:
    hold(report, CHANGED)
    assert report.data("frame") == str(CHANGED[2])
    assert report.data("cell") == ".".join(map(str, CHANGED))


def test_held_cell_is_outlined_in_its_two_frames(report: Opened) -> None:
    hold(report, CHANGED)
    words = report.find(".si-two button").all_inner_texts()
    assert words == [f"frame {CHANGED[0]}, slot 1", f"frame {CHANGED[2]}, slot 2"]
    assert "Moved by" in report.find(".si-pair-facts").inner_text()


def test_hovering_previews_and_leaving_restores_the_held_cell(report: Opened) -> None:
    hold(report, CHANGED)
    held = report.find(".si-pair-sentence").inner_text()
    place = report.cell_of("matrix", 0, 0, ROWS)
    report.hover(*place)
    assert "Background in frame 0" in report.find(".si-hovered").inner_text()
    assert report.find(".si-pair-sentence").inner_text() != held
    report.page.mouse.move(2, 2)
    assert report.find(".si-hovered:visible").count() == 0
    assert report.find(".si-pair-sentence").inner_text() == held
    assert report.readout() == held


def test_escape_lets_go(report: Opened) -> None:
    hold(report, CHANGED)
    report.key("Escape")
    assert report.data("cell") == ""
    assert report.find(".si-mark-lock").count() == 0


def test_empty_slot_is_called_undefined(report: Opened) -> None:
    hold(report, (2, 3, 4, 3))
    assert report.readout().endswith("undefined, slot 3 is empty in frame 2.")


def test_small_matrix_holds_the_pair_of_frames_on_screen(report: Opened) -> None:
    report.slide(".si-frame", 4)
    report.click(*report.cell_of("pair", 2, 2, NUM_SLOTS))
    assert report.data("cell") == "3.2.4.2"


def test_matched_rows_are_objects(report: Opened) -> None:
    report.press("Matched")
    hold(report, (SWAP_FRAME - 1, 1, SWAP_FRAME, 1))
    assert report.data("cell") == ".".join(map(str, CHANGED))


def test_cells_too_small_to_aim_at_choose_two_frames(open_report: Open) -> None:
    report = open_report(done_payload((with_slots(8, 32, 32),)))
    report.press("By frame")
    report.click(*report.cell_of("matrix", 5 * 8 + 4, 9 * 8 + 4, 256))
    assert report.data("cell") == ""
    assert report.find(".si-pair-words").inner_text() == "Frames 5 (rows), 9 (columns)"
    report.click(*report.cell_of("pair", 1, 2, 8))
    assert report.data("cell") == "5.1.9.2"


def test_report_opens_with_the_cell_it_was_told(open_report: Open) -> None:
    report = open_report(pair_payload(start=Start(frame=SWAP_FRAME, cell=CHANGED)))
    assert report.data("cell") == ".".join(map(str, CHANGED))
    assert report.readout().endswith("The identity changed.")


@pytest.mark.parametrize("matching", ["Raw", "Matched"])
def test_table_has_the_values_of_the_small_matrix(report: Opened, matching: str) -> None:
    report.press(matching)
    report.slide(".si-frame", SWAP_FRAME)
    report.find(".si-tables summary").click()
    matrix = expected("frame", matching.lower())
    block = [SWAP_FRAME - 1, SWAP_FRAME]
    values = matrix[block[0] * NUM_SLOTS :][:NUM_SLOTS, block[1] * NUM_SLOTS :][:, :NUM_SLOTS]
    cells = report.find(".si-table td")
    cells.first.wait_for()  # the table is written once it is opened
    shown = [
        float("nan" if text == "undefined" else text.replace("\N{MINUS SIGN}", "-"))
        for text in cells.all_inner_texts()
    ]
    np.testing.assert_allclose(np.reshape(shown, values.shape), values, atol=0.01)


def test_pressing_a_cell_of_the_table_holds_it(report: Opened) -> None:
    report.find(".si-tables summary").click()
    report.find(".si-table td").nth(1).click()
    assert report.data("cell") == "1.0.2.1"


@pytest.mark.parametrize("view", ["identity", "flicker", "area"])
def test_table_over_time_has_a_row_a_frame(report: Opened, view: str) -> None:
    report.find(".si-tables summary").click()
    report.find(".si-table-view").select_option(view)
    rows = report.find(".si-table tbody tr")
    rows.first.wait_for()
    assert rows.count() == NUM_FRAMES
    assert report.find(".si-table tr.si-now th").inner_text() == "2"


def test_switches_have_a_mark_each(report: Opened) -> None:
    wanted = int(identity_switches(make_world().assignment).sum())
    marks = report.plot("timeline").locator(".si-switch")
    assert marks.count() == wanted
    assert sorted(marks.all_inner_texts()) == ["1", "2"]


def test_pressing_a_switch_holds_the_step_over_it(report: Opened) -> None:
    report.click(report.plot("timeline"), (SWAP_FRAME + 0.5) / NUM_FRAMES, (1 + 0.5) / NUM_SLOTS)
    assert report.data("cell") == ".".join(map(str, CHANGED))


def test_curves_have_gaps_where_nothing_is_defined(open_report: Open) -> None:
    flicker = make_world().flicker
    flicker[2, -1] = np.nan
    report = open_report(done_payload((inspected(make_world(), flicker=flicker),)))
    path = report.find('[data-curve="flicker"] .si-curve[data-side="0"]').last
    assert (path.get_attribute("d") or "").count("M") == 2


def test_pressing_a_curve_jumps(report: Opened) -> None:
    report.click(report.find('[data-curve="motion"]'), 4.5 / NUM_FRAMES, 0.5)
    assert report.data("frame") == "4"


def test_hidden_slots_have_no_curve(report: Opened) -> None:
    curves = report.find('[data-curve="flicker"] .si-curve')
    before = curves.count()
    report.chip("slot 1").click()
    assert curves.count() == before - 2


def test_link_puts_the_inspector_into_its_state(report: Opened) -> None:
    detail = {"frame": 4, "cell": [2, 1, 3, 2], "order": "frame", "view": "wipe"}
    report.root.evaluate(
        "(root, detail) => root.dispatchEvent(new CustomEvent('slot-inspector-go', { detail }))",
        detail,
    )
    assert (report.data("frame"), report.data("cell")) == ("4", "2.1.3.2")
    for name in ("By frame", "Wipe"):
        button = report.root.get_by_role("button", name=name, exact=True)
        assert button.get_attribute("aria-pressed") == "true"


def test_slot_that_is_always_empty_is_never_shown_alone(open_report: Open) -> None:
    world = make_world()
    presence = world.presence & (np.arange(NUM_SLOTS) != 1)
    report = open_report(done_payload([inspected(world, presence=presence)]))
    report.root.evaluate(
        "root => root.dispatchEvent(new CustomEvent('slot-inspector-go', { detail: { slot: 0 } }))"
    )
    assert report.chip("slot 2").get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("cell", [[0, 0, 99, 0], ["<img>", 0, 0, 0], [0, 0], "0,0,0,0", None])
def test_link_to_no_cell_holds_none(report: Opened, cell: object) -> None:
    report.root.evaluate(
        "(root, cell) => root.dispatchEvent("
        "new CustomEvent('slot-inspector-go', { detail: { cell, frame: '<img>', slot: 99 } }))",
        cell,
    )
    assert report.data("cell") == ""
    assert report.data("phase") == "done"
