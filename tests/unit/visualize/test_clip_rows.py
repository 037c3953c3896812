import numpy as np

from visualize.clip_rows import clip_rows_figure

CLIP = np.zeros((16, 8, 8, 3), np.uint8)


def test_every_clip_is_a_row_of_the_same_frames() -> None:
    figure = clip_rows_figure({"real clip": CLIP, "LVDM": CLIP}, most=4)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert len(figure.axes) == 8
    assert titles == ["frame 0", "5", "10", "15"]


def test_name_may_have_two_lines() -> None:
    figure = clip_rows_figure({"LVDM\n0.25": CLIP}, most=2)
    assert figure.axes[0].get_ylabel() == "LVDM\n0.25"
