"""A suite and trained parts -> branches: where each is kept, and every setting of its training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from olvdm.errors import InputError
from olvdm.evaluation.judges import FOLDER_KIND as JUDGES_KIND
from olvdm.experiment.branch import Branch
from olvdm.experiment.suite import RowPlan, Suite, check_settings
from olvdm.manifest import MANIFEST_NAME, file_sha256, verify_folder
from olvdm.training.assembly import FIRST_NETWORKS, about_training
from olvdm.training.config import CONFIGS, TrainingConfig, make_config
from olvdm.training.loop import PATHS
from olvdm.training.parts import find_part
from olvdm.training.setting import read_text

# Of the training of the base, these do not say how a branch is trained.
NOT_INHERITED = (*PATHS, "max_minutes", "max_steps", "seed")
NAMED = ("seed", "max_steps", "max_minutes", *PATHS)  # each has an option, or none to be set


@dataclass(frozen=True, kw_only=True)
class Places:
    """Folders that an experiment reads and writes.

    Attributes:
        base: Denoiser and text encoder to begin from.
        autoencoder: Holds the autoencoder.
        slots: Holds slot encoder and slot decoder.
        latents: Where encoded clips are kept.
        output: The experiment's own.
        judges: Judges that bring networks of their own; none for those beside a checkpoint.
        other_slots: More of the slots, of other seeds, which are only scored.
    """

    base: Path
    autoencoder: Path
    slots: Path
    latents: Path
    output: Path
    judges: Path | None = None
    other_slots: Sequence[Path] = ()


@dataclass(frozen=True, kw_only=True)
class SlotNetwork:
    """Slots that are scored on real clips.

    Attributes:
        folder: Where they lie.
        seed: Of their training; 0 where it does not say.
        sha256: Of their manifest.
    """

    folder: Path
    seed: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All branches of an experiment.

    Attributes:
        suite: What it is made of.
        places: What it is made from.
        max_steps: Further steps of every branch.
        shared: Settings of the denoiser's training that all rows share, without paths.
        branches: All of the suite, by row and seed, in their order.
        chosen: Those to compute now, in their order.
        slot_networks: Slots to score, those first on which the branches build.
    """

    suite: Suite
    places: Places
    max_steps: int
    shared: Mapping[str, Any]
    branches: Mapping[tuple[str, int], Branch]
    chosen: Sequence[tuple[str, int]]
    slot_networks: Sequence[SlotNetwork]


def make_plan(
    suite: Suite,
    places: Places,
    *,
    rows: Sequence[str] | None = None,
    num_seeds: int | None = None,
    max_steps: int | None = None,
    base_steps: int | None = None,
    changes: Sequence[str] = (),
) -> Plan:
    """Decide every setting of every branch, before anything is computed.

    Args:
        suite: What is compared.
        places: Where the parts lie.
        rows: Rows to compute now, none for all.
        num_seeds: Most seeds of a row, none for all.
        max_steps: Further steps of every branch, none for the suite's.
        base_steps: Steps that a row with a base of its own spends on it; none for what the base
            says of itself.
        changes: ``FIELD=VALUE`` of the denoiser's training for all rows alike, or
            ``autoencoder.FIELD=VALUE`` for the rows that train an autoencoder.

    Returns:
        The plan.

    Raises:
        InputError: If a row or a setting is unknown, or a folder holds no such part.
    """
    if places.judges is not None:
        verify_folder(places.judges, JUDGES_KIND)
    chosen = [(row.name, seed) for row, seed in suite.chosen(rows, num_seeds)]
    steps = suite.max_steps if max_steps is None else max_steps
    about = about_part(places.base, "denoiser")
    own = base_steps if base_steps is not None else about.get("step")
    if own is None and any(suite.row(name).has_own_base for name, _ in chosen):
        raise InputError("the base does not say how long it was trained; give --base-steps N")
    typed = read_changes(changes)
    shared = {
        "denoiser": _inherited("denoiser", about) | dict(suite.training) | typed["denoiser"],
        "autoencoder": _inherited("autoencoder", about_part(places.autoencoder, "autoencoder"))
        | dict(suite.autoencoder)
        | typed["autoencoder"],
    }
    branches: dict[tuple[str, int], Branch] = {}
    # rows that begin from another one come after it
    for name, seed in sorted(suite.order, key=lambda one: suite.row(one[0]).begins_from or ""):
        row = suite.row(name)
        length = steps + (own or 0) if row.has_own_base else steps
        config = _config(row, seed, length, shared, places)
        branches[name, seed] = _branch(row, seed, config, places, branches)
    ordered = {key: branches[key] for key in suite.order}
    return Plan(
        suite=suite,
        places=places,
        max_steps=steps,
        shared=shared["denoiser"],
        branches=ordered,
        chosen=chosen,
        slot_networks=_slot_networks(places),
    )


def about_part(folder: Path, part: str) -> dict[str, Any]:
    """Return what a folder says of the training of a part.

    Args:
        folder: A training, its folder ``final``, or a checkpoint.
        part: ``autoencoder``, ``slots`` or ``denoiser``.

    Returns:
        Step, versions and settings, as far as they are known.

    Raises:
        InputError: If there is no such part.
    """
    if find_part(folder, FIRST_NETWORKS.get(part, part)) is None:
        raise InputError(
            f"the folder {folder.name[:64]!r} holds no {part}; give a finished training or a "
            "checkpoint"
        )
    return about_training(folder, part)


def part_sha256(folder: Path, part: str) -> str:
    """Return the checksum of the manifest beside a part, once its files were verified."""
    place = find_part(folder, FIRST_NETWORKS.get(part, part))
    assert place is not None  # the plan was made from it
    verify_folder(place.parent)
    return file_sha256(place.parent / MANIFEST_NAME)


def read_changes(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read settings as a command line has them.

    Args:
        texts: ``FIELD=VALUE`` or ``STAGE.FIELD=VALUE``.

    Returns:
        Values by stage and field.

    Raises:
        InputError: If one has another form, or its field is unknown or has an option of its own.
    """
    found: dict[str, dict[str, Any]] = {"denoiser": {}, "autoencoder": {}}
    for text in texts:
        name, sign, value = text.partition("=")
        stage, dot, field_name = name.strip().replace("-", "_").rpartition(".")
        stage = stage if dot else "denoiser"
        if not sign or stage not in found:
            raise InputError(
                f"--set takes FIELD=VALUE or autoencoder.FIELD=VALUE, got {text[:64]!r}"
            )
        check_settings(stage, {field_name: value}, NAMED)
        declared = {one.name: one for one in fields(CONFIGS[stage])}
        found[stage][field_name] = read_text(declared[field_name], value.strip())
    return found


def _slot_networks(places: Places) -> list[SlotNetwork]:
    """Return all slots that are scored; two of one seed would tell nothing of the spread."""
    found: dict[int, SlotNetwork] = {}
    for folder in (places.slots, *places.other_slots):
        seed = about_part(folder, "slots").get("config", {}).get("seed", 0)
        if seed in found:
            raise InputError(
                f"the slots {found[seed].folder.name[:64]!r} and {folder.name[:64]!r} are both of "
                f"seed {seed}; give slots of different seeds"
            )
        found[seed] = SlotNetwork(folder=folder, seed=seed, sha256=part_sha256(folder, "slots"))
    return list(found.values())


def _inherited(stage: str, about: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a part was trained, as far as it says and such settings still exist."""
    known = {one.name for one in fields(CONFIGS[stage])} - set(NOT_INHERITED)
    settings: Mapping[str, Any] = about.get("config") or {}
    return {name: value for name, value in settings.items() if name in known}


def _config(
    row: RowPlan, seed: int, steps: int, shared: Mapping[str, Mapping[str, Any]], places: Places
) -> TrainingConfig | None:
    """Return the settings of one training."""
    if row.stage == "none":
        return None
    values: dict[str, Any] = {**shared[row.stage], **row.training, "seed": seed, "max_steps": steps}
    values["latents"] = str(places.latents)
    if row.stage == "autoencoder":
        values["init_from"] = str(places.autoencoder)
    else:
        values |= {"autoencoder": str(places.autoencoder), "slots": str(places.slots)}
        values["init_from"] = None if row.has_own_base else str(places.base)
    return make_config(row.stage, values)


def _branch(
    row: RowPlan,
    seed: int,
    config: TrainingConfig | None,
    places: Places,
    others: Mapping[tuple[str, int], Branch],
) -> Branch:
    folder = places.output / "branches" / f"{row.name}-{seed}"
    parts = {"autoencoder": places.autoencoder, "slots": places.slots, "denoiser": places.base}
    if row.begins_from is not None:
        parts["denoiser"] = others[row.begins_from, seed].checkpoint
    if row.stage != "none":
        parts[row.stage] = folder / "training"
    checkpoint = parts["denoiser"] if row.stage == "none" else folder / "checkpoint"
    judges = None if places.judges is None else file_sha256(places.judges / MANIFEST_NAME)
    return Branch(row, seed, folder, config, parts, checkpoint, judges)
