"""``olvdm generate``: a prompt, or the record of a run -> a clip, its slots, its record."""

import argparse
import json
import shlex
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from tqdm import tqdm

from olvdm.checkpoint import fastest_dtype
from olvdm.commands.arguments import CHECKPOINT
from olvdm.commands.comparison import ENVIRONMENT_FIELDS, MODELS_FOLDER, model_records
from olvdm.commands.comparison import KIND as COMPARISON
from olvdm.commands.given_frames import check_count, check_last, check_places, read_given
from olvdm.commands.output import check_ending, written_together
from olvdm.commands.pages import report_payload, write_report
from olvdm.commands.pictures import write_correlation, write_overlay
from olvdm.commands.record import (
    DTYPES,
    REQUEST_FIELDS,
    check_usual_place,
    checkpoint_sha256,
    environment,
    frames_sha256,
    read_record,
    scores_of,
    write_record,
)
from olvdm.commands.source import running_commit
from olvdm.errors import InputError, shown_value
from olvdm.evaluation.inspection import Inspection, inspection_of
from olvdm.evaluation.paired import generation_of
from olvdm.generation import OLVDMPipelineOutput
from olvdm.limits import CANDIDATES, LONG_FRAMES, SLOT_GUIDANCE, Range
from olvdm.pipeline import OLVDMPipeline
from olvdm.request import Request, check_choice, check_number, check_request, check_whole
from olvdm.video import write_mp4

KIND = "generation"
FPS = Range(1.0, 60.0)
FIELDS = (
    *REQUEST_FIELDS,
    "checkpoint",
    "given",
    "places",
    "fps",
    "dtype",
    "slot_guidance_scale",
    "num_candidates",
    "last",
)
# Values that change nothing.
IDLE: dict[str, object] = {"slot_guidance_scale": 0.0, "num_candidates": None, "last": None}


@dataclass(frozen=True, kw_only=True)
class Job:
    """All that a clip follows from, legal in every field.

    Attributes:
        request: What was asked for.
        height: Pixels, none for the size of the training.
        width: Likewise.
        checkpoint: Folder of the model.
        given: Files of frames that are known.
        places: Where they belong, none for the first ones.
        fps: Frames a second of the file.
        dtype: Name of the weights' dtype.
        slot_guidance_scale: How far slots that lose their object are brought back.
        num_candidates: Noises to begin from; none for as many as the model was made for.
        last: How many frames at the end of a given video are known, none for all.
    """

    request: Request
    height: int | None
    width: int | None
    checkpoint: str
    given: tuple[str, ...]
    places: tuple[int, ...] | None
    fps: float
    dtype: str
    slot_guidance_scale: float = 0.0
    num_candidates: int | None = None
    last: int | None = None

    def settings(self) -> dict[str, object]:
        """Return what ``check_job`` makes an equal job of, as JSON can hold it.

        What slots do to the drawing, and how much of a video is given, is told of where it does
        something: records of before know nothing of it.
        """
        asked = {name: getattr(self.request, name) for name in REQUEST_FIELDS}
        others = {name: value for name, value in asdict(self).items() if name != "request"}
        left_out = {name for name, value in IDLE.items() if others[name] == value}
        return {**asked, **{name: one for name, one in others.items() if name not in left_out}}


@dataclass(frozen=True)
class Task:
    """One clip to draw.

    Attributes:
        job: All that it follows from.
        output: Its file; the names of the others follow from it.
        earlier: Record of the same job, to compare with; none where there is none.
    """

    job: Job
    output: Path
    earlier: dict[str, Any] | None


@dataclass(frozen=True, eq=False)
class Drawn:
    """One clip that was drawn.

    Attributes:
        task: What it was drawn for.
        found: The clip and its slots.
        record: What to note.
    """

    task: Task
    found: Inspection
    record: dict[str, Any]


def generate(arguments: argparse.Namespace) -> None:
    """Draw a clip and write it, with its pictures and its record.

    Args:
        arguments: What ``olvdm generate`` was given.
    """
    output = Path(arguments.output)
    check_ending(output, ".mp4")
    typed = {
        name: value
        for name, value in vars(arguments).items()
        if value is not None and name in FIELDS
    }
    earlier = read_record(Path(arguments.repeat), KIND, COMPARISON) if arguments.repeat else {}
    drawn = [_draw_task(task) for task in _tasks(earlier, typed, output)]
    with written_together(output.parent) as folder:
        for one in drawn:
            write_results(folder, one)
    for one in drawn:
        seconds = one.record["seconds"]
        print(f"{one.task.output}: {len(one.found.frames)} frames in {seconds:.1f} s")
        if one.task.earlier is not None:
            _compare(one.task.earlier, one.record)


def _tasks(earlier: dict[str, Any], typed: dict[str, Any], output: Path) -> list[Task]:
    """Return the clip to draw, or where a comparison is repeated that of each of its models."""
    if earlier.get("kind") == COMPARISON:
        others = {name: value for name, value in typed.items() if name != "checkpoint"}
        records = model_records(earlier, typed.get("checkpoint"))
        check_usual_place(typed.get("checkpoint", MODELS_FOLDER), MODELS_FOLDER, "the models")
        return [
            Task(
                check_job({**record["settings"], **others}),
                output.with_name(f"{output.stem}-{name}{output.suffix}"),
                None if others else record,
            )
            for name, record in records.items()
        ]
    settings = earlier.get("settings", {})
    if not isinstance(settings, dict):
        raise InputError("the record holds no settings; give the JSON file beside a clip")
    job = check_job({**settings, **typed})
    check_usual_place(job.checkpoint, CHECKPOINT)
    is_same = earlier.get("settings") == json.loads(json.dumps(job.settings()))
    return [Task(job, output, earlier if is_same else None)]


def _draw_task(task: Task) -> Drawn:
    """Draw a clip, and note all that it follows from."""
    job = task.job
    given = read_given(job.given, job.last)
    if given is not None:
        check_count(len(given), job.given, job.places, job.request.num_frames)
    checksum = checkpoint_sha256(Path(job.checkpoint))
    pipeline = OLVDMPipeline.from_pretrained(job.checkpoint, DTYPES[job.dtype])
    pipeline.to("cuda" if torch.cuda.is_available() else "cpu")
    job = replace(job, num_candidates=job.num_candidates or pipeline.num_candidates)
    notes = _notes(pipeline, job)
    started = time.perf_counter()
    output = draw(pipeline, job, given)
    seconds = time.perf_counter() - started
    found = inspection_of(output, fps=job.fps)
    record: dict[str, Any] = {
        "kind": KIND,
        "settings": job.settings(),
        "command": command_of(job, task.output),
        "checkpoint_sha256": checksum,
        "given_sha256": None if given is None else frames_sha256(given),
        "frames_sha256": frames_sha256(found.frames),
        "shape": list(found.frames.shape),
        "candidate": int(output.candidates[0]),
        "device": pipeline.device.type,
        **environment(DTYPES[job.dtype]),
        "commit": running_commit(),
        "seconds": round(seconds, 3),
        "scores": scores_of(found),
        "notes": notes,
    }
    return Drawn(task, found, record)


def check_job(settings: dict[str, Any]) -> Job:
    """Return a legal job, or say in one sentence what is wrong with it.

    Args:
        settings: Fields of `Job` and of its request; what is left out has its default.

    Returns:
        The job.

    Raises:
        InputError: If a value is not legal.
    """
    for name in settings:
        if name not in FIELDS:
            raise InputError(f"there is no setting {name[:64]!r}; known are {', '.join(FIELDS)}")
    asked = {name: settings[name] for name in REQUEST_FIELDS if settings.get(name) is not None}
    request = check_request(LONG_FRAMES, **asked)
    given, places = settings.get("given") or (), settings.get("places")
    fps, candidates = settings.get("fps"), settings.get("num_candidates")
    checkpoint = settings.get("checkpoint") or CHECKPOINT
    if not isinstance(checkpoint, str):
        raise InputError(f"checkpoint must be a folder, got {shown_value(checkpoint)}")
    if not _are_texts(given):
        raise InputError(f"given must be a list of files, got {shown_value(given)}")
    dtype = settings.get("dtype") or _fastest_name()
    return Job(
        request=request,
        height=request.height if "height" in asked else None,
        width=request.width if "width" in asked else None,
        checkpoint=checkpoint,
        given=tuple(given),
        places=None if places is None else check_places(places, given, request.num_frames),
        fps=check_number("fps", 8 if fps is None else fps, FPS),
        dtype=str(check_choice("dtype", dtype, tuple(DTYPES))),
        slot_guidance_scale=check_number(
            "slot_guidance_scale", settings.get("slot_guidance_scale", 0.0), SLOT_GUIDANCE
        ),
        num_candidates=None
        if candidates is None
        else check_whole("num_candidates", candidates, CANDIDATES),
        last=check_last(settings.get("last"), given, request.num_frames),
    )


def draw(
    pipeline: OLVDMPipeline, job: Job, given: UInt8[np.ndarray, "n h w 3"] | None
) -> OLVDMPipelineOutput:
    """Draw the clip under a progress bar, which a file or a pipe does not get.

    Args:
        pipeline: The model.
        job: What to draw.
        given: Frames that are known.

    Returns:
        One clip and its slots.
    """
    request = job.request
    generation = replace(
        generation_of(request),
        height=job.height,
        width=job.width,
        given_frames=given,
        given_places=job.places,
        slot_guidance_scale=job.slot_guidance_scale,
        num_candidates=job.num_candidates,
    )
    drawn = None
    with tqdm(desc="Denoising", unit="step", disable=None, leave=False) as bar:
        for reached in pipeline.stream(generation):
            if isinstance(reached, OLVDMPipelineOutput):
                drawn = reached
            else:
                bar.total = reached.num_steps
                bar.update(reached.step - bar.n)
    assert drawn is not None  # a stream ends with its output
    return drawn


def write_results(folder: Path, drawn: Drawn) -> None:
    """Write a clip and what stands beside it.

    Args:
        folder: Where; the names follow from that of the clip.
        drawn: The clip, its slots and its record.
    """
    found, output, prompt = drawn.found, drawn.task.output, drawn.task.job.request.prompt
    write_mp4(found.frames, folder / output.name, found.fps)
    write_overlay(folder / f"{output.stem}-overlay.mp4", found)
    write_correlation(folder / f"{output.stem}-correlation.png", found, prompt)
    write_record(folder / f"{output.stem}.json", drawn.record)
    settings = drawn.record["settings"]
    payload = report_payload({"clip": found}, caption=prompt, settings=settings)
    write_report(folder / f"{output.stem}-report.html", payload)


def command_of(job: Job, output: Path) -> str:
    """Return the command that draws the same clip again."""
    words = ["olvdm", "generate", job.request.prompt]
    for name, value in job.settings().items():
        if name == "prompt" or value is None or value in ("", ()):
            continue
        values = value if isinstance(value, tuple) else (value,)
        words += [f"--{name.replace('_', '-')}", *map(str, values)]
    return shlex.join([*words, "--output", str(output)])


def _notes(pipeline: OLVDMPipeline, job: Job) -> list[str]:
    """Say what of the prompt the model cannot read, and write it for the person to see."""
    prompt, notes = job.request.prompt, []
    if prompt not in pipeline.prompt_embeds:
        unknown = pipeline.text_encoder.unknown_words(prompt)
        if unknown:
            notes.append(f"words that the model has never met: {', '.join(unknown)}")
        num_cut = pipeline.text_encoder.num_tokens_cut(prompt)
        if num_cut:
            notes.append(f"the prompt is too long for the model: {num_cut} tokens are left out")
    for note in notes:
        print(f"olvdm: {note}", file=sys.stderr)
    return notes


def _compare(earlier: dict[str, Any], record: dict[str, Any]) -> None:
    """Say whether a repeated clip is the same, and if not, what differs."""
    if earlier.get("frames_sha256") == record["frames_sha256"]:
        print("the frames are the same as before, byte for byte")
        return
    names = ("checkpoint_sha256", "given_sha256", *ENVIRONMENT_FIELDS)
    differing = [name for name in names if name in earlier and earlier[name] != record[name]]
    reason = f"these differ: {', '.join(differing)}" if differing else "nothing known differs"
    print(f"the frames are not the same as before; {reason}")


def _fastest_name() -> str:
    return next(name for name, dtype in DTYPES.items() if dtype == fastest_dtype())


def _are_texts(values: object) -> bool:
    is_list = isinstance(values, (list, tuple))
    return is_list and all(isinstance(value, str) for value in values)
