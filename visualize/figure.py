"""The look of every figure that goes into a file: white paper, small type, few lines."""

import io
import json
import os
import tempfile
import textwrap
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from visualize.palette import PAPER, SlotStyle, contrast
from visualize.pixels import thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 100
INK_HEX = "#1a1a1a"
MUTED_HEX = "#5f5f5f"
RULE_HEX = "#b0b0b0"
GRID_HEX = "#e6e6e6"
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 9.0, 8.0, 7.0

Dash = Literal["solid"] | tuple[float, tuple[float, ...]]

_RIM = 0.04  # inches of white paper around everything
_TITLE_HEIGHT, _LINE_HEIGHT = 0.3, 0.125  # inches; of the title, of each line of the caption
_LINE = 1.5  # points
_FAINT = 1.6  # contrast with the paper under which a line needs a rim: yellow
_CAPTION_CHARACTERS_PER_INCH = 20
_EXPORT_SCALE = 2
_DRAWING = threading.Lock()  # matplotlib's settings and caches belong to the whole process


def new_figure(
    width: float, height: float, *, title: str = "", caption: str = "", row_gap: float = 0.12
) -> "Figure":
    """Make an empty figure on white paper, readable on dark pages too.

    Args:
        width: Width in inches, of 100 pixels each.
        height: Height of the axes and their labels in inches; title and caption come on top.
        title: One line above the axes.
        caption: What the figure teaches, wrapped below the axes; `save_figure` also writes it into
            the file.
        row_gap: Inches between two rows of axes.

    Returns:
        A figure that belongs to nobody but the caller: pyplot, which would keep it, is not used.

    Ours: the house style.
    """
    from matplotlib.figure import Figure

    lines = textwrap.wrap(plain(caption), round(width * _CAPTION_CHARACTERS_PER_INCH))
    height = round(height + _TITLE_HEIGHT * bool(title) + _LINE_HEIGHT * len(lines), 2)
    figure = Figure((width, height), dpi=DPI, facecolor="white", layout="constrained")
    engine = figure.get_layout_engine()
    if engine is not None:
        rim = (_RIM / width, _RIM / height, 1 - 2 * _RIM / width, 1 - 2 * _RIM / height)
        engine.set(w_pad=0.06, h_pad=row_gap / 2, hspace=0, wspace=0.02, rect=rim)  # pyright: ignore[reportCallIssue]
    if title:
        figure.suptitle(
            plain(title), x=0.01, ha="left", size=TITLE_SIZE + 1, weight="bold", color=INK_HEX
        )
    if caption:
        figure.supxlabel("\n".join(lines), x=0.01, ha="left", size=SMALL_SIZE, color=MUTED_HEX)
    return figure


def style_axes(axes: "Axes", *, has_grid: bool = False) -> None:
    """Give axes thin rules, small type and no box.

    Args:
        axes: The axes that are changed.
        has_grid: Whether pale horizontal lines help to read values.

    Ours: the house style.
    """
    axes.tick_params(labelsize=SMALL_SIZE, colors=INK_HEX, width=0.6, length=2.5, color=RULE_HEX)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(linewidth=0.6, color=RULE_HEX)
    if has_grid:
        axes.grid(axis="y", color=GRID_HEX, linewidth=0.6)
        axes.set_axisbelow(True)


def frame_ticks(axes: "Axes", num_frames: int, *, label: str = "frame", most: int = 16) -> None:
    """Number the frames along the horizontal axis.

    Args:
        axes: The axes that are changed.
        num_frames: Frames of the clip.
        label: Name of the axis.
        most: Ticks at the most; of a longer clip every second, fifth ... frame gets one.

    Ours: whole frame numbers only.
    """
    axes.set_xticks(thinned(num_frames, most))
    axes.set_xlabel(label, size=TEXT_SIZE, color=INK_HEX, labelpad=2)


def plot_line(
    axes: "Axes",
    values: Float[np.ndarray, " t"],
    style: SlotStyle,
    *,
    dash: Dash = "solid",
    has_markers: bool = True,
) -> None:
    """Draw the line of one slot over the frames, with a dark rim where white paper would hide it.

    Args:
        axes: The axes that are changed.
        values: One value a frame; NaN leaves a gap.
        style: Look of the slot.
        dash: Solid, or matplotlib's offset and pattern of dashes.
        has_markers: Whether each frame has a dot, so that a value between two gaps is seen.

    Ours: a patterned slot has other markers, since a line has no room for a hatch.
    """
    from matplotlib.patheffects import Normal, Stroke

    (line,) = axes.plot(
        np.arange(len(values)), values, color=style.hex, linewidth=_LINE, linestyle=dash
    )
    if has_markers:
        line.set_marker(style.marker or "o")
        line.set_markersize(4.0 if style.is_patterned else 2.0)
    if contrast(style.rgb, PAPER) < _FAINT:
        line.set_path_effects([Stroke(linewidth=_LINE + 0.9, foreground="#6b6400"), Normal()])


def label_line_ends(
    axes: "Axes",
    ends: Sequence[float],
    styles: Sequence[SlotStyle],
    names: Sequence[str],
    *,
    height: float,
) -> None:
    """Write each line's name at its right end, moved apart where lines end close together.

    Args:
        axes: The axes that are changed; their vertical limits must be final.
        ends: Last value of every line.
        styles: Look of every line.
        names: Name of every line.
        height: Height of the axes in inches, from which follows how near two names may stand.

    Ours: a name beside its line is found faster than one in a legend.
    """
    low, high = axes.get_ylim()
    places = spread((np.asarray(ends) - low) / (high - low), gap=1.25 * SMALL_SIZE / (72 * height))
    for place, style, name in zip(places, styles, names, strict=True):
        axes.plot(
            [1.025],
            [place],
            marker=style.marker if style.is_patterned else "s",
            color=style.hex,
            markersize=5,
            markeredgecolor=MUTED_HEX,
            markeredgewidth=0.4,
            transform=axes.transAxes,
            clip_on=False,
        )
        axes.text(
            1.045,
            place,
            name,
            transform=axes.transAxes,
            size=SMALL_SIZE,
            color=INK_HEX,
            va="center_baseline",
        )


def spread(places: np.ndarray, *, gap: float) -> np.ndarray:
    """Move labels apart until no two touch, each as little as needed.

    Args:
        places: Wanted places, 0 to 1.
        gap: Smallest distance of two labels.

    Returns:
        Places in the same order as given, within [0, 1] where there is room.

    Ours: one pass up and one down is enough for labels on a line.
    """
    order = np.argsort(places, kind="stable")
    moved = places[order].astype(float)
    for index in range(1, len(moved)):
        moved[index] = max(moved[index], moved[index - 1] + gap)
    moved[-1:] = np.minimum(moved[-1:], 1.0)
    for index in range(len(moved) - 2, -1, -1):
        moved[index] = min(moved[index], moved[index + 1] - gap)
    result = np.empty_like(moved)
    result[order] = moved
    return result


def plain(text: str) -> str:
    r"""Return text that matplotlib draws as it is.

    Args:
        text: Anything, for example a prompt.

    Returns:
        The text on one line, its dollar signs kept from starting a formula.

    Ours: ``$\frac`` in a prompt would end the drawing with an error.
    """
    return " ".join(text.split()).replace("$", r"\$")


def save_figure(
    figure: "Figure", path: str | os.PathLike[str], *, settings: Mapping[str, object] | None = None
) -> None:
    """Write a figure as PNG (at twice the size on the screen) or as PDF, by the name's ending.

    The title, the caption and the settings travel inside of the file. A failure leaves no file.

    Args:
        figure: The figure.
        path: Where to write; ends in ``.png`` or ``.pdf``.
        settings: What made the figure; anything that JSON can hold.

    Ours: no date and no program version in the file, so equal figures are equal files.
    """
    save_figures([[figure]], path, settings=settings)


def save_figures(
    columns: "Sequence[Sequence[Figure]]",
    path: str | os.PathLike[str],
    *,
    settings: Mapping[str, object] | None = None,
) -> None:
    """Write figures as one PNG, at twice the size on the screen, or as one PDF, a page for each.

    Titles, captions and settings travel inside of the file. A failure leaves no file.

    Args:
        columns: From left to right, each from top to bottom; at least one figure.
        path: Where to write; ends in ``.png`` or ``.pdf``.
        settings: What made the figures; anything that JSON can hold.

    Raises:
        ValueError: If the name ends otherwise.

    Ours: one file can be mailed, and the columns show two clips beside each other.
    """
    target = Path(path)
    kind = target.suffix.lower().removeprefix(".")
    if kind not in {"png", "pdf"}:
        raise ValueError(f"a figure is written as .png or .pdf, not as {target.suffix!r}")
    figures = [one for column in columns for one in column]
    for figure in figures:
        settle_layout(figure)
    metadata = _metadata(figures, kind, settings or {})
    data = (_png if kind == "png" else _pdf)(columns, metadata)
    handle, aside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(aside).chmod(0o644)
        Path(aside).replace(target)
    finally:
        Path(aside).unlink(missing_ok=True)


def settle_layout(figure: "Figure") -> None:
    """Lay a figure out once and for all, its axes on a fine grid.

    Args:
        figure: The figure that is changed; whatever is added later is not laid out.

    Ours: matplotlib's solver takes its unknowns in the order of their addresses, so the last bits
    of a layout differ from run to run, and with them the bytes of a file.
    """
    with _DRAWING:
        figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, low, width, height = (round(float(one), 5) for one in axes.get_position().bounds)
        axes.set_position((left, low, width, height))


def figure_frame(figure: "Figure", *, scale: float = 1.0) -> UInt8[np.ndarray, "h w 3"]:
    """Draw a figure into pixels, for the app or for a frame of a clip.

    Args:
        figure: The figure.
        scale: 1 for 100 pixels an inch, 2 for sharp screens.

    Returns:
        The picture.

    Ours: by the Agg canvas, which needs no screen and no file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with _DRAWING:
        before = figure.dpi
        figure.set_dpi(DPI * scale)
        try:
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            return np.asarray(canvas.buffer_rgba())[..., :3].copy()
        finally:
            figure.set_dpi(before)


def _png(columns: "Sequence[Sequence[Figure]]", metadata: Mapping[str, str | None]) -> bytes:
    """Draw all figures on one sheet of white paper."""
    drawn = [[figure_frame(one, scale=_EXPORT_SCALE) for one in column] for column in columns]
    widths = [max(picture.shape[1] for picture in column) for column in drawn]
    height = max(sum(picture.shape[0] for picture in column) for column in drawn)
    sheet = np.full((height, sum(widths), 3), PAPER, dtype=np.uint8)
    for number, column in enumerate(drawn):
        left, top = sum(widths[:number]), 0
        for rows, width, picture in ((one.shape[0], one.shape[1], one) for one in column):
            sheet[top : top + rows, left : left + width] = picture
            top += rows
    chunks = PngInfo()
    for key, text in metadata.items():
        chunks.add_text(key, text or "")
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(
        buffer, "png", pnginfo=chunks, dpi=(DPI * _EXPORT_SCALE, DPI * _EXPORT_SCALE)
    )
    return buffer.getvalue()


def _pdf(columns: "Sequence[Sequence[Figure]]", metadata: Mapping[str, str | None]) -> bytes:
    """Draw every figure on a page of its own size."""
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import PdfPages

    buffer = io.BytesIO()
    with (
        _DRAWING,
        mpl.rc_context({"pdf.fonttype": 42}),  # 42: text stays text in the PDF
        PdfPages(buffer, metadata=dict(metadata)) as pages,
    ):
        for figure in (one for column in columns for one in column):
            pages.savefig(figure)
    return buffer.getvalue()


def _metadata(
    figures: "Sequence[Figure]", kind: str, settings: Mapping[str, object]
) -> dict[str, str | None]:
    """Return what the file tells of itself, each title and each caption once."""
    title, caption = (
        "; ".join(dict.fromkeys(filter(None, (_one_line(text) for text in texts))))
        for texts in (
            [one.get_suptitle() for one in figures],
            [one.get_supxlabel() for one in figures],
        )
    )
    text = json.dumps(settings, sort_keys=True, default=str)
    if kind == "png":
        return {"Title": title, "Description": caption, "Comment": text}
    empty = {"Creator": None, "Producer": None, "CreationDate": None}
    return {"Title": title, "Subject": caption, "Keywords": text, **empty}


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace(r"\$", "$")
