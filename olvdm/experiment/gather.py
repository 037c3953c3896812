"""Finished branches on the disk -> results: curves, scores, differences, what is missing, cost."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from olvdm.evaluation.bootstrap import as_number
from olvdm.evaluation.measures import ALL_MEASURES
from olvdm.evaluation.pooling import pool_trainings
from olvdm.evaluation.protocol import SPLIT, Evaluation
from olvdm.evaluation.report_comparison import Comparison, compare_reports
from olvdm.experiment.branch import Branch as BranchFolder
from olvdm.experiment.branch import log_lines
from olvdm.experiment.gallery import gallery
from olvdm.experiment.pace import Reports, branch_cost, missing_branches
from olvdm.experiment.plan import Plan, about_part, part_sha256
from olvdm.experiment.result_parts import Interval
from olvdm.experiment.results import (
    Branch,
    Curve,
    LevelScores,
    MeasureInfo,
    Network,
    PairedDifference,
    Protocol,
    Results,
    Row,
    SeedSpread,
    SetScore,
    Spread,
)
from olvdm.experiment.slot_scores import slot_scores
from olvdm.training.loop import PATHS

SETS = {"diversity": "", "thumbnail_distances": "thumbnail_", "distances": ""}
NOT_CURVES = ("step", "elapsed", "clips_per_second", "learning_rate", "loss", "val/score")
CURVE_NAMES = {"val/denoising": "validation", "val/psnr": "validation_psnr"}
NEVER_SHOWN = (*PATHS, "seed", "max_minutes")
Compared = Mapping[tuple[str, int, str], Sequence[Comparison]]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What all branches were asked to draw.

    Attributes:
        evaluations: By level.
        command: Words that repeat the experiment.
    """

    evaluations: Mapping[str, Evaluation]
    command: str


def gather_results(plan: Plan, asked: Asked) -> Results | None:
    """Read what is finished, whoever computed it and whenever.

    Args:
        plan: The branches.
        asked: What they were asked to draw.

    Returns:
        The results; none while no branch has been scored to its end, for then nothing is known of
        the machine and the clips.

    Source: method.md section 7, statistics.
    """
    reports: dict[tuple[str, int, str], Mapping[str, Any]] = {}
    for (name, seed), branch in plan.branches.items():
        for level, evaluation in asked.evaluations.items():
            report = branch.report(evaluation)
            if report is not None:
                reports[name, seed, level] = report
    if not reports:
        return None
    compared = _compare(plan, reports)
    keys = [key for key in plan.branches if any(report[:2] == key for report in reports)]
    return Results(
        protocol=_protocol(plan, asked, reports),
        base=_network(plan.places.base, "denoiser"),
        parts={
            part: _network(getattr(plan.places, part), part) for part in ("autoencoder", "slots")
        },
        measures=_measures(reports, compared),
        real=_real(plan, reports),
        rows=tuple(_row(plan, row.name, reports, compared) for row in plan.suite.rows),
        missing=tuple(missing_branches(plan, asked.evaluations)),
        cost=tuple(branch_cost(plan.branches[key], reports) for key in keys),
        slots=slot_scores(plan, asked.evaluations),
        examples=gallery(plan, asked.evaluations),
    )


def _compare(plan: Plan, reports: Reports) -> Compared:
    """Compare every branch with the reference of its seed."""
    reference = plan.suite.reference
    return {
        (name, seed, level): compare_reports(
            plan.branches[reference, seed].scores(level),
            plan.branches[name, seed].scores(level),
            plan.suite.row(name).sampling,
        ).comparisons
        for name, seed, level in reports
        if name != reference and (reference, seed, level) in reports
    }


def _protocol(plan: Plan, asked: Asked, reports: Reports) -> Protocol:
    first = next(iter(reports.values()))["protocol"]
    evaluation = next(iter(asked.evaluations.values()))
    shared = {name: _setting(one) for name, one in plan.shared.items() if name not in NEVER_SHOWN}
    config = next(
        one.config
        for one in plan.branches.values()
        if one.row.name == plan.suite.reference and one.config is not None
    )
    judges = {level: report["judge"]["agreement"] for (_, _, level), report in reports.items()}
    same = ("num_frames", "height", "width", "num_inference_steps", "device", "dtype")
    return Protocol(
        suite=plan.suite.name,
        command=asked.command,
        reference=plan.suite.reference,
        default=plan.suite.default,
        max_steps=plan.max_steps,
        batch_size=config.batch_size,
        seeds=tuple(sorted({seed for _, seed in plan.branches})),
        training=shared,
        levels=tuple(asked.evaluations),
        num_prompts=evaluation.num_prompts,
        noise_seeds=(evaluation.seed, evaluation.seed + evaluation.num_prompts - 1),
        split=SPLIT,
        data_seed=first["data_seed"],
        guidance_scale=float(first["guidance_scale"]),
        judge={level: dict(judges[level]) for level in sorted(judges)},
        num_threads=first["num_threads"],
        machine=first["machine"],
        versions=first["versions"],
        **{name: first[name] for name in same},
    )


def _network(folder: Path, part: str) -> Network:
    step = about_part(folder, part).get("step")
    return Network(name=folder.resolve().name, sha256=part_sha256(folder, part), step=step)


def _measures(reports: Reports, compared: Compared) -> tuple[MeasureInfo, ...]:
    """Describe every measure that occurs, in the order of the tables."""
    taken = {name for report in reports.values() for name in _measured(report)}
    found = [one for one in ALL_MEASURES if one.name in taken]
    found += [one.measure for ones in compared.values() for one in ones]
    unique = {one.name: MeasureInfo(**asdict(one)) for one in found}
    return tuple(unique.values())


def _measured(report: Mapping[str, Any], side: str = "generated") -> dict[str, Interval]:
    """Return the measures of a report that a judge may judge, by name."""
    groups = report["generation"]
    found = {one.name: groups.get(one.group, {}).get(one.name) for one in ALL_MEASURES}
    return {
        name: _interval(one[side])
        for name, one in found.items()
        if one is not None and one["generated"] is not None
    }


def _sets(report: Mapping[str, Any]) -> dict[str, SetScore]:
    """Return the numbers of all clips together, by name."""
    found: dict[str, SetScore] = {}
    for name, prefix in SETS.items():
        part = report["generation"].get(name)
        if part is None:
            continue
        pairs = {name: part} if "generated" in part else part
        for key, pair in pairs.items():
            if isinstance(pair, Mapping):
                sides = {side: _number(pair[side]) for side in ("generated", "real")}
                title = f"{prefix}{key}"
                found[title if title not in found else f"feature_{key}"] = SetScore(
                    features=part["features"], **sides
                )
    return found


def _real(plan: Plan, reports: Reports) -> dict[str, dict[str, Interval]]:
    """Return what real clips score, the same for every branch that measured the same."""
    found: dict[str, dict[str, Interval]] = {}
    for (name, _, level), report in reports.items():
        if level not in found or name == plan.suite.reference:
            found[level] = _measured(report, "real")
    return found


def _row(plan: Plan, name: str, reports: Reports, compared: Compared) -> Row:
    row = plan.suite.row(name)
    seeds = sorted({seed for other, seed, _ in reports if other == name})
    branches = [_branch(plan.branches[name, seed], reports, compared) for seed in seeds]
    levels = sorted({level for one in branches for level in one.levels})
    return Row(
        name=name,
        label=row.label,
        shows=row.shows,
        begins_from=row.begins_from,
        training={key: _setting(value) for key, value in row.training.items()},
        sampling={key: _setting(value) for key, value in row.sampling.items()},
        branches=tuple(branches),
        seeds={
            level: _seed_spread(branches, level, _pooled(name, level, compared)) for level in levels
        },
    )


def _pooled(name: str, level: str, compared: Compared) -> dict[str, PairedDifference]:
    """Put the seeds of a row together, by measure."""
    by_measure: dict[str, list[Comparison]] = {}
    for (other, _, other_level), comparisons in sorted(compared.items()):
        if (other, other_level) == (name, level):
            for one in comparisons:
                by_measure.setdefault(one.measure.name, []).append(one)
    found = {measure: pool_trainings(ones) for measure, ones in by_measure.items()}
    return {measure: _paired(one) for measure, one in found.items() if one is not None}


def _branch(folder: BranchFolder, reports: Reports, compared: Compared) -> Branch:
    name, seed = folder.row.name, folder.seed
    levels = {
        level: LevelScores(
            num_prompts=report["generation"]["num_prompts"],
            measures=_measured(report),
            sets=_sets(report),
            paired={
                one.measure.name: _paired(one) for one in compared.get((name, seed, level), ())
            },
            code_sha256=report["protocol"]["code_sha256"],
        )
        for (other, other_seed, level), report in reports.items()
        if (other, other_seed) == (name, seed)
    }
    checksum = next(
        report["protocol"]["checkpoint_sha256"]
        for key, report in reports.items()
        if key[:2] == (name, seed)
    )
    settings = asdict(folder.config) if folder.config is not None else {}
    return Branch(
        seed=seed,
        checkpoint_sha256=checksum,
        settings={key: _setting(one) for key, one in settings.items() if key not in PATHS},
        curves=_curves(folder),
        levels=levels,
    )


def _paired(one: Comparison) -> PairedDifference:
    return PairedDifference(
        difference=_interval(one.difference.as_json()),
        relative_percent=as_number(100 * one.relative),
        effect_size=as_number(one.effect),
        verdict=one.verdict,  # pyright: ignore[reportArgumentType] - pydantic checks the word
        num_prompts=one.num_prompts,
        num_lower=one.num_lower,
    )


def _curves(folder: BranchFolder) -> dict[str, Curve]:
    """Return what its training logged; a step that was done twice counts as it was done last."""
    points: dict[str, dict[int, float | None]] = {}
    for line in log_lines(folder):
        for name, value in line.items():
            if name not in NOT_CURVES:
                curve = points.setdefault(CURVE_NAMES.get(name, name), {})
                curve[line["step"]] = None if value is None else as_number(value)
    return {
        name: Curve(steps=tuple(sorted(curve)), values=tuple(curve[one] for one in sorted(curve)))
        for name, curve in points.items()
    }


def _seed_spread(
    branches: Sequence[Branch], level: str, pooled: dict[str, PairedDifference]
) -> SeedSpread:
    scores = [one.levels[level] for one in branches if level in one.levels]
    return SeedSpread(
        measures=_spreads(
            [
                {name: found.mean for name, found in one.measures.items()}
                | {name: found.generated for name, found in one.sets.items()}
                for one in scores
            ]
        ),
        differences=_spreads(
            [{n: p.difference.mean for n, p in one.paired.items()} for one in scores]
        ),
        relative_percent=_spreads(
            [{n: p.relative_percent for n, p in one.paired.items()} for one in scores]
        ),
        pooled=pooled,
    )


def _spreads(tables: Sequence[Mapping[str, float | None]]) -> dict[str, Spread]:
    """Return mean and spread over seeds, by name, of what every table may hold."""
    names = {name: None for table in tables for name in table}
    found: dict[str, Spread] = {}
    for name in names:
        values = [one for one in (table.get(name) for table in tables) if one is not None]
        if values:
            found[name] = Spread(
                mean=as_number(mean(values)),
                std=as_number(stdev(values)) if len(values) > 1 else None,
                low=min(values),
                high=max(values),
                count=len(values),
            )
    return found


def _interval(estimate: Mapping[str, Any]) -> Interval:
    return Interval(**estimate)


def _setting(value: Any) -> Any:  # noqa: ANN401 - any setting
    return tuple(value) if isinstance(value, list) else value


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)
