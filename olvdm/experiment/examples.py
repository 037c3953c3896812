"""Clips to look at, chosen by rules from what every prompt scored: typical, best and worst."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import UInt8

from olvdm.data.moving_shapes import MovingShapes, parse_prompt
from olvdm.evaluation.bootstrap import as_number
from olvdm.evaluation.generation_score import draw_clip, values_of
from olvdm.evaluation.measures import Measure, measure_clip
from olvdm.evaluation.prompt_rows import PromptRow
from olvdm.evaluation.protocol import Evaluation
from olvdm.experiment.result_parts import Example, ExampleClip, pack_strip
from olvdm.pipeline import OLVDMPipeline

RULES = {
    "typical": "the prompt of median gain in the measure named below it",
    "best": "that of the largest gain",
    "worst": "that of the largest loss, or of the smallest gain where there is no loss",
}


def choose_examples(
    reference: Sequence[PromptRow], rows: Sequence[PromptRow], measure: Measure
) -> dict[str, int]:
    """Choose prompts by how much a model gains on them.

    Args:
        reference: What the reference scored.
        rows: What the model scored, the same prompts in the same order.
        measure: Of which the gain is taken; its goal is not the real clip.

    Returns:
        Place of a prompt by rule; nothing where the measure could be taken of no prompt. Of equal
        gains the first prompt is taken, so nobody chooses.

    Ours: hand-picked examples would show what we like to see.
    """
    sign = 1.0 if measure.goal == "higher" else -1.0
    before = values_of(reference, "generated", measure.name)
    gains = sign * (values_of(rows, "generated", measure.name) - before)
    known = np.flatnonzero(np.isfinite(gains))
    if not known.size:
        return {}
    ranked = known[np.argsort(gains[known], kind="stable")]
    best = int(known[np.argmax(gains[known])])
    typical, worst = int(ranked[(len(ranked) - 1) // 2]), int(ranked[0])
    return dict(zip(RULES, (typical, best, worst), strict=True))


def draw_example(
    rule: str,
    place: int,
    measure: str,
    clips: MovingShapes,
    models: Mapping[str, tuple[OLVDMPipeline, Evaluation]],
) -> Example:
    """Draw the clips of one prompt again.

    Args:
        rule: By which it was chosen.
        place: Of the prompt.
        measure: Name of the measure by which it was chosen.
        clips: Real clips whose captions are the prompts.
        models: Models with how each draws, by the name of their row.

    Returns:
        The real clip and one of each model, with what each of these clips scores.
    """
    real = clips[place]
    seed = next(iter(models.values()))[1].seed + place
    drawn = {
        name: draw_clip(pipeline, evaluation, real.prompt, seed)
        for name, (pipeline, evaluation) in models.items()
    }
    return Example(
        rule=rule,
        measure=measure,
        level=clips.level,
        prompt=real.prompt,
        noise_seed=seed,
        num_frames=len(real.frames),
        clips=tuple(
            _clip(name, frames, real.prompt, measure)
            for name, frames in {None: real.frames, **drawn}.items()
        ),
    )


def _clip(
    row: str | None, frames: UInt8[np.ndarray, "t h w 3"], prompt: str, measure: str
) -> ExampleClip:
    value = as_number(measure_clip(frames, parse_prompt(prompt))[measure])
    return ExampleClip(row=row, value=value, strip=pack_strip(frames))
