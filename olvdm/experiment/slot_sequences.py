"""Slots made by hand, good ones and degenerate ones: what each loss of the family accepts."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from olvdm.losses import slot_loss

BATCH, FRAMES, SLOTS, DIM = 4, 8, 5, 32
TERMS = ("identity", "gram", "smooth", "l2", "nce", "nce_batch", "corr")
ANCHORED_TERMS = ("anchored", "corr")  # beside the clean clip, as while the denoiser is trained
GOOD = "good"


@dataclass(frozen=True)
class Costs:
    """What sequences cost under the terms.

    Attributes:
        alone: By sequence and term.
        anchored: Likewise, with the good sequence as the clean clip.
    """

    alone: Mapping[tuple[str, str], float]
    anchored: Mapping[tuple[str, str], float]


def slot_sequences() -> dict[str, Tensor]:
    """Return the sequences, ``b t k d`` each, the same at every call.

    ``good`` slots differ from each other and drift slowly, in every clip others. ``collapsed``
    ones are all equal, an ``index code`` is one vector for each index in every clip, ``frozen``
    ones never change within a clip, two of the ``swapped`` ones change places in mid clip, and
    ``flickering`` ones jitter.

    Source: method.md section 4.
    """
    shape = (BATCH, FRAMES, SLOTS, DIM)
    good = _noise(0, BATCH, 1, SLOTS, DIM) + 0.05 * _noise(1, *shape).cumsum(dim=1)
    swapped = good.clone()
    swapped[:, FRAMES // 2 :, [0, 1]] = good[:, FRAMES // 2 :, [1, 0]]
    return {
        GOOD: good,
        "collapsed": _noise(2, DIM).expand(shape),
        "index code": torch.eye(SLOTS, DIM).expand(shape),
        "frozen": good[:, :1].expand(shape),
        "swapped": swapped,
        "flickering": good + 0.5 * _noise(3, *shape),
    }


def sequence_costs() -> Costs:
    """Score every sequence by every term; lower is what a training would accept."""
    sequences = slot_sequences()
    everywhere = torch.ones(BATCH, FRAMES, SLOTS, dtype=torch.bool)
    alone = {
        (name, term): float(slot_loss(term, slots, everywhere))
        for name, slots in sequences.items()
        for term in TERMS
    }
    anchored = {
        (name, term): float(slot_loss(term, slots, everywhere, reference=sequences[GOOD]))
        for name, slots in sequences.items()
        for term in ANCHORED_TERMS
    }
    return Costs(alone, anchored)


def _noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
