"""An inspection -> pictures in files; the one place of olvdm that knows visualize."""

import textwrap
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from olvdm.data.moving_shapes import ShapesClip
from olvdm.evaluation.inspection import Inspection
from olvdm.video import write_mp4, write_png
from visualize.correlation_figure import correlation_matrix_figure, correlation_pair_figure
from visualize.curves import flicker_figure, slot_areas
from visualize.figure import save_figure
from visualize.filmstrip import clip_strip, film_strip_figure
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
    figure = correlation_matrix_figure(
        found.correlation,
        order="slot",
        assignment=found.assignment,
        presence=found.presence,
        background=found.background,
        title=textwrap.shorten(title, TITLE_CHARS, placeholder=" ..."),
    )
    save_figure(figure, path)


def write_figures(folder: Path, found: Inspection) -> None:
    """Write all figures of an inspection.

    Args:
        folder: Where the files go: film-strips, correlation, pair, timeline and flicker.
        found: The clip and its slots.
    """
    last, background = len(found.frames) - 1, found.background
    write_correlation(folder / "correlation.png", found)
    strips = film_strip_figure(found.frames, found.alpha_masks, background=background)
    save_figure(strips, folder / "film-strips.png")
    pair = correlation_pair_figure(
        found.correlation[0, last],
        (0, last),
        background=background,
        matches=found.assignment[last],
    )
    save_figure(pair, folder / "pair.png")
    timeline = identity_timeline_figure(
        found.assignment, found.correlation, found.presence, background=background
    )
    save_figure(timeline, folder / "timeline.png")
    areas = slot_areas(found.alpha_masks)
    flicker = flicker_figure(found.flicker, found.motion, areas=areas, background=background)
    save_figure(flicker, folder / "flicker.png")


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
