import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from olvdm.losses import SLOT_LOSSES, mask_entropy, slot_loss, weighted_mean

SEEDS = st.integers(0, 2**31)
NAMES = st.sampled_from([name for name in SLOT_LOSSES if name != "none"])


def sequence(seed: int, num_frames: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    slots = torch.randn(2, num_frames, 5, 8, generator=generator)
    presence = torch.rand(2, num_frames, 5, generator=generator) > 0.3
    return slots, presence, torch.randn(2, num_frames, 5, 8, generator=generator)


@given(name=NAMES, seed=SEEDS, order=st.permutations(range(5)))
def test_renumbering_the_slots_changes_nothing(name: str, seed: int, order: list[int]) -> None:
    slots, presence, reference = sequence(seed)
    first = slot_loss(name, slots, presence, reference=reference)
    second = slot_loss(
        name, slots[:, :, order], presence[:, :, order], reference=reference[:, :, order]
    )
    torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-4)


@given(name=NAMES, seed=SEEDS, scale=st.floats(0.1, 10))
def test_length_of_a_slot_changes_nothing(name: str, seed: int, scale: float) -> None:
    slots, presence, reference = sequence(seed)
    first = slot_loss(name, slots, presence, reference=reference)
    second = slot_loss(name, scale * slots, presence, reference=scale * reference)
    torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-4)


@given(name=NAMES, seed=SEEDS, num_frames=st.integers(2, 6))
def test_cost_is_finite_and_not_negative(name: str, seed: int, num_frames: int) -> None:
    slots, presence, reference = sequence(seed, num_frames)
    found = slot_loss(name, slots, presence, reference=reference)
    assert found.isfinite()
    assert found >= -1e-6


@given(name=NAMES, seed=SEEDS)
def test_gradient_is_finite_where_slots_are_zero(name: str, seed: int) -> None:
    slots, presence, reference = sequence(seed)
    slots[:, 1] = 0
    slots.requires_grad_()
    slot_loss(name, slots, presence, reference=reference).backward()
    assert slots.grad is not None
    assert slots.grad.isfinite().all()


@given(seed=SEEDS, factor=st.floats(0.01, 100))
def test_unit_of_the_weights_changes_no_mean(seed: int, factor: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    values, weights = torch.randn(9, generator=generator), torch.rand(9, generator=generator) + 0.1
    assert float(weighted_mean(values, factor * weights)) == pytest.approx(
        float(weighted_mean(values, weights)), abs=1e-4
    )


@given(seed=SEEDS, num_slots=st.integers(1, 8))
def test_entropy_lies_between_one_owner_and_all(seed: int, num_slots: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    masks = (5 * torch.randn(1, 2, num_slots, 4, 4, generator=generator)).softmax(dim=2)
    log_slots = float(torch.tensor(float(num_slots)).log())
    assert -1e-6 <= float(mask_entropy(masks)) <= log_slots + 1e-5
