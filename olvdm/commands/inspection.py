"""``olvdm inspect``: a video file -> its slots as pictures, arrays and numbers."""

import argparse
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
    found = find_objects(pipeline, video, request)
    scores = scores_of(found)
    notes = list(video.notes)
    if not found.is_familiar:
        notes.append(
            "This clip looks unlike those that the model was trained on, so its slots may mean "
            "little."
        )
    record: dict[str, Any] = {
        "kind": "inspection",
        "settings": {name: getattr(request, name) for name in FIELDS},
        "checkpoint": str(checkpoint),
        "checkpoint_sha256": checksum,
        "frames_sha256": frames_sha256(found.frames),
        "shape": list(found.frames.shape),
        "fps": found.fps,
        "source_size": [video.source_height, video.source_width],
        **environment(pipeline.dtype),
        "device": pipeline.device.type,
        "commit": running_commit(),
        "scores": scores,
        "notes": notes,
    }
    write_results(output, found, record)
    for note in notes:
        print(note)
    print(f"{output}: " + ", ".join(f"{name} {_shown(one)}" for name, one in scores.items()))


def find_objects(
    pipeline: OLVDMPipeline, video: DecodedVideo, request: InspectionRequest
) -> Inspection:
    """Inspect a video under a progress bar, which shows the fit of the slots to it.

    Args:
        pipeline: The model.
        video: What to look at.
        request: How.

    Returns:
        The inspection.
    """
    steps = request.adapt_steps
    with tqdm(desc="Fitting", total=steps, unit="step", disable=None if steps else True) as bar:

        def tell(step: int, num_steps: int, loss: float) -> None:
            bar.total = num_steps
            bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
            bar.update(step - bar.n)

        return inspect_clip(
            pipeline, video.frames, video.fps, request.num_slots, request.adapt_steps, tell
        )


def write_results(output: Path, found: Inspection, record: dict[str, Any]) -> None:
    """Write an inspection, all of it or nothing.

    Args:
        output: The folder.
        found: The inspection.
        record: What to note.
    """
    payload = report_payload(
        {"clip": found}, settings=record["settings"], notes=tuple(record["notes"])
    )
    with written_together(output) as folder:
        write_overlay(folder / "overlay.mp4", found)
        write_figures(folder, found)
        write_arrays(folder / "inspection.npz", {"": found})
        write_table(folder / "metrics.csv", slot_rows(found))
        write_record(folder / "inspection.json", record)
        write_report(folder / "report.html", payload)


def _shown(score: float | int | None) -> str:
    return "not measured" if score is None else f"{score:.4g}"
