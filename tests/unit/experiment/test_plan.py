from pathlib import Path
from typing import Any

import pytest

from olvdm.errors import InputError
from olvdm.experiment.plan import Places, Plan, make_plan, read_changes
from olvdm.experiment.suite import load_suite
from olvdm.training.config import AutoencoderConfig, DenoiserConfig


def plan(base: Path, output: Path, suite: str = "ablation", **asked: Any) -> Plan:
    places = Places(
        base=base, autoencoder=base, slots=base, latents=output / "latents", output=output
    )
    return make_plan(load_suite(suite), places, **asked)


def config_of(found: Plan, row: str, seed: int = 1) -> DenoiserConfig:
    config = found.branches[row, seed].config
    assert isinstance(config, DenoiserConfig)
    return config


def test_rows_differ_from_the_reference_in_what_they_say_and_in_nothing_else(
    base: Path, tmp_path: Path
) -> None:
    found = plan(base, tmp_path, changes=["batch_size=4"])
    reference = vars(config_of(found, "lvdm"))
    for row in found.suite.rows:
        config = found.branches[row.name, 1].config
        if isinstance(config, DenoiserConfig) and not row.has_own_base:
            differing = {name for name, one in vars(config).items() if reference[name] != one}
            assert differing <= set(row.training)


def test_seeds_differ_in_the_seed_alone(base: Path, tmp_path: Path) -> None:
    found = plan(base, tmp_path)
    first, second = (vars(config_of(found, "corr", seed)) for seed in (1, 2))
    assert {name for name in first if first[name] != second[name]} == {"seed"}


def test_a_base_of_its_own_takes_as_many_steps_in_all(base: Path, tmp_path: Path) -> None:
    config = config_of(plan(base, tmp_path, max_steps=7), "no_mixing")
    assert (config.max_steps, config.init_from) == (12, None)
    config = config_of(plan(base, tmp_path, max_steps=7, base_steps=20), "no_mixing")
    assert config.max_steps == 27


def test_settings_of_all_rows_are_typed(base: Path, tmp_path: Path) -> None:
    changes = ["batch-size=4", "autoencoder.batch_size=3", "attention_blocks=1"]
    found = plan(base, tmp_path, changes=changes)
    assert config_of(found, "gram").batch_size == 4
    assert config_of(found, "gram").attention_blocks == (1,)
    decoder = found.branches["decoder_temporal", 1].config
    assert isinstance(decoder, AutoencoderConfig)
    assert (decoder.batch_size, decoder.trains_encoder) == (3, False)


def test_drawing_in_another_way_takes_the_checkpoint_of_its_row(base: Path, tmp_path: Path) -> None:
    found = plan(base, tmp_path)
    assert found.branches["guidance", 1].config is None
    assert found.branches["guidance", 1].checkpoint == found.branches["lvdm", 1].checkpoint
    parts = found.branches["decoder_temporal", 1].parts
    assert parts["denoiser"] == found.branches["lvdm", 1].checkpoint


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (["batch_size"], "--set takes FIELD=VALUE"),
        (["slots.batch_size=2"], "--set takes FIELD=VALUE"),
        (["bach_size=2"], "the nearest is 'batch_size'"),
        (["max_steps=2"], "max_steps is the same for all rows"),
        (["autoencoder.dim=2"], "autoencoder has no setting 'dim'"),
    ],
)
def test_illegal_changes_are_refused(changes: list[str], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_changes(changes)


def test_illegal_value_is_refused_before_anything_is_computed(base: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="batch_size must be"):
        plan(base, tmp_path, changes=["batch_size=0"])


def test_a_folder_without_the_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no denoiser"):
        plan(tmp_path, tmp_path)


def test_the_steps_of_an_unknown_base_must_be_told(tmp_path: Path) -> None:
    from tests.tiny_networks import tiny_pipeline

    tiny_pipeline().save_pretrained(tmp_path / "base", about={})
    with pytest.raises(InputError, match="--base-steps N"):
        plan(tmp_path / "base", tmp_path, rows=["no_mixing"])
    assert plan(tmp_path / "base", tmp_path, rows=["corr"]).chosen[1] == ("corr", 1)
