"""Figures as files: caption and settings inside, nothing half-written, no global state."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.figure import Figure
from PIL import Image

from visualize.figure import figure_frame, new_figure, plain, save_figure, save_figures, spread


def make_figure() -> Figure:
    drawn = new_figure(2, 1.5, title="Which object flickers", caption="Lower is\nsteadier. " * 5)
    drawn.subplots().plot([0, 1], [0, 1])
    return drawn


@pytest.fixture
def figure() -> Figure:
    return make_figure()


def printed_by(code: str) -> list[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_png_is_twice_the_size_on_the_screen(figure: Figure, tmp_path: Path) -> None:
    save_figure(figure, tmp_path / "a.png")
    height, width = figure_frame(figure).shape[:2]
    assert Image.open(tmp_path / "a.png").size == (2 * width, 2 * height)


def test_png_carries_title_caption_and_settings(figure: Figure, tmp_path: Path) -> None:
    save_figure(figure, tmp_path / "a.png", settings={"seed": 3, "prompt": "a red circle"})
    text = Image.open(tmp_path / "a.png").info
    assert text["Title"] == "Which object flickers"
    assert text["Description"].startswith("Lower is steadier. Lower is")
    assert json.loads(text["Comment"]) == {"prompt": "a red circle", "seed": 3}


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_equal_figures_are_equal_files(tmp_path: Path, kind: str) -> None:
    save_figure(make_figure(), tmp_path / f"a.{kind}")
    save_figure(make_figure(), tmp_path / f"b.{kind}")
    assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def test_figures_of_two_clips_stand_beside_each_other(tmp_path: Path) -> None:
    save_figures([[make_figure(), make_figure()], [make_figure()]], tmp_path / "a.png")
    height, width = figure_frame(make_figure(), scale=2).shape[:2]
    with Image.open(tmp_path / "a.png") as sheet:
        assert sheet.size == (2 * width, 2 * height)
        assert sheet.info["Title"] == "Which object flickers"  # told once, though drawn thrice


def test_pdf_is_a_pdf_with_real_text(figure: Figure, tmp_path: Path) -> None:
    save_figure(figure, tmp_path / "a.pdf")
    data = (tmp_path / "a.pdf").read_bytes()
    assert data.startswith(b"%PDF")
    assert b"/Type3" not in data


def test_other_endings_are_refused(figure: Figure, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"not as '\.gif'"):
        save_figure(figure, tmp_path / "a.gif")


def test_failure_leaves_no_file(figure: Figure, tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(IsADirectoryError):
        save_figure(figure, tmp_path / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_paper_is_white_on_every_page(figure: Figure) -> None:
    picture = figure_frame(figure)
    assert (picture[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all()


def test_larger_frame_leaves_the_figure_as_it_was(figure: Figure) -> None:
    before = figure_frame(figure).shape
    assert figure_frame(figure, scale=2).shape == (2 * before[0], 2 * before[1], 3)
    assert figure_frame(figure).shape == before


def test_title_and_caption_take_no_room_from_the_axes() -> None:
    bare = figure_frame(new_figure(2, 1.5)).shape[0]
    assert bare < figure_frame(new_figure(2, 1.5, title="a")).shape[0]
    assert bare < figure_frame(new_figure(2, 1.5, caption="a")).shape[0]


@given(places=arrays(float, st.integers(1, 8), elements=st.floats(0, 1)))
@settings(max_examples=30, deadline=None)
def test_spread_labels_do_not_touch_and_keep_their_order(places: np.ndarray) -> None:
    moved = spread(places, gap=0.1)
    order = np.argsort(places, kind="stable")
    assert (np.diff(moved[order]) >= 0.1 - 1e-9).all()


def test_labels_with_room_stay_where_they_are() -> None:
    np.testing.assert_allclose(spread(np.array([0.9, 0.1, 0.5]), gap=0.1), [0.9, 0.1, 0.5])


def test_dollar_signs_start_no_formula() -> None:
    assert plain("a $5\nnote") == r"a \$5 note"


def test_app_views_do_not_wait_for_matplotlib_figures() -> None:
    code = (
        "import sys, visualize.overlay, visualize.heatmap, visualize.filmstrip, visualize.atlas,"
        " visualize.comparison, visualize.correlation_figure, visualize.curves, visualize.timeline;"
        "print(*(m for m in ('matplotlib', 'torch', 'gradio', 'olvdm') if m in sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.split() == []


def test_drawing_does_not_start_pyplot() -> None:
    code = (
        "import sys, numpy as np; from visualize.figure import figure_frame;"
        "from visualize.correlation_figure import correlation_pair_figure;"
        "figure_frame(correlation_pair_figure(np.eye(3), (0, 1)));"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.split() == ["False"]
