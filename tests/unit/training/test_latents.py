"""Encoded clips: once, whole, and never those of other weights."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from olvdm.errors import CheckpointError, InputError, TrainingError
from olvdm.training.latents import LatentsDataset, encode_dataset, weights_sha256
from tests.tiny_training import TinyNetwork


@dataclass
class Clip:
    frames: np.ndarray
    prompt: str
    true_masks: np.ndarray


class Clips:
    """Seven clips that are told apart by their pixels."""

    def __len__(self) -> int:
        return 7

    def __getitem__(self, index: int) -> Clip:
        frames = np.full((4, 8, 8, 3), index, dtype=np.uint8)
        return Clip(frames, f"clip\n{index} \u2603", frames[..., 0])


class Encoder:
    """Shrink frames, and count the clips that were asked for; break down after some."""

    def __init__(self, breaks_after: int = 100) -> None:
        self.count, self.breaks_after = 0, breaks_after

    def __call__(self, frames: Tensor) -> Tensor:
        if self.count >= self.breaks_after:
            raise KeyboardInterrupt
        self.count += len(frames)
        return frames.permute(0, 4, 1, 2, 3)[:, :, ::2, ::4, ::4].float() / 8


def encode(root: Path, encoder: Callable[[Tensor], Tensor], weights: str = "a") -> LatentsDataset:
    made_from = {"weights_sha256": weights, "level": "simple"}
    return encode_dataset(root, Clips(), encoder, made_from, batch_size=2, keeps_masks=True)


def test_clips_come_back_by_index(tmp_path: Path) -> None:
    latents = encode(tmp_path, Encoder())
    batch = latents.fetch([5, 1])
    assert len(latents) == 7
    assert isinstance(batch["latents"], Tensor)
    assert batch["latents"].shape == (2, 3, 2, 2, 2)
    assert batch["latents"].dtype == torch.float32
    assert batch["latents"][:, 0, 0, 0, 0].tolist() == [5 / 8, 1 / 8]
    assert batch["prompt"] == ["clip\n5 \u2603", "clip\n1 \u2603"]
    assert isinstance(batch["true_masks"], Tensor)
    assert batch["true_masks"][:, 0, 0, 0].tolist() == [5, 1]


def test_second_call_encodes_nothing(tmp_path: Path) -> None:
    encode(tmp_path, Encoder())
    encoder = Encoder()
    encode(tmp_path, encoder)
    assert encoder.count == 0


def test_other_weights_are_encoded_anew(tmp_path: Path) -> None:
    encode(tmp_path, Encoder())
    encoder = Encoder()
    encode(tmp_path, encoder, weights="b")
    assert encoder.count == 7


def test_interrupted_encoding_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        encode(tmp_path, Encoder(breaks_after=4))
    encoder = Encoder()
    latents = encode(tmp_path, encoder)
    assert encoder.count == 3
    assert latents.latents[:, 0, 0, 0, 0].tolist() == [index / 8 for index in range(7)]
    assert latents.prompts == [Clips()[index].prompt for index in range(7)]


def test_interrupted_encoding_says_what_it_keeps(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(KeyboardInterrupt):
        encode(tmp_path, Encoder(breaks_after=4))
    assert "kept 4 of 7 encoded clips; the same command goes on from there" in caplog.text


@pytest.mark.parametrize("name", ["file", "file/below", "/proc/below"])
def test_place_where_no_latents_can_be_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"no folder can be made at '(file|below)'.*another one"):
        encode(tmp_path / name, Encoder())


def test_note_that_was_cut_off_does_not_count(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        encode(tmp_path, Encoder(breaks_after=4))
    (log,) = tmp_path.glob(".partial-*/finished.jsonl")
    log.write_text(log.read_text()[:-3])
    encoder = Encoder()
    latents = encode(tmp_path, encoder)
    assert encoder.count == 4
    assert latents.prompts == [Clips()[index].prompt for index in range(7)]


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    folder = encode(tmp_path, Encoder()).folder
    assert list(tmp_path.iterdir()) == [folder]


def test_damaged_cache_is_refused_by_the_reader_and_made_anew_by_the_writer(
    tmp_path: Path,
) -> None:
    folder = encode(tmp_path, Encoder()).folder
    with (folder / "latents.npy").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    with pytest.raises(CheckpointError, match=r"latents\.npy"):
        LatentsDataset(folder)
    encoder = Encoder()
    encode(tmp_path, encoder)
    assert encoder.count == 7


def test_latents_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="not finite"):
        encode(tmp_path, lambda frames: Encoder()(frames) * 1e6)


def test_latents_without_masks_have_none(tmp_path: Path) -> None:
    latents = encode_dataset(tmp_path, Clips(), Encoder(), {})
    assert sorted(latents.fetch([0])) == ["latents", "prompt"]


def test_checksum_follows_weights_and_settings() -> None:
    torch.manual_seed(0)
    network = TinyNetwork()
    before = weights_sha256(network)
    assert weights_sha256(network) == before
    torch.manual_seed(0)
    assert weights_sha256(TinyNetwork(dropout=0.5)) != before
    with torch.no_grad():
        network.second.bias[0] += 1e-6
    assert weights_sha256(network) != before


def test_checksum_does_not_depend_on_where_a_network_came_from(tmp_path: Path) -> None:
    network = TinyNetwork()
    network.save_pretrained(tmp_path)
    again = TinyNetwork.from_pretrained(tmp_path)
    assert isinstance(again, nn.Module)
    assert weights_sha256(again) == weights_sha256(network)
