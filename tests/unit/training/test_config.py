"""Settings: what is legal, what is said about the rest, and that TOML brings them back."""

import tomllib
from contextlib import suppress
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from olvdm.errors import InputError
from olvdm.training.config import (
    CONFIGS,
    PRESETS,
    AutoencoderConfig,
    DenoiserConfig,
    SlotsConfig,
    load_config,
    to_toml,
)


def value_of(declared: Any) -> st.SearchStrategy[Any]:
    """Draw any legal value of a field."""
    metadata = declared.metadata
    kind, words = metadata["kind"], metadata.get("words")
    paths = st.text(min_size=1, max_size=20).filter(str.isprintable)
    low, high = metadata.get("bounds", (0, 1))
    legal = {
        bool: st.booleans(),
        str: st.sampled_from(words) if words else paths,
        int: st.integers(int(low), int(high)),
        float: st.floats(low, high),
        tuple: st.lists(st.integers(int(low), int(high)), min_size=1, max_size=8).map(tuple),
    }[kind]
    return st.none() | legal if metadata.get("optional") else legal


def settings_of(stage_name: str) -> st.SearchStrategy[dict[str, Any]]:
    values = {one.name: value_of(one) for one in fields(CONFIGS[stage_name])}
    return st.fixed_dictionaries(values).map(fitted)


def fitted(values: dict[str, Any]) -> dict[str, Any]:
    """Let the blocks that read the prompt be some that there are."""
    if "attention_blocks" not in values:
        return values
    blocks = (block % values["num_blocks"] for block in values["attention_blocks"])
    return values | {"attention_blocks": tuple(blocks)}


@pytest.mark.parametrize("stage_name", CONFIGS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_toml_brings_back_exactly_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, stage_name: str, data: st.DataObject
) -> None:
    config = CONFIGS[stage_name](**data.draw(settings_of(stage_name)))
    path = tmp_path_factory.mktemp("config") / "config.toml"
    path.write_text(to_toml(config), encoding="utf-8")
    assert load_config(stage_name, path, {}) == config


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from([one.name for one in fields(DenoiserConfig)]) | st.text(max_size=20),
    text=st.text(max_size=30) | st.sampled_from(["nan", "inf", "-1", "1e999", "[[1]]", "0x10"]),
)
def test_any_text_is_either_taken_or_explained(name: str, text: str) -> None:
    with suppress(InputError):
        config = load_config("denoiser", "smoke", {name: text})
        assert tomllib.loads(to_toml(config))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("stage_name", CONFIGS)
def test_every_preset_has_every_stage(preset: str, stage_name: str) -> None:
    assert type(load_config(stage_name, preset, {})) is CONFIGS[stage_name]


def test_parity_preset_has_the_factors_of_lvdm() -> None:
    config = load_config("autoencoder", "lvdm-parity", {})
    assert (config.spatial_factor, config.temporal_factor) == (8, 4)


def test_parity_preset_has_the_objective_of_lvdm() -> None:
    config = load_config("denoiser", "lvdm-parity", {})
    assert (config.prediction_type, config.loss_type) == ("epsilon", "l1")


@pytest.mark.parametrize("preset", [one for one in PRESETS if one != "lvdm-parity"])
def test_other_presets_match_flows(preset: str) -> None:
    config = load_config("denoiser", preset, {})
    assert (config.prediction_type, config.loss_type) == ("flow_prediction", "l2")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("max_steps", "12", 12),
        ("learning_rate", "1", 1.0),
        ("learning_rate", "3e-4", 3e-4),
        ("compile", "true", True),
        ("widths", "8, 16", (8, 16)),
        ("widths", "[8]", (8,)),
        ("level", "simple", "simple"),
        ("videos", "3", "3"),
        ("videos", "None", None),
        ("max_minutes", "none", None),
        ("max_minutes", "2", 2.0),
    ],
)
def test_text_of_the_command_line_is_read_in_the_kind_of_its_field(
    name: str, text: str, value: object
) -> None:
    config = load_config("autoencoder", "smoke", {name: text})
    assert getattr(config, name) == value
    assert type(getattr(config, name)) is type(value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("batch_size", 0, "a whole number within 1 to 65536, got 0"),
        ("batch_size", 2.0, "a whole number within 1 to 65536, got 2.0"),
        ("batch_size", True, "a whole number within 1 to 65536, got True"),
        ("batch_size", "eight", "a whole number within 1 to 65536, got 'eight'"),
        ("batch_size", "4\nseed = 1", "a whole number"),
        ("learning_rate", float("nan"), "a number within 0 to 1, got nan"),
        ("learning_rate", False, "a number within 0 to 1, got False"),
        ("learning_rate", 10**400, "a number within 0 to 1, got 1000"),
        ("max_steps", 10**400, "a whole number within 1 to 1000000000, got 1000"),
        ("max_steps", "1" * 5_000, "a whole number within 1 to 1000000000, got '1111"),
        ("max_steps", f"0x{'f' * 5_000}", "a whole number within 1 to 1000000000, got a number of"),
        ("widths", f"[{'1' * 5_000}]", "1 to 8 whole numbers within 1 to 4096, got '[1111"),
        ("widths", [10**5_000], "1 to 8 whole numbers within 1 to 4096, got a number of too many"),
        ("max_minutes", float("inf"), "a number within 0.01 to 1000000, got inf"),
        ("max_steps", None, "a whole number within 1 to 1000000000, got None"),
        ("compile", 1, "true or false, got 1"),
        ("level", "ood", "one of full, simple, got 'ood'"),
        ("widths", (), "1 to 8 whole numbers within 1 to 4096"),
        ("widths", [8, 1.5], "1 to 8 whole numbers"),
        ("widths", "8, x", "1 to 8 whole numbers"),
        ("videos", "", "a path without control characters, got ''"),
        ("videos", "a\0b", "a path without control characters"),
        ("videos", "\udcff", "a path without control characters"),
    ],
)
def test_illegal_value_is_refused_with_what_would_be_legal(
    name: str, value: object, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        load_config("autoencoder", "smoke", {name: value})
    assert f"{name} must be {message}" in caught.value.user_message


def test_program_cannot_make_illegal_settings_either() -> None:
    with pytest.raises(InputError, match="clip_norm"):
        SlotsConfig(clip_norm=-1.0)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        AutoencoderConfig().seed = 3  # pyright: ignore


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("bacth_size", "batch_size"), ("lr_warmup_steps", "warmup_steps"), ("ema", "ema_decay")],
)
def test_unknown_setting_is_refused_with_the_nearest_one(name: str, nearest: str) -> None:
    with pytest.raises(InputError, match=f"'{name}'; the nearest is '{nearest}'"):
        load_config("denoiser", "smoke", {name: "1"})


def test_some_block_must_read_the_prompt() -> None:
    settings = {"num_blocks": "2", "attention_blocks": "1,99"}
    assert load_config("denoiser", "smoke", settings).attention_blocks == (1, 99)
    with pytest.raises(InputError, match="none reads the prompt: one of 0 to 1, got 99"):
        load_config("denoiser", "smoke", settings | {"attention_blocks": "99"})


def test_setting_of_another_stage_is_unknown() -> None:
    with pytest.raises(InputError, match="autoencoder has no setting 'num_slots'"):
        load_config("autoencoder", "smoke", {"num_slots": "3"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[autoencoder]\nbatchsize = 3", "nearest is 'batch_size'"),
        ("[autoencodre]", "nearest is 'autoencoder'"),
        ("max_steps = 3", r"'max_steps' stands outside a table; put it under \[autoencoder\]"),
        ("[slots]", r"needs a table \[autoencoder\]"),
        ("autoencoder = 3", r"needs a table \[autoencoder\]"),
        ("[autoencoder", "not valid TOML"),
        ("a = " + "[" * 5000, "not valid TOML"),
        ("#" * 70_000, "is larger than 65536 bytes"),
        (
            "[autoencoder]\nseed = " + "1" * 5000,
            "'mine.toml' is not valid TOML; the preset 'smoke'",
        ),
        ("\udcff", "not valid TOML"),
    ],
)
def test_unfit_file_is_refused_in_one_sentence(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=message):
        load_config("autoencoder", path, {})


@pytest.mark.parametrize("name", ["cup", "", "../smoke", "a\0b"])
def test_unknown_preset_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(InputError, match="smoke, cpu, gpu, lvdm-parity or a path"):
        load_config("autoencoder", name, {})


@pytest.mark.parametrize("name", ["missing.toml", "a\0b.toml", "a" * 5000 + ".toml"])
def test_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_config("autoencoder", tmp_path / name, {})


def test_unknown_stage_is_refused() -> None:
    with pytest.raises(InputError, match="autoencoder, slots, denoiser, judge, got 'decoder'"):
        load_config("decoder", "smoke", {})
