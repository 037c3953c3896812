import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from olvdm.training.identity_head import set_identity, solve_identity
from tests.tiny_networks import tiny_slot_encoder

NUM_CLIPS, NUM_FRAMES, NUM_SLOTS, DIM = 60, 8, 4, 12


def drawn_slots(seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return slots that know what they hold and, much louder, where it is; and their shares."""
    generator = torch.Generator().manual_seed(seed)
    shape = (NUM_CLIPS, NUM_FRAMES, NUM_SLOTS)
    what = torch.randn(NUM_CLIPS, 1, NUM_SLOTS, 4, generator=generator).expand(*shape, 4)
    way = torch.linspace(-1, 1, NUM_FRAMES)[None, :, None, None]
    where = 5 * (torch.randn(NUM_CLIPS, 1, NUM_SLOTS, 8, generator=generator) * way)
    slots = torch.cat([what, where], dim=-1) + 0.05 * torch.randn(*shape, DIM, generator=generator)
    slots[:, :, 0] += 20  # the background, far from all objects
    shares = torch.full(shape, 0.05)
    shares[:, :, 0] = 0.85
    return slots, shares


def identities(slots: Tensor, solved: tuple[Tensor, Tensor] | None) -> Tensor:
    assert solved is not None
    directions, middle = solved
    return F.normalize((slots - middle) @ directions.T, dim=-1)


def across_clip(unit: Tensor) -> Tensor:
    """Return how alike each object is to itself from the first to the last frame."""
    return (unit[:, 0] * unit[:, -1]).sum(dim=-1)[:, 1:]


def test_an_object_is_itself_wherever_it_goes() -> None:
    slots, shares = drawn_slots()
    assert float(across_clip(F.normalize(slots, dim=-1)).mean()) < 0  # it has crossed the frame
    found = across_clip(identities(slots, solve_identity(slots, shares, 8)))
    assert float(found.quantile(0.05)) > 0.95


def test_two_objects_are_unlike_on_average() -> None:
    slots, shares = drawn_slots()
    unit = identities(slots, solve_identity(slots, shares, 8))
    assert abs(float((unit[:, :, 1] * unit[:, :, 2]).sum(dim=-1).mean())) < 0.2


def test_slots_that_training_never_saw_keep_their_identity_too() -> None:
    solved = solve_identity(*drawn_slots(), 8)
    assert float(across_clip(identities(drawn_slots(seed=1)[0], solved)).quantile(0.05)) > 0.95


def test_no_more_directions_are_kept_than_tell_objects_apart() -> None:
    solved = solve_identity(*drawn_slots(), 8)
    assert solved is not None
    assert int((solved[0].abs().sum(dim=1) > 0).sum()) == 4


def test_backgrounds_and_absent_slots_have_no_say() -> None:
    slots, shares = drawn_slots()
    shares[:, ::2, 3] = 0.001
    wanted = solve_identity(slots, shares, 8)
    slots[:, :, 0] = -100
    slots[:, ::2, 3] = 1000
    found = solve_identity(slots, shares, 8)
    assert wanted is not None
    assert found is not None
    torch.testing.assert_close(found, wanted)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_it_does_not_matter_how_slots_mix_what_they_know(seed: int) -> None:
    slots, shares = drawn_slots()
    mixing = torch.randn(DIM, DIM, generator=torch.Generator().manual_seed(seed))
    rotation, _ = torch.linalg.qr(mixing)
    wanted = identities(slots, solve_identity(slots, shares, 8))
    found = identities(slots @ rotation, solve_identity(slots @ rotation, shares, 8))
    torch.testing.assert_close(found @ found.mT, wanted @ wanted.mT, atol=1e-3, rtol=0)


def test_too_few_objects_leave_the_head_as_it_is() -> None:
    slots, shares = drawn_slots()
    assert solve_identity(slots[:, :1], shares[:, :1], 8) is None
    encoder = tiny_slot_encoder()
    before = encoder.to_identity.weight.clone()
    set_identity(encoder, torch.zeros(1, 4, 2, 16), torch.full((1, 4, 2), 0.5))
    assert torch.equal(encoder.to_identity.weight, before)


@torch.no_grad()
def test_an_encoder_is_given_identities_around_zero_and_keeps_its_running_mean() -> None:
    encoder = tiny_slot_encoder()
    encoder.get_buffer("identity_mean").fill_(0.5)
    generator = torch.Generator().manual_seed(0)
    slots = torch.randn(40, 4, 3, 16, generator=generator)
    shares = torch.tensor([0.9, 0.05, 0.05]).expand(40, 4, 3)
    set_identity(encoder, slots, shares)
    assert bool((encoder.get_buffer("identity_mean") == 0.5).all())
    middle = encoder.identities(slots)[:, :, 1:].mean(dim=(0, 1, 2))
    torch.testing.assert_close(middle, torch.zeros_like(middle), atol=1e-5, rtol=0)
