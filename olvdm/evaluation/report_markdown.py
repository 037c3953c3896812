"""Writes a report as tables that a person can read, every number taken from its JSON."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from olvdm.evaluation.measures import ALL_MEASURES, MEASURES

SLOT_COLUMNS = {
    "foreground_ari": "FG-ARI",
    "ari": "ARI",
    "foreground_miou": "FG-mIoU",
    "mean_best_overlap": "mBO",
    "identity_switches": "switches a clip",
}
IDENTITY_COLUMNS = {
    "kept": "an object with itself, half a clip later or more",
    "other": "with another object",
    "told_apart": "told apart (0.5 is chance)",
}
TITLES = {measure.name: measure.title for measure in MEASURES}
GROUP_TITLES = {
    "agreement": "Agreement with the prompt",
    "flicker": "Flicker",
    "motion": "Motion",
    "stability": "Objects that hold together",
    "independent_slots": "Objects by slots that nothing was trained against",
    "memorisation": "Nearness to the training clips",
}
JUDGE_TITLES = {
    "independent_slots": "independent slot encoder, of another seed, without any consistency loss",
    "attribute_network": "attribute network",
}


def render_report(report: Mapping[str, Any]) -> str:
    """Write a report as Markdown.

    Args:
        report: What ``evaluate_checkpoint`` returns.

    Returns:
        The text, ending in a new line.
    """
    writers = {
        "reconstruction": _reconstruction,
        "slots": _slots,
        "judge": _judge,
        "judges": _judges,
        "generation": _generation,
    }
    protocol = report["protocol"]
    title = f"# Scores of {protocol['checkpoint']}, level {protocol['level']}"
    data = (
        f"Split {protocol['split']}, which no training saw; {protocol['num_frames']} frames of "
        f"{protocol['height']} x {protocol['width']}. In brackets: 95 % bootstrap intervals over "
        "clips."
    )
    lines = [title, "", data, "", *_foreign(protocol)]
    for part, write in writers.items():
        if part in report:
            lines += write(report[part])
    lines += [*_protocol(protocol), *_seconds(report["seconds"])]
    return "\n".join(lines) + "\n"


def render_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Write a table.

    Args:
        header: Titles of the columns.
        rows: Cells, as many in each row.

    Returns:
        Lines of Markdown, an empty one last.
    """
    lines = [header, ["---"] * len(header), *rows]
    return [*(f"| {' | '.join(cells)} |" for cells in lines), ""]


def show_number(value: float | int | None) -> str:
    """Return a number as tables show it, four digits of it; a dash for none."""
    return "-" if value is None else f"{value:.4g}"


def show_estimate(estimate: Mapping[str, Any] | None) -> str:
    """Return a mean with its interval.

    Args:
        estimate: As ``Estimate.as_json`` gives it, or none.

    Returns:
        One cell; a dash where nothing was measured.
    """
    if estimate is None or estimate["mean"] is None:
        return "-"
    low, high = show_number(estimate["low"]), show_number(estimate["high"])
    return f"{show_number(estimate['mean'])} [{low}, {high}]"


def _reconstruction(part: Mapping[str, Any]) -> list[str]:
    return [
        f"## Reconstruction, {part['num_clips']} clips",
        "",
        *render_table(
            ("PSNR, dB", "SSIM"), [(show_estimate(part["psnr"]), show_estimate(part["ssim"]))]
        ),
        *render_table(
            ("flicker and motion", "reconstruction", "real", "difference"),
            [
                (
                    TITLES[name],
                    *(
                        show_estimate(row[side])
                        for side in ("reconstruction", "real", "difference")
                    ),
                )
                for name, row in part["flicker_and_motion"].items()
            ],
        ),
    ]


def _slots(part: Mapping[str, Any]) -> list[str]:
    rows: list[list[str]] = []
    for name, group in part["groups"].items():
        for side, title in (
            ("model", "slots"),
            ("kmeans", "k-means"),
            ("model_minus_kmeans", "difference"),
            ("kmeans_latents", "k-means on latents"),
            ("model_minus_kmeans_latents", "difference"),
        ):
            cells = [show_estimate(group[side][column]) for column in SLOT_COLUMNS]
            rows.append([f"{name.replace('_', ' ')} ({group['num_clips']})", title, *cells])
    how_to_read = (
        "k-means is scikit-learn's, on colour and position, or on the latents that the slots see, "
        "with as many clusters; a difference is that of the slots from it. With one object "
        "FG-ARI is 1 or nearly 0, so read it on clips of several objects, and never without "
        "FG-mIoU, since it is blind to slots that leak into the background."
    )
    return [
        f"## Slots on whole clips, {part['num_clips']} clips, {part['num_slots']} slots",
        "",
        how_to_read,
        "",
        *render_table(("clips", "by", *SLOT_COLUMNS.values()), rows),
        *_identity(part["groups"]),
    ]


def _identity(groups: Mapping[str, Any]) -> list[str]:
    """Return what the correlation of slots is worth; a report of an earlier version lacks it."""
    rows = [
        (
            name.replace("_", " "),
            *(show_estimate(group["identity"][one]) for one in IDENTITY_COLUMNS),
        )
        for name, group in groups.items()
        if "identity" in group
    ]
    if not rows:
        return []
    return [
        "",
        "The correlation of slots, which is to follow who an object is and not where:",
        "",
        *render_table(("clips", *IDENTITY_COLUMNS.values()), rows),
    ]


def _judge(part: Mapping[str, Any]) -> list[str]:
    rows = [
        (name, show_number(value), "yes" if part["may_judge"][name] else "no")
        for name, value in part["agreement"].items()
    ]
    return [
        f"## The judge, on {part['num_clips']} real clips",
        "",
        f"It may judge what it reads rightly in at least {show_number(part['needed'])} of them.",
        "",
        *render_table(("attribute", "agreement with the truth", "may judge"), rows),
    ]


def _judges(part: Mapping[str, Mapping[str, Any]]) -> list[str]:
    lines = ["## Judges with networks of their own, on real clips", ""]
    rows: list[tuple[str, str, str, str]] = []
    for name, title in JUDGE_TITLES.items():
        judge = part[name]
        if "absent" in judge:
            lines += [f"The {title} did not judge: {judge['absent']}.", ""]
            continue
        may_judge = [each.replace("_", " ") for each, may in judge["may_judge"].items() if may]
        lines += [f"The {title} may judge: {', '.join(may_judge) or 'nothing, by its bar'}.", ""]
        for what, value in judge["agreement"].items():
            shown = show_estimate(value) if isinstance(value, Mapping) else show_number(value)
            needed = judge["needed"]
            bar = needed.get(what) if isinstance(needed, Mapping) else needed
            rows.append((name.replace("_", " "), what.replace("_", " "), shown, show_number(bar)))
    header = ("judge", "agreement with the truth", "real clips", "needed")
    return [*lines, *(render_table(header, rows) if rows else [])]


def _generation(part: Mapping[str, Any]) -> list[str]:
    lines = [f"## Clips drawn from {part['num_prompts']} prompts", ""]
    for group, title in GROUP_TITLES.items():
        if group not in part:
            continue
        sides = ("generated", "real", "difference", *(("ratio",) if group == "motion" else ()))
        rows = [
            (measure.title, *(show_estimate(part[group][measure.name][side]) for side in sides))
            for measure in ALL_MEASURES
            if measure.group == group and measure.name in part[group]
        ]
        lines += [f"### {title}", "", *render_table(("measure", *sides), rows)]
    diversity = part["diversity"]
    cells = [show_number(diversity[side]) for side in ("generated", "real")]
    return [
        *lines,
        "### Diversity",
        "",
        f"Mean distance of two clips; features: {diversity['features']}.",
        "",
        *render_table(("generated", "real"), [cells]),
        *(
            line
            for name in ("thumbnail_distances", "distances")
            if name in part
            for line in _distances(part[name])
        ),
    ]


def _distances(part: Mapping[str, Any]) -> list[str]:
    titles = {
        "frechet_distance": f"Frechet distance on the {part['features']}",
        "kernel_distance": f"kernel distance on the {part['features']}",
        "diversity": f"mean distance of two clips on the {part['features']}",
    }
    how_to_read = (
        f"From the {part['num_clips']} real clips of the prompts; under real, that of as many "
        "other real clips from them, which is the least that a perfect model could reach."
    )
    rows = [
        (title, *(show_number(part[name][side]) for side in ("generated", "real")))
        for name, title in titles.items()
        if name in part
    ]
    return [
        "### Distance of all clips together",
        "",
        how_to_read,
        "",
        *render_table(("what", "generated", "real"), rows),
    ]


def _foreign(protocol: Mapping[str, Any]) -> list[str]:
    """Warn where a model was trained on other clips than those that it is scored on."""
    world = f"moving shapes, level {protocol['level']}"
    trained_on = protocol.get("trained_on", world)
    if trained_on == world:
        return []
    return [
        (
            f"**The model was trained on {trained_on} and is scored on {world}:** what "
            "it knows is not asked here."
        ),
        "",
    ]


def _protocol(protocol: Mapping[str, Any]) -> list[str]:
    rows = [
        (name, f"`{value}`")
        for name, value in protocol.items()
        if not isinstance(value, Mapping | list)
    ]
    versions = ", ".join(f"{name} {version}" for name, version in protocol["versions"].items())
    parts = ", ".join(protocol["parts"])
    return [
        "## Protocol",
        "",
        *render_table(("what", "value"), [*rows, ("parts", parts), ("versions", versions)]),
    ]


def _seconds(seconds: Mapping[str, Any]) -> list[str]:
    rows = [
        (part, show_number(value)) for part, value in seconds.items() if part != "per_drawn_clip"
    ]
    if "per_drawn_clip" in seconds:
        pace = seconds["per_drawn_clip"]
        rows.append(("one drawn clip with its slots, median", show_number(pace["median"])))
    return ["## Seconds", "", *render_table(("part", "seconds"), rows)]
