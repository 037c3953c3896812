"""``olvdm examples``: comparisons to store with the models, chosen by rules and not by hand."""

import argparse
import dataclasses
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from tqdm import tqdm

from olvdm.commands.comparison import comparison_settings
from olvdm.commands.source import running_commit
from olvdm.data.moving_shapes import LEVELS, example_prompts
from olvdm.errors import InputError
from olvdm.evaluation.inspection import Inspection, inspection_of
from olvdm.evaluation.paired import candidates_of, draw_together
from olvdm.evaluation.tracker import object_stability
from olvdm.limits import WholeRange
from olvdm.pipeline import OLVDMPipeline
from olvdm.request import Request, check_choice, check_request, check_whole
from olvdm.serving.denoising_views import DenoisingViews
from olvdm.serving.stored_runs import StoredRun, save_stored_run

BASELINE, OURS = "lvdm", "olvdm"
NUM_SEEDS = WholeRange(1, 1_000)
RULES = {  # one stored comparison each, and why it is that one; ``olvdm examples --help`` says it
    "typical": "the comparison of median gain",
    "largest gain": "the one in which OLVDM gains most",
    "where OLVDM is worse": "the one in which OLVDM loses most, if there is a loss",
}
REASON = (
    "Chosen by a rule and not by hand, of {count} comparisons: {rule}. Gain is how much less the"
    " objects' areas vary in OLVDM's clip than in LVDM's, as a tracker of colours sees them that no"
    " model was trained against."
)


@dataclasses.dataclass(frozen=True, eq=False)
class Comparison:
    """One prompt drawn by both models from one noise.

    Attributes:
        request: Prompt, seed and settings.
        clips: What was found in each model's clip.
        views: Of the steps on the way.
        candidates: Which of its noises each clip comes from.
    """

    request: Request
    clips: Mapping[str, Inspection]
    views: DenoisingViews | None = None
    candidates: Mapping[str, int] = dataclasses.field(default_factory=dict)

    @cached_property
    def gain(self) -> float:
        """How much less the areas of our clip's objects vary than those of the baseline's.

        Negative for more, NaN where one of the clips shows no object. The slots of a model are not
        asked: a loss may have taught them to be pleased.

        Ours: an object that splits, melts or goes changes its area, whatever its pixels do; warp
        error called clips better that had one object too many.
        """
        return _area_variation(self.clips[BASELINE]) - _area_variation(self.clips[OURS])


def store_examples(arguments: argparse.Namespace) -> None:
    """Draw every example prompt with both models, and keep the comparisons that the rules choose.

    Args:
        arguments: What ``olvdm examples`` was given.
    """
    num_seeds = check_whole("num_seeds", arguments.num_seeds, NUM_SEEDS)
    level = str(check_choice("level", arguments.level, LEVELS))
    folder = Path(arguments.checkpoints)
    folders = {name: folder / name for name in (BASELINE, OURS)}
    pipelines = {name: OLVDMPipeline.from_pretrained(one) for name, one in folders.items()}
    model = pipelines[OURS]
    requests = [
        check_request(prompt=prompt, seed=seed)
        for seed in range(num_seeds)
        for prompt in example_prompts(level)
    ]
    comparisons = [_compare(pipelines, request) for request in tqdm(requests, unit="pair")]
    for number, (rule, chosen) in enumerate(choose(comparisons).items(), start=1):
        key = f"{number}-{rule.replace(' ', '-').lower()}"
        clips = {name: dataclasses.asdict(clip) for name, clip in chosen.clips.items()}
        followed = comparison_settings(chosen.request, folders, model.dtype, model.device.type)
        reason = REASON.format(count=len(comparisons), rule=RULES[rule])
        settings = {
            **followed,
            "commit": running_commit(),
            "candidates": dict(chosen.candidates),
            "rule": rule,
            "reason": reason,
            "gain": chosen.gain,
        }
        views = tuple(chosen.views.views()) if chosen.views else ()
        save_stored_run(folder / "examples" / key, StoredRun(rule, settings, clips, views))
        print(f"{key}: {chosen.request.prompt!r}, seed {chosen.request.seed}, {chosen.gain:+.4f}")


def choose(comparisons: Sequence[Comparison]) -> dict[str, Comparison]:
    """Choose comparisons by their gain: the median one, the largest, and the smallest.

    Args:
        comparisons: Those whose gain cannot be measured are not chosen.

    Returns:
        One comparison a rule; the last is stored only where it is a failure, a gain below 0.

    Raises:
        InputError: If none can be measured.

    Ours: hand-picked examples would show what we like to see.
    """
    typical, largest, failure = RULES
    known = [one for one in comparisons if math.isfinite(one.gain)]
    if not known:
        raise InputError(
            "in none of the comparisons do both clips show an object, so that nothing can be "
            "chosen; train the models for longer"
        )
    ranked = sorted(known, key=lambda one: one.gain)
    chosen = {typical: ranked[(len(ranked) - 1) // 2], largest: ranked[-1]}
    return chosen | ({failure: ranked[0]} if ranked[0].gain < 0 else {})


def _compare(pipelines: Mapping[str, OLVDMPipeline], request: Request) -> Comparison:
    views, reached = DenoisingViews(pipelines), None
    for reached in draw_together(pipelines, request):
        if reached.steps:
            views.note(reached.steps)
    assert reached is not None
    found = {name: inspection_of(output) for name, output in reached.outputs.items()}
    return Comparison(request, found, views, candidates_of(reached.outputs))


def _area_variation(clip: Inspection) -> float:
    """Return how much the objects' areas vary, as the classical tracker sees it; NaN for none."""
    found = object_stability(clip.frames)
    return found.area_variation if found.empty_frames < 1 else math.nan
