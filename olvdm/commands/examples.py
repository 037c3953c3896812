"""``olvdm examples``: comparisons to store with the models, chosen by rules and not by hand."""

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from olvdm.commands.comparison import comparison_settings
from olvdm.commands.source import running_commit
from olvdm.data.moving_shapes import example_prompts
from olvdm.evaluation.inspection import Inspection, inspection_of
from olvdm.evaluation.paired import draw_together
from olvdm.pipeline import OLVDMPipeline
from olvdm.request import Request, check_request
from olvdm.serving.denoising_views import DenoisingViews
from olvdm.serving.stored_runs import StoredRun, save_stored_run

BASELINE, OURS = "lvdm", "olvdm"
RULES = {  # one stored comparison each, and why it is that one; ``olvdm examples --help`` says it
    "typical": "the comparison of median gain",
    "largest gain": "the one in which OLVDM gains most",
    "where OLVDM is worse": "the one in which OLVDM loses most, if there is a loss",
}
REASON = (
    "Chosen by a rule and not by hand, of {count} comparisons: {rule}. Gain is how much less the"
    " objects of OLVDM's clip flicker than those of LVDM's."
)


@dataclasses.dataclass(frozen=True, eq=False)
class Comparison:
    """One prompt drawn by both models from one noise.

    Attributes:
        request: Prompt, seed and settings.
        clips: What was found in each model's clip.
        views: Of the steps on the way.
    """

    request: Request
    clips: Mapping[str, Inspection]
    views: DenoisingViews | None = None

    @property
    def gain(self) -> float:
        """How much less our clip's objects flicker than the baseline's; negative for more."""
        return _object_flicker(self.clips[BASELINE]) - _object_flicker(self.clips[OURS])


def store_examples(arguments: argparse.Namespace) -> None:
    """Draw every example prompt with both models, and keep the comparisons that the rules choose.

    Args:
        arguments: What ``olvdm examples`` was given.
    """
    folder = Path(arguments.checkpoints)
    folders = {name: folder / name for name in (BASELINE, OURS)}
    pipelines = {name: OLVDMPipeline.from_pretrained(one) for name, one in folders.items()}
    model = pipelines[OURS]
    requests = [
        check_request(prompt=prompt, seed=seed)
        for seed in range(arguments.num_seeds)
        for prompt in example_prompts(arguments.level)
    ]
    comparisons = [_compare(pipelines, request) for request in tqdm(requests, unit="pair")]
    for number, (rule, chosen) in enumerate(choose(comparisons).items(), start=1):
        key = f"{number}-{rule.replace(' ', '-').lower()}"
        clips = {name: dataclasses.asdict(clip) for name, clip in chosen.clips.items()}
        followed = comparison_settings(chosen.request, folders, model.dtype, model.device.type)
        reason = REASON.format(count=len(comparisons), rule=RULES[rule])
        noted = {"commit": running_commit(), "rule": rule, "reason": reason, "gain": chosen.gain}
        settings = {**followed, **noted}
        views = tuple(chosen.views.views()) if chosen.views else ()
        save_stored_run(folder / "examples" / key, StoredRun(rule, settings, clips, views))
        print(f"{key}: {chosen.request.prompt!r}, seed {chosen.request.seed}, {chosen.gain:+.4f}")


def choose(comparisons: Sequence[Comparison]) -> dict[str, Comparison]:
    """Choose comparisons by their gain: the median one, the largest, and the smallest.

    Args:
        comparisons: At least one.

    Returns:
        One comparison a rule; the last is stored only where it is a failure, a gain below 0.

    Ours: hand-picked examples would show what we like to see.
    """
    typical, largest, failure = RULES
    ranked = sorted(comparisons, key=lambda one: one.gain)
    chosen = {typical: ranked[(len(ranked) - 1) // 2], largest: ranked[-1]}
    return chosen | ({failure: ranked[0]} if ranked[0].gain < 0 else {})


def _compare(pipelines: Mapping[str, OLVDMPipeline], request: Request) -> Comparison:
    views, reached = DenoisingViews(pipelines), None
    for reached in draw_together(pipelines, request):
        if reached.steps:
            views.note(reached.steps)
    assert reached is not None
    found = {name: inspection_of(output) for name, output in reached.outputs.items()}
    return Comparison(request, found, views)


def _object_flicker(clip: Inspection) -> float:
    """Return the mean flicker of all slots but the background's."""
    objects = np.delete(clip.flicker, clip.background, axis=1)
    return float(np.nanmean(objects)) if np.isfinite(objects).any() else 0.0
