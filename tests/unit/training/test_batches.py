"""Order and noise follow from seed, step and place, whoever asks and in whatever order."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from olvdm.training.batches import BatchOrder, batch_indices, batches, clip_generators
from tests.tiny_training import TinyStage

SEEDS = st.integers(0, 2**31 - 1)


def drawn(generators: Sequence[torch.Generator]) -> list[float]:
    return [torch.randn((), generator=one).item() for one in generators]


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, num_examples=st.integers(1, 30), epoch=st.integers(0, 5))
def test_every_epoch_shows_every_clip_once(seed: int, num_examples: int, epoch: int) -> None:
    indices = batch_indices(seed, num_examples, epoch * num_examples, num_examples)
    assert sorted(indices) == list(range(num_examples))


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, first=st.integers(0, 50), cut=st.integers(0, 10))
def test_stream_does_not_depend_on_how_it_is_cut(seed: int, first: int, cut: int) -> None:
    whole = batch_indices(seed, 7, first, 10)
    parts = batch_indices(seed, 7, first, cut) + batch_indices(seed, 7, first + cut, 10 - cut)
    assert parts == whole


def test_epochs_and_seeds_differ_in_their_order() -> None:
    orders = [batch_indices(seed, 50, epoch * 50, 50) for seed, epoch in ((0, 0), (0, 1), (1, 0))]
    assert len({tuple(order) for order in orders}) == 3


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, step=st.integers(0, 10**9), num_processes=st.sampled_from([1, 2, 3, 6]))
def test_processes_together_read_and_draw_what_one_would(
    seed: int, step: int, num_processes: int
) -> None:
    one = BatchOrder(seed, 13, 6, 1, 0)
    many = [BatchOrder(seed, 13, 6, num_processes, index) for index in range(num_processes)]
    assert [row for each in many for row in each.indices(step)] == one.indices(step)
    noise = [value for each in many for value in drawn(each.generators(step))]
    assert noise == drawn(one.generators(step))


def test_noise_differs_by_seed_step_and_place() -> None:
    noise = [
        value
        for seed in range(3)
        for step in range(3)
        for value in drawn(clip_generators(seed, step, 0, 3))
    ]
    assert len(set(noise)) == 27


def test_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(ValueError, match="3 processes cannot share a batch of 8"):
        BatchOrder(0, 10, 8, 3, 0)


def test_workers_read_the_same_batches_in_the_same_order() -> None:
    stage, order = TinyStage(), BatchOrder(3, 11, 4, 1, 0)
    alone = [batch["prompt"] for batch in batches(stage, order, range(2, 7), 0)]
    ahead = [batch["prompt"] for batch in batches(stage, order, range(2, 7), 1)]
    assert ahead == alone
    assert alone[0] == [f"row {row}" for row in order.indices(2)]


def test_reading_leaves_the_global_generator_alone() -> None:
    stage, before = TinyStage(), torch.get_rng_state()
    next(batches(stage, BatchOrder(3, 11, 4, 1, 0), range(3), 0))
    assert torch.equal(torch.get_rng_state(), before)
