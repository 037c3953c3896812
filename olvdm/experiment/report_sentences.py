"""What the page of results says in words: each sentence follows from verdicts, in both ways."""

from collections.abc import Iterable, Mapping

from olvdm.evaluation.report_markdown import show_number
from olvdm.experiment.conclusions import control_of
from olvdm.experiment.report_tables import SLOT_TITLES, percent, plain
from olvdm.experiment.result_parts import Interval, SlotScores, Verdict
from olvdm.experiment.results import Results, Row
from olvdm.experiment.summary import Change, Summary

# Why a loss does what it does, by what it accepts of slots made by hand (figure of the losses).
MECHANISMS = {
    "l2": (
        "It asks each slot to be what it was a frame ago. It costs nothing where all slots are "
        "equal or never change, so the denoiser can meet it by drawing less, and a rotation of an "
        "object is punished like the loss of it."
    ),
    "gram": (
        "It asks that the slots of a frame stand to each other as they did a frame ago: the "
        "paper's sentence, taken literally. A rotation that all slots share is free, and so are "
        "slots that are all equal. It sees jitter better than a swap of two objects, which leaves "
        "most of the matrix as it was."
    ),
    "smooth": (
        "It asks that the correlation of one pair of frames be that of the next pair. A steady "
        "drift is free, and so is collapse; it sees the one moment of a swap, and jitter."
    ),
    "identity": (
        "It pulls the correlation across two frames to the identity matrix, so it rejects slots "
        "that are all equal. It also asks that different objects share nothing at all, which two "
        "red objects cannot meet; and a code of the index, the same vectors in every clip, wins."
    ),
    "nce": (
        "It asks that a slot be recognised among the slots of the next frame. That rejects "
        "collapse and a swap. Once each slot is nearest to itself it hardly pays to be steadier, "
        "so jitter is nearly free; a code of the index wins."
    ),
    "nce_batch": (
        "It asks the same among the slots of all clips of the batch, which a code of the index "
        "cannot meet. Jitter stays nearly free."
    ),
    "anchored": (
        "It compares the correlation of the predicted clip with that of the clean one, over a "
        "window of frames: it asks for the right change and not for none. Of the sequences made by "
        "hand it accepts frozen slots alone, since the good ones hardly drift within its window. "
        "It needs the clean clip, so it exists in training alone."
    ),
    "corr": (
        "The mix: in the denoiser's training, the anchored term and half of the literal one, the "
        "first for what is right, the second for jitter."
    ),
}
TELLING_GROUP = "several_objects"
_VERDICTS: Mapping[Verdict, str] = {
    "better": "better in",
    "worse": "**worse** in",
    "undecided": "undecided, since the interval holds 0, in",
}


def headline(results: Results, summary: Summary, level: str) -> list[str]:
    """Say how the default stands against the reference, in one list.

    Args:
        results: What was found.
        summary: What follows from it.
        level: Of the prompts.

    Returns:
        Lines of Markdown; a claim of better or worse only where the interval leaves out 0.
    """
    default = results.row(results.protocol.default)
    changes = summary.changes.get(default.name, {}).get(level, {})
    if not changes:
        return [f"{plain(default.label)} was not compared with the reference at level {level}.", ""]
    reference = plain(results.row(results.protocol.reference).label)
    lines = [f"{plain(default.label)} against {reference}, level {level}:", ""]
    for verdict, words in _VERDICTS.items():
        found = _listed(results, changes, verdict)
        lines.append(f"- {words}: {found or 'nothing'}.")
    split = [name for name, one in changes.items() if one.num_better and one.num_worse]
    if split:
        lines.append(f"- Seeds contradict each other in: {_titles(results, split)}.")
    return [*lines, ""]


def aims_in_words(results: Results, summary: Summary) -> list[str]:
    """Say whether what was aimed at is reached, and what is missing."""
    asked = [one for one in summary.aims if one.is_met is not None]
    missed = [one for one in asked if not one.is_met]
    if not asked:
        return ["Nothing of what was aimed at has been measured yet.", ""]
    if not missed and len(asked) == len(summary.aims):
        return ["All that was aimed at is reached.", ""]
    if not missed:
        return ["All that was measured of the aim is reached; some of it was not measured.", ""]
    gains = [one for one in asked if one.demand == "gain"]
    failed = [one.measure for one in gains if not one.is_met]
    words = "**The aim is not reached.**"
    if failed:
        words += f" The gain that was asked for is missing in: {_titles(results, failed)}."
    rest = [one.measure for one in missed if one.demand != "gain"]
    if rest:
        words += f" Also not as asked: {_titles(results, rest)}."
    return [words, ""]


def control_in_words(results: Results, summary: Summary, level: str) -> list[str]:
    """Say whether the gains of the default vanish where slots are shuffled."""
    control = control_of(results)
    if control is None or level not in summary.changes.get(control.name, {}):
        return ["The control with shuffled slots was not run.", ""]
    ours = summary.changes.get(results.protocol.default, {}).get(level, {})
    theirs = summary.changes[control.name][level]
    shared = [
        name
        for name, one in theirs.items()
        if (one.num_better or one.verdict == "better")
        and name in ours
        and ours[name].verdict == "better"
    ]
    if shared:
        named = _titles(results, shared)
        return [
            (
                f"The control with shuffled slots gains too, in at least one seed, in: {named}. "
                "There the gain does not show that the slots matter."
            ),
            "",
        ]
    if not any(one.verdict == "better" for one in ours.values()):
        return ["There is no gain whose vanishing the shuffled control could show.", ""]
    return ["The control with shuffled slots shows none of these gains in any seed.", ""]


def row_in_words(results: Results, summary: Summary, row: Row, level: str) -> str:
    """Say what one row showed against the reference.

    Args:
        results: What was found.
        summary: What follows from it.
        row: The row.
        level: Of the prompts.

    Returns:
        One or more sentences; where it was not run, the time that it would take.
    """
    changes = summary.changes.get(row.name, {}).get(level)
    if not changes:
        return _not_run(results, row)
    parts = [
        f"{words} {found}"
        for verdict, words in _VERDICTS.items()
        if verdict != "undecided" and (found := _listed(results, changes, verdict))
    ]
    if not parts:
        return "Measured: no sign of any difference could be told."
    return f"Measured: {'; '.join(parts)}. In all else no sign could be told."


def cost_in_words(results: Results, summary: Summary) -> list[str]:
    """Say whether the slot term stays within the time that it may add."""
    costs = {one.row: one for one in summary.costs}
    extra = costs[row].extra_time_percent if (row := results.protocol.default) in costs else None
    if extra is None:
        return []
    side = "under" if extra < summary.cost_bound_percent else "**not** under"
    bound = show_number(summary.cost_bound_percent)
    return [
        (
            f"The slot term changes the time of a training step by {percent(extra)}, which is "
            f"{side} the {bound} % that it may add."
        ),
        "",
    ]


def slots_in_words(results: Results) -> list[str]:
    """Say whether slots find objects better than each baseline does, on the clips that tell most.

    One object alone is found by any cluster, so clips of several count; the table has all groups.
    """
    lines = [
        f"- level {one.level}, seed {one.seed}, against "
        f"{plain(base.by)}: above it in {_scores(one, base)}; below it in {_scores(base, one)}."
        for base in results.slots
        for one in results.slots
        if base.seed is None and one.seed is not None and one.group == TELLING_GROUP
        if (one.level, one.group) == (base.level, base.group)
    ]
    if not lines:
        return []
    told = "On clips of several objects, above and below where the two intervals do not touch:"
    return [told, "", *lines, ""]


def _scores(first: SlotScores, second: SlotScores) -> str:
    """Name the scores in which the intervals leave no doubt that the first is better."""
    names = [
        SLOT_TITLES.get(name, name)
        for name, one in first.scores.items()
        if (other := second.scores.get(name)) is not None and _is_clear(name, one, other)
    ]
    return ", ".join(names) or "nothing"


def _is_clear(name: str, first: Interval, second: Interval) -> bool:
    if "switches" in name:  # of them, fewer are better
        first, second = second, first
    return first.low is not None and second.high is not None and first.low > second.high


def _not_run(results: Results, row: Row) -> str:
    if any(one.row == row.name for one in results.missing):
        return "It was not run to its end; what that would take stands below."
    return "It has nothing to be compared with at this level."


def _listed(results: Results, changes: Mapping[str, Change], verdict: Verdict) -> str:
    """Name the measures of a verdict, each with its change."""
    titles = {one.name: plain(one.title) for one in results.measures}
    return "; ".join(
        f"{titles[name]} ({percent(one.percent)})"
        for name, one in changes.items()
        if one.verdict == verdict
    )


def _titles(results: Results, names: Iterable[str]) -> str:
    titles = {one.name: plain(one.title) for one in results.measures}
    return "; ".join(titles.get(name, name.replace("_", " ")) for name in names)
