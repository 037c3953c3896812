import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from olvdm.alignment import FOUND_AGAIN, align_slots, slot_correlation, slot_presence
from olvdm.slot_attention import SlotAttention
from tests.tiny_networks import shaken, tiny_slot_decoder, tiny_slot_encoder

ATTENTION = shaken(SlotAttention(6, 8), scale=0.3)
ENCODER, DECODER = tiny_slot_encoder(), tiny_slot_decoder()
SEEDS = st.integers(0, 2**31)


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@given(seed=SEEDS, order=st.permutations(range(5)), num_iterations=st.integers(1, 4))
def test_slots_are_permutation_equivariant(
    seed: int, order: list[int], num_iterations: int
) -> None:
    features, slots = noise(seed, 1, 12, 6), noise(seed + 1, 1, 5, 8)
    found, masks = ATTENTION(features, slots, num_iterations)
    renumbered, renumbered_masks = ATTENTION(features, slots[:, order], num_iterations)
    torch.testing.assert_close(renumbered, found[:, order], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(renumbered_masks, masks[:, order], atol=1e-5, rtol=1e-4)


@given(
    seed=SEEDS,
    num_slots=st.integers(2, 11),
    num_frames=st.integers(1, 3),
    scale=st.sampled_from([0.0, 1.0, 100.0]),
)
def test_attention_masks_are_shares_of_every_position(
    seed: int, num_slots: int, num_frames: int, scale: float
) -> None:
    masks = ENCODER(scale * noise(seed, 1, 4, num_frames, 4, 6), num_slots).attention_masks
    assert masks.min() >= 0
    torch.testing.assert_close(masks.sum(dim=2), torch.ones(1, num_frames, 4, 6))


@given(
    seed=SEEDS,
    num_slots=st.integers(1, 8),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    scale=st.sampled_from([0.0, 1.0, 100.0]),
)
def test_alpha_masks_are_shares_of_every_pixel(
    seed: int, num_slots: int, size: tuple[int, int], scale: float
) -> None:
    masks = DECODER(scale * noise(seed, 1, 1, num_slots, 16), 4, 4).alpha_masks(*size)
    assert masks.min() >= 0
    torch.testing.assert_close(masks.sum(dim=2), torch.ones(1, 1, *size))


@given(seed=SEEDS, order=st.permutations(range(4)))
def test_renumbering_the_slots_draws_the_same_picture(seed: int, order: list[int]) -> None:
    slots = noise(seed, 1, 2, 4, 16)
    first, second = DECODER(slots, 4, 4), DECODER(slots[:, :, order], 4, 4)
    torch.testing.assert_close(second.latents, first.latents, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(
        second.alpha_masks(), first.alpha_masks()[:, :, order], atol=1e-5, rtol=1e-4
    )


@given(seed=SEEDS)
def test_correlation_lies_within_one_and_is_symmetric(seed: int) -> None:
    correlation = slot_correlation(1e3 * noise(seed, 2, 3, 4, 5))
    assert correlation.abs().max() <= 1
    torch.testing.assert_close(correlation, correlation.permute(0, 2, 1, 4, 3))


@given(seed=SEEDS, absence=st.sampled_from([0.0, 0.2, 0.6]))
def test_assignment_names_every_present_slot_once(seed: int, absence: float) -> None:
    identities, presence = clip_with_absences(seed, absence)
    for assigned, there in zip(
        align_slots(slot_correlation(identities), presence)[0], presence[0], strict=True
    ):
        assert sorted(assigned[assigned >= 0].tolist()) == there.nonzero().flatten().tolist()


@given(seed=SEEDS, absence=st.sampled_from([0.0, 0.2, 0.6]))
def test_aligning_twice_is_aligning_once(seed: int, absence: float) -> None:
    identities, presence = clip_with_absences(seed, absence)
    assignment = align_slots(slot_correlation(identities), presence)
    is_there = assignment >= 0
    order = whole_permutations(assignment)
    identities = identities.gather(2, order[..., None].expand_as(identities))
    again = align_slots(slot_correlation(identities), is_there)
    places = torch.arange(presence.shape[2]).expand_as(again)
    assert torch.equal(again, torch.where(is_there, places, -1))


@given(seed=SEEDS, order=st.permutations(range(5)))
def test_renumbering_the_later_frames_is_found_out(seed: int, order: list[int]) -> None:
    objects = noise(seed, 1, 1, 5, 16)
    identities = torch.cat([objects, objects[:, :, order], objects], dim=1)
    found = align_slots(slot_correlation(identities), torch.ones(1, 3, 5, dtype=torch.bool))
    assert found[0, 1].tolist() == [order.index(slot) for slot in range(5)]


@given(seed=SEEDS, absence=st.sampled_from([0.2, 0.6]), jitter=st.floats(0, 0.1))
def test_objects_that_return_are_found_again(seed: int, absence: float, jitter: float) -> None:
    _, presence = clip_with_absences(seed, absence)
    presence[:, 0] = True  # all tracks have begun
    generator = torch.Generator().manual_seed(seed)
    objects = torch.eye(5, 16) + jitter * noise(seed, 1, 6, 5, 16)
    order = torch.stack([torch.randperm(5, generator=generator) for _ in range(6)])[None]
    order[:, 0] = torch.arange(5)
    identities = objects.gather(2, order[..., None].expand_as(objects))
    there = presence.gather(2, order)
    found = align_slots(slot_correlation(identities), there)
    wanted = order.argsort(dim=2)
    assert torch.equal(found, torch.where(presence, wanted, -1))


@given(seed=SEEDS, absence=st.sampled_from([0.2, 0.6]))
def test_lost_track_takes_nothing_unlike_it_while_another_is_free(
    seed: int, absence: float
) -> None:
    identities, presence = clip_with_absences(seed, absence)
    correlation = slot_correlation(identities)
    assignment = align_slots(correlation, presence)[0]
    for frame in range(1, 6):
        begun = (assignment[:frame] >= 0).any(dim=0)
        free = bool(((assignment[frame] < 0) & ~begun).any())
        for track in ((assignment[frame] >= 0) & begun).nonzero().flatten().tolist():
            last = int((assignment[:frame, track] >= 0).nonzero().max())
            slots = int(assignment[last, track]), int(assignment[frame, track])
            is_like = float(correlation[0, last, frame, *slots]) >= FOUND_AGAIN
            assert is_like or last == frame - 1 or not free


@given(seed=SEEDS, num_slots=st.integers(2, 6))
def test_at_least_one_slot_is_there(seed: int, num_slots: int) -> None:
    masks = noise(seed, 1, 2, num_slots, 8, 8).softmax(dim=2)
    assert slot_presence(masks).any(dim=2).all()


def clip_with_absences(seed: int, absence: float) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    presence = torch.rand(1, 6, 5, generator=generator) >= absence
    return torch.randn(1, 6, 5, 16, generator=generator), presence


def whole_permutations(assignment: Tensor) -> Tensor:
    """Fill the places of absent slots with the slots that are left."""
    filled = assignment.clone()
    for row in filled.view(-1, filled.shape[-1]):
        left = sorted(set(range(len(row))) - set(row.tolist()))
        row[row < 0] = torch.tensor(left, dtype=row.dtype)
    return filled
