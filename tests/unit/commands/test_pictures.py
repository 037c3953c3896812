from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from olvdm.commands.pictures import figures_of, write_figure_sheet
from olvdm.evaluation.inspection import Inspection
from tests.unit.visualize.circles import make_world
from visualize.figure import figure_frame
from visualize.palette import style_of

ORDER = [0, 2, 1, 3]  # of the second clip's slots: two objects have changed places
FIGURES = ("film-strips", "correlation", "pair", "timeline", "flicker")


def clip_of_discs(order: list[int]) -> Inspection:
    """Return the clip of discs, steady, with its slots in another order."""
    world = make_world()
    num_frames, num_slots = world.presence.shape
    masks = world.masks[:, order]
    return Inspection(
        frames=world.frames,
        slots=np.zeros((num_frames, num_slots, 4), np.float32),
        attention_masks=masks,
        alpha_masks=masks,
        correlation=np.tile(np.eye(num_slots, dtype=np.float32), (num_frames, num_frames, 1, 1)),
        presence=np.ones((num_frames, num_slots), bool),
        assignment=np.tile(np.arange(num_slots), (num_frames, 1)),
        flicker=world.flicker[:, order],
        flicker_all=world.motion,
        motion=world.motion,
        switches=0,
        background=order.index(0),
        reconstruction_psnr=float("nan"),
        explained=float("nan"),
        fps=8.0,
    )


def first_row(picture: np.ndarray, index: int) -> int:
    """Return the highest row that shows a colour of the palette."""
    rows = (picture == style_of(index).rgb).all(axis=-1).sum(axis=1)
    return int((rows > 4).argmax())


@pytest.mark.parametrize("name", FIGURES)
def test_figure_draws_a_slot_in_the_colour_that_it_is_given(name) -> None:
    found = clip_of_discs([0, 1, 2, 3])
    plain = figure_frame(figures_of(found)[name])
    other = figure_frame(figures_of(found, palette=(0, 1, 2, 9))[name])
    assert (plain == style_of(3).rgb).all(axis=-1).any()
    assert not (other == style_of(3).rgb).all(axis=-1).any()


def test_object_has_one_colour_in_the_figures_of_both_clips(tmp_path: Path) -> None:
    clips = {"A": clip_of_discs([0, 1, 2, 3]), "B": clip_of_discs(ORDER)}
    write_figure_sheet(tmp_path / "figures.png", clips, {})
    with Image.open(tmp_path / "figures.png") as opened:
        sheet = np.asarray(opened.convert("RGB"))
    first, second = np.split(sheet[:, : sheet.shape[1] // 2 * 2], 2, axis=1)
    assert first_row(first, 1) < first_row(first, 2)
    assert first_row(second, 2) < first_row(second, 1)  # its row is the other one
