from pathlib import Path

import pytest

from olvdm.commands import experiment_arguments
from olvdm.errors import InputError
from olvdm.experiment import suite as suites
from olvdm.experiment.suite import SUITES, load_suite
from olvdm.training.config import SLOT_LOSSES

WHOLE = """
reference = "lvdm"
default = "corr"
max_steps = 2
num_prompts = 2
[[turns]]
rows = ["lvdm", "corr"]
seeds = [1]
[[rows]]
name = "lvdm"
label = "LVDM"
shows = "The reference."
[[rows]]
name = "corr"
label = "corr"
shows = "The default."
training = { slot_loss = "corr" }
"""
OTHER_ROW = '[[rows]]\nname = "other"\nlabel = "x"\nshows = "x"\n'


def load(tmp_path: Path, text: str) -> suites.Suite:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return load_suite(str(path))


@pytest.mark.parametrize("name", SUITES)
def test_suites_that_ship_are_legal(name: str) -> None:
    suite = load_suite(name)
    assert suite.order[0] == (suite.reference, 1)
    assert {row for row, _ in suite.order} == {row.name for row in suite.rows}


def test_help_names_the_suites_that_ship() -> None:
    assert experiment_arguments.SUITES == SUITES


def test_ablation_holds_every_loss_of_the_family() -> None:
    losses = {row.training.get("slot_loss") for row in load_suite("ablation").rows}
    assert losses >= {"none", *SLOT_LOSSES}


def test_ablation_spends_its_compute_on_the_core_first() -> None:
    order = load_suite("ablation").order
    choice = ["selection", "selection_shuffled", "more_steps"]
    inside = ["clip_slots_corr", "clip_temporal", "clip_slots"]
    steering = ["corr", "corr_selection", "gram", "shuffled", "guidance", "corr_guidance"]
    core = ["lvdm", *choice, *steering, *inside]
    assert order[:13] == tuple((name, 1) for name in core)
    repeated = ("lvdm", "selection", "corr", "shuffled")
    assert set(order[13:21]) == {(name, seed) for name in repeated for seed in (2, 3)}
    assert {seed for _, seed in order[21:]} == {1}


def test_ablation_s_control_differs_from_corr_in_the_shuffle_alone() -> None:
    suite = load_suite("ablation")
    shuffled, default = suite.row("shuffled").training, suite.row("corr").training
    assert shuffled == {**default, "shuffles_slots": True}


def test_control_of_the_choice_differs_from_it_in_the_shuffle_alone() -> None:
    suite = load_suite("ablation")
    control, choice = suite.row("selection_shuffled"), suite.row("selection")
    assert control.begins_from == choice.begins_from == suite.reference
    assert control.sampling == {**choice.sampling, "shuffles_slots": True}


def test_a_chosen_row_brings_what_it_is_compared_with_and_begins_from() -> None:
    names = [row.name for row, _ in load_suite("ablation").chosen(["corr_guidance"], 1)]
    assert names == ["lvdm", "corr", "corr_guidance"]


def test_seeds_are_limited_row_by_row() -> None:
    chosen = load_suite("ablation").chosen(["corr"], num_seeds=2)
    assert [(row.name, seed) for row, seed in chosen] == [
        ("lvdm", 1),
        ("corr", 1),
        ("lvdm", 2),
        ("corr", 2),
    ]


def test_unknown_row_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match="no row 'shufled'; the nearest is 'shuffled'"):
        load_suite("ablation").chosen(["shufled"])


def test_a_suite_of_one_s_own_is_read(tmp_path: Path) -> None:
    suite = load(tmp_path, WHOLE)
    assert (suite.name, suite.order) == ("mine", (("lvdm", 1), ("corr", 1)))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("slot_loss", "slot_lose", "no setting 'slot_lose'; the nearest is 'slot_loss'"),
        ('slot_loss = "corr"', "batch_size = 4", "batch_size is the same for all rows"),
        ('rows = ["lvdm", "corr"]', 'rows = ["lvdm", "core"]', "nearest is 'corr'"),
        ('reference = "lvdm"', 'reference = "base"', "reference 'base' is no row"),
        ('default = "corr"', 'default = "base"', "default 'base' is no row"),
        ("training = {", 'stage = "none"\ntraining = {', "own denoiser, or begins_from another's"),
        ('name = "corr"', 'name = "../corr"', "small letters"),
        (
            "max_steps = 2",
            "steps = 2",
            "the suite has no field 'steps'; the nearest is 'max_steps'",
        ),
        ("max_steps = 2", "", "the suite lacks max_steps; it needs reference, default, max_steps"),
        ("num_prompts = 2", "num_prompts = 0", "num_prompts must be a whole number from 1 to"),
        ('reference = "lvdm"', "reference = 5", "reference of the suite must be a text, got 5"),
        ('name = "corr"', 'name = ["corr"]', "name of a row must be a text, got a value of type"),
        ('label = "corr"', "label = 5", "label of a row must be a text, got 5"),
        (
            'label = "corr"',
            'label = "corr"\nlabels = 5',
            "no field 'labels'; the nearest is 'label'",
        ),
        ('shows = "The default."', "shows = [1]", "shows of a row must be a text"),
        ("training = {", 'has_own_base = "no"\ntraining = {', "must be true or false, got 'no'"),
        (
            "training = {",
            "sampling = { slot_guidance_scale = 99 }\ntraining = {",
            r"slot_guidance_scale must be a number from 0\.0 to 20\.0, got 99",
        ),
        (
            "training = {",
            "sampling = { slot_guidance_scale = nan }\ntraining = {",
            "slot_guidance_scale must be a number from .*, got nan",
        ),
        ("seeds = [1]", "", "in another form"),
        ('label = "corr"', "", "a row lacks label; it needs name, label, shows"),
        ('reference = "lvdm"', "reference", "not valid TOML at line 2; the suite 'smoke' shows"),
        ("max_steps = 2", f"max_steps = {'2' * 5_000}", "not valid TOML"),
        ('name = "corr"', 'name = ["corr"]', "name of a row must be a text"),
        ("[[turns]]", "[training]\nlr = 1\n[[turns]]", "no setting 'lr'"),
        (
            "training = {",
            "sampling = { steps = 2 }\ntraining = {",
            "sampling has no setting 'steps'",
        ),
        (
            'training = { slot_loss = "corr" }',
            OTHER_ROW.replace("other", "lvdm"),
            "a name of its own",
        ),
        (
            'training = { slot_loss = "corr" }',
            'stage = "none"\nbegins_from = "none"',
            "needs row 'none' with the same seeds",
        ),
        (
            'training = { slot_loss = "corr" }',
            'stage = "none"\nbegins_from = "lvdm"\ntraining = { slot_loss = "corr" }',
            "trains nothing",
        ),
        ('training = { slot_loss = "corr" }', 'stage = "slots"\nbegins_from = "lvdm"', "one of"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    assert old in WHOLE
    with pytest.raises(InputError, match=reason):
        load(tmp_path, WHOLE.replace(old, new, 1))


@pytest.mark.parametrize("name", ["ablations", "none.toml", "a\0b.toml"])
def test_a_suite_that_cannot_be_read_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"suite must be ablation|cannot be read"):
        load_suite(name)


def test_a_suite_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is larger than"):
        load(tmp_path, "#" * 70_000)
