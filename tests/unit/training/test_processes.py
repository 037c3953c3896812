"""One process alone: nothing to combine, everything in place."""

import torch

from olvdm.training.processes import Processes


def test_process_alone_is_the_main_one_and_its_facts_are_those_of_all() -> None:
    processes = Processes()
    assert (processes.count, processes.index, processes.is_main) == (1, 0, True)
    assert processes.any(True)
    assert not processes.any(False)
    assert processes.mean(torch.tensor([1.0, 3.0])).tolist() == [1.0, 3.0]
    assert processes.rows(torch.tensor([1, 2])).tolist() == [[1, 2]]


def test_batch_keeps_its_texts_and_its_kinds() -> None:
    batch = Processes().place({"rows": torch.arange(3), "prompt": ["a", "b"]})
    assert batch["prompt"] == ["a", "b"]
    assert isinstance(batch["rows"], torch.Tensor)
    assert batch["rows"].tolist() == [0, 1, 2]


def test_random_state_that_came_back_draws_the_same() -> None:
    processes = Processes()
    states = processes.random_states()
    first = torch.rand(3)
    processes.set_random_states(states)
    assert torch.equal(torch.rand(3), first)
