"""A checkpoint over the test split -> one report: scores.json, scores.md, and a row a prompt."""

import json
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import mean, median
from typing import Any

import torch
from tqdm import tqdm

from olvdm.errors import InputError
from olvdm.evaluation.bootstrap import as_number
from olvdm.evaluation.generation_score import (
    compare_thumbnails,
    draw_rows,
    summarise_measure,
    summarise_rows,
    with_nearest,
)
from olvdm.evaluation.judges import Judges, find_judges, judged_measures
from olvdm.evaluation.measures import THUMBNAIL_MEASURES
from olvdm.evaluation.prompt_rows import PromptRow, RowStore, read_rows, save_rows, write_text
from olvdm.evaluation.protocol import (
    DATA_SEED,
    PARTS,
    SPLIT,
    Evaluation,
    clip_size,
    compared_clips,
    describe_protocol,
    evaluation_of,
    real_clips,
    rows_key,
)
from olvdm.evaluation.reconstruction_score import score_reconstruction
from olvdm.evaluation.report_markdown import render_report
from olvdm.evaluation.slot_score import score_slots
from olvdm.evaluation.thumbnails import ThumbnailSpace
from olvdm.evaluation.tracker import validate_tracker
from olvdm.generation import Generation
from olvdm.pipeline import OLVDMPipeline
from olvdm.slot_guidance import measure_floor
from olvdm.video import frames_to_clip

REPORT_FORMAT = 1
SCORES_NAME, MARKDOWN_NAME = "scores.json", "scores.md"
# Agreement with the truth on real clips, from which on the judge may judge drawn ones.
TRUSTED = {"simple": 0.95}
TRUSTED_ELSEWHERE = 0.9
# Hundredths of a second that one clip of each part takes, about; the bar counts in them.
PACE = {"reconstruction": 20, "slots": 40, "judge": 3, "judges": 40, "generation": 200}


def evaluate_checkpoint(  # noqa: PLR0913 - the settings of an evaluation, by keyword
    checkpoint: Path,
    level: str = "simple",
    num_clips: int = 64,
    num_prompts: int = 256,
    seed: int = 0,
    num_inference_steps: int = Generation.num_inference_steps,
    guidance_scale: float = Generation.guidance_scale,
    slot_guidance_scale: float = Generation.slot_guidance_scale,
    slot_guidance_floor: float | None = None,
    num_candidates: int | None = Generation.num_candidates,
    shuffles_slots: bool = Generation.shuffles_slots,
    num_training_clips: int = Evaluation.num_training_clips,
    parts: Sequence[str] = PARTS,
    judges: Path | None = None,
    output: Path | None = None,
    progress: bool = True,
    advance: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Measure a checkpoint on clips and prompts that no training saw.

    Two runs on one machine give equal reports but for ``seconds``. A run that was stopped goes on:
    prompts that were drawn with this checkpoint, code and settings are not drawn again.

    Args:
        checkpoint: The folder.
        level: Level of ``MovingShapes``: ``simple``, ``full`` or ``ood``.
        num_clips: Test clips to reconstruct, to segment and to try the judge on.
        num_prompts: Captions of the test split to draw clips from.
        seed: Noise seed of the first prompt; each prompt's is one more than the one before.
        num_inference_steps: Denoising steps.
        guidance_scale: Strength of the prompt.
        slot_guidance_scale: How far slots that lose their object are brought back.
        slot_guidance_floor: From where on they are left alone; none to measure it on real clips of
            the validation split.
        num_candidates: Noises that each clip may begin from, as slots choose; none for as many as
            the model was made for.
        shuffles_slots: Whether the choice forgets which slot is which: its control.
        num_training_clips: Training clips among which the nearest to each drawn one is sought.
        parts: Some of ``reconstruction``, ``slots``, ``judge`` and ``generation``.
        judges: Folder of the judges that bring networks of their own; without it ``judge`` beside
            the checkpoint, and where that is not there either, the report says so in one line.
        output: Folder for ``scores.json``, ``scores.md`` and ``generation.jsonl``; none writes
            nothing.
        progress: Whether to show one progress bar over all of it.
        advance: Called with the name of the part after each clip of it, but for those that were
            drawn before; it may raise to stop.

    Returns:
        What ``scores.json`` holds.

    Source: method.md section 7.
    """
    evaluation = Evaluation(
        level=level,
        num_clips=num_clips,
        num_prompts=num_prompts,
        seed=seed,
        num_inference_steps=num_inference_steps,
        guidance_scale=guidance_scale,
        slot_guidance_scale=slot_guidance_scale,
        slot_guidance_floor=slot_guidance_floor,
        num_candidates=num_candidates,
        shuffles_slots=shuffles_slots,
        num_training_clips=num_training_clips,
        parts=tuple(parts),
    )
    evaluation.check()
    _check_output(output)
    pipeline = OLVDMPipeline.from_pretrained(checkpoint)
    pipeline.to("cuda" if torch.cuda.is_available() else "cpu")
    evaluation = _with_floor(evaluation, pipeline)
    count = evaluation.num_candidates or pipeline.num_candidates
    evaluation = replace(evaluation, num_candidates=count)
    panel = _find_panel(judges, checkpoint, pipeline, evaluation)
    protocol = describe_protocol(evaluation, pipeline, checkpoint, panel.sha256)
    if output:
        output.mkdir(parents=True, exist_ok=True)

    def open_store() -> RowStore:
        return RowStore(output, rows_key(protocol))

    with _progress_bar(evaluation, panel, progress, advance) as count:
        scores = _measure(pipeline, panel, evaluation, open_store, count)
    report = {"format": REPORT_FORMAT, "kind": "evaluation", "protocol": protocol, **scores}
    if output:
        save_report(output, report)
    return report


def supplement_report(folder: Path, checkpoint: Path) -> None:
    """Add to a finished report what an earlier version did not measure, drawing nothing again.

    Args:
        folder: Output of its evaluation, which drew clips; a report that lacks nothing is left as
            it is.
        checkpoint: That drew them.

    Ours: what can be told from thumbnails must not cost an hour of drawing.
    """
    report = json.loads((folder / SCORES_NAME).read_bytes())
    protocol, generation = report["protocol"], report["generation"]
    if "thumbnail_distances" in generation or generation["num_prompts"] < 2:
        return
    evaluation = evaluation_of(protocol)
    size = (protocol["height"], protocol["width"])
    space = ThumbnailSpace(*compared_clips(size, checkpoint, evaluation))
    key = rows_key(protocol)
    rows = with_nearest(read_rows(folder, key), space)
    save_rows(folder, key, rows)
    rows = [row for row in rows if row.index < protocol["num_prompts"]]
    for measure in THUMBNAIL_MEASURES:
        group = generation.setdefault(measure.group, {})
        group[measure.name] = summarise_measure(rows, measure, is_judged=True)
    generation["thumbnail_distances"] = compare_thumbnails(rows, space)
    save_report(folder, report)


def save_report(folder: Path, report: Mapping[str, Any]) -> None:
    """Write a report as JSON and as Markdown.

    Args:
        folder: Output of its evaluation.
        report: What ``evaluate_checkpoint`` returns.
    """
    text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(folder / MARKDOWN_NAME, render_report(report))
    write_text(folder / SCORES_NAME, text + "\n")


def judge_validity(level: str, num_clips: int) -> dict[str, Any]:
    """Try the judge of drawn clips on real ones, and say what it may judge.

    Args:
        level: Level of ``MovingShapes``.
        num_clips: Test clips to try.

    Returns:
        Agreement with the truth by attribute, the bar, and which attributes pass it.

    Source: method.md section 7, judge (a).
    """
    agreement = validate_tracker(level, num_clips, seed=DATA_SEED)
    needed = TRUSTED.get(level, TRUSTED_ELSEWHERE)
    return {
        "num_clips": num_clips,
        "needed": needed,
        "agreement": agreement,
        "may_judge": {name: bool(value >= needed) for name, value in agreement.items()},
    }


def _find_panel(
    folder: Path | None, checkpoint: Path, pipeline: OLVDMPipeline, evaluation: Evaluation
) -> Judges:
    """Load what judges there are, with the real clips that they compare drawn ones with."""
    size = clip_size(pipeline)
    training, others = compared_clips(size, checkpoint, evaluation)
    return Judges(find_judges(folder, checkpoint), pipeline, training, others)


def _with_floor(evaluation: Evaluation, pipeline: OLVDMPipeline) -> Evaluation:
    """Return an evaluation that knows from where on slot guidance leaves a slot alone."""
    if evaluation.slot_guidance_scale == 0 or evaluation.slot_guidance_floor is not None:
        return evaluation
    clips = real_clips(clip_size(pipeline), evaluation.level, "val", evaluation.num_clips)
    weights = next(pipeline.autoencoder.parameters())
    floor = measure_floor(
        pipeline.slot_encoder,
        pipeline.slot_decoder,
        (pipeline.autoencoder.encode(frames_to_clip(clip.frames).to(weights)) for clip in clips),
    )
    return replace(evaluation, slot_guidance_floor=as_number(floor))


def _measure(
    pipeline: OLVDMPipeline,
    panel: Judges,
    evaluation: Evaluation,
    open_store: Callable[[], RowStore],
    advance: Callable[..., None],
) -> dict[str, Any]:
    """Run the parts that were asked for, one after the other."""
    scores: dict[str, Any] = {}
    seconds: dict[str, Any] = {}
    clips = real_clips(clip_size(pipeline), evaluation.level, SPLIT, evaluation.num_clips)
    if evaluation.has("reconstruction"):
        with _timed(seconds, "reconstruction"):
            scores["reconstruction"] = score_reconstruction(
                pipeline, (clip.frames for clip in clips), lambda: advance("reconstruction")
            )
    if evaluation.has("slots"):
        with _timed(seconds, "slots"):
            scores["slots"] = score_slots(pipeline, clips, lambda: advance("slots"))
    if evaluation.has("judge"):
        with _timed(seconds, "judge"):
            scores["judge"] = judge_validity(evaluation.level, evaluation.num_clips)
        for _ in range(evaluation.num_clips):
            advance("judge")
        with _timed(seconds, "judges"):
            scores["judges"] = panel.validate(clips, lambda: advance("judges"))
    if evaluation.has("generation"):
        with _timed(seconds, "generation"):
            size, store = clip_size(pipeline), open_store()
            prompts = real_clips(size, evaluation.level, SPLIT, evaluation.num_prompts)
            drawn = draw_rows(
                pipeline,
                evaluation,
                prompts,
                store,
                lambda is_new: advance("generation", is_new),
                panel,
            )
            rows = with_nearest(drawn, panel.space)
            store.keep(rows)
            may_judge = scores["judge"]["may_judge"] | judged_measures(scores["judges"])
            scores["generation"] = summarise_rows(rows, may_judge, panel)
        seconds["per_drawn_clip"] = _pace(rows)
    return {**scores, "seconds": seconds}


def _pace(rows: Sequence[PromptRow]) -> dict[str, float]:
    seconds = [row.seconds for row in rows]
    return {"median": round(median(seconds), 3), "mean": round(mean(seconds), 3)}


def _check_output(output: Path | None) -> None:
    if output and any(one.exists() and not one.is_dir() for one in (output, *output.parents)):
        raise InputError(
            f"output must be a folder, but {output.name[:64]!r} leads through a file; give another"
        )


@contextmanager
def _timed(seconds: dict[str, Any], part: str) -> Generator[None]:
    started = time.perf_counter()
    yield
    seconds[part] = round(time.perf_counter() - started, 1)


@contextmanager
def _progress_bar(
    evaluation: Evaluation,
    panel: Judges,
    is_shown: bool,
    follow: Callable[[str], None] | None,
) -> Generator[Callable[..., None]]:
    """Show one bar over all parts, and give what moves it on by one clip of a part."""
    counts = {part: evaluation.num_clips for part in PACE if evaluation.has(part)}
    if evaluation.has("judge"):
        counts["judges"] = evaluation.num_clips * panel.num_judges
    if evaluation.has("generation"):
        counts["generation"] = evaluation.num_prompts
    total = sum(PACE[part] * count for part, count in counts.items())
    shape = "{desc}{percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    with tqdm(total=total, disable=not is_shown, bar_format=shape) as bar:

        def advance(part: str, is_new: bool = True) -> None:
            bar.set_description(part.capitalize(), refresh=False)
            bar.update(PACE[part])
            if follow is not None and is_new:
                follow(part)

        yield advance
