"""Two checkpoints as sets of clips: which is nearer to the real clips, and how sure that is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from olvdm.evaluation.attribute_judge import FEATURES, unpack_features
from olvdm.evaluation.bootstrap import SEED, Estimate, percentile_interval
from olvdm.evaluation.feature_distance import DISTANCES
from olvdm.evaluation.measures import Measure
from olvdm.evaluation.prompt_rows import PromptRow
from olvdm.evaluation.thumbnails import unpack_thumbnails, wave_features

NUM_RESAMPLES = 200  # of whole sets; each takes some milliseconds
TITLES = {"frechet_distance": "Frechet distance", "kernel_distance": "kernel distance"}


@dataclass(frozen=True)
class SetFeatures:
    """Features of clips, by which sets of them are compared.

    Attributes:
        field: Of a row, which holds what they are read from, after ``real_`` for real clips.
        title: What they are called in a title.
        prefix: Of the names of what is measured on them.
        unpack: Reads them.
        needs_judge: Whether the network that gave them must have passed its bar.
    """

    field: str
    title: str
    prefix: str
    unpack: Callable[[Sequence[str]], Float32[np.ndarray, "n d"]]
    needs_judge: bool

    def texts(self, rows: Sequence[PromptRow], side: str) -> list[str]:
        """Return what the features of the ``generated`` or the ``real`` clips are read from."""
        name = f"real_{self.field}" if side == "real" else self.field
        return [getattr(row, name) for row in rows]

    def read(self, rows: Sequence[PromptRow], side: str) -> Float32[np.ndarray, "n d"]:
        """Return the features of the ``generated`` or the ``real`` clips."""
        return self.unpack(self.texts(rows, side))


@dataclass(frozen=True)
class SetMeasure:
    """A number of all clips together, by which two checkpoints can be compared.

    Attributes:
        measure: What it is called.
        distance: Of two sets of features.
        features: These.
    """

    measure: Measure
    distance: Callable[..., float]
    features: SetFeatures


def _read_waves(texts: Sequence[str]) -> Float32[np.ndarray, "n d"]:
    return wave_features(unpack_thumbnails(texts))


KINDS = (
    SetFeatures("thumbnail", "thumbnails", "thumbnail_", _read_waves, needs_judge=False),
    SetFeatures("features", f"the {FEATURES}", "", unpack_features, needs_judge=True),
)
SET_MEASURES = tuple(
    SetMeasure(
        Measure(f"{kind.prefix}{name}", f"{TITLES[name]} on {kind.title}", "distances", "lower"),
        distance,
        kind,
    )
    for kind in KINDS
    for name, distance in DISTANCES.items()
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
    read, distance = one.features.read, one.distance
    first, second, real = read(rows, "generated"), read(other_rows, "generated"), read(rows, "real")
    near, far = distance(first, real), distance(second, real)
    drawn = _draw_differences(distance, first, second, real)
    moved = far - near - float(drawn.mean())
    low, high = (end + moved for end in percentile_interval(drawn))
    interval = Estimate(mean=far - near, low=low, high=high, count=len(rows))
    return near, far, interval


def have_features(rows: Sequence[PromptRow], one: SetMeasure) -> bool:
    """Say whether there are sets to compare.

    Args:
        rows: One for each prompt.
        one: By which they would be compared.

    Returns:
        Whether there are two clips or more, all with what the features are read from.
    """
    sides = (one.features.texts(rows, side) for side in ("generated", "real"))
    return len(rows) > 1 and all(map(all, sides))


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
