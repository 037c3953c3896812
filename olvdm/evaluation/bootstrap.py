"""Says how sure a mean is: percentile bootstrap intervals over clips or prompts."""

import math
from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Float, Float64

NUM_RESAMPLES = 2_000
LEVEL = 0.95
SEED = 0
DIGITS = 6  # that a report prints; the rest is noise of the last bits


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean, or a ratio of means, and its 95 % interval.

    Attributes:
        mean: The value; NaN where nothing could be measured.
        low: Lower end of the interval.
        high: Upper end of the interval.
        count: How many clips could be measured.
    """

    mean: float
    low: float
    high: float
    count: int

    def as_json(self) -> dict[str, float | int | None]:
        """Return the fields as JSON can hold them."""
        return {name: as_number(value) for name, value in asdict(self).items()}


def as_number(value: float | int) -> float | int | None:
    """Round a number as reports print it; none for one that is not finite."""
    if isinstance(value, int):
        return value
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def estimate_mean(values: Float[np.ndarray, " n"]) -> Estimate:
    """Average what could be measured.

    Args:
        values: One for each clip; NaN is left out.

    Returns:
        Mean and interval, the same at every call. Equal values have an interval of no width, which
        says that these clips do not differ, not that no other would.

    Source: Efron 1979, percentile intervals.
    """
    return estimate_ratio(values, np.ones(len(values)))


def estimate_ratio(
    values: Float[np.ndarray, " n"], references: Float[np.ndarray, " n"]
) -> Estimate:
    """Divide the mean of one measure by that of another on the same clips.

    Args:
        values: One for each clip; a clip with NaN here or there is left out.
        references: The same clips' values to compare with.

    Returns:
        Ratio of the means and its interval; NaN where the second mean is 0.

    Ours: whole clips are drawn again, so that the pairs stay pairs.
    """
    known = np.isfinite(values) & np.isfinite(references)
    pairs = np.stack([values[known], references[known]]).astype(np.float64)
    count = int(known.sum())
    if not count:
        return Estimate(mean=math.nan, low=math.nan, high=math.nan, count=0)
    rng = np.random.default_rng(SEED)
    drawn = pairs[:, rng.integers(count, size=(NUM_RESAMPLES, count))].mean(axis=2)
    low, high = percentile_interval(_divide(drawn))
    mean = float(_divide(pairs.mean(axis=1, keepdims=True))[0])
    return Estimate(mean=mean, low=low, high=high, count=count)


def estimate_crossed(values: Float[np.ndarray, "s n"]) -> Estimate:
    """Average over trainings and clips, where both could have been others.

    Args:
        values: Of several trainings on the same clips; NaN is left out.

    Returns:
        Mean and interval; `count` is that of clips which any training knows.

    Source: Owen 2007, the pigeonhole bootstrap: rows and columns are drawn again, each on its own.
    It errs towards wider intervals. Ours: what few trainings can say of others is little, but
    intervals of each alone say nothing of it at all.
    """
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0).astype(np.float64)
    count = int(known.any(axis=0).sum())
    if not count:
        return Estimate(mean=math.nan, low=math.nan, high=math.nan, count=0)
    rng = np.random.default_rng(SEED)
    trainings, clips = (_redraw(rng, size) for size in values.shape)
    sums, counts = (((trainings @ one) * clips).sum(axis=1) for one in (filled, known))
    low, high = percentile_interval(sums[counts > 0] / counts[counts > 0])
    return Estimate(mean=float(filled.sum() / known.sum()), low=low, high=high, count=count)


def percentile_interval(drawn: Float[np.ndarray, " r"]) -> tuple[float, float]:
    """Return the ends between which lie as many of the draws as ``LEVEL`` says.

    Args:
        drawn: A number of each draw.

    Returns:
        Lower and upper end.
    """
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def effect_size(differences: Float[np.ndarray, " n"]) -> float:
    """Compare a paired difference with how much it varies between clips.

    Args:
        differences: One for each pair; NaN is left out.

    Returns:
        Mean over standard deviation; NaN where it does not vary.

    Source: Cohen 1988, d of paired samples.
    """
    known = differences[np.isfinite(differences)]
    spread = float(known.std(ddof=1)) if len(known) > 1 else 0.0
    return float(known.mean()) / spread if spread > 0 else math.nan


def _redraw(rng: np.random.Generator, size: int) -> Float64[np.ndarray, "r n"]:
    """Return how often each of so many is drawn, when as many are drawn with repetition."""
    return rng.multinomial(size, np.full(size, 1 / size), size=NUM_RESAMPLES).astype(np.float64)


def _divide(means: Float64[np.ndarray, "2 n"]) -> Float64[np.ndarray, " n"]:
    """Divide the first row by the second, NaN where that is 0."""
    safe = np.where(means[1] == 0, np.nan, means[1])
    return means[0] / safe
