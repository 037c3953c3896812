"""Other visitors: with a link, in the dark, on a phone, without a mouse, with a broken browser."""

from playwright.sync_api import Page

from benchmarks.drive.compare_tab import show
from benchmarks.drive.drive import Drive
from tests.browser.conftest import COMPARED, open_tab, shown
from tests.browser.inspector.opened import Opened
from visualize.screen import texts

TABS = (texts.TAB_COMPARE, texts.TAB_INSPECT, texts.TAB_HOW, texts.TAB_RUNS)
PHONE = {"width": 390, "height": 844}
PARTS = (".si-players", ".si-verdict", ".si-pairs", ".si-matrices", ".si-two", ".si-grid")
MOST_TABS = 80
NO_PAINTING = "CanvasRenderingContext2D.prototype.putImageData = () => { throw new Error('no'); };"


def follow_link(drive: Drive, page: Page) -> None:
    """Open the address of a page in another context.

    Args:
        drive: So far.
        page: With a comparison, on its first tab.
    """
    opened = Opened(page, COMPARED)
    with drive.step("share a link, and open it elsewhere"):
        opened.click(opened.plot("matrix", 1), 0.3, 0.7)
        opened.slide(".si-frame", 6)
        page.wait_for_function("/t=6/.test(location.search) && /cell=/.test(location.search)")
        page.get_by_role("button", name=texts.SHARE).click()
        other = drive.open("link", page.url.removeprefix(drive.url))
        other.wait_for_function(
            f"run => document.querySelector('{COMPARED} .si')?.dataset.run === run",
            arg=opened.data("run"),
        )
        found = Opened(other, COMPARED)
        same = all(found.data(name) == opened.data(name) for name in ("frame", "cell"))
        print(f"{'':17}the same frame and cell: {'yes' if same else 'NO'}")
        show(drive, found, "link-opened-elsewhere", ".si-matrices")
        other.context.close()
    with drive.step("open a link to a run that is gone"):
        other = drive.open("lost link", f"/?run={'f' * 16}&t=3&prompt=a+blue+square&seed=7&steps=5")
        other.get_by_text(texts.NO_SUCH_RUN).wait_for()
        drive.shoot(other, "link-to-lost-run")
        other.context.close()


def look_in_the_dark(drive: Drive) -> None:
    """See every tab in dark mode."""
    with drive.step("see every tab in the dark"):
        page = drive.open("dark")
        opened = shown(page)
        page.get_by_role("button", name="Switch between light and dark").click()
        opened.click(opened.plot("matrix"), 0.62, 0.4)
        page.evaluate("scrollTo(0, 0)")
        _shoot_tabs(drive, page, "dark")
        page.context.close()


def use_phone(drive: Drive) -> None:
    """See every tab on a phone, and the parts of the inspector one by one."""
    with drive.step("see every tab on a phone"):
        page = drive.open("phone", viewport=PHONE, has_touch=True, is_mobile=True)
        opened = shown(page)
        drive.shoot(page, "phone-first-screen")
        for part in PARTS:
            show(drive, opened, f"phone{part.replace('.si', '')}", part)
        page.evaluate("scrollTo(0, 0)")
        _shoot_tabs(drive, page, "phone")
        page.context.close()


def use_keyboard(drive: Drive) -> None:
    """Go by the keyboard alone from the start of the page to a held cell."""
    with drive.step("hold a cell by the keyboard alone"):
        page = drive.open("keyboard")
        opened = shown(page)
        _tab_to(page, f"{COMPARED} .si")
        drive.shoot(page, "keyboard-focus")
        for key in ("End", "s", "w", "w", "w", "a"):
            page.keyboard.press(key)
        _tab_to(page, f"{COMPARED} [data-plot=matrix]")
        for key in ("ArrowDown", "ArrowDown", *["ArrowRight"] * 5, "Enter"):
            page.keyboard.press(key)
        page.wait_for_function(f"document.querySelector('{COMPARED} .si').dataset.cell !== ''")
        show(drive, opened, "keyboard-cell-held", ".si-matrices")
        page.context.close()


def use_broken_browser(drive: Drive) -> None:
    """See what is said where the browser cannot draw; its own error is wanted."""
    with drive.step("see what a browser says that cannot draw"):
        page = drive.open("broken browser", "/config")
        page.add_init_script(NO_PAINTING)
        page.goto(drive.url)
        page.locator(f"{COMPARED} .si[data-phase=failed]").wait_for()
        drive.shoot(page, "view-cannot-be-drawn")
        page.context.close()


def _shoot_tabs(drive: Drive, page: Page, name: str) -> None:
    for number, tab in enumerate(TABS, start=1):
        open_tab(page, tab)
        page.wait_for_timeout(200)  # the code of the last tab is coloured
        drive.shoot(page, f"{name}-tab-{number}", is_whole=True)


def _tab_to(page: Page, selector: str) -> None:
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise LookupError(f"the Tab key never comes to {selector}")
