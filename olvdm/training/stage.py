"""What a training stage is: networks, a way to read a batch, and its losses."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from olvdm.diffusers_api import ModelMixin

Batch = dict[str, Tensor | list[str]]


class Stage(nn.Module, ABC):
    """Own the networks of one stage and say what a batch of clips costs them.

    The loop wraps the stage itself, so ``forward`` is the only thing that it calls in training;
    parts that stay frozen have ``requires_grad`` off and are neither averaged nor saved, and a
    stage keeps them in evaluation mode itself. ``preview``, ``validate`` and ``prepare_networks``
    run on the main process alone, with the averaged weights and in evaluation mode.

    Source: the three stages of the OLVDM recipe. Ours: the interface.
    """

    @property
    @abstractmethod
    def num_examples(self) -> int:
        """The number of clips in one epoch."""

    @abstractmethod
    def networks(self) -> Mapping[str, ModelMixin]:
        """Return the trained networks by the folder in which each is saved."""

    @abstractmethod
    def fetch(self, indices: Sequence[int]) -> Batch:
        """Read the clips of these indices as one batch on the CPU.

        It may run in a worker process, so it draws nothing at random but from the index.

        Args:
            indices: Places in the data set, each in [0, ``num_examples``).

        Returns:
            Tensors whose first axis is the clip, or lists of one text a clip.
        """

    @abstractmethod
    def forward(
        self, batch: Batch, generators: Sequence[torch.Generator], progress: float
    ) -> dict[str, Float[Tensor, ""]]:
        """Return the losses of a batch.

        Args:
            batch: What ``fetch`` returned, on the device of the networks.
            generators: One CPU generator a clip, the only source of noise; it depends on the seed,
                the step and the clip's place in the global batch, never on the process.
            progress: Share of the training that is done, in [0, 1); ramps read it.

        Returns:
            ``"loss"``, a mean over the clips, is optimised; all others are only logged. At any
            step the names are the same on every process.
        """

    def prepare_networks(self) -> None:
        """Bring what is derived from the weights up to date, before the networks are saved.

        Statistics of the latents are an example: a resumed training has not measured any yet.
        """
        return

    def preview(self, step: int) -> dict[str, UInt8[np.ndarray, "t h w 3"]]:
        """Return sample videos to look at, drawn with the averaged weights.

        Args:
            step: Number of steps done.

        Returns:
            Videos by name, at the rate of the data; nothing where a stage has none to show.
        """
        return {}

    def validate(self) -> dict[str, float]:
        """Return scores on held-out clips, computed with the averaged weights.

        Returns:
            Scores by name. Where one is called ``"score"``, higher is better and the best training
            state by it is never pruned.
        """
        return {}
