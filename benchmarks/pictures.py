"""Make the pictures of the README: the page, and a pair of clips with their slots."""

import argparse
import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from benchmarks.browser import PROGRAM, open_browser
from benchmarks.running_app import free_port, running_app
from olvdm.serving.stored_runs import list_stored_runs, load_stored_run
from olvdm.video import write_webp
from visualize.comparison import arrange_clips
from visualize.overlay import overlay_masks

ROOT = Path(__file__).resolve().parents[1]
PAGE_SIZE = (1280, 1500)  # pixels
FRAME_MILLISECONDS = 250
FILM_QUALITY = 70


def main() -> None:
    """Write page.png, inspector.webp and pair.webp."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "docs")
    parser.add_argument("--browser", default=PROGRAM, help="program of the browser")
    options = parser.parse_args()
    options.output.mkdir(exist_ok=True)
    show_pair(options.output / "pair.webp")
    port = free_port()
    with (
        running_app([sys.executable, "app.py", "--port", str(port)], ROOT, {}, port) as app,
        open_browser(options.browser) as browser,
    ):
        width, height = PAGE_SIZE
        page = browser.new_page(viewport={"width": width, "height": height})
        photograph(page, app.url, options.output / "page.png")
        film_inspector(page, options.output / "inspector.webp")


def photograph(page: Page, url: str, path: Path) -> None:
    """Draw one comparison and photograph the page.

    Args:
        page: Of a browser.
        url: Of the app.
        path: The picture.
    """
    page.goto(url)
    page.get_by_role("button", name="Generate both").click()
    page.get_by_text("Done in").wait_for(timeout=120_000)
    page.wait_for_timeout(1_500)  # the players show their first frames
    page.screenshot(path=path)


def film_inspector(page: Page, path: Path) -> None:
    """Film the players, the film strip and the correlation while the frame moves on.

    Args:
        page: Which shows a comparison.
        path: The film.
    """
    slider = page.locator("#compare-inspector .si-frame")
    top = page.locator("#compare-inspector .si-head").bounding_box()
    bottom = page.locator("#compare-inspector .si-matrices").bounding_box()
    assert top is not None
    assert bottom is not None
    clip = {"x": top["x"], "y": top["y"], "width": top["width"]}
    clip["height"] = bottom["y"] + bottom["height"] - top["y"]
    pictures: list[Image.Image] = []
    for frame in range(int(slider.get_attribute("max") or 0) + 1):
        slider.fill(str(frame))
        shot = page.screenshot(clip=clip, full_page=True)  # pyright: ignore[reportArgumentType]
        pictures.append(Image.open(io.BytesIO(shot)).convert("RGB"))
    pictures[0].save(
        path,
        save_all=True,
        append_images=pictures[1:],
        duration=FRAME_MILLISECONDS,
        loop=0,
        quality=FILM_QUALITY,
        method=6,
    )


def show_pair(path: Path) -> None:
    """Film the first stored comparison: both clips, each with its slots beside it.

    Args:
        path: The film.
    """
    folder = ROOT / "checkpoints" / "examples"
    run = load_stored_run(folder / next(iter(list_stored_runs(folder))))
    rows = [
        [
            clip["frames"],
            overlay_masks(clip["frames"], clip["alpha_masks"], background=clip["background"]),
        ]
        for clip in run.clips.values()
    ]
    names = [name.upper() for name in run.clips]
    film = arrange_clips(rows, ("clip", "slots"), names, scale=3)
    write_webp(film, path)


if __name__ == "__main__":
    main()
