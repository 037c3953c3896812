"""The first tab: what is there before any click, every view of the inspector, runs of one's own."""

from pathlib import Path

from playwright.sync_api import Page

from benchmarks.drive.drive import Drive, Measure
from olvdm import limits
from tests.browser.conftest import COMPARED, another_run, choose_pinned, pin, set_steps, shown
from tests.browser.inspector.opened import Opened
from visualize.screen import texts

FIRST_PAGE_MS = 3_000
HIGHLIGHT_MS = 50
BOTH_CLIPS_MS = 5_000
REPAINT_MS = 20
MANY_STEPS = 60
FEW_STEPS = 4  # of runs that are only counted
SEED = 4_000  # of runs that nobody has drawn yet
VIEWED = (  # what is pressed, and the part of the inspector that shows it
    ("By frame", "matrix-by-frame", ".si-matrices"),
    ("Matched", "matrix-by-frame-matched", ".si-matrices"),
    ("By slot", "matrix-by-slot-matched", ".si-matrices"),
    ("Raw", "matrix-by-slot", ".si-matrices"),
    ("Contour", "contour", ".si-players"),
    ("Fill", "fill", ".si-players"),
    ("Wipe", "wipe", ".si-players"),
    ("Difference", "difference", ".si-players"),
    ("Side by side", "side-by-side", ".si-players"),
)


def open_first_page(drive: Drive) -> Page:
    """Open the page, and look at what it shows by itself.

    Args:
        drive: In its beginning.

    Returns:
        The page, with the first stored comparison on it.
    """
    page = drive.open("desk", accept_downloads=True)
    with drive.step("see a finished comparison before any click"):
        shown(page)
        drive.time(page, "page to first drawn comparison", "data-phase", "done", FIRST_PAGE_MS)
        drive.shoot(page, "first-page")
        drive.shoot(page, "first-page-whole", is_whole=True)
    with drive.step("see the page while it loads"):
        early = drive.browser.new_context().new_page()
        early.goto(drive.url, wait_until="domcontentloaded")
        drive.shoot(early, "loading")
        early.context.close()
    return page


def take_tour(drive: Drive, page: Page) -> None:
    """Follow the tour from its first step to its last.

    Args:
        drive: So far.
        page: With a comparison.
    """
    with drive.step("take the tour"):
        page.get_by_role("button", name=texts.TOUR, exact=True).click()
        for number, title in enumerate(texts.TOUR_STEPS, start=1):
            page.get_by_role("dialog", name=title).wait_for()
            page.wait_for_timeout(60)  # two frames are painted
            drive.shoot(page, f"tour-{number}")
            page.locator(".tour-next").click()
        page.locator(".tour-card").wait_for(state="hidden")
        page.evaluate("scrollTo(0, 0)")


def look_around(drive: Drive, page: Page) -> None:
    """Use every view of the inspector on a stored comparison.

    Args:
        drive: So far.
        page: With a comparison.
    """
    opened = Opened(page, COMPARED)
    with drive.step("click a cell of the heatmap"):
        opened.click(opened.plot("matrix"), 0.62, 0.4)
        drive.time(page, "click on a heatmap cell to highlight", "data-cell", None, HIGHLIGHT_MS)
        show(drive, opened, "cell-clicked", ".si-matrices")
        show(drive, opened, "pair-view", ".si-two")
    for name, picture, part in VIEWED:
        with drive.step(f"press {name}"):
            opened.press(name)
            show(drive, opened, picture, part)
    with drive.step("see one slot alone"):
        opened.key("s")
        show(drive, opened, "solo", ".si-players")
        opened.key("a")
        opened.key("Escape")
    with drive.step("read the keys, the table and the notes"):
        opened.press("Help with the keys")
        show(drive, opened, "keys", ".si-help")
        opened.key("Escape")
        for part in (".si-tables", ".si-facts"):
            opened.find(f"{part} summary").click()
            show(drive, opened, part.removeprefix(".si-"), part)
    with drive.step("choose another stored comparison"):
        before = opened.data("run")
        page.locator("#stored label").last.click()
        another_run(page, before)
        drive.shoot(page, "stored-failure-case", is_whole=True)


def generate(drive: Drive, page: Page) -> None:
    """Ask for runs: one is refused, one watched and cancelled, one drawn, one found again.

    Args:
        drive: So far.
        page: With a comparison.
    """
    _start_and_stop(drive, page)
    opened = Opened(page, COMPARED)
    with drive.step("draw a comparison"):
        set_steps(page, limits.DEFAULT_STEPS)
        before = opened.data("run")
        page.locator("#generate").click()
        drive.time(page, "click to both clips", "data-phase", "done", BOTH_CLIPS_MS)
        run = another_run(page, before)
        drive.shoot(page, "finished", is_whole=True)
        _note_repaint(drive, opened)
    with drive.step("see when the objects appear"):
        opened.find(".si-denoising").wait_for()
        last = int(opened.find(".si-step").get_attribute("max") or 0)
        for step in (0, last // 2):
            opened.slide(".si-step", step)
            opened.page.wait_for_timeout(300)  # its pictures are decoded
            show(drive, opened, f"denoising-{step + 1}-of-{last}", ".si-players")
        opened.slide(".si-step", last)
    with drive.step("ask for the same again"):
        page.locator("#stored label").first.click()
        another_run(page, run)
        page.locator("#generate").click()
        page.get_by_text(texts.FOUND).wait_for()
        drive.shoot(page, "found-again")


def _start_and_stop(drive: Drive, page: Page) -> None:
    """Ask for nothing, then for a long run, and cancel it."""
    with drive.step("open the settings"):
        page.evaluate("scrollTo(0, 0)")
        set_steps(page, MANY_STEPS)
        drive.shoot(page, "settings")
    with drive.step("ask for nothing"):
        page.locator("#prompt textarea").fill("  ")
        page.locator("#generate").click()
        page.locator("#compare-status").get_by_text("Describe the clip").wait_for()
        drive.shoot(page, "blank-prompt-refused")
        page.wait_for_function("!document.querySelector('#generate').disabled")
        page.locator("#prompt textarea").fill(texts.PROMPT_HINT)
    with drive.step("watch a run on its way, and cancel it"):
        page.locator("#seed input").fill(str(SEED))
        page.locator("#generate").click()
        page.locator(f"{COMPARED} .si[data-phase=running]:not([data-preview=none])").wait_for()
        drive.shoot(page, "running-with-previews", is_whole=True)
        page.locator("#cancel").click()
        page.get_by_text(texts.CANCELLED, exact=True).wait_for()
        shown(page)
        drive.shoot(page, "cancelled")


def measure_growth(drive: Drive, page: Page, temp: Path, num_generations: int) -> None:
    """Draw more runs, and weigh the temporary files before and after.

    Args:
        drive: So far.
        page: With a comparison.
        temp: Folder of the app's temporary files, its run store elsewhere.
        num_generations: How many runs.
    """
    opened = Opened(page, COMPARED)
    set_steps(page, FEW_STEPS)
    with drive.step(f"draw {num_generations} more and weigh the temporary files"):
        before = weigh(temp)
        for number in range(num_generations):
            run = opened.data("run")
            page.locator("#seed input").fill(str(SEED + 1 + number))
            page.locator("#generate").click()
            another_run(page, run)
        after = weigh(temp)
        name = f"temporary files gained by {num_generations} generations"
        drive.measures.append(Measure(name, after[0] - before[0], "files", 0))
        drive.measures.append(Measure(name, (after[1] - before[1]) / 1000, "kB", 0))


def pin_runs(drive: Drive, page: Page) -> None:
    """Pin two runs, and put a clip of each beside the other.

    Args:
        drive: So far.
        page: With a comparison, none pinned yet.
    """
    opened = Opened(page, COMPARED)
    with drive.step("pin two runs, and choose a clip of each"):
        page.locator("#stored label").first.click()
        run = another_run(page, opened.data("run"))
        pin(page, 1)
        page.locator("#stored label").last.click()
        run = another_run(page, run)
        pin(page, 2)
        choose_pinned(page, texts.OURS, 1, "A")
        another_run(page, run)
        drive.shoot(page, "two-pinned-runs-side-by-side", is_whole=True)


def weigh(folder: Path) -> tuple[int, int]:
    """Return the number of files below a folder, and their bytes."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)


def show(drive: Drive, opened: Opened, name: str, part: str) -> None:
    """Scroll to a part of the inspector, and photograph the screen.

    Args:
        drive: So far.
        opened: The inspector.
        name: Of the picture.
        part: Selects what shall be seen.
    """
    opened.find(part).first.evaluate("part => part.scrollIntoView({ block: 'center' })")
    opened.page.wait_for_timeout(60)  # two frames are painted
    drive.shoot(opened.page, name)


def _note_repaint(drive: Drive, opened: Opened) -> None:
    """Move through the clip, and keep the slowest repaint."""
    times: list[float] = []
    for frame in range(int(opened.find(".si-frame").get_attribute("max") or 0) + 1):
        opened.slide(".si-frame", frame)
        times.append(float(opened.data("paint-ms")))
    drive.measures.append(Measure("slowest repaint of all views", max(times), "ms", REPAINT_MS))
