"""The same component on a page of Gradio: values come, a pinned cell goes to Python."""

import io
import os
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from tests.browser.inspector.conftest import ARTIFACTS, PATIENCE
from tests.browser.inspector.opened import SLIDE, Opened
from tests.unit.visualize.circles import SIDE, make_world
from tests.unit.visualize.payloads import RUN, inspected, pair_payload, with_slots
from visualize.inspector.component import SlotInspector
from visualize.payload import Payload, done_payload, sheet

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
OTHER = "fedcba9876543210"
GATE = """() => {
  const gate = new Promise(resolve => { window.openGate = resolve; });
  const decode = window.createImageBitmap.bind(window);
  window.createImageBitmap = async image => {
    const isLarge = image.naturalWidth > 500;
    if (isLarge) { window.isWaiting = true; await gate; }
    const bitmap = await decode(image);
    window.isDecoded ||= isLarge;
    return bitmap;
  };
}"""


def other() -> Payload:
    return done_payload((inspected(make_world(2), "Other"),), run_id=OTHER)


def slow() -> Payload:
    """Return a value whose pictures take long to decode."""
    return done_payload((with_slots(8, 16, 256),), run_id="0" * 16)


def running() -> Payload:
    grey = np.full_like(make_world().frames, 60)
    return Payload(phase="running", previews=(sheet(grey), sheet(grey + 40)))


def waiting() -> Payload:
    return Payload(phase="running")


def restore() -> Payload:
    return Payload(phase="restore", message="Nothing yet.")


def more() -> Payload:
    """Return the run that is on the screen, and a note more."""
    return pair_payload().model_copy(
        update={"notes": ("now with its denoising",), "delivery": running().delivery}
    )


def broken() -> dict[str, object]:
    value = pair_payload().as_json()
    return value | {"clips": [{"name": "no clip at all"}]}


def on_cell(event: gr.EventData) -> str:
    cell = event._data
    return f"{cell['run_id']} {cell['t1']}.{cell['k1']}.{cell['t2']}.{cell['k2']} {cell['value']}"


def on_pin(event: gr.EventData) -> str:
    return f"pinned {event._data['run_id']}"


def screen() -> gr.Blocks:
    with gr.Blocks(analytics_enabled=False) as page:
        inspector = SlotInspector(pair_payload(), elem_id="first", can_pin=True)
        SlotInspector(Payload(phase="empty", message="Choose a video."), elem_id="second")
        heard = gr.Textbox(elem_id="heard", label="heard")
        for give in (other, more, slow, running, waiting, restore, broken):
            button = gr.Button(give.__name__, elem_id=give.__name__)
            button.click(give, None, inspector, queue=False, show_progress="hidden")
        inspector.cell(on_cell, None, heard, queue=False)
        inspector.pin(on_pin, None, heard, queue=False)
    return page


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    page = screen()
    page.launch(prevent_thread_lock=True, server_port=port, quiet=True, footer_links=[])
    yield f"http://127.0.0.1:{port}"
    page.close()


@pytest.fixture
def app(browser: "Browser", address: str) -> Iterator[Opened]:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.locator('#first .si[data-phase="done"]').wait_for()
    yield Opened(page, "#first")
    context.close()


def give(app: Opened, name: str, until: str) -> None:
    app.page.locator(f"#{name}").click()
    app.page.locator(f"#first .si{until}").wait_for()


def heard(app: Opened, begin: str) -> str:
    script = "begin => document.querySelector('#heard textarea').value.startsWith(begin)"
    app.page.wait_for_function(script, arg=begin)
    return app.page.locator("#heard textarea").input_value()


def test_new_value_replaces_the_old_one_in_the_same_node(app: Opened) -> None:
    app.root.evaluate("root => { root.known = true; }")
    give(app, "other", f'[data-run="{OTHER}"]')
    assert app.root.evaluate("root => root.known")
    assert app.find(".si-name").first.inner_text() == "Other"


def test_more_of_the_run_on_the_screen_leaves_everybody_where_they_are(app: Opened) -> None:
    app.slide(".si-frame", 4)
    app.click(*app.cell_of("pair", 2, 2, 4))
    frame, cell, delivery = (app.data(name) for name in ("frame", "cell", "delivery"))
    give(app, "more", f'[data-phase="done"]:not([data-delivery="{delivery}"])')
    assert (app.data("frame"), app.data("cell")) == (frame, cell)
    assert "now with its denoising" in (app.find(".si-notes").text_content() or "")


def test_same_value_twice_is_shown_twice(app: Opened) -> None:
    give(app, "other", f'[data-run="{OTHER}"]')
    delivery = app.data("delivery")
    give(app, "other", f'[data-phase="done"]:not([data-delivery="{delivery}"])')


def test_previews_are_painted_over_the_old_result_until_it_is_restored(app: Opened) -> None:
    app.slide(".si-opacity", 0)
    before = app.pixels(app.plot("player"))
    give(app, "running", '[data-phase="running"]:not([data-preview="none"])')
    assert (app.pixels(app.plot("player", 0)) == 60).all()
    assert (app.pixels(app.plot("player", 1)) == 100).all()
    assert float(app.find(".si-verdict").evaluate("e => getComputedStyle(e).opacity")) < 0.5
    give(app, "restore", '[data-phase="done"][data-preview="none"]')
    np.testing.assert_array_equal(app.pixels(app.plot("player")), before)
    assert app.data("run") == RUN


def test_waiting_dims_the_result_and_keeps_it(app: Opened) -> None:
    give(app, "waiting", '[data-phase="running"][data-preview="none"]')
    assert app.find(".si-name").first.inner_text() == "LVDM"


def test_slow_value_does_not_replace_a_newer_one(app: Opened) -> None:
    app.page.evaluate(GATE)
    app.page.locator("#slow").click()
    app.page.wait_for_function("window.isWaiting")
    give(app, "other", f'[data-run="{OTHER}"]')
    app.page.evaluate("window.openGate()")
    app.page.wait_for_function("window.isDecoded")
    app.page.evaluate("new Promise(requestAnimationFrame)")
    assert app.data("run") == OTHER
    assert app.find(".si-name").first.inner_text() == "Other"


def test_pressed_cell_reaches_python(app: Opened) -> None:
    app.slide(".si-frame", 4)
    app.click(*app.cell_of("pair", 2, 2, 4))
    said = heard(app, RUN).split()
    assert said[1] == "3.2.4.2"
    assert float(said[2]) == pytest.approx(make_world().correlation[3, 4, 2, 2], abs=0.004)


def test_run_to_keep_reaches_python(app: Opened) -> None:
    app.press("Pin this run")
    assert heard(app, "pinned") == f"pinned {RUN}"


def test_page_hears_of_the_frame_and_the_cell(app: Opened) -> None:
    app.root.evaluate(
        "root => root.addEventListener('slot-inspector-state', e => { root.heard = e.detail; })"
    )
    app.slide(".si-frame", 4)
    app.page.wait_for_function("document.querySelector('#first .si').heard")
    detail = app.root.evaluate("root => root.heard")
    assert detail == {"run_id": RUN, "frame": 4, "cell": None, "side": 0}


def test_two_inspectors_do_not_know_each_other(app: Opened) -> None:
    assert app.page.locator("#second .si-empty").inner_text() == "Choose a video."
    app.slide(".si-frame", 5)
    assert app.page.locator("#second .si").get_attribute("data-frame") == "0"


def test_value_that_cannot_be_drawn_shows_one_sentence(app: Opened) -> None:
    give(app, "broken", '[data-phase="failed"]')
    assert app.find(".si-empty").inner_text().endswith("Reload the page to try again.")
    assert not app.find(".si-pictures").is_visible()
    give(app, "other", f'[data-run="{OTHER}"][data-phase="done"]')


def test_browser_that_cannot_paint_shows_plain_pictures_and_the_figures(app: Opened) -> None:
    page = app.page.context.new_page()
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto(app.page.url)
    plain = Opened(page, "#first").find(".si-pictures")
    plain.wait_for()
    slider = plain.get_by_role("slider", name="Frame")
    slider.evaluate(SLIDE, "4")
    assert plain.locator("label").inner_text() == "frame 4 / 5"
    for side, box in enumerate(plain.locator(".si-pictures-frame").all()):
        with Image.open(io.BytesIO(box.screenshot())) as picture:
            seen = np.asarray(picture.convert("RGB").resize((SIDE, SIDE)), dtype=float)
        distances = [np.abs(seen - frame).mean() for frame in make_world(side).frames]
        assert np.argmin(distances) == 4
    assert "Flicker of the objects" in plain.inner_text()
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / "test_plain_view.png")


def test_component_says_what_it_takes() -> None:
    with gr.Blocks(analytics_enabled=False):
        assert SlotInspector().api_info()["type"] == "object"
