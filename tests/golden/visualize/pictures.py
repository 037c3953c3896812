"""The pictures that somebody looked at; run this module to draw them anew.

Tolerance: 1 level on average and 3 % of the pixels off by more than 12, since fonts and edges are
drawn by libraries whose next version may round otherwise. Look at every picture that you redraw.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tests.unit.visualize.circles import SWAP_FRAME, make_world
from visualize.comparison import side_by_side
from visualize.correlation_figure import correlation_pair_figure
from visualize.curves import flicker_figure, slot_areas
from visualize.figure import figure_frame
from visualize.filmstrip import slot_film_strips
from visualize.heatmap import correlation_chart
from visualize.overlay import overlay_masks
from visualize.timeline import identity_timeline_figure

FOLDER = Path(__file__).parent
PAIR = (SWAP_FRAME - 1, SWAP_FRAME)


def overlay() -> np.ndarray:
    world = make_world()
    shown = overlay_masks(
        world.frames, world.masks, background=0, contours=True, numbers=True, scale=4
    )
    return side_by_side(shown[:1], shown[-1:], ("first", "last"), title="overlay")[0]


def strips() -> np.ndarray:
    world = make_world()
    return slot_film_strips(world.frames, world.masks, background=0, most=4, scale=2)


def chart() -> np.ndarray:
    world = make_world()
    return correlation_chart(
        world.correlation, order="slot", presence=world.presence, background=0, side=240
    )


def pair() -> np.ndarray:
    world = make_world()
    matches = world.assignment[SWAP_FRAME]
    correlation = world.correlation[PAIR]
    return figure_frame(correlation_pair_figure(correlation, PAIR, background=0, matches=matches))


def timeline() -> np.ndarray:
    world = make_world()
    return figure_frame(
        identity_timeline_figure(
            world.assignment, world.correlation, world.presence, background=0, title="identity"
        )
    )


def flicker() -> np.ndarray:
    world = make_world()
    areas = slot_areas(world.masks)
    return figure_frame(flicker_figure(world.flicker, world.motion, areas=areas, background=0))


PICTURES: dict[str, Callable[[], np.ndarray]] = {
    draw.__name__: draw for draw in (overlay, strips, chart, pair, timeline, flicker)
}


def main() -> None:
    for name, draw in PICTURES.items():
        Image.fromarray(draw()).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
