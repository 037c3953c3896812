"""Averaged weights: how they follow, and that showing them leaves no trace."""

import torch
from torch import nn

from olvdm.training.average import AveragedWeights, trainable_weights


def layer() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(3, 2)


def test_average_follows_the_formula_with_its_warm_up() -> None:
    stage = layer()
    average = AveragedWeights(stage, decay=0.5)
    expected = stage.bias.detach().clone()
    for num_updates in range(12):
        with torch.no_grad():
            stage.bias.add_(1.0)
        average.update(num_updates)
        kept = min(0.5, (1 + num_updates) / (10 + num_updates))
        expected = kept * expected + (1 - kept) * stage.bias.detach()
    torch.testing.assert_close(average.average["bias"], expected)


def test_average_is_shown_inside_and_gone_outside() -> None:
    stage = layer()
    average = AveragedWeights(stage, decay=0.9)
    before = stage.bias.detach().clone()
    average.average["bias"] += 7.0
    with average.applied():
        torch.testing.assert_close(stage.bias.detach(), before + 7.0)
    assert torch.equal(stage.bias, before)


def test_weights_come_back_after_a_failure() -> None:
    stage = layer()
    average = AveragedWeights(stage, decay=0.9)
    before = stage.bias.detach().clone()
    average.average["bias"] += 7.0
    try:
        with average.applied():
            raise KeyError
    except KeyError:
        assert torch.equal(stage.bias, before)


def test_average_of_half_precision_weights_is_single_precision() -> None:
    average = AveragedWeights(layer().bfloat16(), decay=0.9)
    assert average.average["weight"].dtype == torch.float32


def test_frozen_and_shared_weights_are_not_counted_twice_or_at_all() -> None:
    shared = layer()
    stage = nn.ModuleDict({"one": shared, "two": shared, "frozen": layer().requires_grad_(False)})
    assert list(trainable_weights(stage)) == ["one.weight", "one.bias"]
