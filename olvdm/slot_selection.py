"""Choose between clips half way: the one whose slots keep their objects is drawn to its end."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from olvdm.alignment import shuffle_slots, slot_constancy, slot_correlation
from olvdm.generation import SlotOutput
from olvdm.noise_schedule import NoiseSchedule
from olvdm.slot_encoder import SlotEncoder

LEAST_SIGNAL = 0.12  # share of clip in what is drawn from which on slots tell good from bad


@dataclass(frozen=True, eq=False)
class SlotSelection:
    """Compare what becomes of several noises by the correlation of slots across frames.

    Attributes:
        look: Finds the slots of every video frame of a clip that is given as latents.
        encoder: Whose slots they are.
        shuffled_by: Generator of the control, which forgets which slot of a frame is which; none
            compares slots as they are.

    Ours: at the highest noise levels it is decided what is where, and a clip that goes wrong there
    shows two guesses of one object. No loss on one prediction sees that, but slots of its frames
    do: they are less alike from frame to frame.
    """

    look: Callable[[Float[Tensor, "1 c t h w"]], SlotOutput]
    encoder: SlotEncoder
    shuffled_by: torch.Generator | None = None

    @torch.no_grad()
    def steadiest(
        self,
        candidates: Sequence[Float[Tensor, "1 c t h w"]],
        apply: Callable[..., Iterable[SlotOutput]] = map,
    ) -> int:
        """Return which clip's slots are most alike to themselves over its frames.

        Args:
            candidates: Clean latents that a denoiser expects of each.
            apply: Looks at each in turn, or at several side by side.

        Returns:
            Its index; of equal ones the first.
        """
        constancy = [self._constancy(found) for found in apply(self.look, candidates)]
        return constancy.index(max(constancy))

    def _constancy(self, found: SlotOutput) -> float:
        correlation = found.correlation
        if self.shuffled_by is not None:
            weights = next(self.encoder.parameters())
            identities = self.encoder.identities(found.slots.to(weights))
            shuffled = shuffle_slots(identities, found.presence, [self.shuffled_by])
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
