"""Comparisons of several trainings -> what they say of one measure together."""

from collections.abc import Sequence

import numpy as np

from olvdm.evaluation.bootstrap import effect_size, estimate_crossed
from olvdm.evaluation.report_comparison import Comparison, verdict_of


def pool_trainings(comparisons: Sequence[Comparison]) -> Comparison | None:
    """Put together what pairs of trainings, each compared prompt by prompt, say of one measure.

    Args:
        comparisons: Of the same measure and the same prompts, one a pair of trainings.

    Returns:
        The comparison of all. Its interval asks what other trainings and other prompts might have
        given, both at once; its effect is that of the prompts' mean differences; its counts are
        those of all trainings. None where there is one training, and for sets of clips, which have
        no value a prompt.

    Ours: that every training shows a difference on its own is more than a claim about their mean
    needs, and that one of them does is less.
    """
    first = comparisons[0]
    lengths = {one.differences.size for one in comparisons}
    if len(comparisons) == 1 or lengths == {0} or len(lengths) > 1:
        return None
    differences = np.stack([one.differences for one in comparisons])
    estimate = estimate_crossed(differences)
    known = np.isfinite(differences)
    sums = np.where(known, differences, 0.0).sum(axis=0)
    a_prompt = sums[known.any(axis=0)] / known.sum(axis=0)[known.any(axis=0)]
    return Comparison(
        measure=first.measure,
        real=first.real,
        first=float(np.mean([one.first for one in comparisons])),
        second=float(np.mean([one.second for one in comparisons])),
        difference=estimate,
        effect=effect_size(a_prompt),
        verdict=verdict_of(estimate, first.measure),
        num_prompts=sum(one.num_prompts for one in comparisons),
        num_lower=sum(one.num_lower for one in comparisons),
        differences=a_prompt,
    )
