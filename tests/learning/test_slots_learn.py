"""Slots come to stand for objects: a fixed seed, a world of two squares, seconds of training."""

import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import adjusted_rand_score
from torch import Tensor

from olvdm.slot_decoder import SlotDecoder
from olvdm.slot_encoder import SlotEncoder

NUM_STEPS, BATCH = 150, 16
SIDE, SQUARE, BRIGHT = 8, 3, 3.0

pytestmark = pytest.mark.slow


def two_squares(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return latents `n c 1 h w` of two squares in two of three channels, and the true masks."""
    generator = torch.Generator().manual_seed(seed)
    latents = torch.zeros(count, 4, 1, SIDE, SIDE)
    true_masks = torch.zeros(count, SIDE, SIDE, dtype=torch.long)
    for index in range(count):
        channels = torch.randperm(3, generator=generator)
        for square in range(2):
            top = int(torch.randint(SIDE - SQUARE + 1, (1,), generator=generator))
            left = int(torch.randint(2, (1,), generator=generator)) + (SIDE - SQUARE) * square
            left = min(left, SIDE - SQUARE)
            place = (slice(top, top + SQUARE), slice(left, left + SQUARE))
            latents[index, int(channels[square]), 0, *place] = BRIGHT
            true_masks[index, *place] = square + 1
    return latents, true_masks


def agreement(encoder: SlotEncoder) -> float:
    """Return the adjusted Rand index of attention and truth on held-out frames; chance is 0."""
    latents, true_masks = two_squares(40, seed=10_000)
    with torch.no_grad():
        winners = encoder(latents).attention_masks[:, 0].argmax(dim=1)
    scores = [
        adjusted_rand_score(truth.flatten().numpy(), found.flatten().numpy())
        for truth, found in zip(true_masks, winners, strict=True)
    ]
    return sum(scores) / len(scores)


@pytest.fixture(scope="module")
def training() -> tuple[float, float, list[float]]:
    """Train once; return the agreement before and after, and the losses."""
    torch.manual_seed(0)
    encoder = SlotEncoder(latent_channels=4, feature_dim=32, slot_dim=32, num_slots=3)
    decoder = SlotDecoder(latent_channels=4, slot_dim=32, hidden_dim=16)
    weights = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.Adam(weights, lr=4e-3)
    before, losses = agreement(encoder), list[float]()
    for step in range(NUM_STEPS):
        latents, _ = two_squares(BATCH, seed=step)
        seeds = range(BATCH * step, BATCH * (step + 1))
        encoding = encoder(
            latents, generators=[torch.Generator().manual_seed(seed) for seed in seeds]
        )
        drawing = decoder(encoding.slots, SIDE, SIDE)
        painted = decoder.paint(encoding.slots, encoding.attention_masks)
        colours = latents[:, :3] / BRIGHT * 2 - 1
        loss = F.mse_loss(drawing.latents, latents) + F.mse_loss(painted, colours)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        losses.append(loss.item())
    return before, agreement(encoder), losses


def test_loss_falls(training: tuple[float, float, list[float]]) -> None:
    losses = training[2]
    assert sum(losses[-10:]) < 0.7 * sum(losses[:10])


def test_untrained_slots_are_no_better_than_chance(
    training: tuple[float, float, list[float]],
) -> None:
    assert training[0] < 0.2


def test_trained_slots_find_the_objects(training: tuple[float, float, list[float]]) -> None:
    assert training[1] > 0.5
