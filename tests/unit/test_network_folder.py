import json
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from olvdm.autoencoder import VideoAutoencoder
from olvdm.denoiser import VideoDenoiser
from olvdm.diffusers_api import ModelMixin
from olvdm.errors import CheckpointError
from olvdm.network_folder import load_network, network_settings, read_config
from olvdm.slot_encoder import SlotEncoder
from olvdm.text_encoder import TextEncoder
from tests.tiny_networks import tiny_autoencoder, tiny_slot_encoder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny_autoencoder().save_pretrained(tmp_path / "autoencoder")
    return tmp_path / "autoencoder"


def test_network_comes_back_bit_for_bit_and_in_evaluation_mode(folder: Path) -> None:
    loaded, saved = load_network(folder, VideoAutoencoder), tiny_autoencoder().state_dict()
    assert all(torch.equal(one, saved[key]) for key, one in loaded.state_dict().items())
    assert not loaded.training


def test_shards_are_put_together(tmp_path: Path) -> None:
    tiny_autoencoder().save_pretrained(tmp_path / "autoencoder", max_shard_size="4KB")
    assert len(list((tmp_path / "autoencoder").glob("*.safetensors"))) > 1
    load_network(tmp_path / "autoencoder", VideoAutoencoder)


@pytest.mark.parametrize("stored", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("wanted", [None, torch.float32, torch.bfloat16])
def test_weights_come_in_the_dtype_that_is_asked_for(
    tmp_path: Path, stored: torch.dtype, wanted: torch.dtype | None
) -> None:
    cast("Any", tiny_autoencoder()).to(stored).save_pretrained(tmp_path / "autoencoder")
    loaded = load_network(tmp_path / "autoencoder", VideoAutoencoder, wanted)
    assert {one.dtype for one in loaded.parameters()} == {wanted or torch.float32}


def test_running_mean_keeps_its_precision(tmp_path: Path) -> None:
    encoder = tiny_slot_encoder()
    encoder.get_buffer("identity_mean").fill_(0.123456789)
    encoder.save_pretrained(tmp_path / "slot_encoder")
    loaded = load_network(tmp_path / "slot_encoder", SlotEncoder, torch.bfloat16)
    assert torch.equal(loaded.get_buffer("identity_mean"), encoder.get_buffer("identity_mean"))


def test_loaded_network_can_be_trained(folder: Path) -> None:
    loaded = load_network(folder, VideoAutoencoder)
    loaded(torch.zeros(1, 3, 2, 8, 8)).sum().backward()
    assert all(one.requires_grad for one in loaded.parameters())


def test_loaded_network_does_not_share_memory_with_its_file(folder: Path) -> None:
    loaded = load_network(folder, VideoAutoencoder)
    before = {key: one.clone() for key, one in loaded.state_dict().items()}
    for path in folder.glob("*.safetensors"):
        data = path.read_bytes()
        with path.open("r+b") as file:
            file.write(bytes(len(data)))
    assert all(torch.equal(one, before[key]) for key, one in loaded.state_dict().items())


def test_settings_that_the_file_lacks_are_the_class_s_own(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"_class_name": "SlotEncoder", "slot_dim": 9}')
    settings = network_settings(tmp_path, SlotEncoder)
    assert (settings["slot_dim"], settings["num_slots"]) == (9, 6)


@pytest.mark.parametrize(
    ("network", "changes", "sentence"),
    [
        (TextEncoder, {"open_clip_model": {"a": 1}}, "open_clip_model must be a name, not a file"),
        (TextEncoder, {"open_clip_model": 5}, "open_clip_model must be a name, not a file"),
        (TextEncoder, {"width": 12, "heads": 7}, "does not describe a TextEncoder"),
        (VideoDenoiser, {"clip_layer": None}, "clip_layer must be a name, not a file"),
        (VideoDenoiser, {"height": 3}, "does not describe a VideoDenoiser"),
        (VideoDenoiser, {"height": 65_536}, "does not describe a VideoDenoiser"),
        (SlotEncoder, {"num_slots": 256}, "num_slots must be a whole number from 1 to 11, got 256"),
        (VideoAutoencoder, {"latents_mean": [1e300] * 8}, "latents_mean must be a list of numbers"),
        (VideoAutoencoder, {"latents_std": [1e308] * 8}, "latents_std must be a list of numbers"),
        (VideoAutoencoder, {"latents_std": [True] * 8}, "latents_std must be a list of numbers"),
    ],
)
def test_settings_that_no_network_has_are_refused(
    tmp_path: Path, network: type[ModelMixin], changes: dict[str, object], sentence: str
) -> None:
    settings = {"_class_name": network.__name__, **changes}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    with pytest.raises(CheckpointError, match=sentence):
        load_network(tmp_path, network)


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"none/config.json is missing or not JSON"):
        load_network(tmp_path / "none", VideoAutoencoder)


def test_config_is_an_object(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": 1}')
    assert read_config(tmp_path, "x.json") == {"a": 1}
