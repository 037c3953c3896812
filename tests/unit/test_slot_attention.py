import torch
from torch import Tensor

from olvdm.slot_attention import SlotAttention
from tests.tiny_networks import shaken


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_two_frames_at_once_are_two_frames() -> None:
    attention = shaken(SlotAttention(6, 8))
    features, slots = noise(2, 9, 6), noise(2, 3, 8, seed=1)
    both, _ = attention(features, slots, 2)
    alone, _ = attention(features[1:], slots[1:], 2)
    torch.testing.assert_close(both[1:], alone, atol=1e-5, rtol=1e-5)


def test_order_of_the_positions_changes_no_slot() -> None:
    attention = shaken(SlotAttention(6, 8))
    features, slots = noise(1, 9, 6), noise(1, 3, 8, seed=1)
    order = torch.randperm(9, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(
        attention(features, slots, 2)[0], attention(features[:, order], slots, 2)[0]
    )


def test_slots_compete_for_every_position() -> None:
    attention = shaken(SlotAttention(6, 8), scale=0.5)
    features, slots = noise(1, 9, 6), noise(1, 4, 8, seed=1)
    fewer, more = attention(features, slots[:, :3], 1)[1], attention(features, slots, 1)[1]
    assert (more[:, :3] < fewer).all()


def test_slot_that_holds_nothing_stays_finite() -> None:
    attention = shaken(SlotAttention(6, 8), scale=10.0)
    slots, masks = attention(noise(1, 3, 6), noise(1, 12, 8, seed=1), 1)
    assert masks.sum(dim=2).min() < 1e-6  # three positions cannot feed twelve slots
    assert slots.isfinite().all()


def test_bf16_slots_compete_in_float32() -> None:
    attention = shaken(SlotAttention(6, 8)).bfloat16()
    slots, masks = attention(noise(1, 9, 6).bfloat16(), noise(1, 3, 8).bfloat16(), 2)
    assert (slots.dtype, masks.dtype) == (torch.bfloat16, torch.float32)


def test_feature_and_slot_width_may_differ() -> None:
    slots, masks = SlotAttention(5, 12)(noise(2, 9, 5), noise(2, 3, 12), 1)
    assert (slots.shape, masks.shape) == ((2, 3, 12), (2, 3, 9))
