"""The other tabs: clips from elsewhere, the explanation with its captions, runs and code."""

from playwright.sync_api import Page

from benchmarks.drive.compare_tab import show
from benchmarks.drive.drive import Drive
from olvdm.data.moving_shapes import MovingShapes
from tests.browser.conftest import COMPARED, INSPECTED, another_run, open_tab, set_slider, shown
from tests.browser.inspector.opened import Opened
from tests.clip_files import make_video
from visualize.screen import texts

MANY_SLOTS = 11
FEW_SLOTS, FEW_FRAMES = 4, 8
ADAPT_STEPS = 10


def inspect_uploads(drive: Drive, page: Page) -> None:
    """Take uploads apart: none, a bad one, a good one, two of them.

    Args:
        drive: So far.
        page: With a comparison on its first tab.
    """
    with drive.step("open the second tab and press its button with nothing chosen"):
        open_tab(page, texts.TAB_INSPECT)
        page.locator("#inspect").click()
        page.locator("#inspect-status").get_by_text(texts.FIRST_A_CLIP).wait_for()
        drive.shoot(page, "inspect-nothing-chosen")
    with drive.step("upload a file that is no video"):
        _choose(page, "#upload", "notes.mp4", b"not a video")
        page.get_by_text("This is not a readable").wait_for()
        drive.shoot(page, "bad-upload")
        page.reload()
        shown(page)
        open_tab(page, texts.TAB_INSPECT)
    with drive.step("upload a clip and find its objects"):
        _choose(page, "#upload", "${alert(1)}<img src=x>.mp4", _video(1))
        page.get_by_text(texts.CLIP_READ).wait_for()
        drive.shoot(page, "upload-read")
        page.locator("#inspect").click()
        shown(page, INSPECTED)
        drive.shoot(page, "upload-inspected", is_whole=True)
    with drive.step("upload a second clip, shorter, and compare both"):
        _choose(page, "#upload-b", "second.mp4", _video(4, 10))
        page.get_by_text(texts.SECOND_READ).wait_for()
        _look(page, "#inspect")
        drive.shoot(page, "two-uploads", is_whole=True)


def inspect_samples(drive: Drive, page: Page) -> None:
    """Take apart what is there without an upload: samples, and the clips of the first tab.

    Args:
        drive: So far.
        page: On its second tab.
    """
    opened = Opened(page, INSPECTED)
    with drive.step("look for more objects than there are"):
        set_slider(page, "slots", MANY_SLOTS)
        _look(page, "#test-shapes")
        show(drive, opened, "empty-slots", ".si-matrices")
    with drive.step("fit the slots to a clip"):
        set_slider(page, "slots", FEW_SLOTS)
        set_slider(page, "frames", FEW_FRAMES)
        set_slider(page, "adapt", ADAPT_STEPS)
        page.locator("#test-textures").click()
        page.get_by_text("Fitting the slots").wait_for()
        drive.shoot(page, "adapting")
        page.wait_for_function("!document.querySelector('#inspect').disabled")
        set_slider(page, "adapt", 0)
    with drive.step("inspect a real clip"):
        _look(page, "#test-earth")
        drive.shoot(page, "real-clip", is_whole=True)
    with drive.step("inspect both clips of the first tab"):
        _look(page, "#take")
        show(drive, opened, "both-clips-of-compare", ".si-players")


def read_explanation(drive: Drive, page: Page) -> None:
    """Read how it works, and follow each caption to what it describes.

    Args:
        drive: So far.
        page: With a comparison on its first tab.
    """
    with drive.step("read how it works"):
        open_tab(page, texts.TAB_HOW)
        page.locator(".katex-display").first.wait_for()
        drive.shoot(page, "how-it-works", is_whole=True)
    for place in range(5):
        with drive.step(f"follow caption {place + 1}"):
            open_tab(page, texts.TAB_HOW)
            page.locator(".looks [data-go]").nth(place).click()
            page.locator(COMPARED).wait_for()
            page.wait_for_timeout(400)  # the page scrolls there
            drive.shoot(page, f"caption-{place + 1}")


def use_runs(drive: Drive, page: Page) -> None:
    """See the runs of this visit and the code, and put two clips beside each other.

    Args:
        drive: So far.
        page: On which runs were drawn.
    """
    with drive.step("see the runs and the code for them"):
        open_tab(page, texts.TAB_RUNS)
        page.locator("#code-python").get_by_text("gradio_client").first.wait_for()
        drive.shoot(page, "runs-and-api", is_whole=True)
    with drive.step("put any two clips beside each other"):
        before = Opened(page, COMPARED).data("run")
        for side, place in (("a", 0), ("b", 1)):
            page.locator(f"#pair-{side} input").click()
            page.get_by_role("option").nth(place).click()
        page.locator("#pair").click()
        page.locator(COMPARED).wait_for()
        another_run(page, before)
        drive.shoot(page, "pair-of-two-runs")


def _look(page: Page, button: str) -> None:
    """Press a button, and wait until what follows from it is shown."""
    before = Opened(page, INSPECTED).data("run")
    page.locator(button).click()
    another_run(page, before, INSPECTED, "#inspect")


def _choose(page: Page, field: str, name: str, data: bytes) -> None:
    """Give a file to one of the two fields."""
    file = {"name": name, "mimeType": "video/mp4", "buffer": data}
    page.locator(f"{field} input[type=file]").set_input_files(file)  # pyright: ignore[reportArgumentType]


def _video(place: int, num_frames: int = 16) -> bytes:
    """Return a clip of moving shapes as a file."""
    return make_video(frames=MovingShapes(level="simple", split="test")[place].frames[:num_frames])
