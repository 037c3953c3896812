"""Look at a clip half way: where its slots lose their objects, another noise is better."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from olvdm.alignment import shuffle_slots, slot_constancy, slot_correlation
from olvdm.generation import SlotOutput
from olvdm.noise_schedule import NoiseSchedule
from olvdm.slot_encoder import SlotEncoder
from olvdm.threads import num_side_by_side

LEAST_SIGNAL = 0.12  # share of clip in what is drawn from which on slots tell good from bad
# Constancy from which a clip is let be. A third of the shipped model's clips reach it. That of
# real clips is higher, but asking for more of one that is half drawn gains nothing.
STEADY_ENOUGH = 0.97
# What it is worth beside constancy that a clip agrees with its prompt: a clip that lacks an object
# has less that could change. Anything from 0.2 to 0.4 does as well.
AGREEMENT_WEIGHT = 0.3
NUM_FINALISTS = 2  # that are drawn to their end; with more of them agreement counts for too little


@dataclass(frozen=True, eq=False)
class SlotSelection:
    """Judge what becomes of a noise by the correlation of slots across frames.

    Attributes:
        look: Finds the slots of every video frame of a clip that is given as latents.
        encoder: Whose slots they are.
        shuffles: Whether it is to forget which slot of a frame is which: its control.

    Ours: at the highest noise levels it is decided what is where, and a clip that goes wrong there
    shows two guesses of one object. No loss on one prediction sees that, but slots of its frames
    do: they are less alike from frame to frame.
    """

    look: Callable[[Float[Tensor, "1 c t h w"]], SlotOutput]
    encoder: SlotEncoder
    shuffles: bool = False

    def num_at_once(self) -> int:
        """Return how many candidates are best drawn at the same time."""
        return num_side_by_side() if next(self.encoder.parameters()).is_cpu else 1

    @torch.no_grad()
    def constancy(self, latents: Float[Tensor, "1 c t h w"], candidate: int) -> float:
        """Return how alike the slots of a clip are to themselves over its frames.

        Args:
            latents: Clean latents that a denoiser expects.
            candidate: Index of the noise; the control draws its order from it.

        Returns:
            As `slot_constancy`.
        """
        found = self.look(latents)
        correlation = found.correlation
        if self.shuffles:
            weights = next(self.encoder.parameters())
            identities = self.encoder.identities(found.slots.to(weights))
            generator = torch.Generator().manual_seed(candidate)
            shuffled = shuffle_slots(identities, found.presence, [generator])
            correlation = slot_correlation(shuffled)
        return float(slot_constancy(correlation, found.presence))


def shows_enough(schedule: NoiseSchedule, level: float) -> bool:
    """Say whether slots of what is expected at a noise level tell a good clip from a bad one.

    Args:
        schedule: How noise and latents are mixed.
        level: At which the step before it began.

    Returns:
        Whether enough of the clip is known.
    """
    signal, noise = schedule.shares(torch.tensor([[level]]))
    return float(signal / (signal + noise)) >= LEAST_SIGNAL
