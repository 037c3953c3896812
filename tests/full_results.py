"""Results with every kind of row and part, whose numbers all differ, so that each can be found."""

import hashlib
from collections.abc import Sequence

import numpy as np

from olvdm.experiment.result_parts import Example, ExampleClip, Interval, SlotScores, pack_strip
from olvdm.experiment.results import (
    Branch,
    BranchCost,
    Curve,
    LevelScores,
    Missing,
    PairedDifference,
    Results,
    Row,
    SeedSpread,
    SetScore,
    Spread,
)
from tests.example_results import MEASURES, example_results

LEVELS = ("simple", "ood")
LABELS = {
    "lvdm": "LVDM",
    "corr": "OLVDM (corr)",
    "shuffled": "corr, slots shuffled",
    "guidance": "LVDM + slot guidance",
    "gram": "gram",
    "nce_batch": "nce, whole batch",
    "no_mixing": "no mixing at full resolution",
    "l2": "l2",
}
SEEDS = {"lvdm": (1, 2, 3), "corr": (1, 2, 3), "shuffled": (1, 2, 3), "l2": ()}
GAINS = {"corr": -0.35, "shuffled": 0.02, "gram": -0.05, "nce_batch": 0.3}  # of the mean
SET_NAMES = ("diversity", "frechet_distance")


class Numbers:
    """Draws numbers, each with six digits of its own."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(7)

    def near(self, value: float, half: float = 0.02) -> float:
        return float(f"{value * (1 + self.rng.uniform(-half, half)):.6g}")

    def interval(self, mean: float, half: float) -> Interval:
        return Interval(
            mean=float(f"{mean:.6g}"),
            low=mean - self.near(half),
            high=mean + self.near(half),
            count=256,
        )


def full_results() -> Results:
    """Return results of eight rows, two levels and up to three seeds; one row is missing."""
    numbers = Numbers()
    means = {name: float(numbers.rng.uniform(0.1, 3)) for name in (one.name for one in MEASURES)}
    rows = tuple(_row(numbers, name, means) for name in LABELS)
    base = example_results()
    levels = {
        level: {name: numbers.interval(0.4 * mean, 0.05 * mean) for name, mean in means.items()}
        for level in LEVELS
    }
    return base.model_copy(
        update={
            "protocol": base.protocol.model_copy(update={"levels": LEVELS, "seeds": (1, 2, 3)}),
            "rows": rows,
            "real": levels,
            "missing": (Missing(row="l2", seed=1, steps=300, prompts=512, minutes=43.7),),
            "cost": tuple(_cost(numbers, row, branch) for row in rows for branch in row.branches),
            "slots": tuple(_slots(numbers)),
            "examples": tuple(_examples()),
        }
    )


def _row(numbers: Numbers, name: str, means: dict[str, float]) -> Row:
    seeds = SEEDS.get(name, (1,))
    branches = tuple(_branch(numbers, name, seed, means) for seed in seeds)
    return Row(
        name=name,
        label=LABELS[name],
        shows=f"What {LABELS[name]} brings.",
        begins_from="lvdm" if name == "guidance" else None,
        training={} if name == "guidance" else {"slot_loss": name},
        sampling={"slot_guidance_scale": 2.0} if name == "guidance" else {},
        branches=branches,
        seeds={level: _spreads(branches, level) for level in LEVELS} if branches else {},
    )


def _branch(numbers: Numbers, row: str, seed: int, means: dict[str, float]) -> Branch:
    steps = tuple(range(20, 320, 20))
    curves = {
        "denoising": Curve(
            steps=steps, values=tuple(numbers.near(0.1 + 3 / step, 0.01) for step in steps)
        ),
        "validation": Curve(steps=(150, 300), values=(numbers.near(0.2), numbers.near(0.15))),
    }
    if row not in ("lvdm", "no_mixing"):
        curves["slots"] = Curve(
            steps=steps, values=tuple(numbers.near(0.05 + 1 / step, 0.1) for step in steps)
        )
    return Branch(
        seed=seed,
        checkpoint_sha256=checksum(f"{row} {seed}"),
        settings={"seed": seed},
        curves={} if row == "guidance" else curves,
        levels={level: _scores(numbers, row, means) for level in LEVELS},
    )


def _scores(numbers: Numbers, row: str, means: dict[str, float]) -> LevelScores:
    gain = GAINS.get(row, 0.0)
    values = {name: numbers.near(mean * (1 + gain)) for name, mean in means.items()}
    return LevelScores(
        num_prompts=256,
        measures={name: numbers.interval(value, 0.1 * value) for name, value in values.items()},
        sets={
            name: SetScore(
                features=f"{name} on made-up features",
                generated=numbers.near(1.0 if name == "diversity" else 2.0 * (1 + gain)),
                real=numbers.near(0.9),
            )
            for name in SET_NAMES
        },
        paired={}
        if row == "lvdm"
        else {one.name: _paired(numbers, means[one.name], gain, one.goal) for one in MEASURES},
        code_sha256=checksum("code"),
    )


def _paired(numbers: Numbers, mean: float, gain: float, goal: str) -> PairedDifference:
    middle = numbers.near(mean * (gain or 0.004))
    difference = numbers.interval(middle, 0.08 * mean)
    assert difference.low is not None
    assert difference.high is not None
    is_open = difference.low <= 0 <= difference.high
    is_better = (middle > 0) == (goal == "higher")
    return PairedDifference(
        difference=difference,
        relative_percent=float(f"{100 * middle / mean:.6g}"),
        effect_size=numbers.near(middle / mean),
        verdict="undecided" if is_open else "better" if is_better else "worse",
        num_prompts=256,
        num_lower=131,
    )


def _spreads(branches: Sequence[Branch], level: str) -> SeedSpread:
    scores = [one.levels[level] for one in branches]
    paired = [one.paired for one in scores if one.paired]
    return SeedSpread(
        measures={
            one.name: _spread([score.measures[one.name].mean for score in scores])
            for one in MEASURES
        },
        differences={},
        relative_percent={
            one.name: _spread([score[one.name].relative_percent for score in paired])
            for one in MEASURES
            if paired
        },
    )


def _spread(values: Sequence[float | None]) -> Spread:
    known = np.array([value for value in values if value is not None])
    return Spread(
        mean=float(f"{known.mean():.6g}"),
        std=float(known.std(ddof=1)) if len(known) > 1 else None,
        low=float(known.min()),
        high=float(known.max()),
        count=len(known),
    )


def _cost(numbers: Numbers, row: Row, branch: Branch) -> BranchCost:
    seconds = numbers.near(2.0 if row.name == "lvdm" else 2.3)
    return BranchCost(
        row=row.name,
        seed=branch.seed,
        steps=300,
        training_minutes=numbers.near(20),
        seconds_per_step=seconds,
        clips_per_second=32 / seconds,
        peak_memory_mb=numbers.near(1536),
        drawing_seconds=numbers.near(1.5),
    )


def _slots(numbers: Numbers) -> Sequence[SlotScores]:
    sources = (("slots", 1, 0.7), ("slots", 2, 0.6), ("k-means, colour and position", None, 0.5))
    names = ("foreground_ari", "ari", "foreground_miou", "mean_best_overlap")
    return [
        SlotScores(
            level="simple",
            group=group,
            by=by,
            seed=seed,
            num_clips=48,
            scores={name: numbers.interval(numbers.near(value, 0.1), 0.03) for name in names}
            | {"identity_switches": numbers.interval(1.5 - value, 0.1)},
        )
        for group in ("several_objects", "with_occlusion")
        for by, seed, value in sources
    ]


def _examples() -> Sequence[Example]:
    return [
        Example(
            rule=rule,
            measure="object_warp_error",
            level="simple",
            prompt="a red circle moves right",
            noise_seed=seed,
            num_frames=16,
            clips=tuple(
                ExampleClip(row=row, value=0.0217 + 0.001 * place, strip=pack_strip(_disc(place)))
                for place, row in enumerate((None, "lvdm", "corr"))
            ),
        )
        for seed, rule in enumerate(("typical", "best", "worst"))
    ]


def _disc(speed: int) -> np.ndarray:
    """Return a clip of a red disc that moves right."""
    t, y, x = np.mgrid[:16, :64, :64]
    disc = (x - 12 - (2 + 0.3 * speed) * t) ** 2 + (y - 32) ** 2 < 90
    return np.where(disc[..., None], (220, 60, 40), (20, 24, 40)).astype(np.uint8)


def checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
