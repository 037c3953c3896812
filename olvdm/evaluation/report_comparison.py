"""Two checkpoints on the same prompts and noise: what is better, what is worse, what is open."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from olvdm.errors import InputError
from olvdm.evaluation.bootstrap import Estimate, as_number, effect_size, estimate_mean
from olvdm.evaluation.generation_score import known_measures, values_of
from olvdm.evaluation.judges import judged_measures
from olvdm.evaluation.measures import NETWORK_MEASURES, Measure
from olvdm.evaluation.prompt_rows import PromptRow, read_rows
from olvdm.evaluation.protocol import PAIRED, rows_key
from olvdm.evaluation.report import REPORT_FORMAT, SCORES_NAME
from olvdm.evaluation.report_markdown import render_table, show_estimate, show_number
from olvdm.evaluation.set_comparison import SET_MEASURES, have_features, set_distances

REPORT_BYTES = 1_048_576
NOTED = ("code_sha256", "judges_sha256", "device", "dtype", "num_threads", "machine", "versions")
VERDICTS = ("better", "worse", "undecided")


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """One measure of two checkpoints, paired by prompt and noise.

    Attributes:
        measure: Which one.
        real: Mean of the real clips; NaN for a distance from them.
        first: Mean of the first checkpoint, over the prompts that count.
        second: Mean of the second.
        difference: Second less first; where the goal is the real clip, of the distances from it.
        effect: Mean difference over its standard deviation; NaN where it does not vary, and for
            sets of clips, of which there is one.
        verdict: Whether the second is ``better`` or ``worse``, or ``undecided`` where the interval
            of the difference holds 0.
        num_prompts: Prompts that count.
        num_lower: Those on which the second is lower; 0 for sets of clips.
        differences: What `difference` is the mean of, prompt by prompt; NaN where a prompt does not
            count, and empty for sets of clips.
    """

    measure: Measure
    real: float
    first: float
    second: float
    difference: Estimate
    effect: float
    verdict: str
    num_prompts: int
    num_lower: int
    differences: Float[np.ndarray, " n"]

    @property
    def relative(self) -> float:
        """Change of the mean, as a share of the first; NaN where that is 0."""
        return (self.second - self.first) / abs(self.first) if self.first else float("nan")


@dataclass(frozen=True, eq=False)
class ComparedReports:
    """Two evaluated checkpoints, prompt by prompt.

    Attributes:
        comparisons: One a measure.
        protocols: How each was evaluated.
        num_prompts: Prompts that both have drawn.
    """

    comparisons: Sequence[Comparison]
    protocols: Sequence[Mapping[str, Any]]
    num_prompts: int

    def as_markdown(self) -> str:
        """Return a summary in words, then a table."""
        return _render(self.comparisons, self.protocols, self.num_prompts)

    def as_json(self) -> dict[str, Any]:
        """Return the same as JSON can hold it, for the app's verdict card."""
        first, second = _names(self.protocols)
        return {
            "format": REPORT_FORMAT,
            "kind": "comparison",
            "first": first,
            "second": second,
            "checkpoints_sha256": [one["checkpoint_sha256"] for one in self.protocols],
            "level": self.protocols[0]["level"],
            "num_prompts": self.num_prompts,
            "measures": [_as_row(one) for one in self.comparisons if one.num_prompts],
        }


def compare_reports(first: Path, second: Path, differing: Collection[str] = ()) -> ComparedReports:
    """Compare two evaluated checkpoints prompt by prompt.

    Args:
        first: Output of the evaluation of one checkpoint, such as LVDM's.
        second: That of the other, such as OLVDM's; it is called better or worse.
        differing: Settings that are not compared, because their effect is to be measured.

    Returns:
        What is better, what is worse, what is open.

    Raises:
        InputError: If a report is missing, or the two did not draw the same prompts in the same
            way.

    Source: method.md section 7, statistics.
    """
    reports = [_read_report(folder) for folder in (first, second)]
    protocols = [report["protocol"] for report in reports]
    for name in PAIRED:
        one, other = (protocol.get(name) for protocol in protocols)
        if one != other and name not in differing:
            raise InputError(
                f"the reports differ in {name} ({str(one)[:32]} and {str(other)[:32]}); evaluate "
                "both checkpoints with equal settings"
            )
    rows, other_rows = _pair_rows(
        *(
            read_rows(folder, rows_key(protocol), protocol.get("num_prompts"))
            for folder, protocol in zip((first, second), protocols, strict=True)
        )
    )
    judged = [
        report["judge"]["may_judge"] | judged_measures(report.get("judges", {}))
        for report in reports
    ]
    may_judge = {name: all(one.get(name, False) for one in judged) for name in judged[0]}
    if protocols[0].get("judges_sha256") != protocols[1].get("judges_sha256"):
        may_judge |= dict.fromkeys((measure.name for measure in NETWORK_MEASURES), False)
        may_judge["distances"] = False
    comparisons = compare_rows(rows, other_rows, may_judge)
    return ComparedReports(comparisons, protocols, len(rows))


def compare_rows(
    rows: Sequence[PromptRow],
    other_rows: Sequence[PromptRow],
    may_judge: Mapping[str, bool] | None = None,
) -> list[Comparison]:
    """Compare two checkpoints in every measure.

    Args:
        rows: Of the first, one for each prompt.
        other_rows: Of the second, the same prompts in the same order.
        may_judge: Whether its judge may be asked, by measure; none asks for everything.

    Returns:
        One comparison for each measure that may be judged, and of the sets of all clips where both
        have the features.

    Source: method.md section 7, statistics.
    """
    allowed = may_judge or {}
    others = known_measures(other_rows)
    measures = [
        measure
        for measure in known_measures(rows)
        if measure in others and allowed.get(measure.name, True)
    ]
    compared = [_compare(rows, other_rows, measure) for measure in measures]
    return compared + _compare_sets(rows, other_rows, allowed.get("distances", True))


def verdict_of(estimate: Estimate, measure: Measure) -> str:
    """Call the second better or worse where the interval leaves no doubt about the sign.

    Args:
        estimate: Second less first, or of the distances from the real clip.
        measure: Of what.

    Returns:
        One of ``VERDICTS``.
    """
    if estimate.count < 2 or estimate.low <= 0 <= estimate.high:
        return "undecided"
    is_better = (estimate.mean > 0) == (measure.goal == "higher")
    return "better" if is_better else "worse"


def _compare(
    rows: Sequence[PromptRow], other_rows: Sequence[PromptRow], measure: Measure
) -> Comparison:
    first = values_of(rows, "generated", measure.name)
    second = values_of(other_rows, "generated", measure.name)
    real = values_of(rows, "real", measure.name)
    # A prompt counts for both or for none.
    hole = np.where(np.isfinite(first) & np.isfinite(second), 0.0, np.nan)
    difference = second - first
    if measure.goal == "real":
        difference = np.abs(second - real) - np.abs(first - real)
    estimate = estimate_mean(difference)
    return Comparison(
        measure=measure,
        real=estimate_mean(real).mean,
        first=estimate_mean(first + hole).mean,
        second=estimate_mean(second + hole).mean,
        difference=estimate,
        effect=effect_size(difference),
        verdict=verdict_of(estimate, measure),
        num_prompts=int(np.isfinite(hole).sum()),
        num_lower=int((second < first).sum()),
        differences=difference,
    )


def _compare_sets(
    rows: Sequence[PromptRow], other_rows: Sequence[PromptRow], is_judged: bool
) -> list[Comparison]:
    """Compare all clips of one checkpoint with all of the other."""
    compared: list[Comparison] = []
    for one in SET_MEASURES:
        is_known = have_features(rows, one) and have_features(other_rows, one)
        if not is_known or (one.features.needs_judge and not is_judged):
            continue
        first, second, difference = set_distances(rows, other_rows, one)
        compared.append(
            Comparison(
                measure=one.measure,
                real=math.nan,
                first=first,
                second=second,
                difference=difference,
                effect=math.nan,
                verdict=verdict_of(difference, one.measure),
                num_prompts=len(rows),
                num_lower=0,
                differences=np.empty(0),
            )
        )
    return compared


def _pair_rows(
    rows: Sequence[PromptRow], other_rows: Sequence[PromptRow]
) -> tuple[list[PromptRow], list[PromptRow]]:
    """Keep the prompts that both have drawn."""
    others = {(row.index, row.prompt, row.noise_seed): row for row in other_rows}
    pairs = [
        (row, others[row.index, row.prompt, row.noise_seed])
        for row in rows
        if (row.index, row.prompt, row.noise_seed) in others
    ]
    if not pairs:
        raise InputError("the reports have no prompt in common; evaluate both checkpoints again")
    return [row for row, _ in pairs], [other for _, other in pairs]


def _read_report(folder: Path) -> dict[str, Any]:
    """Read the report of a finished evaluation that drew clips."""
    try:
        with (folder / SCORES_NAME).open("rb") as file:
            report = json.loads(file.read(REPORT_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{SCORES_NAME} of {folder.name[:64]!r} cannot be read; evaluate its checkpoint first"
        ) from error
    if not isinstance(report, dict) or report.get("format") != REPORT_FORMAT:
        raise InputError(f"{SCORES_NAME} of {folder.name[:64]!r} is no report of format 1")
    if "generation" not in report:
        raise InputError(
            f"the report of {folder.name[:64]!r} drew no clips; evaluate with the part generation"
        )
    return report


def _render(
    comparisons: Sequence[Comparison], protocols: Sequence[Mapping[str, Any]], num_prompts: int
) -> str:
    first, second = _names(protocols)
    how_to_read = (
        f"{num_prompts} prompts of level {protocols[0]['level']}, paired by prompt and noise; in "
        f"brackets 95 % bootstrap intervals. {second} is called better or worse where the interval "
        "of the difference leaves out 0; of 20 equal measures, one would look different by chance. "
        "For motion, the difference is that of the distances from the real clip. Read flicker and "
        "stability beside motion: a frozen clip is steady."
    )
    lines = [f"# {second} against {first}", "", how_to_read, ""]
    for verdict in VERDICTS:
        names = [one.measure.title for one in comparisons if one.verdict == verdict]
        lines.append(f"- {second} is {verdict} in: {'; '.join(names) if names else 'nothing'}.")
    differing = [name for name in NOTED if protocols[0].get(name) != protocols[1].get(name)]
    if differing:
        lines.append(f"- Beside the checkpoints, these differ: {', '.join(differing)}.")
    header = ("measure", "better is", "real clips", first, second, "change", "difference")
    table = render_table((*header, "effect", "verdict"), [_cells(one) for one in comparisons])
    checksums = [
        f"{name}: checkpoint manifest sha256 `{protocol['checkpoint_sha256']}`, "
        f"`{protocol['command']}`"
        for name, protocol in zip((first, second), protocols, strict=True)
    ]
    return "\n".join([*lines, "", *table, *(f"- {line}" for line in checksums)]) + "\n"


def _as_row(one: Comparison) -> dict[str, Any]:
    return {
        "name": one.measure.name,
        "num_prompts": one.num_prompts,
        "num_lower": one.num_lower,
        "first": as_number(one.first),
        "second": as_number(one.second),
        "difference": one.difference.as_json(),
        "verdict": one.verdict,
    }


def _cells(one: Comparison) -> list[str]:
    goal = "near the real clip's" if one.measure.goal == "real" else one.measure.goal
    share = as_number(one.relative)
    return [
        one.measure.title,
        goal,
        show_number(as_number(one.real)),
        show_number(as_number(one.first)),
        show_number(as_number(one.second)),
        "-" if share is None else f"{100 * share:+.1f} %",
        show_estimate(one.difference.as_json()),
        show_number(as_number(one.effect)),
        one.verdict,
    ]


def _names(protocols: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return the checkpoints' names, told apart where they are equal."""
    first, second = (str(protocol["checkpoint"]) for protocol in protocols)
    return (first, second) if first != second else (f"{first} (1)", f"{second} (2)")
