"""Folded slot attention against Locatello et al. 2020, Algorithm 1, written out in NumPy.

One line of it is ours: the scores of a slot are centred over the positions before slots compete.
Tolerance: 1e-5, float32 against float64.
"""

import numpy as np
import pytest
import torch

from olvdm.slot_attention import SlotAttention
from tests.tiny_networks import shaken

Weights = dict[str, np.ndarray]
EPSILON = 1e-8


def layer_norm(rows: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    mean, variance = rows.mean(-1, keepdims=True), rows.var(-1, keepdims=True)
    normal = (rows - mean) / np.sqrt(variance + 1e-5)
    return normal * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def gru(state: np.ndarray, update: np.ndarray, weights: Weights) -> np.ndarray:
    """Cho et al. 2014, in the arrangement of torch.nn.GRUCell."""
    from_update = update @ weights["update.weight_ih"].T + weights["update.bias_ih"]
    from_state = state @ weights["update.weight_hh"].T + weights["update.bias_hh"]
    (reset_u, keep_u, new_u), (reset_s, keep_s, new_s) = (
        np.split(from_update, 3),
        np.split(from_state, 3),
    )
    reset, keep = sigmoid(reset_u + reset_s), sigmoid(keep_u + keep_s)
    return (1 - keep) * np.tanh(new_u + reset * new_s) + keep * state


def algorithm_1(
    inputs: np.ndarray, slots: np.ndarray, weights: Weights, num_iterations: int
) -> tuple[np.ndarray, np.ndarray]:
    """Loop over iterations, positions and slots of one frame, as the paper prints it."""
    inputs = layer_norm(inputs, weights, "norm_features")
    keys = inputs @ weights["to_key.weight"].T
    values = inputs @ weights["to_value.weight"].T
    num_slots, dim = slots.shape
    shares = np.zeros((num_slots, len(inputs)))
    for _ in range(num_iterations):
        slots_before = slots
        queries = layer_norm(slots, weights, "norm_slots") @ weights["to_query.weight"].T
        all_scores = np.array([[key @ query / np.sqrt(dim) for query in queries] for key in keys])
        all_scores -= all_scores.mean(axis=0)  # ours: over the positions
        for place, scores in enumerate(all_scores):
            exponents = np.exp(scores - scores.max())
            shares[:, place] = exponents / exponents.sum()  # over the slots
        slots = np.zeros_like(slots_before)
        for index in range(num_slots):
            weight = shares[index] + EPSILON
            update = (weight[:, None] * values).sum(0) / weight.sum()
            slot = gru(slots_before[index], update, weights)
            hidden = layer_norm(slot, weights, "refine.0")
            hidden = np.maximum(hidden @ weights["refine.1.weight"].T + weights["refine.1.bias"], 0)
            slots[index] = slot + hidden @ weights["refine.3.weight"].T + weights["refine.3.bias"]
    return slots, shares


@pytest.mark.parametrize("num_iterations", [1, 3])
@pytest.mark.parametrize(("feature_dim", "slot_dim", "num_slots"), [(12, 12, 4), (10, 16, 7)])
def test_folded_slot_attention_is_algorithm_1(
    num_iterations: int, feature_dim: int, slot_dim: int, num_slots: int
) -> None:
    attention = shaken(SlotAttention(feature_dim, slot_dim), scale=0.3)
    generator = torch.Generator().manual_seed(1)
    features = 3 * torch.randn(1, 20, feature_dim, generator=generator)
    slots = torch.randn(1, num_slots, slot_dim, generator=generator)
    weights = {name: one.detach().double().numpy() for name, one in attention.named_parameters()}
    wanted_slots, wanted_masks = algorithm_1(
        features[0].double().numpy(), slots[0].double().numpy(), weights, num_iterations
    )
    with torch.no_grad():
        found_slots, found_masks = attention(features, slots, num_iterations)
    np.testing.assert_allclose(found_slots[0].numpy(), wanted_slots, atol=1e-5)
    np.testing.assert_allclose(found_masks[0].numpy(), wanted_masks, atol=1e-5)
