"""A checkpoint over the test split -> one report: scores.json, scores.md, and a row a prompt."""

import json
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, median
from typing import Any

import torch
from tqdm import tqdm

from olvdm.data.moving_shapes import MovingShapes
from olvdm.errors import InputError
from olvdm.evaluation.generation_score import draw_rows, summarise_rows
from olvdm.evaluation.prompt_rows import PromptRow, RowStore, write_text
from olvdm.evaluation.protocol import (
    DATA_SEED,
    NUM_FRAMES,
    PARTS,
    SPLIT,
    Evaluation,
    clip_size,
    describe_protocol,
    rows_key,
)
from olvdm.evaluation.reconstruction_score import score_reconstruction
from olvdm.evaluation.report_markdown import render_report
from olvdm.evaluation.slot_score import score_slots
from olvdm.evaluation.tracker import validate_tracker
from olvdm.generation import Generation
from olvdm.pipeline import OLVDMPipeline

REPORT_FORMAT = 1
SCORES_NAME, MARKDOWN_NAME = "scores.json", "scores.md"
# Agreement with the truth on real clips, from which on the judge may judge drawn ones.
TRUSTED = {"simple": 0.95}
TRUSTED_ELSEWHERE = 0.9
# Hundredths of a second that one clip of each part takes, about; the bar counts in them.
PACE = {"reconstruction": 20, "slots": 30, "judge": 3, "generation": 150}


def evaluate_checkpoint(  # noqa: PLR0913 - the settings of an evaluation, by keyword
    checkpoint: Path,
    level: str = "simple",
    num_clips: int = 64,
    num_prompts: int = 256,
    seed: int = 0,
    num_inference_steps: int = Generation.num_inference_steps,
    guidance_scale: float = Generation.guidance_scale,
    parts: Sequence[str] = PARTS,
    output: Path | None = None,
    progress: bool = True,
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
        parts: Some of ``reconstruction``, ``slots``, ``judge`` and ``generation``.
        output: Folder for ``scores.json``, ``scores.md`` and ``generation.jsonl``; none writes
            nothing.
        progress: Whether to show one progress bar over all of it.

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
        parts=tuple(parts),
    )
    evaluation.check()
    _check_output(output)
    pipeline = OLVDMPipeline.from_pretrained(checkpoint)
    pipeline.to("cuda" if torch.cuda.is_available() else "cpu")
    protocol = describe_protocol(evaluation, pipeline, checkpoint)
    if output:
        output.mkdir(parents=True, exist_ok=True)
    with _progress_bar(evaluation, progress) as bar:
        scores = _measure(pipeline, evaluation, lambda: RowStore(output, rows_key(protocol)), bar)
    report = {"format": REPORT_FORMAT, "kind": "evaluation", "protocol": protocol, **scores}
    if output:
        text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)
        write_text(output / MARKDOWN_NAME, render_report(report))
        write_text(output / SCORES_NAME, text + "\n")
    return report


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


def _measure(
    pipeline: OLVDMPipeline,
    evaluation: Evaluation,
    open_store: Callable[[], RowStore],
    advance: Callable[[str], None],
) -> dict[str, Any]:
    """Run the parts that were asked for, one after the other."""
    scores: dict[str, Any] = {}
    seconds: dict[str, Any] = {}
    clips = _test_clips(pipeline, evaluation.level, evaluation.num_clips)
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
    if evaluation.has("generation"):
        with _timed(seconds, "generation"):
            prompts = _test_clips(pipeline, evaluation.level, evaluation.num_prompts)
            rows = draw_rows(
                pipeline, evaluation, prompts, open_store(), lambda: advance("generation")
            )
            scores["generation"] = summarise_rows(rows, scores["judge"]["may_judge"])
        seconds["per_drawn_clip"] = _pace(rows)
    return {**scores, "seconds": seconds}


def _test_clips(pipeline: OLVDMPipeline, level: str, num_clips: int) -> MovingShapes:
    height, width = clip_size(pipeline)
    return MovingShapes(level, SPLIT, num_clips, DATA_SEED, NUM_FRAMES, height, width)


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
def _progress_bar(evaluation: Evaluation, is_shown: bool) -> Generator[Callable[[str], None]]:
    """Show one bar over all parts, and give what moves it on by one clip of a part."""
    counts = dict.fromkeys(PACE, evaluation.num_clips) | {"generation": evaluation.num_prompts}
    total = sum(PACE[part] * counts[part] for part in PACE if evaluation.has(part))
    shape = "{desc}{percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    with tqdm(total=total, disable=not is_shown, bar_format=shape) as bar:

        def advance(part: str) -> None:
            bar.set_description(part.capitalize(), refresh=False)
            bar.update(PACE[part])

        yield advance
