"""Results of an experiment as they come out of one, with made-up numbers: three rows, two seeds."""

import hashlib
from typing import Literal

from olvdm.experiment.results import (
    Branch,
    BranchCost,
    Curve,
    Interval,
    LevelScores,
    MeasureInfo,
    Missing,
    Network,
    PairedDifference,
    Protocol,
    Results,
    Row,
    SeedSpread,
    SetScore,
    Spread,
)

# Not the measures of an evaluation: the form of the file does not change with them.
Goal = Literal["higher", "lower", "real"]
KNOWN: tuple[tuple[str, str, str, Goal], ...] = (
    ("count", "count agrees", "agreement", "higher"),
    ("colour", "colour agrees", "agreement", "higher"),
    ("flickering", "VBench temporal flickering", "flicker", "higher"),
    ("warp_error", "warp error", "flicker", "lower"),
    ("object_warp_error", "warp error of the objects", "flicker", "lower"),
    ("mean_flow", "mean flow, px a frame", "motion", "real"),
    ("track_length", "track length, px", "motion", "real"),
    ("identity_switches", "identity switches a clip", "stability", "lower"),
    ("colour_drift", "drift of colour", "stability", "lower"),
    ("area_drift", "drift of area", "stability", "lower"),
)
MEASURES = tuple(
    MeasureInfo(name=name, title=title, group=group, goal=goal)
    for name, title, group, goal in KNOWN
)
REAL = 2.0
STEPS = (100, 200, 300)
FEATURES = "4 frames of 8 x 8 pixels, colours in [0, 1], root mean square"


def checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def interval(mean: float, half: float = 0.25) -> Interval:
    return Interval(mean=mean, low=mean - half, high=mean + half, count=256)


def paired(change: float) -> PairedDifference:
    return PairedDifference(
        difference=interval(change),
        relative_percent=25 * change,
        effect_size=0.5 * change,
        verdict="better" if change < -0.25 else "undecided",
        num_prompts=256,
        num_lower=180 if change < 0 else 100,
    )


def scores(value: float, change: float | None) -> LevelScores:
    names = [measure.name for measure in MEASURES]
    return LevelScores(
        num_prompts=256,
        measures={name: interval(value) for name in names},
        sets={"diversity": SetScore(features=FEATURES, generated=0.25, real=0.5)},
        paired={} if change is None else {name: paired(change) for name in names},
        code_sha256=checksum("code"),
    )


def branch(row: str, seed: int, value: float, change: float | None) -> Branch:
    curves = {
        "denoising": Curve(steps=STEPS, values=(0.5, 0.375, 0.25)),
        "validation": Curve(steps=(300,), values=(0.3125,)),
    }
    if row != "lvdm":
        curves["slots"] = Curve(steps=STEPS, values=(0.125, 0.0625, None))
        curves["slot_weight"] = Curve(steps=STEPS, values=(2.0, 4.0, 8.0))
    return Branch(
        seed=seed,
        checkpoint_sha256=checksum(f"{row} {seed}"),
        settings={"seed": seed, "attention_blocks": (1, 3), "slot_loss": row, "max_minutes": None},
        curves=curves,
        levels={"simple": scores(value, change)},
    )


def spread(values: tuple[float, ...]) -> dict[str, Spread]:
    mean = sum(values) / len(values)
    std = 0.5 if len(values) > 1 else None
    one = Spread(mean=mean, std=std, low=min(values), high=max(values), count=len(values))
    return {measure.name: one for measure in MEASURES}


def row(name: str, label: str, shows: str, values: tuple[float, ...], reference: float) -> Row:
    is_reference = name == "lvdm"
    changes = () if is_reference else tuple(value - reference for value in values)
    return Row(
        name=name,
        label=label,
        shows=shows,
        begins_from=None,
        training={"slot_loss": "none" if is_reference else name},
        sampling={},
        branches=tuple(
            branch(name, seed, value, None if is_reference else value - reference)
            for seed, value in enumerate(values, start=1)
        ),
        seeds={
            "simple": SeedSpread(
                measures=spread(values),
                differences=spread(changes) if changes else {},
                relative_percent=spread(tuple(25 * one for one in changes)) if changes else {},
            )
        }
        if values
        else {},
    )


def protocol() -> Protocol:
    return Protocol(
        suite="ablation",
        command="olvdm experiment --suite ablation --base base --output DIR",
        reference="lvdm",
        default="corr",
        max_steps=300,
        batch_size=32,
        seeds=(1, 2),
        training={"batch_size": 32, "learning_rate": 0.001, "attention_blocks": (1, 3)},
        levels=("simple",),
        num_prompts=256,
        noise_seeds=(0, 255),
        split="test",
        data_seed=0,
        num_frames=16,
        height=64,
        width=64,
        num_inference_steps=10,
        guidance_scale=3.0,
        judge={"simple": {"count": 0.984375, "direction": 0.96875}},
        device="cpu",
        dtype="bfloat16",
        num_threads=2,
        machine="Linux x86_64",
        versions={"python": "3.13.1", "torch": "2.13.0"},
    )


def example_results() -> Results:
    """Return results of three rows: the reference, a finished one, and one that is missing."""
    rows = (
        row("lvdm", "LVDM", "What the base becomes without a slot term.", (4.0, 4.5), 4.0),
        row("corr", "OLVDM (corr)", "The default mix of the slot terms.", (3.0, 3.5), 4.0),
        row("gram", "gram", "The paper's sentence, taken literally.", (), 4.0),
    )
    return Results(
        protocol=protocol(),
        base=Network(name="base", sha256=checksum("base"), step=2715),
        parts={
            "autoencoder": Network(name="autoencoder", sha256=checksum("ae"), step=20_000),
            "slots": Network(name="slots", sha256=checksum("slots"), step=None),
        },
        measures=MEASURES,
        real={"simple": {measure.name: interval(REAL) for measure in MEASURES}},
        rows=rows,
        missing=(Missing(row="gram", seed=1, steps=300, prompts=256, minutes=42.5),),
        cost=tuple(
            BranchCost(
                row=name,
                seed=seed,
                steps=300,
                training_minutes=20.0,
                seconds_per_step=seconds,
                clips_per_second=32 / seconds,
                peak_memory_mb=1536.0,
                drawing_seconds=1.5,
            )
            for name, seconds in (("lvdm", 2.0), ("corr", 2.5))
            for seed in (1, 2)
        ),
    )
