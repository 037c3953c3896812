"""The optimisers of a stage, their learning rate over time, and their state as named tensors."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Muon, Optimizer

from olvdm.errors import CheckpointError
from olvdm.training.average import trainable_weights
from olvdm.training.config import TrainingConfig

QUANTITIES: Mapping[type[Optimizer], tuple[str, ...]] = {
    AdamW: ("step", "exp_avg", "exp_avg_sq"),
    Muon: ("momentum_buffer",),
}


def make_optimizers(stage: nn.Module, config: TrainingConfig) -> list[Optimizer]:
    """Make the optimisers that together hold every trainable weight once.

    Args:
        stage: The stage to train.
        config: Says which optimiser the matrices get; all else stays with AdamW.

    Returns:
        AdamW, and Muon where it is asked for and there are matrices.

    Source: Loshchilov and Hutter 2019 (AdamW); Jordan et al. 2024 and Liu et al. 2025 (Muon with
    AdamW's learning rate). Ours: no weight decay for vectors and embeddings.
    """
    weights = trainable_weights(stage)
    tables = {id(one.weight) for one in stage.modules() if isinstance(one, nn.Embedding)}
    matrices = [one for one in weights.values() if one.ndim >= 2 and id(one) not in tables]
    vectors = [one for one in weights.values() if one.ndim < 2 or id(one) in tables]
    for_muon = [one for one in matrices if one.ndim == 2 and config.optimizer == "muon"]
    taken = {id(one) for one in for_muon}
    groups = [
        {
            "params": [one for one in matrices if id(one) not in taken],
            "weight_decay": config.weight_decay,
        },
        {"params": vectors, "weight_decay": 0.0},
    ]
    devices = {one.device.type for one in weights.values()}
    optimizers: list[Optimizer] = [
        AdamW(
            [group for group in groups if group["params"]] or groups[1:],
            lr=config.learning_rate,
            betas=(0.9, 0.99),
            fused=devices <= {"cpu", "cuda"},
        )
    ]
    if for_muon:
        rate, decay = config.learning_rate, config.weight_decay
        optimizers.append(
            Muon(for_muon, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
        )
    return optimizers


def learning_rate_at(config: TrainingConfig, num_updates: int, progress: float) -> float:
    """Return the learning rate of one update: it warms up, stays flat, and decays at the end.

    Args:
        config: Holds the flat rate, the warm-up steps and the share of the final decay.
        num_updates: How many updates were made before.
        progress: Share of the training that is done, in [0, 1].

    Returns:
        A rate in [0, ``config.learning_rate``].

    Source: Hu et al. 2024 (warm-up, stable, decay); Haegele et al. 2024 (1 - sqrt decay).
    """
    warmup = min(1.0, (num_updates + 1) / max(config.warmup_steps, 1))
    left = min(max(1.0 - progress, 0.0), config.decay_fraction)
    decay = 1.0 if config.decay_fraction == 0 else 1 - (1 - left / config.decay_fraction) ** 0.5
    return config.learning_rate * warmup * decay


def optimizer_tensors(stage: nn.Module, optimizers: list[Optimizer]) -> dict[str, Tensor]:
    """Return the state of the optimisers as tensors by weight and quantity.

    Args:
        stage: The stage whose weights they hold.
        optimizers: What ``make_optimizers`` made for it.

    Returns:
        Tensors named ``weight|quantity``, such as ``net.bias|exp_avg``.
    """
    names = {id(weight): name for name, weight in trainable_weights(stage).items()}
    return {
        f"{names[id(weight)]}|{quantity}": value
        for optimizer in optimizers
        for weight, quantities in optimizer.state.items()
        for quantity, value in quantities.items()
        if isinstance(value, Tensor)
    }


def load_optimizer_tensors(
    stage: nn.Module, optimizers: list[Optimizer], tensors: Mapping[str, Tensor]
) -> None:
    """Put back what ``optimizer_tensors`` returned, as far as each weight's optimiser is the same.

    Args:
        stage: The stage whose weights the optimisers hold.
        optimizers: Fresh optimisers for it.
        tensors: The named tensors; they are copied.

    Raises:
        CheckpointError: If a tensor belongs to no weight of this stage, or has another shape.
    """
    weights = trainable_weights(stage)
    owners = {
        id(weight): optimizer
        for optimizer in optimizers
        for group in optimizer.param_groups
        for weight in group["params"]
    }
    for key, value in tensors.items():
        name, _, quantity = key.rpartition("|")
        weight = weights.get(name)
        if weight is None or (value.ndim > 0 and value.shape != weight.shape):
            raise CheckpointError(f"the optimizer state {key[:80]!r} does not fit this training")
        optimizer = owners[id(weight)]
        if quantity not in QUANTITIES[type(optimizer)]:
            continue  # a resumed training may have been given the other one, which begins anew
        is_fused = value.ndim > 0 or bool(optimizer.defaults.get("fused"))
        place = weight.device if is_fused else torch.device("cpu")
        optimizer.state[weight][quantity] = value.to(place, copy=True)
