from inspect import unwrap
from pathlib import Path
from typing import cast

import pytest
import torch
from safetensors.torch import load_file

from olvdm.checkpoint import (
    NETWORKS,
    PROMPTS_NAME,
    fastest_dtype,
    load_checkpoint,
    save_prompts,
)
from olvdm.errors import InputError
from olvdm.pipeline import OLVDMPipeline
from olvdm.text_encoder import TextEncoder
from tests.tiny_networks import PROMPTS, tiny_pipeline


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "model"
    pipeline = tiny_pipeline()
    pipeline.store_prompts(PROMPTS)
    pipeline.save_pretrained(folder, {"data": "circles"})
    return folder


def test_every_part_is_there_and_ready(saved: Path) -> None:
    checkpoint = load_checkpoint(saved, torch.float32)
    assert checkpoint.parts.keys() == {*NETWORKS, "scheduler", "num_candidates"}
    assert not checkpoint.parts["denoiser"].training


def test_number_of_candidates_travels_with_the_model(tmp_path: Path) -> None:
    pipeline = tiny_pipeline()
    parts = {name: getattr(pipeline, name) for name in (*NETWORKS, "scheduler")}
    OLVDMPipeline(**parts, num_candidates=3).save_pretrained(tmp_path / "model")
    assert OLVDMPipeline.from_pretrained(tmp_path / "model").num_candidates == 3


def test_model_that_says_nothing_of_candidates_begins_from_one_noise(saved: Path) -> None:
    assert OLVDMPipeline.from_pretrained(saved).num_candidates == 1


def test_text_encoder_is_a_function_that_loads_it(saved: Path) -> None:
    load = load_checkpoint(saved, torch.float32).parts["text_encoder"]
    assert isinstance(load(), TextEncoder)


def test_parts_come_in_the_dtype_that_is_asked_for(saved: Path) -> None:
    parts = load_checkpoint(saved, torch.bfloat16).parts
    assert parts["denoiser"].dtype == parts["text_encoder"]().dtype == torch.bfloat16


def test_what_the_manifest_says_is_passed_on(saved: Path) -> None:
    assert load_checkpoint(saved, torch.float32).about == {"data": "circles"}


def test_stored_prompts_are_found_by_their_text(saved: Path) -> None:
    found = load_checkpoint(saved, torch.float32).prompt_embeds
    assert found.keys() == {"", *PROMPTS}


def test_checkpoint_without_stored_prompts_has_none(tmp_path: Path) -> None:
    tiny_pipeline().save_pretrained(tmp_path / "model")
    assert load_checkpoint(tmp_path / "model", torch.float32).prompt_embeds == {}


def test_prompts_are_kept_as_numbered_rows(tmp_path: Path) -> None:
    embeds = {"b": torch.ones(2, 3), "a": torch.zeros(2, 3)}
    save_prompts(tmp_path / PROMPTS_NAME, embeds)
    rows = load_file(tmp_path / PROMPTS_NAME)
    assert torch.equal(rows["0"], embeds["b"])
    assert torch.equal(rows["1"], embeds["a"])


def test_no_file_of_a_checkpoint_reaches_ten_megabytes() -> None:
    from olvdm.pipeline import SHARD_SIZE

    assert SHARD_SIZE == "9MB"


@pytest.mark.parametrize(
    ("capabilities", "dtype"),
    [
        ({}, torch.float32),
        ({"avx512_bf16": False, "avx2": True}, torch.float32),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
    ],
)
def test_bf16_needs_its_instructions(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], dtype: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert fastest_dtype() == dtype


@pytest.mark.parametrize("folder", [None, 5, b"checkpoints"])
def test_what_is_no_path_is_no_checkpoint(folder: object) -> None:
    with pytest.raises(InputError, match="a checkpoint is the path of a folder, got"):
        unwrap(load_checkpoint)(cast("str", folder), None)


@pytest.mark.parametrize(
    "dtype", ["bf16", torch.int8, torch.bool, torch.complex64, torch.float8_e4m3fn]
)
def test_weights_are_loaded_in_floats_alone(saved: Path, dtype: object) -> None:
    with pytest.raises(InputError, match=r"torch_dtype must be one of torch\.float32, "):
        unwrap(load_checkpoint)(saved, cast("torch.dtype", dtype))
