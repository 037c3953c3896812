import torch
from torch import Tensor

from olvdm.alignment import shuffle_slots
from olvdm.losses import anchored_loss, gram_loss
from olvdm.training.slot_term import pool_features


def generators(seed: int, count: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed + index) for index in range(count)]


def drawn(seed: int = 0) -> Tensor:
    """Return slots that keep their directions over the frames."""
    generator = torch.Generator().manual_seed(seed)
    first = torch.randn(3, 1, 5, 8, generator=generator)
    return first + 0.05 * torch.randn(3, 6, 5, 8, generator=generator)


def all_there(identities: Tensor) -> Tensor:
    return torch.ones(identities.shape[:3], dtype=torch.bool)


def test_what_features_say_of_a_slot_is_their_mean_where_it_is() -> None:
    left = torch.zeros(1, 1, 4, 4)
    left[..., :2] = 1.0
    masks = torch.stack([left, 1 - left], dim=2)
    features = torch.zeros(1, 1, 2, 2, 8)
    features[..., 0, 0], features[..., 1, 1], features[..., 2:] = 3.0, 5.0, 9.0
    pooled = pool_features(features, masks, torch.ones(1, 1, 2, dtype=torch.bool))
    torch.testing.assert_close(pooled, torch.tensor([[[[1.5, -2.5], [-1.5, 2.5]]]]))


def test_absent_slots_move_no_mean() -> None:
    masks = torch.tensor([1.0, 0.0]).view(1, 1, 2, 1, 1).expand(1, 3, 2, 4, 4)
    presence = torch.tensor([True, False]).expand(1, 3, 2)
    pooled = pool_features(torch.full((1, 3, 2, 2, 8), 7.0), masks, presence)
    torch.testing.assert_close(pooled[:, :, 0], torch.zeros(1, 3, 2))


def test_every_frame_keeps_its_slots() -> None:
    identities = drawn()
    shuffled = shuffle_slots(identities, all_there(identities), generators(0, 3))
    assert torch.equal(shuffled.sort(dim=2).values, identities.sort(dim=2).values)


def test_frames_are_shuffled_apart_from_each_other() -> None:
    index = torch.arange(5.0)[None, None, :, None].expand(2, 40, 5, 1)
    shuffled = shuffle_slots(index, all_there(index), generators(0, 2))
    assert len({tuple(frame.flatten().tolist()) for clip in shuffled for frame in clip}) > 20


def test_absent_slots_stay_where_they_are() -> None:
    identities, presence = drawn(), all_there(drawn())
    presence[:, :, 3:] = False
    shuffled = shuffle_slots(identities, presence, generators(0, 3))
    assert torch.equal(shuffled[:, :, 3:], identities[:, :, 3:])
    assert not torch.equal(shuffled[:, :, :3], identities[:, :, :3])


def test_the_generator_alone_decides_the_order() -> None:
    identities = drawn()
    first, again, other = (
        shuffle_slots(identities, all_there(identities), generators(seed, 3)) for seed in (0, 0, 9)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_one_order_for_both_clips_would_be_no_control() -> None:
    identities, reference = drawn(0), drawn(1)
    weights = torch.ones(identities.shape[:3])
    mixed = shuffle_slots(identities, weights > 0, generators(0, 3))
    alike = shuffle_slots(reference, weights > 0, generators(0, 3))
    before = anchored_loss(identities, reference, weights)
    torch.testing.assert_close(anchored_loss(mixed, alike, weights), before)


def test_right_slots_are_no_longer_right_once_shuffled() -> None:
    identities = drawn()
    weights = torch.ones(identities.shape[:3])
    first, second = (shuffle_slots(identities, weights > 0, generators(n, 3)) for n in (0, 50))
    assert float(anchored_loss(identities, identities, weights)) < 1e-6
    assert float(anchored_loss(first, second, weights)) > 0.1
    assert float(gram_loss(first, weights)) > 5 * float(gram_loss(identities, weights))


def test_gradients_reach_the_slots_that_were_shuffled() -> None:
    identities = drawn().requires_grad_(True)
    shuffled = shuffle_slots(identities, all_there(identities), generators(0, 3))
    shuffled[..., 0].sum().backward()
    assert identities.grad is not None
    assert torch.equal(identities.grad[..., 0], torch.ones(identities.shape[:3]))
