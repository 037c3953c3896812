"""Every file in which a comparison can be taken away: fetched by the button, then opened."""

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import av
import numpy as np
from PIL import Image
from playwright.sync_api import Page

from benchmarks.drive.drive import Drive
from tests.browser.conftest import download, shown
from visualize.screen import texts


def take_away(drive: Drive, page: Page) -> None:
    """Fetch every kind of file and open it.

    Args:
        drive: So far; the files stay in the folder ``files`` of its output.
        page: With a comparison.
    """
    folder = drive.output / "files"
    folder.mkdir(exist_ok=True)
    for label, kind in texts.EXPORTS.items():
        with drive.step(f"take away: {label}"):
            path = download(page, kind, folder)
            print(f"{'':17}{path.name}, {path.stat().st_size / 1000:,.0f} kB: {OPENED[kind](path)}")
    with drive.step("open the report from the disk"):
        other = drive.browser.new_context(offline=True).new_page()
        drive.faults["report from the disk"] = found = []
        other.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
        other.goto((folder / "report.html").as_uri())
        opened = shown(other, "body")
        opened.slide(".si-frame", 2)
        opened.click(opened.plot("matrix"), 0.62, 0.4)
        drive.shoot(other, "report-from-disk", is_whole=True)
        other.context.close()


def _film(path: Path) -> str:
    with av.open(str(path)) as container:
        codec = container.streams.video[0].codec_context
        count = sum(1 for _ in container.decode(video=0))
        return f"{count} frames of {codec.width} x {codec.height}, {codec.name}"


def _picture(path: Path) -> str:
    with Image.open(path) as picture:
        return f"{getattr(picture, 'n_frames', 1)} frames of {picture.width} x {picture.height}"


def _pdf(path: Path) -> str:
    data = path.read_bytes()
    if not data.startswith(b"%PDF-"):
        raise ValueError("this is no PDF")
    return f"{data.count(b'/Type /Page ') + data.count(b'/Type /Page' + bytes([10]))} pages"


def _arrays(path: Path) -> str:
    with np.load(path, allow_pickle=False) as arrays:
        return ", ".join(f"{name} {arrays[name].shape}" for name in arrays.files[:4]) + " ..."


def _table(path: Path) -> str:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return f"{len(rows)} rows of {', '.join(rows[0])}"


def _json(path: Path) -> str:
    return ", ".join(json.loads(path.read_text(encoding="utf-8")))


def _page(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    return f"{text.count('<script')} scripts, {text.count(' src=')} other files"


OPENED: Mapping[str, Callable[[Path], str]] = {
    "report": _page,
    **dict.fromkeys(("side-by-side", "mp4-a", "mp4-b"), _film),
    **dict.fromkeys(("gif", "webp", "png"), _picture),
    "pdf": _pdf,
    "npz": _arrays,
    "csv": _table,
    **dict.fromkeys(("json", "run"), _json),
}
