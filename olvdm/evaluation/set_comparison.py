"""Two checkpoints as sets of clips: which is nearer to the real clips, and how sure that is."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float32, Float64

from olvdm.evaluation.attribute_judge import FEATURES, unpack_features
from olvdm.evaluation.bootstrap import LEVEL, SEED, Estimate
from olvdm.evaluation.feature_distance import frechet_distance, kernel_distance
from olvdm.evaluation.measures import Measure
from olvdm.evaluation.prompt_rows import PromptRow

NUM_RESAMPLES = 200  # of whole sets; each takes some milliseconds
SET_MEASURES: dict[Measure, Callable[..., float]] = {
    Measure(
        "frechet_distance", f"Frechet distance on the {FEATURES}", "distances", "lower"
    ): frechet_distance,
    Measure(
        "kernel_distance", f"kernel distance on the {FEATURES}", "distances", "lower"
    ): kernel_distance,
}


def set_distances(
    rows: Sequence[PromptRow], other_rows: Sequence[PromptRow], measure: Measure
) -> tuple[float, float, Estimate]:
    """Compare how far the clips of two checkpoints, each as one set, are from the real clips.

    Args:
        rows: Of the first, one for each prompt, at least two, with their features.
        other_rows: Of the second, the same prompts in the same order.
        measure: One of ``SET_MEASURES``.

    Returns:
        The distance of the first, that of the second, and second less first with its interval.

    Ours: the prompts are drawn again, the same ones for both, so that the pairs stay pairs. A set
    with repetitions is farther from the real clips than one without, for both alike, so the
    interval is moved by what the mean of the draws is off.
    """
    first, second, real = (
        unpack_features(texts)
        for texts in (
            [row.features for row in rows],
            [row.features for row in other_rows],
            [row.real_features for row in rows],
        )
    )
    distance = SET_MEASURES[measure]
    near, far = distance(first, real), distance(second, real)
    drawn = _draw_differences(distance, first, second, real)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail]) - drawn.mean() + (far - near)
    interval = Estimate(mean=far - near, low=float(low), high=float(high), count=len(rows))
    return near, far, interval


def have_features(rows: Sequence[PromptRow]) -> bool:
    """Say whether there are sets to compare.

    Args:
        rows: One for each prompt.

    Returns:
        Whether there are two clips or more, all with features.
    """
    return len(rows) > 1 and all(row.features and row.real_features for row in rows)


def _draw_differences(
    distance: Callable[..., float],
    first: Float32[np.ndarray, "n d"],
    second: Float32[np.ndarray, "n d"],
    real: Float32[np.ndarray, "n d"],
) -> Float64[np.ndarray, " r"]:
    """Take the difference of the distances over prompts that are drawn with repetition."""
    rng = np.random.default_rng(SEED)
    draws = rng.integers(len(real), size=(NUM_RESAMPLES, len(real)))
    return np.array(
        [
            distance(second[places], real[places]) - distance(first[places], real[places])
            for places in draws
        ]
    )
