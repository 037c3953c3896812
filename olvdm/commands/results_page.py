"""``olvdm report``: the results of an experiment -> the page of results, its figures, its JSON."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from olvdm.commands.output import written_together
from olvdm.errors import InputError
from olvdm.experiment.conclusions import relative_interval, summarise
from olvdm.experiment.report_page import (
    ablation_rows,
    check_names,
    family_rows,
    main_rows,
    render_page,
    shown_pictures,
)
from olvdm.experiment.report_tables import KEY
from olvdm.experiment.result_parts import Example, unpack_strip
from olvdm.experiment.results import (
    RESULTS_NAME,
    Curve,
    Results,
    Row,
    load_results,
    save_results,
)
from olvdm.experiment.slot_sequences import ANCHORED_TERMS, TERMS, sequence_costs

if TYPE_CHECKING:
    from visualize.figure import Figure
    from visualize.forest import Span
    from visualize.training_curves import TrainingCurve

PAGE_NAME, ANALYSIS_NAME = "results.md", "analysis.md"
PICTURES = "results-"  # what the names of all pictures begin with
ANALYSIS_CHARS = 200_000
SEQUENCES = {
    "good": "good slots, slow drift",
    "collapsed": "all slots equal",
    "index code": "a code of the index",
    "frozen": "frozen",
    "swapped": "one swap in mid clip",
    "flickering": "flicker (jitter)",
}
CURVES = {
    "denoising": "denoising loss",
    "validation": "denoising loss, held-out clips",
    "slots": "slot term, before its weight",
    "slot_weight": "weight of the slot term",
    "validation_psnr": "PSNR of held-out clips, dB",
}


def write_report(arguments: argparse.Namespace) -> None:
    """Write the page of results with its figures and its JSON.

    Args:
        arguments: What ``olvdm report`` was given.
    """
    output = Path(arguments.output)
    results = load_results(Path(arguments.results))
    check_names(results)
    results = results.model_copy(update={"summary": None})
    summary = summarise(results)
    drawn = _figures(results)
    analysis = _read_analysis(output / ANALYSIS_NAME)
    former = _former_pictures(output)
    with written_together(output) as folder:
        names = {what: _save(figures, folder, what) for what, figures in drawn.items()}
        page = render_page(results, summary, names, analysis)
        (folder / PAGE_NAME).write_text(page, encoding="utf-8")
        save_results(folder / RESULTS_NAME, results.model_copy(update={"summary": summary}))
        written = {path.name for path in folder.iterdir()}
    for path in (output / name for name in former - written):
        path.unlink(missing_ok=True)
    print(f"{output / PAGE_NAME}: {len(results.rows)} rows, {len(results.missing)} branches to run")


def _read_analysis(path: Path) -> str:
    """Read what a person wrote of the results; nothing where nobody did."""
    if not path.exists():
        return ""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{ANALYSIS_NAME} is no UTF-8 text; mend it or take it away") from error
    if len(text) > ANALYSIS_CHARS:
        raise InputError(f"{ANALYSIS_NAME} may have {ANALYSIS_CHARS} characters, got {len(text)}")
    return text


def _former_pictures(output: Path) -> set[str]:
    """Return the pictures of the page that is written anew; nobody else's file is one of them."""
    try:
        page = (output / PAGE_NAME).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return set()
    shown = shown_pictures(page)
    return {name for name in shown if name.startswith(PICTURES) and (output / name).is_file()}


def _save(figures: "Sequence[Figure]", folder: Path, what: str) -> list[str]:
    """Write each figure as PNG and as PDF; return the names of the PNGs."""
    from visualize.figure import save_figure

    stem = f"{PICTURES}{what.replace(' ', '-')}"
    stems = [
        stem if len(figures) == 1 else f"{stem}-{place}" for place in range(1, len(figures) + 1)
    ]
    for figure, name in zip(figures, stems, strict=True):
        save_figure(figure, folder / f"{name}.png")
        save_figure(figure, folder / f"{name}.pdf")
    return [f"{name}.png" for name in stems]


def _figures(results: Results) -> "dict[str, list[Figure]]":
    """Draw all figures for which there is something to show, by what they show."""
    drawn = {"losses": [_loss_figure()], "curves": _curve_figures(results)}
    for level in results.protocol.levels:
        drawn[f"forest {level}"] = _forest_figures(results, level)
    drawn["examples"] = [_example_figure(results, one) for one in results.examples]
    return {what: figures for what, figures in drawn.items() if figures}


def _loss_figure() -> "Figure":
    from visualize.loss_table import loss_table_figure

    costs = sequence_costs()
    anchored = {(name, f"{term} "): cost for (name, term), cost in costs.anchored.items()}
    terms = {term: term for term in TERMS} | {"corr": "corr\n(slots)"}
    terms |= {f"{term} ": term for term in ANCHORED_TERMS} | {"corr ": "corr\n(denoiser)"}
    return loss_table_figure(
        {**costs.alone, **anchored}, SEQUENCES, terms, title="What each loss accepts"
    )


def _forest_figures(results: Results, level: str) -> "list[Figure]":
    from visualize.forest import Panel, forest_figure

    rows = [*main_rows(results), *family_rows(results), *ablation_rows(results)]
    rows = list({row.name: row for row in rows if _is_compared(row, level)}.values())
    measures = [one for one in results.measures if one.name in KEY and one.goal != "real"]
    panels = [
        Panel(
            one.title,
            f"{one.goal} is better",
            [_spans(results, row, level, one.name) for row in rows],
        )
        for one in measures
    ]
    if not any(spans for panel in panels for spans in panel.rows):
        return []
    reference = results.row(results.protocol.reference).label
    title = f"Change against {reference}, level {level}"
    return [forest_figure(panels, [row.label for row in rows], reference=reference, title=title)]


def _is_compared(row: Row, level: str) -> bool:
    return any(level in one.levels and one.levels[level].paired for one in row.branches)


def _spans(results: Results, row: Row, level: str, measure: str) -> "list[Span]":
    """Return the changes of a row with their intervals, one a seed, then that of all together."""
    from visualize.forest import Span

    reference = {one.seed: one for one in results.row(results.protocol.reference).branches}
    spans: list[Span] = []
    for branch in row.branches:
        paired = branch.levels[level].paired.get(measure) if level in branch.levels else None
        base = reference.get(branch.seed)
        if paired is None or base is None or level not in base.levels:
            continue
        interval = base.levels[level].measures.get(measure)
        ends = relative_interval(paired, interval.mean if interval else None)
        if ends is not None:
            spans.append(Span(*ends, paired.verdict))
    pooled = row.seeds[level].pooled.get(measure) if level in row.seeds else None
    ends = relative_interval(pooled, None) if pooled else None
    return [*spans, Span(*ends, pooled.verdict, is_pooled=True)] if pooled and ends else spans


def _curve_figures(results: Results) -> "list[Figure]":
    """Draw the curves of the first seed of each row, and their distance from the reference's."""
    from visualize.training_curves import TrainingCurve, training_curves_figure

    trained = {row.label: row.branches[0] for row in results.rows if row.branches}
    reference = results.row(results.protocol.reference).label
    panels: dict[str, dict[str, TrainingCurve]] = {}
    for name, title in CURVES.items():
        found = {
            label: TrainingCurve(branch.curves[name].steps, branch.curves[name].values)
            for label, branch in trained.items()
            if name in branch.curves and _is_branch(branch.curves[name], results)
        }
        panels |= {title: found} if found else {}
        if name == "denoising" and reference in found:
            panels[f"the same, less that of {reference}"] = _differences(found, reference)
    panels = {title: curves for title, curves in panels.items() if curves}
    if not panels:
        return []
    title = f"Learning curves, seed {next(iter(trained.values())).seed}"
    return [training_curves_figure(panels, reference=reference, title=title)]


def _is_branch(curve: Curve, results: Results) -> bool:
    """Tell a branch from a training with a base of its own, whose steps are other ones."""
    return bool(curve.steps) and curve.steps[-1] <= results.protocol.max_steps


def _differences(
    curves: "Mapping[str, TrainingCurve]", reference: str
) -> "dict[str, TrainingCurve]":
    """Take the reference away from the other curves: equal batches make the rest visible."""
    from visualize.training_curves import TrainingCurve

    base = dict(zip(curves[reference].steps, curves[reference].values, strict=True))
    found: dict[str, TrainingCurve] = {}
    for label, curve in curves.items():
        points = {
            step: value - below
            for step, value in zip(curve.steps, curve.values, strict=True)
            if value is not None and (below := base.get(step)) is not None
        }
        if label != reference and points:
            found[label] = TrainingCurve(list(points), list(points.values()))
    return found


def _example_figure(results: Results, example: Example) -> "Figure":
    from visualize.clip_rows import clip_rows_figure

    titles = {one.name: one.title for one in results.measures}
    clips = {
        _named(results, clip.row, clip.value): unpack_strip(clip.strip, example.num_frames)
        for clip in example.clips
    }
    return clip_rows_figure(
        clips,
        title=f'{example.rule.capitalize()}: "{example.prompt}"',
        caption=(
            f"Level {example.level}, noise seed {example.noise_seed}. Below each name: "
            f"{titles.get(example.measure, example.measure)}."
        ),
    )


def _named(results: Results, row: str | None, value: float | None) -> str:
    label = "real clip" if row is None else results.row(row).label
    return label if value is None else f"{label}\n{value:.4g}"
