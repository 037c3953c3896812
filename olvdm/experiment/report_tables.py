"""The tables of the page of results: every cell is a number of the JSON, rounded, or a word."""

from collections.abc import Iterable, Mapping, Sequence

from olvdm.evaluation.report_markdown import render_table, show_number
from olvdm.experiment.result_parts import Interval, Number
from olvdm.experiment.results import MeasureInfo, Results, Row
from olvdm.experiment.summary import Aim, Change, Summary

# Columns of a table of variants: what the method shall lower, motion, and what the prompt asks for.
KEY = (
    "identity_switches",
    "colour_drift",
    "area_drift",
    "object_warp_error",
    "mean_flow",
    "count",
    "colour",
    "shape",
)
SLOT_TITLES = {
    "foreground_ari": "FG-ARI",
    "ari": "ARI",
    "foreground_miou": "FG-mIoU",
    "mean_best_overlap": "mBO",
    "identity_switches": "switches a clip",
}
GOALS = {"higher": "higher", "lower": "lower", "real": "near the real clip's"}
DEMANDS = {
    "gain": "better, by at least {bound} %",
    "steady": "within {bound} %",
    "not worse": "not worse, all seeds together or one alone",
    "no larger": "no larger in the mean",
    "no gain": "not better, all seeds together or one alone",
}
ANSWERS = {True: "yes", False: "**no**", None: "not measured"}


def plain(text: str) -> str:
    """Return text that neither ends a cell nor starts markup."""
    words = " ".join(text.split())
    for mark, shown in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|")):
        words = words.replace(mark, shown)
    return words


def code(value: object) -> str:
    """Return a value as code."""
    return f"`{' '.join(str(value).split()).replace('`', '').replace('|', '/')}`"


def percent(value: Number) -> str:
    """Return a change with its sign; a dash for none."""
    return "-" if value is None else f"{value:+.1f} %"


def change_words(change: Change | None) -> str:
    """Return a change with its interval."""
    if change is None:
        return "-"
    ends = "" if change.low is None or change.high is None else f" [{_ends(change)}]"
    return f"{percent(change.percent)}{ends}"


def measure_table(results: Results, summary: Summary, level: str) -> list[str]:
    """Write every measure of reference and default beside the real clips.

    A mean over several seeds stands with the range of theirs, that of one seed with its interval.
    """
    reference, default = results.protocol.reference, results.protocol.default
    rows = [
        (
            plain(one.title),
            GOALS[one.goal],
            show_interval(results.real.get(level, {}).get(one.name)),
            _with_spread(results.row(reference), level, one.name),
            _with_spread(results.row(default), level, one.name),
            change_words(change := _change(summary, default, level, one.name)),
            show_number(change.effect_size if change else None),
            change.verdict if change else "-",
        )
        for one in results.measures
    ]
    labels = [plain(results.row(name).label) for name in (reference, default)]
    return render_table(
        ("measure", "better is", "real clips", *labels, "change", "effect", "verdict"),
        _filled(rows, 3),
    )


def variant_table(results: Results, summary: Summary, rows: Sequence[Row], level: str) -> list[str]:
    """Write the key measures of some variants, with their changes against the reference."""
    known = {one.name: one for one in results.measures}
    measures = [known[name] for name in KEY if name in known]
    real = results.real.get(level, {})
    lines = [["real clips", "", *(show_interval(real.get(one.name)) for one in measures)]]
    for row in [results.row(results.protocol.reference), *rows]:
        if level in row.seeds:
            cells = _cells(row, measures, summary, level)
            lines.append([plain(row.label), _seed_count(row, level), *cells])
    header = ("", "seeds", *(f"{plain(one.title)}<br>({_goal(one)})" for one in measures))
    return render_table(header, lines)


def group_tables(results: Results, summary: Summary, level: str) -> list[str]:
    """Write every measure of every row, a table for each group of measures."""
    lines: list[str] = []
    for group in dict.fromkeys(one.group for one in results.measures):
        measures = [one for one in results.measures if one.group == group]
        rows = [
            [
                plain(row.label),
                *(_short(row, one.name, summary, level) for one in measures),
            ]
            for row in results.rows
            if level in row.seeds
        ]
        header = ("", *(f"{plain(one.title)} ({_goal(one)})" for one in measures))
        lines += render_table(header, rows)
    return lines


def set_table(results: Results, level: str) -> list[str]:
    """Write the numbers of all clips together, one row a branch; nothing where there are none."""
    branches = [
        (row, branch.seed, branch.levels[level].sets)
        for row in results.rows
        for branch in row.branches
        if level in branch.levels
    ]
    features = {name: one.features for _, _, sets in branches for name, one in sets.items()}
    real = {name: one.real for _, _, sets in branches for name, one in sets.items()}
    if not features:
        return []
    rows = [
        ["real clips", "", *(show_number(real[name]) for name in features)],
        *(
            [
                plain(row.label),
                str(seed),
                *(show_number(sets[name].generated if name in sets else None) for name in features),
            ]
            for row, seed, sets in branches
        ),
    ]
    told = "; ".join(f"{_words(name)}: {plain(text)}" for name, text in features.items())
    return [
        *render_table(("", "seed", *(_words(name) for name in features)), rows),
        f"Features: {told}.",
        "",
    ]


def aim_table(results: Results, aims: Iterable[Aim]) -> list[str]:
    """Write what was asked beforehand and what was found."""
    titles = {one.name: one.title for one in results.measures}
    rows = [
        (
            plain(results.row(one.row).label),
            plain(titles.get(one.measure, _words(one.measure))),
            DEMANDS[one.demand].format(bound=show_number(one.bound_percent)),
            change_words(one.change),
            ANSWERS[one.is_met],
        )
        for one in aims
    ]
    return render_table(("of", "in", "asked", "found", "reached"), rows)


def judge_table(results: Results) -> list[str]:
    """Write how often the judge is right on real clips."""
    rows = [
        (level, _words(attribute), show_number(value))
        for level, attributes in results.protocol.judge.items()
        for attribute, value in attributes.items()
    ]
    return render_table(("level", "what it reads", "agreement with the truth"), rows)


def slot_table(results: Results) -> list[str]:
    """Write how well slots and baselines find the objects of real clips."""
    columns = list(dict.fromkeys(name for one in results.slots for name in one.scores))
    rows = [
        [
            one.level,
            f"{_words(one.group)} ({one.num_clips})",
            plain(one.by) + ("" if one.seed is None else f", seed {one.seed}"),
            *(show_interval(one.scores.get(name)) for name in columns),
        ]
        for one in results.slots
    ]
    titles = (SLOT_TITLES.get(name, _words(name)) for name in columns)
    return render_table(("level", "clips", "by", *titles), rows)


def cost_table(results: Results, summary: Summary) -> list[str]:
    """Write what a step of training takes."""
    rows = [
        (
            plain(_label(results, one.row)),
            show_number(one.seconds_per_step),
            percent(one.extra_time_percent),
            show_number(one.peak_memory_mb),
            percent(one.extra_memory_percent),
            show_number(one.training_minutes),
            show_number(one.drawing_seconds),
        )
        for one in summary.costs
    ]
    header = ("", "s a step", "against the reference", "memory, MB", "against the reference")
    return render_table((*header, "minutes a branch", "s a drawn clip"), rows)


def missing_table(results: Results) -> list[str]:
    """Write the branches that time did not allow."""
    rows = [
        (
            plain(_label(results, one.row)),
            str(one.seed),
            str(one.steps),
            str(one.prompts),
            ", ".join(map(plain, one.levels)) or "-",
            show_number(one.minutes),
        )
        for one in results.missing
    ]
    header = ("", "seed", "steps to train", "clips to draw", "of levels", "minutes it would take")
    return render_table(header, rows)


def difference_table(results: Results) -> list[str]:
    """Write in which settings each row differs from the reference."""
    rows = [
        (
            plain(row.label),
            ", ".join(code(f"{name} = {value}") for name, value in row.training.items()) or "-",
            ", ".join(code(f"{name} = {value}") for name, value in row.sampling.items()) or "-",
            plain(results.row(row.begins_from).label) if row.begins_from else "the base",
            plain(row.shows),
        )
        for row in results.rows
    ]
    return render_table(("", "training", "drawing", "begins from", "what it shows"), rows)


def network_table(results: Results) -> list[str]:
    """Write which networks the branches build on, and what came out."""
    networks = {"base": results.base, **results.parts}
    rows = [
        *(
            (name, code(one.sha256[:12]), "-" if one.step is None else str(one.step))
            for name, one in networks.items()
        ),
        *(
            (
                f"{plain(row.label)}, seed {branch.seed}",
                code(branch.checkpoint_sha256[:12]),
                "-",
            )
            for row in results.rows
            for branch in row.branches
        ),
    ]
    return render_table(("network", "sha256 of its manifest, first digits", "steps"), rows)


def show_interval(interval: Interval | None) -> str:
    """Return a mean with its interval; a dash for none."""
    if interval is None or interval.mean is None:
        return "-"
    low, high = show_number(interval.low), show_number(interval.high)
    return f"{show_number(interval.mean)} [{low}, {high}]"


def _filled(rows: Iterable[Sequence[str]], place: int) -> list[Sequence[str]]:
    """Leave out rows in which neither model was measured."""
    return [row for row in rows if set(row[place : place + 2]) != {"-"}]


def _ends(change: Change) -> str:
    return f"{change.low:+.1f}, {change.high:+.1f}"


def _change(summary: Summary, row: str, level: str, measure: str) -> Change | None:
    return summary.changes.get(row, {}).get(level, {}).get(measure)


def _over_seeds(row: Row, level: str, measure: str) -> str:
    """Return the mean over the seeds of a row."""
    spread = row.seeds[level].measures.get(measure) if level in row.seeds else None
    return "-" if spread is None else show_number(spread.mean)


def _with_spread(row: Row, level: str, measure: str) -> str:
    """Return the mean of several seeds with the range of their means, of one with its interval.

    Numbers of all clips together have no interval.
    """
    spread = row.seeds[level].measures.get(measure) if level in row.seeds else None
    if spread is None or spread.count != 1:
        ends = (
            "" if spread is None else f" ({show_number(spread.low)} to {show_number(spread.high)})"
        )
        return f"{_over_seeds(row, level, measure)}{ends}"
    branches = [one.levels[level] for one in row.branches if level in one.levels]
    interval = branches[0].measures.get(measure) if branches else None
    return show_number(spread.mean) if interval is None else show_interval(interval)


def _cells(
    row: Row, measures: Iterable[MeasureInfo], summary: Summary, level: str
) -> Iterable[str]:
    for one in measures:
        value = _over_seeds(row, level, one.name)
        change = _change(summary, row.name, level, one.name)
        yield value if change is None else f"{value}<br>{change_words(change)}<br>{change.verdict}"


def _short(row: Row, measure: str, summary: Summary, level: str) -> str:
    value, change = _over_seeds(row, level, measure), _change(summary, row.name, level, measure)
    return value if change is None else f"{value} ({percent(change.percent)}, {change.verdict})"


def _seed_count(row: Row, level: str) -> str:
    return str(sum(level in branch.levels for branch in row.branches))


def _goal(measure: MeasureInfo) -> str:
    return GOALS[measure.goal]


def _label(results: Results, name: str) -> str:
    labels: Mapping[str, str] = {row.name: row.label for row in results.rows}
    return labels.get(name, name)


def _words(name: str) -> str:
    return plain(name.replace("_", " "))
