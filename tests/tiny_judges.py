"""Judges of the smallest size, in a folder as ``olvdm package --judge`` writes it."""

from pathlib import Path

from olvdm.attribute_network import AttributeNetwork
from olvdm.manifest import write_folder
from tests.tiny_networks import seeded, shaken, tiny_slot_decoder, tiny_slot_encoder


def tiny_attribute_network(seed: int = 0) -> AttributeNetwork:
    seeded(seed)
    return shaken(AttributeNetwork(widths=(8, 8, 8), feature_dim=6), seed)


def write_judges(folder: Path, seed: int = 1) -> Path:
    """Write an attribute network and slots that are not those of the tiny pipeline."""
    with write_folder(folder, "judge", {}) as partial:
        tiny_attribute_network(seed).save_pretrained(partial / "attribute_network")
        tiny_slot_encoder(seed).save_pretrained(partial / "slot_encoder")
        tiny_slot_decoder(seed).save_pretrained(partial / "slot_decoder")
    return folder
