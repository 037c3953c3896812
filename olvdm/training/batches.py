"""Which clips a step reads, which noise it draws: both follow from seed, step and place alone."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Int
from torch.utils.data import DataLoader, Dataset

from olvdm.training.stage import Batch, Stage


def batch_indices(seed: int, num_examples: int, first: int, count: int) -> list[int]:
    """Return which clips stand at consecutive positions of the endless shuffled stream.

    Every epoch is one permutation of the data set, drawn from the seed and its number, so that no
    state of a loader has to be saved.

    Args:
        seed: Seed of the training.
        num_examples: Size of the data set.
        first: Position in the stream, 0 at the start of the first epoch.
        count: How many positions to read.

    Returns:
        ``count`` indices in [0, ``num_examples``).

    Ours: a stateless order, for resuming exactly.
    """
    places = [divmod(position, num_examples) for position in range(first, first + count)]
    return [int(_permutation(seed, epoch, num_examples)[place]) for epoch, place in places]


def clip_generators(seed: int, step: int, first: int, count: int) -> list[torch.Generator]:
    """Return one CPU generator a clip, independent of how many processes share the batch.

    Args:
        seed: Seed of the training.
        step: Number of the step.
        first: Place of this process's first clip in the global batch.
        count: How many clips this process has.

    Returns:
        ``count`` generators; equal arguments give equal noise.

    Ours: noise by (seed, step, place), so that two processes draw what one would.
    """
    states = [
        np.random.SeedSequence((seed, step, place)).generate_state(1, np.uint64)[0]
        for place in range(first, first + count)
    ]
    return [torch.Generator().manual_seed(int(state)) for state in states]


def batches(stage: Stage, order: "BatchOrder", steps: range, num_workers: int) -> Iterator[Batch]:
    """Read the batches of these steps, ahead of time where there are workers.

    Args:
        stage: Reads a batch by its indices.
        order: Says which clips a step reads.
        steps: The steps to come.
        num_workers: Worker processes; 0 reads in this one.

    Returns:
        One local batch a step.
    """
    loader = DataLoader(
        _Steps(stage, order),
        batch_size=None,
        sampler=steps,
        num_workers=num_workers,
        prefetch_factor=2 if num_workers else None,
        generator=torch.Generator(),  # its own, or it would draw from the one that we save
    )
    return iter(loader)


class BatchOrder:
    """Know this process's share of every global batch.

    Args:
        seed: Seed of the training.
        num_examples: Size of the data set.
        batch_size: Clips in a global batch.
        num_processes: How many processes share it.
        process: Number of this one.

    Raises:
        ValueError: If the batch cannot be shared evenly.
    """

    def __init__(
        self, seed: int, num_examples: int, batch_size: int, num_processes: int, process: int
    ) -> None:
        if batch_size % num_processes:
            raise ValueError(f"{num_processes} processes cannot share a batch of {batch_size}")
        self.seed = seed
        self.num_examples = num_examples
        self.batch_size = batch_size
        self.count = batch_size // num_processes
        self.first = process * self.count

    def indices(self, step: int) -> list[int]:
        """Return the clips that this process reads in a step.

        Args:
            step: Number of the step, from 0.

        Returns:
            Indices into the data set.
        """
        first = step * self.batch_size + self.first
        return batch_indices(self.seed, self.num_examples, first, self.count)

    def generators(self, step: int) -> list[torch.Generator]:
        """Return the noise sources of those clips.

        Args:
            step: Number of the step, from 0.

        Returns:
            One CPU generator a clip.
        """
        return clip_generators(self.seed, step, self.first, self.count)


class _Steps(Dataset[Batch]):
    """Let torch's loader ask for a step where it thinks of an example."""

    def __init__(self, stage: Stage, order: BatchOrder) -> None:
        self.stage = stage
        self.order = order

    def __getitem__(self, index: int) -> Batch:
        return self.stage.fetch(self.order.indices(index))


@lru_cache(maxsize=4)
def _permutation(seed: int, epoch: int, num_examples: int) -> Int[np.ndarray, " n"]:
    return np.random.default_rng((seed, epoch)).permutation(num_examples)
