"""What a person does with an opened inspector, and what they see in it."""

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

PIXELS = """canvas => {
  const { width, height } = canvas;
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  let text = '';
  for (let at = 0; at < data.length; at += 8192) {
    text += String.fromCharCode(...data.subarray(at, at + 8192));
  }
  return [width, height, btoa(text)];
}"""
SLIDE = """(slider, value) => {
  slider.value = value;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
}"""


@dataclass(frozen=True)
class Opened:
    """An inspector in a page."""

    page: "Page"
    host: str = "body"

    @property
    def root(self) -> "Locator":
        return self.page.locator(f"{self.host} .si")

    def find(self, selector: str) -> "Locator":
        return self.root.locator(selector)

    def data(self, name: str) -> str:
        return self.root.get_attribute(f"data-{name}") or ""

    def plot(self, kind: str, side: int = 0) -> "Locator":
        return self.find(f'.si-plot[data-plot="{kind}"][data-side="{side}"]')

    def chip(self, label: str) -> "Locator":
        """Return the button of a slot of clip A, whatever it is called in clip B."""
        return self.find(f'.si-chip[title="{label}"], .si-chip[title^="A {label},"]')

    def slide(self, selector: str, value: int) -> None:
        self.find(selector).evaluate(SLIDE, str(value))

    def press(self, name: str) -> None:
        self.root.get_by_role("button", name=name, exact=True).click()

    def key(self, name: str) -> None:
        self.root.press(name)

    def readout(self) -> str:
        return self.find(".si-readout").inner_text()

    def pixels(self, plot: "Locator") -> np.ndarray:
        """Return what a canvas shows, ``h w 3``."""
        width, height, text = plot.locator("canvas").evaluate(PIXELS)
        flat = np.frombuffer(base64.b64decode(text), dtype=np.uint8)
        return flat.reshape(height, width, 4)[..., :3].copy()

    def at(self, plot: "Locator", x: float, y: float) -> dict[str, float]:
        """Return the point of a plot at shares of its sides, as a click wants it."""
        box = plot.locator("canvas, .si-drawing").first.bounding_box()
        outer = plot.bounding_box()
        assert box is not None
        assert outer is not None
        return {
            "x": box["x"] - outer["x"] + x * box["width"],
            "y": box["y"] - outer["y"] + y * box["height"],
        }

    def click(self, plot: "Locator", x: float, y: float) -> None:
        plot.scroll_into_view_if_needed()
        plot.click(position=self.at(plot, x, y), force=True)  # pyright: ignore[reportArgumentType]

    def hover(self, plot: "Locator", x: float, y: float) -> None:
        plot.scroll_into_view_if_needed()
        plot.hover(position=self.at(plot, x, y), force=True)  # pyright: ignore[reportArgumentType]

    def cell_of(
        self, kind: str, row: int, column: int, rows: int
    ) -> tuple["Locator", float, float]:
        """Return a plot and the place of one cell of its matrix."""
        return self.plot(kind), (column + 0.5) / rows, (row + 0.5) / rows
