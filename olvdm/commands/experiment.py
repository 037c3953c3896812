"""``olvdm experiment``: one base, many branches -> results.json, and what it says in a table."""

import argparse
import logging
import shlex
from collections.abc import Sequence
from pathlib import Path

from olvdm.evaluation.judges import find_judges
from olvdm.evaluation.protocol import Evaluation
from olvdm.evaluation.report_markdown import render_table, show_number
from olvdm.experiment.gather import Asked
from olvdm.experiment.plan import Places, Plan, make_plan
from olvdm.experiment.results import RESULTS_NAME, Results, Row
from olvdm.experiment.runner import run_experiment
from olvdm.experiment.suite import load_suite
from olvdm.generation import check_number
from olvdm.limits import Range, WholeRange

SHOWN = ("identity_switches", "vanishing", "colour_drift", "area_drift", "warp_error", "mean_flow")
LIMITS = {
    "num_seeds": WholeRange(1, 1_000),
    "max_steps": WholeRange(1, 1_000_000_000),
    "base_steps": WholeRange(0, 1_000_000_000),
    "max_minutes": Range(0.0, 1e6),
}
NOT_REPEATED = ("command", "parser", "output", "latents", "max_minutes")
FOLDER_NAMES = ("base", "autoencoder", "slots", "judges")


def experiment(arguments: argparse.Namespace) -> None:
    """Compute an experiment as far as time allows, and show what came out.

    Args:
        arguments: What ``olvdm experiment`` was given.
    """
    _check_numbers(arguments)
    plan = read_plan(arguments)
    asked = Asked(evaluations=_evaluations(arguments, plan), command=command_of(arguments))
    logging.basicConfig(format="%(message)s")
    results = run_experiment(plan, asked, arguments.max_minutes)
    if results is None:
        print("no branch has been scored yet; the same command goes on")
        return
    print("\n".join(result_tables(results)))
    print(f"the results are in {plan.places.output / RESULTS_NAME}")


def read_plan(arguments: argparse.Namespace) -> Plan:
    """Return the plan that a command line asks for.

    Args:
        arguments: What ``olvdm experiment`` was given.

    Returns:
        The plan, every part of it checked.
    """
    base, output = Path(arguments.base), Path(arguments.output)
    slots, *other_slots = map(Path, arguments.slots or [base])
    places = Places(
        base=base,
        autoencoder=Path(arguments.autoencoder or base),
        slots=slots,
        other_slots=other_slots,
        latents=Path(arguments.latents or output / "latents"),
        output=output,
        judges=find_judges(Path(arguments.judges) if arguments.judges else None, base),
    )
    return make_plan(
        load_suite(arguments.suite),
        places,
        rows=arguments.rows,
        num_seeds=arguments.num_seeds,
        max_steps=arguments.max_steps,
        base_steps=arguments.base_steps,
        changes=arguments.changes,
    )


def command_of(arguments: argparse.Namespace) -> str:
    """Return the words that repeat an experiment.

    Args:
        arguments: What ``olvdm experiment`` was given.

    Returns:
        The command. A folder outside of the working one is told by what it is for, such as
        ``BASE``: its place on this machine helps nobody, and its checksum is in the protocol. What
        changes no number, such as where latents are kept, is left out.
    """
    words = ["olvdm", "experiment"]
    for name, value in vars(arguments).items():
        if name in NOT_REPEATED or value is None or value == []:
            continue
        option, texts = f"--{name.replace('_', '-')}", list(map(str, _listed(value)))
        if name == "changes":
            words += [word for one in texts for word in ("--set", one)]
        else:
            words += [option, *(texts if name not in FOLDER_NAMES else _folders(name, texts))]
    return f"{shlex.join(words)} --output DIR"


def result_tables(results: Results) -> list[str]:
    """Write the main numbers as Markdown, every one of them from the results.

    Args:
        results: What was found.

    Returns:
        Lines: a table a level, and what is missing.
    """
    titles = {one.name: one.title for one in results.measures}
    names = [name for name in SHOWN if name in titles]
    lines: list[str] = []
    for level, real in results.real.items():
        rows = [
            ["real clips", "", *(show_number(real[name].mean) for name in names if name in real)]
        ]
        rows += [_cells(row, level, names) for row in results.rows if level in row.seeds]
        lines += [f"Level {level}; change against {results.protocol.reference} in percent.", ""]
        lines += render_table(("row", "seeds", *(titles[name] for name in names)), rows)
    for one in results.missing:
        needed = "unknown" if one.minutes is None else f"{one.minutes:.0f}"
        drawn = f", level {' and '.join(one.levels)}" if one.levels else ""
        lines.append(
            f"- missing: {one.row}, seed {one.seed}{drawn}; it would take {needed} minutes"
        )
    return lines


def _check_numbers(arguments: argparse.Namespace) -> None:
    for name, legal in LIMITS.items():
        value = getattr(arguments, name)
        if value is not None:
            check_number(name, value, legal, is_whole=isinstance(legal, WholeRange))


def _cells(row: Row, level: str, names: Sequence[str]) -> list[str]:
    spread = row.seeds[level]
    cells = [row.label, str(sum(level in one.levels for one in row.branches))]
    for name in names:
        mean = spread.measures[name].mean if name in spread.measures else None
        change = spread.relative_percent.get(name)
        told = "" if change is None or change.mean is None else f" ({change.mean:+.1f} %)"
        cells.append(f"{show_number(mean)}{told}")
    return cells


def _evaluations(arguments: argparse.Namespace, plan: Plan) -> dict[str, Evaluation]:
    num_prompts = plan.suite.num_prompts if arguments.num_prompts is None else arguments.num_prompts
    found = {
        level: Evaluation(level=level, num_prompts=num_prompts, parts=("generation",))
        for level in arguments.levels
    }
    for one in found.values():
        one.check()
    return found


def _folders(role: str, folders: Sequence[str]) -> list[str]:
    """Return names of folders that a reader of another machine can follow."""
    return [
        (role.upper() if place == 1 else f"{role.upper()}-{place}")
        if Path(folder).is_absolute()
        else folder
        for place, folder in enumerate(folders, start=1)
    ]


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
