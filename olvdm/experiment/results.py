"""What an experiment found, typed and checked: the one file that its report is written from."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from olvdm.errors import InputError, quoted_name
from olvdm.evaluation.prompt_rows import write_text
from olvdm.experiment.result_parts import (
    Count,
    Example,
    Interval,
    Number,
    Part,
    Sha256,
    SlotScores,
    Verdict,
)
from olvdm.experiment.summary import Summary

FORMAT = 1
RESULTS_NAME = "results.json"
RESULTS_BYTES = 64 * 1024**2

Setting = str | int | float | bool | tuple[int, ...] | None


class MeasureInfo(Part):
    """What a measure is called and which way is better, so that a reader needs no code.

    Attributes:
        name: Key of every table of measures.
        title: As tables print it.
        group: ``agreement``, ``flicker``, ``motion``, ``stability``, and what may come.
        goal: Whether more is better, or less, or what is nearer to the real clip.
    """

    name: str
    title: str
    group: str
    goal: Literal["higher", "lower", "real"]


class SetScore(Part):
    """A number of all clips together, such as their diversity.

    Attributes:
        features: In which space it is taken.
        generated: Of the drawn clips.
        real: Of the real clips, where it makes sense of them.
    """

    features: str
    generated: Number
    real: Number


class PairedDifference(Part):
    """One measure of a branch against the reference of the same seed, prompt by prompt.

    Attributes:
        difference: Branch less reference; where the goal is the real clip, of the distances from
            it.
        relative_percent: Change of the mean, in percent of the reference's.
        effect_size: Cohen's d of the paired differences; none where they do not vary.
        verdict: ``undecided`` where the interval holds 0.
        num_prompts: Prompts that count.
        num_lower: Those on which the branch is lower.
    """

    difference: Interval
    relative_percent: Number
    effect_size: Number
    verdict: Verdict
    num_prompts: Count
    num_lower: Count


class LevelScores(Part):
    """What the clips of one branch scored on the prompts of one level.

    Attributes:
        num_prompts: Prompts drawn.
        measures: By name; a measure that the judge may not judge at this level is not there.
        sets: Numbers of all clips together, by name.
        paired: Against the reference of the same seed, by name; empty for the reference itself
            and where its seed was not run.
        code_sha256: Of the code that drew and measured.
    """

    num_prompts: Count
    measures: dict[str, Interval]
    sets: dict[str, SetScore]
    paired: dict[str, PairedDifference]
    code_sha256: Sha256


class Curve(Part):
    """One number of a training over its steps.

    Attributes:
        steps: Steps done, rising.
        values: Mean since the step before, or of a validation at that step.
    """

    steps: tuple[Count, ...]
    values: tuple[Number, ...]

    @model_validator(mode="after")
    def _check_lengths(self) -> "Curve":
        if len(self.steps) != len(self.values):
            raise ValueError(f"need a value a step, got {len(self.values)} for {len(self.steps)}")
        return self


class Branch(Part):
    """One row trained with one seed, and scored.

    Attributes:
        seed: Of the training: what order of clips and noise follow from.
        checkpoint_sha256: Of the packaged checkpoint's manifest.
        settings: Of its training, without paths; empty where the row trains nothing.
        curves: ``denoising``, ``slots`` and ``slot_weight`` where there is a slot term, and
            ``validation``, the denoising loss of held-out clips; others where others were logged.
        levels: Scores by level; a level that is not drawn to its end is not there.
    """

    seed: Count
    checkpoint_sha256: Sha256
    settings: dict[str, Setting]
    curves: dict[str, Curve]
    levels: dict[str, LevelScores]


class Spread(Part):
    """A number over the seeds of a row.

    Attributes:
        mean: Over the seeds.
        std: Standard deviation between seeds; none for one seed.
        low: Smallest.
        high: Largest.
        count: Seeds.
    """

    mean: Number
    std: Number
    low: Number
    high: Number
    count: Count


class SeedSpread(Part):
    """What the seeds of a row say together, at one level.

    Attributes:
        measures: Of the means, by measure, and of the numbers of all clips together.
        differences: Of the paired differences to the reference, by measure.
        relative_percent: Of the relative changes, by measure.
        pooled: Paired differences of all seeds in one, by measure, where there are several seeds;
            the intervals know that other seeds and other prompts might have been drawn.
    """

    measures: dict[str, Spread]
    differences: dict[str, Spread]
    relative_percent: dict[str, Spread]
    pooled: dict[str, PairedDifference] = Field(default_factory=dict)


class Row(Part):
    """One variant of the method.

    Attributes:
        name: Key of the row.
        label: As tables and figures print it.
        shows: One sentence: what is learned from it.
        begins_from: Row whose checkpoint it takes; none where it is trained from the base.
        training: Settings in which its training differs from the reference's.
        sampling: Settings in which its drawing differs.
        branches: One a seed that was trained, seeds rising.
        seeds: What they say together, by level.
    """

    name: str
    label: str
    shows: str
    begins_from: str | None
    training: dict[str, Setting]
    sampling: dict[str, Setting]
    branches: tuple[Branch, ...]
    seeds: dict[str, SeedSpread]


class Network(Part):
    """A folder of networks that the branches build on.

    Attributes:
        name: Last part of its path.
        sha256: Of its manifest.
        step: Steps that it was trained for; none where it does not say.
    """

    name: str
    sha256: Sha256
    step: Count | None


class Protocol(Part):
    """All that the numbers follow from, beside what differs from row to row.

    Attributes:
        suite: Name of the suite.
        command: Words that repeat the experiment.
        reference: Row that all others are compared with.
        default: Row that the method is by default.
        max_steps: Further steps of every branch.
        batch_size: Clips of a step.
        seeds: Seeds of the trainings.
        training: Settings that all branches share, without paths.
        levels: Levels of the test prompts.
        num_prompts: Of each level.
        noise_seeds: First and last seed of the clips' noise.
        split: Of the prompts.
        data_seed: Of the world.
        num_frames: Of a clip.
        height: Of a frame, pixels.
        width: Of a frame, pixels.
        num_inference_steps: Denoising steps.
        guidance_scale: Strength of the prompt.
        judge: Agreement of the judge with the truth on real clips, by level and attribute.
        device: Kind of it.
        dtype: Of the weights while drawing.
        num_threads: Of torch.
        machine: Kind of system and processor.
        versions: Of Python and of packages.
    """

    suite: str
    command: str
    reference: str
    default: str
    max_steps: Count
    batch_size: Count
    seeds: tuple[Count, ...]
    training: dict[str, Setting]
    levels: tuple[str, ...]
    num_prompts: Count
    noise_seeds: tuple[Count, Count]
    split: str
    data_seed: Count
    num_frames: Count
    height: Count
    width: Count
    num_inference_steps: Count
    guidance_scale: float
    judge: dict[str, dict[str, Number]]
    device: str
    dtype: str
    num_threads: Count
    machine: str
    versions: dict[str, str]


class BranchCost(Part):
    """What a branch took; it varies from run to run, so it stands apart from what was found.

    Attributes:
        row: Its row.
        seed: Its seed.
        steps: Steps of training done.
        training_minutes: Of its training, validation and saving included.
        seconds_per_step: Median of a training step.
        clips_per_second: Median of training.
        peak_memory_mb: Most memory that the process held while training, resident, or of the GPU.
        drawing_seconds: Median of drawing one clip with its slots.
    """

    row: str
    seed: Count
    steps: Count
    training_minutes: Number
    seconds_per_step: Number
    clips_per_second: Number
    peak_memory_mb: Number
    drawing_seconds: Number


class Missing(Part):
    """A branch that time did not allow, or not to its end.

    Attributes:
        row: Its row.
        seed: Its seed.
        steps: Training steps to go.
        prompts: Clips to draw.
        levels: Of these clips; empty where results of an earlier version do not say.
        minutes: That it would take, by the pace of those that ran; none where none did.
    """

    row: str
    seed: Count
    steps: Count
    prompts: Count
    levels: tuple[str, ...] = ()
    minutes: Number


class Results(Part):
    """What an experiment found.

    Attributes:
        format: Of this value.
        kind: Of this value.
        protocol: All that the numbers follow from.
        base: Networks that every branch begins from.
        parts: The other networks, ``autoencoder`` and ``slots``.
        measures: Every measure of a clip, in the order of tables.
        real: The reference row: real clips of the same prompts, by level and measure.
        rows: The variants, in the order of the suite; one that was not run has no branches.
        missing: What time did not allow, with what it would take.
        cost: What each branch took. All else is equal for two evaluations of equal checkpoints.
        slots: How well the slots find the objects of real clips, beside baselines.
        examples: Clips to look at, chosen by rules.
        summary: What follows from all of the above; the report adds it.
    """

    format: Literal[1] = FORMAT
    kind: Literal["experiment"] = "experiment"
    protocol: Protocol
    base: Network
    parts: dict[str, Network]
    measures: tuple[MeasureInfo, ...]
    real: dict[str, dict[str, Interval]]
    rows: tuple[Row, ...]
    missing: tuple[Missing, ...]
    cost: tuple[BranchCost, ...]
    slots: tuple[SlotScores, ...] = ()
    examples: tuple[Example, ...] = ()
    summary: Summary | None = None

    def row(self, name: str) -> Row:
        """Return a row by its name; an unknown one is a ``KeyError``."""
        return {row.name: row for row in self.rows}[name]

    def found(self) -> dict[str, object]:
        """Return all but what it took: equal for two evaluations of equal checkpoints."""
        times = {"cost": True, "summary": True, "missing": {"__all__": {"minutes"}}}
        return self.model_dump(mode="json", exclude=times)


def save_results(path: Path, results: Results) -> None:
    """Write results whole or not at all.

    Args:
        path: The file.
        results: What to write.
    """
    write_text(path, results.model_dump_json(indent=1) + "\n")


def load_results(path: Path) -> Results:
    """Read results.

    Args:
        path: What ``save_results`` wrote.

    Returns:
        The results, checked.

    Raises:
        InputError: If the file cannot be read or is none.
    """
    try:
        with path.open("rb") as file:
            content = file.read(RESULTS_BYTES + 1)
        if len(content) > RESULTS_BYTES:
            raise InputError(
                f"results may hold {RESULTS_BYTES} bytes; {quoted_name(path)} has more"
            )
        return Results.model_validate_json(content)
    except OSError as error:
        raise InputError(
            f"the results {quoted_name(path)} cannot be read; give a {RESULTS_NAME} that olvdm "
            "experiment wrote"
        ) from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))[:80]
        raise InputError(
            f"{quoted_name(path)} holds no results of format {FORMAT} (at {place!r}); run olvdm "
            "experiment again"
        ) from error
