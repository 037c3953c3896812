"""``olvdm inspect``: a video file -> its slots as pictures, arrays and numbers."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from olvdm.commands.arguments import CHECKPOINT
from olvdm.commands.output import written_together
from olvdm.commands.pages import report_payload, write_report
from olvdm.commands.pictures import slot_rows, write_figures, write_overlay
from olvdm.commands.record import (
    check_usual_place,
    checkpoint_sha256,
    environment,
    frames_sha256,
    scores_of,
    write_record,
)
from olvdm.commands.source import running_commit
from olvdm.commands.tables import write_arrays, write_table
from olvdm.decoding import DecodedVideo, decode_video
from olvdm.errors import named
from olvdm.evaluation.inspection import Inspection, inspect_clip
from olvdm.pipeline import OLVDMPipeline
from olvdm.request import InspectionRequest, check_inspection

FIELDS = ("num_slots", "max_frames", "adapt_steps")
REPORT_NAME = "report.html"
NUM_WRITTEN = 6  # things that are written, each a step of the bar

Tell = Callable[[str, int], None]  # what is being done, and how many steps of the bar are behind


def inspect_video(arguments: argparse.Namespace) -> None:
    """Find the objects of a video, and write all that is known of them into a folder.

    Args:
        arguments: What ``olvdm inspect`` was given.
    """
    asked = {name: getattr(arguments, name) for name in FIELDS}
    request = check_inspection(**{name: one for name, one in asked.items() if one is not None})
    checkpoint, output = Path(arguments.checkpoint), Path(arguments.output)
    check_usual_place(checkpoint, CHECKPOINT)
    checksum = checkpoint_sha256(checkpoint)
    with named("video", arguments.video):
        video = decode_video(arguments.video, max_frames=request.max_frames)
    pipeline = OLVDMPipeline.from_pretrained(checkpoint)
    pipeline.to("cuda" if torch.cuda.is_available() else "cpu")
    num_found = request.adapt_steps + 1  # steps of the bar until the objects are found
    with tqdm(total=num_found + NUM_WRITTEN, unit="step", disable=None, leave=False) as bar:

        def tell(doing: str, done: int) -> None:
            bar.update(done - bar.n)
            bar.set_description(doing)

        found = find_objects(pipeline, video, request, tell)
        record = _record(pipeline, video, request, found)
        record |= {"checkpoint": str(checkpoint), "checkpoint_sha256": checksum}
        write_results(output, found, record, lambda doing, done: tell(doing, num_found + done))
    for note in record["notes"]:
        print(note)
    scores = record["scores"].items()
    print(f"{output}: " + ", ".join(f"{name} {_shown(one)}" for name, one in scores))
    print(f"open {output / REPORT_NAME} in a browser to look at all of it")


def _record(
    pipeline: OLVDMPipeline, video: DecodedVideo, request: InspectionRequest, found: Inspection
) -> dict[str, Any]:
    """Return what to note of an inspection, beside the checkpoint."""
    notes = list(video.notes)
    if not found.is_familiar:
        notes.append(
            "This clip looks unlike those that the model was trained on, so its slots may mean "
            "little."
        )
    return {
        "kind": "inspection",
        "settings": {name: getattr(request, name) for name in FIELDS},
        "frames_sha256": frames_sha256(found.frames),
        "shape": list(found.frames.shape),
        "fps": found.fps,
        "source_size": [video.source_height, video.source_width],
        **environment(pipeline.dtype),
        "device": pipeline.device.type,
        "commit": running_commit(),
        "scores": scores_of(found),
        "notes": notes,
    }


def find_objects(
    pipeline: OLVDMPipeline, video: DecodedVideo, request: InspectionRequest, tell: Tell
) -> Inspection:
    """Inspect a video, and tell of it as it goes on.

    Args:
        pipeline: The model.
        video: What to look at.
        request: How.
        tell: Called at each step of the fit of the slots to the video.

    Returns:
        The inspection.
    """

    def tell_fit(step: int, num_steps: int, loss: float) -> None:
        tell("Looking" if step == num_steps else f"Fitting, loss {loss:.4f}", step)

    tell("Fitting" if request.adapt_steps else "Looking", 0)
    return inspect_clip(
        pipeline, video.frames, video.fps, request.num_slots, request.adapt_steps, tell_fit
    )


def write_results(output: Path, found: Inspection, record: dict[str, Any], tell: Tell) -> None:
    """Write an inspection, all of it or nothing.

    Args:
        output: The folder.
        found: The inspection.
        record: What to note.
        tell: Called before each thing that is written, and after the last.
    """
    settings, notes = record["settings"], tuple(record["notes"])

    def write_page(path: Path) -> None:
        write_report(path, report_payload({"clip": found}, settings=settings, notes=notes))

    writers: dict[str, Callable[[Path], None]] = {
        "overlay.mp4": lambda path: write_overlay(path, found),
        "figures": lambda path: write_figures(path.parent, found),
        "inspection.npz": lambda path: write_arrays(path, {"": found}),
        "metrics.csv": lambda path: write_table(path, slot_rows(found)),
        "inspection.json": lambda path: write_record(path, record),
        REPORT_NAME: write_page,
    }
    assert len(writers) == NUM_WRITTEN  # or the bar would end before the work, or after it
    with written_together(output) as folder:
        for done, (name, write) in enumerate(writers.items()):
            tell(f"Writing {name}", done)
            write(folder / name)
    tell("Done", len(writers))


def _shown(score: float | int | None) -> str:
    return "not measured" if score is None else f"{score:.4g}"
