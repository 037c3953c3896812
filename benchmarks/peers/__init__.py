"""Other people's networks, taken as they are: every change that one needs is printed beside it."""

import sys
from dataclasses import dataclass
from pathlib import Path

from torch import nn


class MissingPeerError(Exception):
    """A peer is not on this machine; the text says why, and how to get it."""


@dataclass(frozen=True)
class Peer:
    """A network of somebody else.

    Attributes:
        name: As its authors call it.
        network: The real thing, with random weights.
        patches: What had to be changed for it to run, a sentence each.
    """

    name: str
    network: nn.Module
    patches: tuple[str, ...] = ()


def count_parameters(network: nn.Module) -> int:
    """Return the number of weights of a network."""
    return sum(weight.numel() for weight in network.parameters())


def add_folder(folder: Path | None) -> None:
    """Let Python find packages in a folder, behind all that it finds already."""
    if folder is not None and str(folder) not in sys.path:
        sys.path.append(str(folder))
