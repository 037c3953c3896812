"""The averaged weights that are shown, scored and shipped in place of the last ones."""

from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class AveragedWeights:
    """Keep the exponential moving average of a stage's trainable weights, in fp32.

    Args:
        stage: The stage whose weights are averaged.
        decay: Share of the old average that a late update keeps, in [0, 1). Early updates keep
            less, so that the first weights do not dominate a short training.

    Source: Polyak and Juditsky 1992. Ours: the warm-up (1 + n) / (10 + n).
    """

    def __init__(self, stage: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = trainable_weights(stage)
        self.average: dict[str, Tensor] = {
            name: weight.detach().float().clone() for name, weight in self.weights.items()
        }

    @torch.no_grad()
    def update(self, num_updates: int) -> None:
        """Move the average towards the weights.

        Args:
            num_updates: How often the weights had been changed before the last change.
        """
        decay = min(self.decay, (1 + num_updates) / (10 + num_updates))
        averages = list(self.average.values())
        weights = [weight.detach().float() for weight in self.weights.values()]
        torch._foreach_lerp_(averages, weights, 1 - decay)  # pyright: ignore

    @contextmanager
    def applied(self) -> Generator[None]:
        """Put the average in the place of the weights; afterwards they are back, bit for bit."""
        kept = {name: weight.detach().clone() for name, weight in self.weights.items()}
        self._fill(self.average)
        try:
            yield
        finally:
            self._fill(kept)

    @torch.no_grad()
    def _fill(self, values: dict[str, Tensor]) -> None:
        for name, weight in self.weights.items():
            weight.copy_(values[name])


def trainable_weights(stage: nn.Module) -> dict[str, nn.Parameter]:
    """Return the weights that training changes, by name.

    Args:
        stage: Any module.

    Returns:
        Those of its parameters that need a gradient; one that is used twice is named once.
    """
    return {name: weight for name, weight in stage.named_parameters() if weight.requires_grad}
