"""``olvdm data``: clips of the synthetic world to look at or to use; a folder of videos."""

import argparse
import json
from pathlib import Path

import numpy as np
from tqdm import tqdm

from olvdm.commands.output import check_ending, written_together
from olvdm.commands.pictures import write_sheet
from olvdm.data.clips import FolderClips
from olvdm.data.moving_shapes import LEVELS, SPLITS, MovingShapes
from olvdm.limits import SEED, WholeRange
from olvdm.request import check_choice, check_whole
from olvdm.video import write_mp4

SHEET_CLIPS = WholeRange(1, 64)
EXPORTED_CLIPS = WholeRange(1, 1_000_000)
FRAMES = WholeRange(1, 256)
SIDE = WholeRange(16, 512)
FPS = 8


def run_data(arguments: argparse.Namespace) -> None:
    """Show, export or scan.

    Args:
        arguments: What ``olvdm data`` was given.
    """
    {"show": show_clips, "export": export_clips, "scan": scan_folder}[arguments.action](arguments)


def show_clips(arguments: argparse.Namespace) -> None:
    """Draw clips of the synthetic world on one picture, and print their prompts.

    Args:
        arguments: What ``olvdm data show`` was given.
    """
    output = Path(arguments.output)
    check_ending(output, ".png")
    clips = list(_world(arguments, SHEET_CLIPS))
    with written_together(output.parent) as folder:
        write_sheet(folder / output.name, clips)
    for clip in clips:
        print(clip.prompt)


def export_clips(arguments: argparse.Namespace) -> None:
    """Write clips as videos, their captions as one file, and their truth as arrays.

    The folder is one that ``--videos`` and ``olvdm data scan`` read.

    Args:
        arguments: What ``olvdm data export`` was given.
    """
    world, output = _world(arguments, EXPORTED_CLIPS), Path(arguments.output)
    captions: dict[str, str] = {}
    with written_together(output) as folder:
        for index in tqdm(range(len(world)), "Clips", disable=None, leave=False):
            clip, name = world[index], f"clip-{index:06d}"
            write_mp4(clip.frames, folder / f"{name}.mp4", FPS)
            np.savez_compressed(
                folder / f"{name}.npz",
                true_masks=clip.true_masks,
                tracks=clip.tracks,
                visibility=clip.visibility,
            )
            captions[f"{name}.mp4"] = clip.prompt
        text = json.dumps(captions, indent=2, ensure_ascii=False)
        (folder / "captions.json").write_text(text + "\n", encoding="utf-8")
    print(f"{output}: {len(world)} clips of {world.world.num_frames} frames, with their truth")


def scan_folder(arguments: argparse.Namespace) -> None:
    """Say which videos of a folder can be trained on, and why the others cannot.

    Args:
        arguments: What ``olvdm data scan`` was given.
    """
    clips = FolderClips(
        arguments.folder,
        num_frames=check_whole("num_frames", arguments.num_frames, FRAMES),
        height=check_whole("height", arguments.height, SIDE),
        width=check_whole("width", arguments.width, SIDE),
    )
    for video in clips.skipped:
        print(f"skipped {video.name}: {video.reason}")
    for remark in clips.remarks:
        print(remark)
    used = dict.fromkeys(video.name for video, _ in clips.clips)
    without = sum(not clips.captions.find(name) for name in used)
    print(
        f"{len(used)} videos for training: {len(clips)} clips of {clips.num_frames} frames; "
        f"{without} videos have no caption, {len(clips.skipped)} are skipped"
    )
    if not clips.is_held_out:
        print("too few videos to hold any out: validation would see the training's own")


def _world(arguments: argparse.Namespace, num_clips: WholeRange) -> MovingShapes:
    return MovingShapes(
        level=str(check_choice("level", arguments.level, LEVELS)),
        split=str(check_choice("split", arguments.split, SPLITS)),
        num_clips=check_whole("num_clips", arguments.num_clips, num_clips),
        seed=check_whole("seed", arguments.seed, SEED),
    )
