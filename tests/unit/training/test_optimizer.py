"""Which optimiser holds which weight, the rate over time, and a state that comes back whole."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim import Optimizer

from olvdm.errors import CheckpointError
from olvdm.training.optimizer import (
    learning_rate_at,
    load_optimizer_tensors,
    make_optimizers,
    optimizer_tensors,
)
from tests.tiny_training import tiny_config


def network() -> nn.ModuleDict:
    torch.manual_seed(0)
    return nn.ModuleDict(
        {
            "table": nn.Embedding(5, 4),
            "matrix": nn.Linear(4, 4),
            "norm": nn.LayerNorm(4),
            "kernel": nn.Conv1d(4, 4, 3),
            "frozen": nn.Linear(4, 4).requires_grad_(False),
        }
    )


def held(stage: nn.Module, optimizer: Optimizer, decays: bool | None = None) -> set[str]:
    names = {id(weight): name for name, weight in stage.named_parameters()}
    return {
        names[id(weight)]
        for group in optimizer.param_groups
        if decays is None or (group["weight_decay"] > 0) == decays
        for weight in group["params"]
    }


def trained(optimizer_name: str, steps: int) -> tuple[nn.Module, list[Optimizer]]:
    stage = network()
    optimizers = make_optimizers(stage, tiny_config(optimizer=optimizer_name))
    step_on(stage, optimizers, steps)
    return stage, optimizers


def step_on(stage: Any, optimizers: list[Optimizer], steps: int) -> None:
    for _ in range(steps):
        rows = stage["norm"](stage["matrix"](stage["table"](torch.arange(5))))
        stage["kernel"](rows.T).square().mean().backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()


def test_adamw_holds_every_trainable_weight_and_decays_matrices_alone() -> None:
    stage = network()
    (adamw,) = make_optimizers(stage, tiny_config(optimizer="adamw", weight_decay=0.1))
    assert held(stage, adamw, decays=True) == {"matrix.weight", "kernel.weight"}
    assert held(stage, adamw, decays=False) == {
        "table.weight",
        "matrix.bias",
        "norm.weight",
        "norm.bias",
        "kernel.bias",
    }


def test_muon_takes_the_matrices_and_nothing_else() -> None:
    stage = network()
    adamw, muon = make_optimizers(stage, tiny_config(optimizer="muon"))
    assert held(stage, muon) == {"matrix.weight"}
    assert not held(stage, muon) & held(stage, adamw)


def test_muon_without_matrices_is_adamw() -> None:
    assert len(make_optimizers(nn.Conv1d(4, 4, 3), tiny_config(optimizer="muon"))) == 1


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_state_that_came_back_continues_bit_for_bit(name: str) -> None:
    stage, optimizers = trained(name, 3)
    tensors = {key: one.clone() for key, one in optimizer_tensors(stage, optimizers).items()}
    again, fresh = trained(name, 0)
    again.load_state_dict(stage.state_dict())
    load_optimizer_tensors(again, fresh, tensors)
    step_on(stage, optimizers, 2)
    step_on(again, fresh, 2)
    for one, other in zip(stage.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(("before", "now"), [("adamw", "muon"), ("muon", "adamw")])
def test_weight_that_changes_its_optimiser_begins_anew(before: str, now: str) -> None:
    tensors = optimizer_tensors(*trained(before, 2))
    again, fresh = trained(now, 0)
    load_optimizer_tensors(again, fresh, tensors)
    step_on(again, fresh, 1)
    found = optimizer_tensors(again, fresh)
    wanted = optimizer_tensors(*trained(now, 1))
    assert found.keys() == wanted.keys()
    assert torch.equal(found["norm.bias|step"], torch.tensor(3.0))


def test_loaded_state_is_a_copy() -> None:
    stage, optimizers = trained("adamw", 1)
    tensors = optimizer_tensors(stage, optimizers)
    again, fresh = trained("adamw", 0)
    load_optimizer_tensors(again, fresh, tensors)
    tensors["norm.bias|exp_avg"].fill_(9.0)
    assert not (optimizer_tensors(again, fresh)["norm.bias|exp_avg"] == 9.0).any()


@pytest.mark.parametrize(
    ("key", "shape"),
    [("unknown|exp_avg", (4,)), ("norm.bias|exp_avg", (5,)), ("frozen.bias|exp_avg", (4,))],
)
def test_state_of_another_network_is_refused(key: str, shape: tuple[int, ...]) -> None:
    stage, optimizers = trained("adamw", 0)
    with pytest.raises(CheckpointError, match="does not fit"):
        load_optimizer_tensors(stage, optimizers, {key: torch.zeros(shape)})


@pytest.mark.parametrize(
    ("num_updates", "progress", "share"),
    [(0, 0.0, 0.25), (1, 0.0, 0.5), (3, 0.1, 1.0), (9, 0.8, 1.0), (9, 0.85, 0.5), (9, 1.0, 0.0)],
)
def test_rate_warms_up_stays_and_decays(num_updates: int, progress: float, share: float) -> None:
    config = tiny_config(warmup_steps=4, decay_fraction=0.2, learning_rate=0.5)
    assert learning_rate_at(config, num_updates, progress) == pytest.approx(0.5 * share)


def test_rate_without_warm_up_and_decay_is_constant() -> None:
    config = tiny_config(warmup_steps=0, decay_fraction=0.0, learning_rate=0.5)
    assert learning_rate_at(config, 0, 0.0) == learning_rate_at(config, 99, 1.0) == 0.5


@settings(max_examples=50, deadline=None)
@given(
    warmup_steps=st.integers(0, 50),
    decay_fraction=st.floats(0.0, 1.0),
    num_updates=st.integers(0, 100),
    progress=st.floats(0.0, 2.0),
)
def test_rate_is_never_outside_its_bounds(
    warmup_steps: int, decay_fraction: float, num_updates: int, progress: float
) -> None:
    config = tiny_config(warmup_steps=warmup_steps, decay_fraction=decay_fraction)
    assert 0 <= learning_rate_at(config, num_updates, progress) <= config.learning_rate
