"""Results -> the page that is the Results section of the paper, every number from its JSON."""

import re
from collections.abc import Iterable, Mapping, Sequence

from olvdm.errors import InputError
from olvdm.evaluation.report_markdown import render_table, show_number
from olvdm.experiment import report_sentences as sentences
from olvdm.experiment import report_tables as tables
from olvdm.experiment.conclusions import CONTROL
from olvdm.experiment.examples import RULES
from olvdm.experiment.report_tables import code, plain
from olvdm.experiment.results import Protocol, Results, Row
from olvdm.experiment.summary import Summary
from olvdm.losses import SLOT_LOSSES

PICTURE = re.compile(r"^!\[.*\]\(([^()/\s]+)\.png\)\n\n\[PDF\]\(\1\.pdf\)$", re.MULTILINE)


def check_names(results: Results) -> None:
    """Refuse results that speak of rows or levels that they do not hold.

    Args:
        results: As they were read.

    Raises:
        InputError: If they do.
    """
    names = [row.name for row in results.rows]
    spoken = [results.protocol.reference, results.protocol.default]
    spoken += [row.begins_from for row in results.rows if row.begins_from]
    spoken += [clip.row for one in results.examples for clip in one.clips if clip.row]
    unknown = [name for name in spoken if name not in names]
    if unknown:
        raise InputError(f"the results speak of a row {unknown[0][:64]!r} that they do not hold")
    if len(set(names)) < len(names) or not results.protocol.levels:
        raise InputError("the results hold a row twice or no level; run olvdm experiment again")


def render_page(
    results: Results, summary: Summary, figures: Mapping[str, Sequence[str]], analysis: str
) -> str:
    """Write the page.

    Args:
        results: What was found.
        summary: What follows from it.
        figures: File names of pictures, by what they show: ``losses``, ``curves``, ``examples``,
            and ``forest LEVEL``. What is not there is left out.
        analysis: Markdown that a person wrote, set in as it is; may be empty.

    Returns:
        Markdown, the same for the same input.

    Ours: sentences and tables follow from the numbers, so the page cannot say more than they do.
    """
    main, levels = main_rows(results), results.protocol.levels
    lines = ["# Results", "", *_opening(results), *_setting(results)]
    for level in levels:
        lines += _comparison(results, summary, main, level)
        lines += _pictures(figures, f"forest {level}", f"Changes against the reference, {level}")
    lines += _aims(results, summary)
    lines += _family(results, summary, figures)
    lines += _ablations(results, summary)
    lines += _examples(results, figures)
    lines += _slots(results)
    lines += _trainings(results, summary, figures)
    if analysis.strip():
        lines += ["## Analysis", "", analysis.strip(), ""]
    lines += [*_gaps(results, summary), *_appendix(results, summary)]
    return "\n".join(lines).rstrip() + "\n"


def shown_pictures(page: str) -> set[str]:
    """Return the files of all figures that a page shows.

    Args:
        page: What ``render_page`` wrote.

    Returns:
        Two names a figure: of its PNG and of its PDF. A picture that the analysis links to, which
        has no such pair of links, is none of them.
    """
    stems: list[str] = PICTURE.findall(page)
    return {f"{stem}.{kind}" for stem in stems for kind in ("png", "pdf")}


def main_rows(results: Results) -> list[Row]:
    """Return the default, the controls, and what draws in another way, less the reference."""
    default = results.protocol.default
    return [
        row
        for row in results.rows
        if row.name != results.protocol.reference
        if row.name == default or CONTROL in row.name or row.sampling
    ]


def family_rows(results: Results) -> list[Row]:
    """Return the rows that train with one loss of the family each."""
    return [
        row
        for row in results.rows
        if row.name in SLOT_LOSSES and row.name != results.protocol.reference
    ]


def ablation_rows(results: Results) -> list[Row]:
    """Return the rows of neither kind."""
    named = {row.name for row in (*main_rows(results), *family_rows(results))}
    named.add(results.protocol.reference)
    return [row for row in results.rows if row.name not in named]


def _opening(results: Results) -> list[str]:
    protocol = results.protocol
    return [
        (
            "This page is written by `olvdm report` from [`results.json`](results.json), in which "
            "every number of it is found. The experiment is run again by"
        ),
        "",
        "```",
        " ".join(protocol.command.split()).replace("`", ""),
        "```",
        "",
        (
            "A word in capitals stands for a folder of your own: `BASE`, `AUTOENCODER` and `SLOTS` "
            "for the trainings whose steps and checksums are at the end of this page, `DIR` for an "
            "empty one."
        ),
        "",
    ]


def _setting(results: Results) -> list[str]:
    protocol = results.protocol
    reference = plain(results.row(protocol.reference).label)
    seeds = ", ".join(map(str, protocol.seeds))
    text = (
        f"Every variant is a branch of one base, trained for {protocol.max_steps} further steps of "
        f"{protocol.batch_size} clips with equal seeds ({seeds}), order of data and noise; nothing "
        f"differs but what its row says. Not every row has every seed. {reference} is the "
        "reference: the base without a slot term, trained on as long. Each model then draws a clip "
        f"for each of {protocol.num_prompts} prompts of the split {plain(protocol.split)}, which "
        f"no training saw, from noise of the seeds {protocol.noise_seeds[0]} to "
        f"{protocol.noise_seeds[1]}, the same for all: "
        f"{protocol.num_frames} frames of {protocol.height} x {protocol.width} pixels, "
        f"{protocol.num_inference_steps} denoising steps, strength of the prompt "
        f"{show_number(protocol.guidance_scale)}."
    )
    reading = (
        "Changes are paired by prompt and noise. In brackets stand 95 % bootstrap intervals over "
        "prompts; where a row has several seeds, prompts and seeds are both drawn again, each on "
        "its own, so the interval knows that other trainings and other prompts might have been "
        "had. (Distances of all clips together have no value a prompt: of several seeds, their "
        "interval holds that of each.) Where it leaves out 0 the verdict is *better* or *worse*, "
        "else it is *undecided*. Of a row with one seed the interval knows "
        "nothing of the luck of its training, so its verdict is of this one training; a row that "
        "trains nothing draws with the very weights of another, so luck is no part of its change "
        "from that one. For motion "
        "the verdict is about the distance from the real clip of the same prompt. A clip that "
        "stands still cannot flicker: read motion and what the prompt asks for beside everything "
        "else."
    )
    return [
        "## Setting",
        "",
        text,
        "",
        reading,
        "",
        (
            "No model was trained against the judges. On real clips, where the truth is known, "
            "they agree with it as follows."
        ),
        "",
        *tables.judge_table(results),
    ]


def _comparison(
    results: Results, summary: Summary, rows: Sequence[Row], level: str
) -> Iterable[str]:
    return [
        f"## The comparison, level {level}",
        "",
        *sentences.headline(results, summary, level),
        *sentences.control_in_words(results, summary, level),
        *tables.measure_table(results, summary, level),
        "Beside the controls:",
        "",
        *tables.variant_table(results, summary, rows, level),
    ]


def _aims(results: Results, summary: Summary) -> list[str]:
    if not summary.aims:
        return []
    return [
        "## What was aimed at",
        "",
        f"Stated before anything was measured, for level {results.protocol.levels[0]}.",
        "",
        *sentences.aims_in_words(results, summary),
        *tables.aim_table(results, summary.aims),
    ]


def _family(
    results: Results, summary: Summary, figures: Mapping[str, Sequence[str]]
) -> Iterable[str]:
    rows, level = family_rows(results), results.protocol.levels[0]
    lines = ["## The family of losses", ""]
    lines += [
        (
            "The paper describes its loss in three sentences that differ, so each reading has a "
            "name. The figure shows what each accepts of slots that were made by hand, before any "
            "training."
        ),
        "",
    ]
    lines += _pictures(figures, "losses", "Cost of slot sequences made by hand under each loss")
    lines += [f"Trained and measured, level {level}; other levels stand in the tables below:", ""]
    lines += tables.variant_table(results, summary, rows, level)
    for row in rows:
        mechanism = sentences.MECHANISMS.get(row.name, plain(row.shows))
        found = sentences.row_in_words(results, summary, row, level)
        lines += [f"**{plain(row.label)}.** {mechanism} {found}", ""]
    return lines


def _ablations(results: Results, summary: Summary) -> list[str]:
    rows, level = ablation_rows(results), results.protocol.levels[0]
    if not rows:
        return []
    lines = ["## Ablations and other variants", "", f"Level {level}:", ""]
    lines += tables.variant_table(results, summary, rows, level)
    for row in rows:
        found = sentences.row_in_words(results, summary, row, level)
        lines += [f"**{plain(row.label)}.** {plain(row.shows)} {found}", ""]
    return lines


def _examples(results: Results, figures: Mapping[str, Sequence[str]]) -> list[str]:
    pictures = figures.get("examples", ())
    if not pictures:
        return []
    lines = ["## Clips", "", "Chosen by rules, not by hand:", ""]
    lines += [f"- {rule}: {words}." for rule, words in RULES.items()] + [""]
    for one, picture in zip(results.examples, pictures, strict=True):
        lines += _picture(picture, f"{plain(one.rule)}: {plain(one.prompt)}")
    return lines


def _slots(results: Results) -> list[str]:
    if not results.slots:
        return []
    return [
        "## The slots themselves",
        "",
        (
            "Against the true masks of real clips, whole clips at once. Unsupervised slots vary by "
            "seed, so each seed has its row. FG-ARI is blind to slots that leak into the "
            "background and says little of clips with one object: read it beside FG-mIoU."
        ),
        "",
        *sentences.slots_in_words(results),
        *tables.slot_table(results),
    ]


def _trainings(
    results: Results, summary: Summary, figures: Mapping[str, Sequence[str]]
) -> list[str]:
    return [
        "## Learning curves and cost",
        "",
        *_pictures(figures, "curves", "Learning curves of the branches"),
        *sentences.cost_in_words(results, summary),
        *(tables.cost_table(results, summary) if summary.costs else []),
    ]


def _gaps(results: Results, summary: Summary) -> list[str]:
    if not results.missing:
        return []
    total = summary.missing_minutes
    told = "" if total is None else f" Together they would take {show_number(total)} minutes."
    return [
        "## What time did not allow",
        "",
        f"These branches were not run, or not to their end.{told}",
        "",
        *tables.missing_table(results),
    ]


def _appendix(results: Results, summary: Summary) -> list[str]:
    lines = ["## Every measure of every row", ""]
    for level in results.protocol.levels:
        lines += ["<details>", f"<summary>Level {level}</summary>", ""]
        lines += tables.group_tables(results, summary, level)
        lines += [*tables.set_table(results, level), "</details>", ""]
    return [
        *lines,
        "## Protocol",
        "",
        *render_table(("what", "value"), _protocol_rows(results.protocol)),
        *tables.difference_table(results),
        *tables.network_table(results),
    ]


def _protocol_rows(protocol: Protocol) -> Iterable[Sequence[str]]:
    for name in ("suite", "data_seed", "device", "dtype", "num_threads", "machine"):
        yield name.replace("_", " "), code(getattr(protocol, name))
    for name, value in protocol.training.items():
        yield f"training: {name.replace('_', ' ')}", code(value)
    versions = ", ".join(f"{name} {version}" for name, version in protocol.versions.items())
    yield "versions", plain(versions)


def _pictures(figures: Mapping[str, Sequence[str]], key: str, words: str) -> list[str]:
    return [line for name in figures.get(key, ()) for line in _picture(name, words)]


def _picture(name: str, words: str) -> list[str]:
    return [f"![{words}]({name})", "", f"[PDF]({name.removesuffix('.png')}.pdf)", ""]
