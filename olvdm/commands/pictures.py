"""An inspection -> still pictures in files, and a film of its slots."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from olvdm.data.moving_shapes import ShapesClip
from olvdm.evaluation.inspection import Inspection
from olvdm.video import write_mp4, write_png
from visualize.correlation_figure import correlation_matrix_figure, correlation_pair_figure
from visualize.curves import flicker_figure, slot_areas
from visualize.figure import save_figure, save_figures
from visualize.filmstrip import clip_strip, film_strip_figure
from visualize.inspected import InspectedClip, shared_palette
from visualize.overlay import overlay_masks
from visualize.pixels import display_scale, draw_text, fit_text
from visualize.timeline import identity_timeline_figure, likeness

PAPER = 255
LINE = 22  # pixels of a line of text with its margins
TEXT = 12
TITLE_CHARS = 50  # more would run out of the figure


def write_overlay(path: Path, found: Inspection) -> None:
    """Write a clip in which every slot has its colour, its outline and its number.

    Args:
        path: The mp4 file; a small clip is enlarged.
        found: The clip and its slots.
    """
    shown = overlay_masks(
        found.frames,
        found.alpha_masks,
        background=found.background,
        contours=True,
        numbers=True,
        scale=display_scale(*found.frames.shape[1:3]),
    )
    write_mp4(shown, path, found.fps)


def write_correlation(path: Path, found: Inspection, title: str = "") -> None:
    """Write the correlation of the slots of all frames as a heatmap.

    Args:
        path: The picture file.
        found: The clip and its slots.
        title: One line above; a long one ends in dots.
    """
    save_figure(_correlation_figure(found, **_style_of(found, title)), path)


def write_figures(folder: Path, found: Inspection) -> None:
    """Write all figures of an inspection.

    Args:
        folder: Where the files go: film-strips, correlation, pair, timeline and flicker.
        found: The clip and its slots.
    """
    for name, figure in figures_of(found).items():
        save_figure(figure, folder / f"{name}.png")


def write_figure_sheet(
    path: Path, clips: Mapping[str, Inspection], settings: Mapping[str, object]
) -> None:
    """Write all figures of all clips as one file.

    Args:
        path: A PNG with a column a clip, or a PDF with a page a figure.
        clips: Clips and their slots, by the name that stands above each figure.
        settings: What made them; it travels inside of the file.

    Ours: an object has one colour in all clips, as it has on the page.
    """
    shown = [InspectedClip.of(name, "", vars(found)) for name, found in clips.items()]
    palettes = zip(clips.items(), shared_palette(shown), strict=True)
    columns = [list(figures_of(found, name, one).values()) for (name, found), one in palettes]
    save_figures(columns, path, settings=settings)


def figures_of(
    found: Inspection, title: str = "", palette: Sequence[int] | None = None
) -> dict[str, Any]:
    """Draw all figures of an inspection.

    Args:
        found: The clip and its slots.
        title: One line above each; a long one ends in dots.
        palette: Place of each slot in the palette; without it in the order of the slots.

    Returns:
        matplotlib's figures by name.
    """
    last = len(found.frames) - 1
    style = _style_of(found, title, palette)
    areas = slot_areas(found.alpha_masks)
    matches = found.assignment[last]
    return {
        "film-strips": film_strip_figure(found.frames, found.alpha_masks, **style),
        "correlation": _correlation_figure(found, **style),
        "pair": correlation_pair_figure(
            found.correlation[0, last], (0, last), matches=matches, **style
        ),
        "timeline": identity_timeline_figure(
            found.assignment, found.correlation, found.presence, **style
        ),
        "flicker": flicker_figure(found.flicker, found.motion, areas=areas, **style),
    }


def _correlation_figure(found: Inspection, **style: Any) -> Any:  # noqa: ANN401 - matplotlib is not for us
    return correlation_matrix_figure(
        found.correlation,
        order="slot",
        assignment=found.assignment,
        presence=found.presence,
        **style,
    )


def _style_of(
    found: Inspection, title: str, palette: Sequence[int] | None = None
) -> dict[str, Any]:
    """Return what all figures of a clip have in common."""
    shown = textwrap.shorten(title, TITLE_CHARS, placeholder=" ...")
    return {"background": found.background, "palette": palette, "title": shown}


def slot_rows(found: Inspection) -> list[dict[str, float | int]]:
    """Return what is known of every slot in every frame, one row each.

    Args:
        found: The clip and its slots.

    Returns:
        Rows of a table; NaN where a value is undefined.
    """
    areas = slot_areas(found.alpha_masks)
    likenesses = likeness(found.assignment, found.correlation)
    return [
        {
            "frame": frame,
            "slot": slot,
            "is_background": int(slot == found.background),
            "is_present": int(found.presence[frame, slot]),
            "assignment": int(found.assignment[frame, slot]),
            "likeness": float(likenesses[frame, slot]),
            "area": float(areas[frame, slot]),
            "flicker": float(found.flicker[frame, slot]),
            "flicker_all": float(found.flicker_all[frame]),
            "motion": float(found.motion[frame]),
        }
        for frame in range(len(found.frames))
        for slot in range(found.slots.shape[1])
    ]


def write_sheet(path: Path, clips: list[ShapesClip]) -> None:
    """Write clips as one picture: of each the prompt, its frames, and its true objects.

    Args:
        path: The PNG file.
        clips: Clips of one size.
    """
    rows: list[UInt8[np.ndarray, "h w 3"]] = []
    for clip in clips:
        owners = np.arange(len(clip.objects) + 1)[:, None, None]
        shares = (clip.true_masks[:, None] == owners).astype(np.float32)
        tinted = overlay_masks(clip.frames, shares, background=0, opacity=0.8)
        strips = [clip_strip(clip.frames, scale=2), clip_strip(tinted, scale=2, is_numbered=False)]
        line = np.full((LINE, strips[0].shape[1], 3), PAPER, np.uint8)
        text = fit_text(clip.prompt, TEXT, line.shape[1] - 8)
        draw_text(line, text, (LINE / 2, 4), size=TEXT, anchor=("middle", "start"))
        rows += [line, *strips]
    write_png(np.concatenate(rows), path)
