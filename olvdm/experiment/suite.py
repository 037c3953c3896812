"""What an experiment is made of, as data: variants of the method, in the order of computing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from olvdm.errors import InputError, shown_value
from olvdm.evaluation.protocol import NUM_CLIPS, Evaluation
from olvdm.generation import check_number
from olvdm.training.config import CONFIGS, nearest_name
from olvdm.training.named_files import NamedFiles

SUITES = ("ablation", "smoke")
SUITE_FILES = NamedFiles("suite", SUITES, "olvdm.experiment", "suites", noun="suite")
STAGES = ("denoiser", "autoencoder", "none")
ROW_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")  # it becomes part of the names of folders
# What a file may say, and in which form.
SUITE_KINDS = {
    "reference": str,
    "default": str,
    "max_steps": int,
    "num_prompts": int,
    "training": dict,
    "autoencoder": dict,
}
ROW_KINDS = {
    "name": str,
    "label": str,
    "shows": str,
    "stage": str,
    "begins_from": str,
    "has_own_base": bool,
    "training": dict,
    "sampling": dict,
}
NEEDED_OF_SUITE = ("reference", "default", "max_steps", "num_prompts", "turns", "rows")
NEEDED_OF_ROW = ("name", "label", "shows")
NOUNS = {str: "a text", int: "a whole number", bool: "true or false", dict: "a table"}
SAMPLING = (
    "num_inference_steps",
    "slot_guidance_scale",
    "slot_guidance_floor",
    "num_candidates",
    "shuffles_slots",
)
# What decides the protocol, so that no row may differ in it.
FIXED = ("seed", "max_steps", "batch_size", "level", "num_clips", "init_from", "latents", "videos")


@dataclass(frozen=True, kw_only=True)
class RowPlan:
    """One variant of the method.

    Attributes:
        name: Key of the row.
        label: As tables print it.
        shows: One sentence: what is learned from it.
        stage: What it trains from the base: ``denoiser``, or ``autoencoder``, whose decoder then
            draws the latents of another row; ``none`` draws another row's clips in another way.
        begins_from: Row whose denoiser it takes; none where it trains its own.
        has_own_base: Whether it is trained from scratch, for the steps of base and branch together,
            because the base cannot be changed into it.
        training: Settings in which its training differs.
        sampling: Settings in which its drawing differs.
    """

    name: str
    label: str
    shows: str
    stage: str = "denoiser"
    begins_from: str | None = None
    has_own_base: bool = False
    training: Mapping[str, Any]
    sampling: Mapping[str, Any]


@dataclass(frozen=True)
class Suite:
    """Variants, and in which order they are worth computing.

    Attributes:
        name: Of the suite.
        reference: Row that all others are compared with, seed by seed.
        default: Row that the method is by default: the one that the report speaks of first.
        max_steps: Further steps of every branch.
        num_prompts: Prompts of each level.
        training: Settings of the denoiser that all rows share.
        autoencoder: The same of rows that train an autoencoder.
        rows: The variants, in the order of tables.
        order: Row and seed of every branch, the first one to be computed first.
    """

    name: str
    reference: str
    default: str
    max_steps: int
    num_prompts: int
    training: Mapping[str, Any]
    autoencoder: Mapping[str, Any]
    rows: tuple[RowPlan, ...]
    order: tuple[tuple[str, int], ...]

    def row(self, name: str) -> RowPlan:
        """Return a row by its name."""
        return {row.name: row for row in self.rows}[name]

    def chosen(
        self, names: Sequence[str] | None = None, num_seeds: int | None = None
    ) -> list[tuple[RowPlan, int]]:
        """Return the branches to compute, in their order.

        Args:
            names: Rows that are wanted, none for all; what they are compared with and begin from
                is added.
            num_seeds: Most seeds of a row, none for all.

        Returns:
            Row and seed of each.

        Raises:
            InputError: If there is no such row; the sentence names the nearest one.
        """
        known = {row.name: row for row in self.rows}
        for name in names or ():
            if name not in known:
                hint = nearest_name(name, known)
                raise InputError(f"suite {self.name} has no row {name[:64]!r}{hint}")
        wanted = set(names or known) | {self.reference}
        wanted |= {row.begins_from for row in self.rows if row.name in wanted and row.begins_from}
        done: dict[str, int] = {}
        found: list[tuple[RowPlan, int]] = []
        for name, seed in self.order:
            done[name] = done.get(name, 0) + 1
            if name in wanted and (num_seeds is None or done[name] <= num_seeds):
                found.append((known[name], seed))
        return found


def load_suite(name_or_path: str) -> Suite:
    """Read a suite and check every word of it, before anything is computed.

    Args:
        name_or_path: One of ``SUITES``, or a TOML file of one's own.

    Returns:
        The suite.

    Raises:
        InputError: If the file cannot be read, or something in it is unknown or contradicts itself;
            the sentence names the nearest known word.

    Ours: the form.
    """
    document = SUITE_FILES.read(name_or_path)
    try:
        suite = _suite(Path(name_or_path).stem, document)
        _check(suite)
    except (TypeError, KeyError, AttributeError) as error:
        raise InputError(
            "the suite lacks something, or has it in another form; see the suite 'smoke' for the "
            "form"
        ) from error
    return suite


def check_settings(stage: str, settings: Mapping[str, object], fixed: Sequence[str] = ()) -> None:
    """Refuse settings that a stage does not have, or that may not be changed here.

    Args:
        stage: Whose settings they are.
        settings: By field.
        fixed: Fields that are no row's to change.

    Raises:
        InputError: If a field is unknown, with the nearest known one, or fixed.
    """
    known = [one.name for one in fields(CONFIGS[stage])]
    for name in settings:
        if name not in known:
            hint = nearest_name(name, known)
            raise InputError(f"{stage} has no setting {name[:64]!r}{hint}")
        if name in fixed:
            raise InputError(f"{name} is the same for all rows; set it for the whole experiment")


def _suite(name: str, document: dict[str, Any]) -> Suite:
    plain: dict[str, Any] = {"training": {}, "sampling": {}}
    own = {key: value for key, value in document.items() if key not in ("turns", "rows")}
    _check_form("the suite", own, SUITE_KINDS)
    _check_whole("the suite", document, NEEDED_OF_SUITE)
    turns, found = document["turns"], document["rows"]
    for row in found:
        _check_form("a row", row, ROW_KINDS)
        _check_whole("a row", row, NEEDED_OF_ROW)
    rows = tuple(RowPlan(**(plain | row)) for row in found)
    order = tuple((row, seed) for turn in turns for seed in turn["seeds"] for row in turn["rows"])
    shared: dict[str, Any] = {"training": {}, "autoencoder": {}}
    return Suite(name=name, rows=rows, order=order, **(shared | own))


def _check_whole(noun: str, values: Mapping[str, object], needed: Sequence[str]) -> None:
    """Refuse a table that lacks something."""
    for name in needed:
        if name not in values:
            raise InputError(f"{noun} lacks {name}; it needs {', '.join(needed)}")


def _check_form(noun: str, values: Mapping[str, object], kinds: Mapping[str, type]) -> None:
    """Refuse what a table may not say, or not in this form."""
    for name, value in values.items():
        if name not in kinds:
            raise InputError(f"{noun} has no field {name[:64]!r}{nearest_name(name, kinds)}")
        if type(value) is not kinds[name]:
            wanted = NOUNS[kinds[name]]
            raise InputError(f"{name} of {noun} must be {wanted}, got {shown_value(value)}")


def _check(suite: Suite) -> None:
    """Refuse a suite whose parts do not fit together."""
    names = [row.name for row in suite.rows]
    for name in names:
        if not ROW_NAME.fullmatch(name):
            raise InputError(f"a row is named in at most 32 small letters, got {name[:64]!r}")
    seeds: dict[str, list[int]] = {name: [] for name in names}
    for name, seed in suite.order:
        if name not in seeds:
            raise InputError(f"a turn names the row {name[:64]!r}{nearest_name(name, names)}")
        seeds[name].append(seed)
    if len(set(names)) < len(names) or len(set(suite.order)) < len(suite.order):
        raise InputError("every row of a suite has a name of its own, and each seed once")
    _check_roles(suite, names)
    check_number("num_prompts", suite.num_prompts, NUM_CLIPS)
    check_settings("denoiser", suite.training)
    check_settings("autoencoder", suite.autoencoder)
    for row in suite.rows:
        _check_row(row, suite, seeds)


def _check_roles(suite: Suite, names: Sequence[str]) -> None:
    for role, name in (("reference", suite.reference), ("default", suite.default)):
        if name not in names:
            raise InputError(f"the {role} {name[:64]!r} is no row of the suite")


def _check_row(row: RowPlan, suite: Suite, seeds: Mapping[str, Sequence[int]]) -> None:
    if (row.begins_from is None) != (row.stage == "denoiser"):
        raise InputError(f"row {row.name} trains its own denoiser, or begins_from another's")
    _check_changes(row)
    for other in filter(None, (row.begins_from, suite.reference)):
        if other not in seeds or not set(seeds[row.name]) <= set(seeds[other]):
            raise InputError(f"row {row.name} needs row {other[:64]!r} with the same seeds")


def _check_changes(row: RowPlan) -> None:
    """Refuse settings that the row has not."""
    if row.stage not in STAGES:
        raise InputError(f"stage of row {row.name} must be one of {', '.join(STAGES)}")
    if row.stage != "none":
        check_settings(row.stage, row.training, FIXED)
    elif row.training:
        raise InputError(f"row {row.name} trains nothing, so it has no settings of a training")
    for name in row.sampling:
        if name not in SAMPLING:
            raise InputError(f"sampling has no setting {name[:64]!r}{nearest_name(name, SAMPLING)}")
    Evaluation(**row.sampling).check()
