"""Two checkpoints as sets of clips: which is nearer to the real clips, and how sure that is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from olvdm.evaluation.attribute_judge import FEATURES, unpack_features
from olvdm.evaluation.bootstrap import LEVEL, SEED, Estimate
from olvdm.evaluation.feature_distance import frechet_distance, kernel_distance
from olvdm.evaluation.measures import Measure
from olvdm.evaluation.prompt_rows import PromptRow
from olvdm.evaluation.thumbnails import unpack_thumbnails, wave_features

NUM_RESAMPLES = 200  # of whole sets; each takes some milliseconds
Reader = Callable[[Sequence[PromptRow], str], Float32[np.ndarray, "n d"]]


@dataclass(frozen=True)
class SetMeasure:
    """A number of all clips together, by which two checkpoints can be compared.

    Attributes:
        measure: What it is called.
        distance: Of two sets of features.
        read: Features of the ``generated`` or the ``real`` clips of rows.
        field: Of a row, which holds what the features are read from, after ``real_`` for real
            clips.
        needs_judge: Whether the network of the features must have passed its bar.
    """

    measure: Measure
    distance: Callable[..., float]
    read: Reader
    field: str
    needs_judge: bool


def _attributes_of(rows: Sequence[PromptRow], side: str) -> Float32[np.ndarray, "n d"]:
    return unpack_features(_texts(rows, "features", side))


def _waves_of(rows: Sequence[PromptRow], side: str) -> Float32[np.ndarray, "n d"]:
    return wave_features(unpack_thumbnails(_texts(rows, "thumbnail", side)))


def _texts(rows: Sequence[PromptRow], field: str, side: str) -> list[str]:
    return [getattr(row, f"real_{field}" if side == "real" else field) for row in rows]


def _named(name: str, title: str) -> Measure:
    return Measure(name, title, "distances", "lower")


SET_MEASURES = (
    SetMeasure(
        _named("thumbnail_frechet_distance", "Frechet distance on thumbnails"),
        frechet_distance,
        _waves_of,
        "thumbnail",
        needs_judge=False,
    ),
    SetMeasure(
        _named("thumbnail_kernel_distance", "kernel distance on thumbnails"),
        kernel_distance,
        _waves_of,
        "thumbnail",
        needs_judge=False,
    ),
    SetMeasure(
        _named("frechet_distance", f"Frechet distance on the {FEATURES}"),
        frechet_distance,
        _attributes_of,
        "features",
        needs_judge=True,
    ),
    SetMeasure(
        _named("kernel_distance", f"kernel distance on the {FEATURES}"),
        kernel_distance,
        _attributes_of,
        "features",
        needs_judge=True,
    ),
)


def set_distances(
    rows: Sequence[PromptRow], other_rows: Sequence[PromptRow], one: SetMeasure
) -> tuple[float, float, Estimate]:
    """Compare how far the clips of two checkpoints, each as one set, are from the real clips.

    Args:
        rows: Of the first, one for each prompt, at least two, with their features.
        other_rows: Of the second, the same prompts in the same order.
        one: One of ``SET_MEASURES``.

    Returns:
        The distance of the first, that of the second, and second less first with its interval.

    Ours: the prompts are drawn again, the same ones for both, so that the pairs stay pairs. A set
    with repetitions is farther from the real clips than one without, for both alike, so the
    interval is moved by what the mean of the draws is off.
    """
    first, second = one.read(rows, "generated"), one.read(other_rows, "generated")
    real, distance = one.read(rows, "real"), one.distance
    near, far = distance(first, real), distance(second, real)
    drawn = _draw_differences(distance, first, second, real)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail]) - drawn.mean() + (far - near)
    interval = Estimate(mean=far - near, low=float(low), high=float(high), count=len(rows))
    return near, far, interval


def have_features(rows: Sequence[PromptRow], one: SetMeasure) -> bool:
    """Say whether there are sets to compare.

    Args:
        rows: One for each prompt.
        one: By which they would be compared.

    Returns:
        Whether there are two clips or more, all with what the features are read from.
    """
    texts = [text for side in ("generated", "real") for text in _texts(rows, one.field, side)]
    return len(rows) > 1 and all(texts)


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
