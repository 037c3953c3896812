"""Checkpoints by somebody who chose every byte, or lost some: C1 to C3 of the robustness notes."""

import json
import os
import pickle
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from olvdm.diffusers_api import DDIMScheduler, FlowMatchEulerDiscreteScheduler
from olvdm.errors import CheckpointError
from olvdm.noise_schedule import SCHEDULES as SCHEDULES_OF_NOISE
from olvdm.pipeline import OLVDMPipeline
from tests.checkpoint_files import (
    WEIGHTS,
    copied,
    edit_json,
    edit_weights,
    first_key,
    reshape,
    sign,
    spoil,
)
from tests.tiny_networks import PROMPTS, tiny_pipeline

NETWORKS = ("autoencoder", "slot_encoder", "slot_decoder", "denoiser")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pipeline, folder = tiny_pipeline(), tmp_path_factory.mktemp("honest") / "model"
    pipeline.store_prompts(PROMPTS)
    pipeline.save_pretrained(folder)
    return folder


@pytest.fixture
def model(saved: Path, tmp_path: Path) -> Path:
    return copied(saved, tmp_path / "model")


def refused(folder: str | Path) -> str:
    """Load and return the refusal's reason; before it is the folder's last name and no other."""
    with pytest.raises(CheckpointError) as caught:
        OLVDMPipeline.from_pretrained(folder, torch.float32)
    sentence = caught.value.user_message
    assert str(Path(folder).parent) not in sentence
    assert len(sentence) < 400
    assert "\n" not in sentence
    beginning = f"checkpoint {Path(folder).name!r}: "
    assert sentence.startswith(beginning)
    return sentence.removeprefix(beginning)


def refused_forgery(folder: Path) -> str:
    sign(folder)
    return refused(folder)


def test_honest_checkpoint_is_loaded(model: Path) -> None:
    sign(model)
    OLVDMPipeline.from_pretrained(model)


# Damage: the manifest still tells what should be there.


@pytest.mark.parametrize("part", [*NETWORKS, "text_encoder"])
def test_missing_weights_are_named(model: Path, part: str) -> None:
    (model / part / WEIGHTS).unlink()
    assert refused(model) == (
        f"'{part}/{WEIGHTS}' of the checkpoint is missing; copy the checkpoint again"
    )


@pytest.mark.parametrize("text", ["[]", "null", "{}", "no JSON", ""])
def test_manifest_without_a_manifest_in_it_is_named(model: Path, text: str) -> None:
    (model / "olvdm.json").write_text(text)
    sentence = refused(model)
    assert sentence.startswith("the checkpoint's olvdm.json is no")
    assert sentence.endswith("copy the checkpoint again")


@pytest.mark.parametrize("text", ["[]", "null", "{}", "no JSON", ""])
def test_index_without_an_index_in_it_is_named(model: Path, text: str) -> None:
    (model / "model_index.json").write_text(text)
    for sentence in (refused(model), refused_forgery(model)):
        assert "model_index.json" in sentence
        assert sentence.endswith("copy the checkpoint again")


def test_text_encoder_that_fails_when_it_is_first_needed_names_its_checkpoint(model: Path) -> None:
    pipeline = OLVDMPipeline.from_pretrained(model, torch.float32)
    (model / "text_encoder" / "config.json").write_text("[]")
    with pytest.raises(CheckpointError, match=r"^checkpoint 'model': text_encoder/config\.json"):
        pipeline.encode_prompt("a prompt that nobody stored")


def test_flipped_bit_is_found_by_its_checksum(model: Path) -> None:
    path = model / "denoiser" / WEIGHTS
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    assert "is damaged: its sha256 differs" in refused(model)


@pytest.mark.parametrize("size", [0, 1, 7, 100, -1])
def test_cut_file_is_found_by_its_size(model: Path, size: int) -> None:
    path = model / "denoiser" / WEIGHTS
    path.write_bytes(path.read_bytes()[:size])
    assert "bytes instead of" in refused(model)


def test_appended_bytes_are_found(model: Path) -> None:
    with (model / "autoencoder" / WEIGHTS).open("ab") as file:
        file.write(b"more")
    assert "bytes instead of" in refused(model)


def test_file_that_nobody_listed_is_found(model: Path) -> None:
    (model / "denoiser" / "extra.safetensors").write_bytes(b"x")
    assert "is not listed" in refused(model)


def test_folder_in_place_of_a_file_is_refused(model: Path) -> None:
    (model / "denoiser" / WEIGHTS).unlink()
    (model / "denoiser" / WEIGHTS).mkdir()
    assert "is missing" in refused(model)


@settings(max_examples=40)
@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_no_single_bit_of_a_checkpoint_can_change(
    saved: Path, tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    model = copied(saved, tmp_path_factory.mktemp("bit") / "model")
    files = sorted(path for path in model.rglob("*") if path.is_file() and path.suffix != ".md")
    path = files[place % len(files)]
    data = bytearray(path.read_bytes())
    data[(place // len(files)) % len(data)] ^= 1 << bit
    path.write_bytes(data)
    if path.name == "olvdm.json" and is_harmless(path, saved / "olvdm.json"):
        return
    with pytest.raises(CheckpointError):
        OLVDMPipeline.from_pretrained(model, torch.float32)


def is_harmless(path: Path, honest: Path) -> bool:
    """Tell whether a changed manifest still lists the same files: its remarks are not checked."""
    try:
        changed, wanted = json.loads(path.read_bytes()), json.loads(honest.read_bytes())
    except ValueError:
        return False
    keys = ("format", "kind", "files")
    return isinstance(changed, dict) and all(changed.get(key) == wanted[key] for key in keys)


# Forgery: manifest and files agree, and still nothing illegal gets in.


def header_lie(shape: list[int], size: int) -> bytes:
    header = json.dumps({"x": {"dtype": "F32", "shape": shape, "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(16)


GARBAGE: dict[str, bytes] = {
    "empty": b"",
    "text": b"not weights at all, whatever the name says",
    "endless header": struct.pack("<Q", 2**62) + b"{}",
    "header of nothing": struct.pack("<Q", 0),
    "shape lie": header_lie([2**40], 16),
    "offset lie": header_lie([4], 2**40),
    "negative shape": header_lie([-4], 16),
    "deep header": struct.pack("<Q", 40_000) + b"[" * 40_000,
}


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE.keys())
@pytest.mark.parametrize("part", ["denoiser", "autoencoder"])
def test_garbage_in_place_of_weights_is_refused(model: Path, part: str, data: bytes) -> None:
    (model / part / WEIGHTS).write_bytes(data)
    assert refused_forgery(model) == (
        f"the weights of {part} cannot be read; copy the checkpoint again"
    )


@pytest.mark.parametrize("cut", [-1, -100, 50])
def test_cut_weights_with_a_new_checksum_are_refused(model: Path, cut: int) -> None:
    path = model / "denoiser" / WEIGHTS
    path.write_bytes(path.read_bytes()[:cut])
    assert "the weights of denoiser cannot be read" in refused_forgery(model)


class Sentinel:
    """Leaves a file behind where somebody unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    "name",
    [WEIGHTS, "diffusion_pytorch_model.bin", "model.pt", "diffusion_pytorch_model.fp16.bin"],
)
def test_pickle_is_never_opened(model: Path, tmp_path: Path, name: str) -> None:
    (model / "denoiser" / WEIGHTS).unlink()
    (model / "denoiser" / name).write_bytes(pickle.dumps(Sentinel(tmp_path / "ran")))
    refused_forgery(model)
    assert not (tmp_path / "ran").exists()


def test_torch_s_own_files_are_no_weights(model: Path) -> None:
    (model / "denoiser" / WEIGHTS).unlink()
    torch.save({}, model / "denoiser" / "diffusion_pytorch_model.bin")
    assert refused_forgery(model) == "denoiser has no weights; they are in .safetensors files"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("part", NETWORKS)
def test_weights_that_are_not_finite_are_refused_by_name(
    model: Path, part: str, value: float
) -> None:
    edit_weights(model / part / WEIGHTS, lambda tensors: spoil(tensors, value))
    assert refused_forgery(model).startswith(f"{part} holds values that are not finite: '")


@pytest.mark.parametrize("part", NETWORKS)
def test_missing_key_is_named(model: Path, part: str) -> None:
    keys: list[str] = []
    edit_weights(model / part / WEIGHTS, lambda t: (keys.append(min(t)), t.pop(min(t))))
    assert refused_forgery(model) == f"{part} has a missing key: '{keys[0]}'"


@pytest.mark.parametrize("part", NETWORKS)
def test_extra_key_is_named(model: Path, part: str) -> None:
    edit_weights(model / part / WEIGHTS, lambda t: t.update(extra=torch.zeros(3)))
    assert refused_forgery(model) == f"{part} has an unexpected key: 'extra'"


@pytest.mark.parametrize("part", NETWORKS)
def test_wrong_shape_is_named_with_both_shapes(model: Path, part: str) -> None:
    edit_weights(model / part / WEIGHTS, reshape)
    sentence = refused_forgery(model)
    assert sentence.startswith(f"{part} has a mismatched key: '")
    assert "has shape [" in sentence


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.int32, torch.bool])
def test_wrong_kind_of_number_is_refused(model: Path, dtype: torch.dtype) -> None:
    edit_weights(
        model / "denoiser" / WEIGHTS,
        lambda tensors: tensors.update({first_key(tensors): tensors[first_key(tensors)].to(dtype)}),
    )
    assert "one of F32, BF16 is needed" in refused_forgery(model)


def test_key_that_two_files_hold_is_refused(model: Path) -> None:
    path = model / "denoiser" / WEIGHTS
    (path.parent / "second.safetensors").write_bytes(path.read_bytes())
    assert "denoiser holds a key twice" in refused_forgery(model)


def test_index_of_shards_cannot_lead_out_of_the_folder(model: Path) -> None:
    (model / "denoiser" / WEIGHTS).rename(model / "outside.safetensors")
    index = {"metadata": {}, "weight_map": {"head.bias": "../outside.safetensors"}}
    (model / "denoiser" / f"{WEIGHTS}.index.json").write_text(json.dumps(index))
    assert refused_forgery(model) == "denoiser has no weights; they are in .safetensors files"


# Settings.

LIES: list[tuple[str, dict[str, Any], str]] = [
    ("autoencoder", {"latent_channels": 10**9}, "latent_channels must be a whole number from 1"),
    ("autoencoder", {"latent_channels": 0}, "latent_channels must be a whole number from 1"),
    ("autoencoder", {"latent_channels": -8}, "latent_channels must be a whole number from 1"),
    ("autoencoder", {"latent_channels": 4.0}, "latent_channels must be a whole number from 1"),
    ("autoencoder", {"latent_channels": True}, "latent_channels must be a whole number from 1"),
    ("autoencoder", {"latent_channels": "4"}, "latent_channels must be a whole number from 1"),
    ("autoencoder", {"latent_channels": None}, "latent_channels must be a whole number from 1"),
    ("autoencoder", {"num_blocks": 10**9}, "num_blocks must be a whole number from 1 to 256"),
    ("autoencoder", {"widths": [8, 10**9]}, "widths must be a list of whole numbers"),
    ("autoencoder", {"widths": [8, 0]}, "does not describe a VideoAutoencoder"),
    ("autoencoder", {"widths": [65_536, 65_536]}, "weights; at most 200,000,000 are allowed"),
    ("autoencoder", {"widths": 8}, "widths must be a list of whole numbers"),
    ("autoencoder", {"spatial_factor": 5}, "does not describe a VideoAutoencoder"),
    ("autoencoder", {"latents_std": [0.0] * 4}, "does not describe a VideoAutoencoder"),
    ("autoencoder", {"latents_std": [float("nan")] * 4}, "latents_std must be a list of num"),
    ("autoencoder", {"latents_mean": [float("inf")] * 4}, "latents_mean must be a list of"),
    ("autoencoder", {"latents_mean": "abcd"}, "latents_mean must be a list of numbers"),
    ("autoencoder", {"latents_mean": {"a": 1, "b": 1, "c": 1, "d": 1}}, "latents_mean must be"),
    ("slot_encoder", {"num_iterations": 0}, "num_iterations must be a whole number from 1"),
    ("slot_encoder", {"num_iterations": 10**9}, "num_iterations must be a whole number from 1"),
    ("slot_encoder", {"num_slots": 1}, "does not describe a SlotEncoder"),
    ("slot_encoder", {"slot_dim": 2**70}, "slot_dim must be a whole number from 1"),
    ("slot_decoder", {"hidden_dim": 10**9}, "hidden_dim must be a whole number from 1"),
    ("denoiser", {"num_blocks": 10**9}, "num_blocks must be a whole number from 1 to 256"),
    ("denoiser", {"num_blocks": 65_536}, "num_blocks must be a whole number from 1 to 256"),
    ("denoiser", {"num_local_blocks": 10**9}, "num_local_blocks must be a whole number"),
    ("denoiser", {"num_frames": 0}, "num_frames must be a whole number from 1 to 256"),
    ("denoiser", {"dim": 12}, "does not describe a VideoDenoiser"),
    ("denoiser", {"dim": 65_536}, "weights; at most 200,000,000 are allowed"),
    ("denoiser", {"num_heads": 3}, "does not describe a VideoDenoiser"),
    ("denoiser", {"attention_blocks": [10**9]}, "attention_blocks must be a list of whole"),
    ("denoiser", {"mixes_time_locally": 1}, "mixes_time_locally must be true or false"),
    ("text_encoder", {"layers": 10**9}, "layers must be a whole number from 1 to 256"),
    ("text_encoder", {"width": 10**9}, "width must be a whole number from 1"),
    ("text_encoder", {"vocabulary": [-1]}, "vocabulary must be a list of whole numbers"),
    ("text_encoder", {"open_clip_model": "hf-hub:me/evil"}, "must be a name, not a file or an"),
    ("text_encoder", {"pretrained": "/etc/passwd"}, "must be a name, not a file or an address"),
    ("text_encoder", {"pretrained": "..\\evil.pt"}, "must be a name, not a file or an address"),
    ("text_encoder", {"pretrained": "a" * 5000}, "must be a name, not a file or an address"),
    ("denoiser", {"num_block": 3}, "no setting 'num_block'; the nearest is 'num_blocks'"),
    ("slot_encoder", {"slots": 3}, "no setting 'slots'; the nearest is 'num_slots'"),
    ("denoiser", {"quantization_config": {}}, "denoiser/config.json has no setting 'quantization"),
    ("denoiser", {"auto_map": {"x": "evil.Evil"}}, "denoiser/config.json has no setting 'auto_map"),
    ("denoiser", {"_use_default_values": []}, "denoiser/config.json has no setting '_use_default"),
    ("denoiser", {"_class_name": "OrderedDict"}, "denoiser holds 'OrderedDict', but VideoDenoiser"),
    ("denoiser", {"_class_name": "VideoAutoencoder"}, "but VideoDenoiser is needed"),
    ("denoiser", {"_class_name": ...}, "denoiser holds 'None', but VideoDenoiser is needed"),
    ("denoiser", {"_class_name": ["os", "system"]}, "but VideoDenoiser is needed"),
]


@pytest.mark.parametrize(("part", "changes", "sentence"), LIES)
def test_settings_that_lie_are_refused_at_once(
    model: Path, part: str, changes: dict[str, Any], sentence: str
) -> None:
    edit_json(model / part / "config.json", changes)
    sign(model)
    begun = time.process_time()
    assert sentence in refused(model)
    assert time.process_time() - begun < 20  # seconds of work; building 10^9 blocks takes days


NEIGHBOURS: list[tuple[str, dict[str, int], str]] = [
    ("slot_decoder", {"latent_channels": 5}, "latent_channels must be 4 as autoencoder has it"),
    ("slot_encoder", {"latent_channels": 5}, "latent_channels must be 4 as autoencoder has it"),
    ("denoiser", {"latent_channels": 5}, "latent_channels must be 4 as autoencoder has it, got 5"),
    ("slot_decoder", {"slot_dim": 17}, "slot_dim must be 16 as slot_encoder has it, got 17"),
    ("denoiser", {"prompt_dim": 13}, "prompt_dim must be 12 as text_encoder has it, got 13"),
]


@pytest.mark.parametrize(("part", "changes", "sentence"), NEIGHBOURS)
def test_parts_that_do_not_fit_each_other_are_refused(
    model: Path, part: str, changes: dict[str, int], sentence: str
) -> None:
    edit_json(model / part / "config.json", changes)
    assert sentence in refused_forgery(model)


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "3", '"x"', "\x00", "[" * 60_000])
@pytest.mark.parametrize("name", ["denoiser/config.json", "model_index.json"])
def test_settings_that_are_no_object_are_refused(model: Path, name: str, text: str) -> None:
    (model / name).write_text(text)
    assert "JSON" in refused_forgery(model)


def test_settings_of_the_wrong_alphabet_are_refused(model: Path) -> None:
    (model / "denoiser" / "config.json").write_bytes(b"\xff\xfe\x00")
    assert (
        refused_forgery(model)
        == "denoiser/config.json is missing or not JSON; copy the checkpoint again"
    )


def test_settings_too_large_to_read_are_refused_unread(model: Path) -> None:
    (model / "denoiser" / "config.json").write_text("{}" + " " * 70_000)
    assert (
        refused_forgery(model)
        == "denoiser/config.json is larger than 65536 bytes; copy the checkpoint again"
    )


EULER = "FlowMatchEulerDiscreteScheduler"
SCHEDULES: list[tuple[dict[str, Any], str]] = [
    ({"num_train_timesteps": 10**9}, "num_train_timesteps must be 1000"),
    ({"use_dynamic_shifting": True}, "use_dynamic_shifting must be False"),
    ({"thresholding": True}, "thresholding must be False"),
    ({"use_flow_sigmas": 1}, "use_flow_sigmas must be True"),
    ({"flow_shift": 0}, "flow_shift must lie within 0.01 and 100"),
    ({"flow_shift": float("nan")}, "flow_shift must lie within 0.01 and 100"),
    ({"flow_shift": True}, "flow_shift must lie within 0.01 and 100"),
    ({"flow_shift": 10**400}, "flow_shift must lie within 0.01 and 100"),
    ({"flow_shift": 1e-30}, "flow_shift must lie within 0.01 and 100"),
    ({"flow_shift": "1"}, "flow_shift must lie within 0.01 and 100"),
    ({"shift": 3.0}, "shift must be left out"),
    ({"surprise": 1}, "surprise must be left out"),
    ({"_class_name": "DDIMScheduler"}, "_class_name must be DPMSolverMultistepScheduler"),
]


@pytest.mark.parametrize(("changes", "sentence"), SCHEDULES)
def test_schedule_that_would_break_sampling_is_refused(
    model: Path, changes: dict[str, Any], sentence: str
) -> None:
    edit_json(model / "scheduler" / "scheduler_config.json", changes)
    assert sentence in refused_forgery(model)


def test_shift_of_the_schedule_is_free(model: Path) -> None:
    edit_json(model / "scheduler" / "scheduler_config.json", {"flow_shift": 5.0})
    sign(model)
    assert OLVDMPipeline.from_pretrained(model).scheduler.config["flow_shift"] == 5.0


def test_model_that_names_euler_s_method_is_drawn_by_it(model: Path) -> None:
    edit_json(model / "model_index.json", {"scheduler": ["diffusers", EULER]})
    (model / "scheduler" / "scheduler_config.json").unlink()
    FlowMatchEulerDiscreteScheduler(shift=3.0).save_pretrained(model / "scheduler")
    sign(model)
    scheduler = OLVDMPipeline.from_pretrained(model).scheduler
    assert (type(scheduler).__name__, scheduler.config["shift"]) == (EULER, 3.0)


def epsilon_model(model: Path) -> Path:
    """Turn a checkpoint into one whose denoiser predicts the noise."""
    edit_json(model / "denoiser" / "config.json", {"prediction_type": "epsilon"})
    edit_json(model / "model_index.json", {"scheduler": ["diffusers", "DDIMScheduler"]})
    SCHEDULES_OF_NOISE["epsilon"].scheduler().save_pretrained(model / "scheduler")
    return model


def test_denoiser_that_predicts_noise_is_drawn_by_ddim(model: Path) -> None:
    sign(epsilon_model(model))
    assert type(OLVDMPipeline.from_pretrained(model).scheduler) is DDIMScheduler


DIFFUSIONS: list[tuple[dict[str, Any], str]] = [
    ({"beta_end": 0.02}, "beta_end must be 0.0155"),
    ({"prediction_type": "v_prediction"}, "prediction_type must be epsilon"),
    ({"trained_betas": [0.1] * 1000}, "trained_betas must be None"),
    ({"shift": 1.0}, "shift must be left out"),
    ({"_class_name": "PNDMScheduler"}, "_class_name must be DDIMScheduler"),
]


@pytest.mark.parametrize(("changes", "sentence"), DIFFUSIONS)
def test_diffusion_that_nobody_was_trained_on_is_refused(
    model: Path, changes: dict[str, Any], sentence: str
) -> None:
    edit_json(epsilon_model(model) / "scheduler" / "scheduler_config.json", changes)
    assert sentence in refused_forgery(model)


@pytest.mark.parametrize("name", ["sample", "x" * 200, None, 3, ["epsilon"]])
def test_prediction_that_nobody_knows_is_refused(model: Path, name: object) -> None:
    edit_json(model / "denoiser" / "config.json", {"prediction_type": name})
    assert "prediction_type must be" in refused_forgery(model)


def test_scheduler_of_another_prediction_is_refused(model: Path) -> None:
    edit_json(model / "denoiser" / "config.json", {"prediction_type": "epsilon"})
    assert "must say ['diffusers', 'DDIMScheduler'] for scheduler" in refused_forgery(model)


# Names.


@pytest.mark.parametrize(
    "entry",
    [["os", "system"], ["olvdm.pipeline", "VideoDenoiser"], ["evil", "VideoDenoiser"], None],
)
def test_index_that_names_another_class_is_refused(model: Path, entry: object) -> None:
    edit_json(model / "model_index.json", {"denoiser": entry})
    wanted = "model_index.json must say ['olvdm.denoiser', 'VideoDenoiser'] for denoiser;"
    assert refused_forgery(model).startswith(wanted)


@pytest.mark.parametrize("number", [0, 17, 2.0, True, "4", None, 10**400, [4]])
def test_index_with_an_absurd_number_of_candidates_is_refused(model: Path, number: object) -> None:
    edit_json(model / "model_index.json", {"num_candidates": number})
    wanted = "model_index.json: num_candidates must be a whole number from 1 to 16, got "
    assert refused_forgery(model).startswith(wanted)


def test_index_that_names_one_more_part_is_refused(model: Path) -> None:
    edit_json(model / "model_index.json", {"safety": ["os", "system"]})
    assert (
        refused_forgery(model)
        == "model_index.json must say nothing for safety; copy the checkpoint again"
    )


@pytest.mark.parametrize("number", [0, 2, "1", None])
def test_unknown_format_says_what_to_do(model: Path, number: object) -> None:
    edit_json(model / "olvdm.json", {"format": number})
    assert "install the olvdm that wrote it" in refused(model)


@pytest.mark.parametrize("kind", ["training", "networks", 3])
def test_folder_of_another_kind_is_refused(model: Path, kind: object) -> None:
    edit_json(model / "olvdm.json", {"kind": kind})
    assert "kind" in refused(model)


@pytest.mark.parametrize("about", [..., None, 3, "x", []])
def test_manifest_that_says_nothing_of_the_model_does_no_harm(model: Path, about: object) -> None:
    edit_json(model / "olvdm.json", {"about": about})
    assert OLVDMPipeline.from_pretrained(model).about == {}


@pytest.mark.parametrize(
    "name", ["../escape", "/etc/passwd", "a/../../b", "..", "", "a\\b", "a\x00b", "https://x/y"]
)
def test_manifest_that_lists_files_elsewhere_is_refused(model: Path, name: str) -> None:
    manifest = json.loads((model / "olvdm.json").read_text())
    manifest["files"][name] = {"size": 1, "sha256": "0" * 64}
    (model / "olvdm.json").write_text(json.dumps(manifest))
    refused(model)


@pytest.mark.parametrize(
    "place",
    [
        "../../etc",
        "/etc",
        "/nowhere",
        "https://example.org/model",
        "",
        "a" * 5000,
        "a\x00b",
        "hub/x",
    ],
)
def test_place_that_is_no_checkpoint_is_refused(place: str) -> None:
    with pytest.raises(CheckpointError, match="whole checkpoint folder"):
        OLVDMPipeline.from_pretrained(place)


def test_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("x")
    assert "whole checkpoint folder" in refused(tmp_path / "model")


def test_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    assert "whole checkpoint folder" in refused(tmp_path / "model")


def test_link_out_of_the_folder_is_refused(model: Path, tmp_path: Path) -> None:
    path = model / "denoiser" / WEIGHTS
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert "leads out of its folder" in refused(model)


# Stored prompts.


@pytest.mark.parametrize(
    "prompts",
    [
        "{}",
        "3",
        "null",
        '["", "a"]',
        '["", "", "a"]',
        '["", "a", "b", "c"]',
        "[" * 5000,
        "not json",
    ],
)
def test_stored_prompts_that_do_not_match_their_rows_are_refused(model: Path, prompts: str) -> None:
    path = model / "prompt_embeds.safetensors"
    rows = {key: value.clone() for key, value in load_file(path).items()}
    save_file(rows, path, metadata={"prompts": prompts})
    sign(model)
    assert refused(model) == "prompt_embeds.safetensors is damaged; copy the checkpoint again"


@pytest.mark.parametrize(
    "row",
    [torch.zeros(3), torch.zeros(12, 13), torch.zeros(11, 12), torch.full((12, 12), float("nan"))],
    ids=["flat", "too wide", "too short", "nan"],
)
def test_stored_prompts_of_another_shape_are_refused(model: Path, row: torch.Tensor) -> None:
    save_file({"0": row}, model / "prompt_embeds.safetensors", metadata={"prompts": '["x"]'})
    assert "prompt_embeds.safetensors must hold finite embeddings" in refused_forgery(model)


def test_garbage_in_place_of_the_stored_prompts_is_refused(model: Path) -> None:
    (model / "prompt_embeds.safetensors").write_bytes(b"garbage")
    assert "prompt_embeds.safetensors is damaged" in refused_forgery(model)


def test_refusal_leaves_the_loaded_model_alone(model: Path) -> None:
    loaded = OLVDMPipeline.from_pretrained(model, torch.float32)
    before = {key: value.clone() for key, value in loaded.denoiser.state_dict().items()}
    (model / "denoiser" / WEIGHTS).write_bytes(b"garbage")
    refused(model)
    after = loaded.denoiser.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())
