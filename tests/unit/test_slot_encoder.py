from pathlib import Path

import pytest
import torch
from torch import Tensor

from olvdm.slot_decoder import SlotDecoder
from olvdm.slot_encoder import MEAN_MOMENTUM, SlotEncoder, keep_waiting
from tests.tiny_networks import tiny_slot_encoder


def latents(num_clips: int = 1, num_frames: int = 3, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(num_clips, 4, num_frames, 8, 8, generator=generator)


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def test_every_frame_gets_its_slots() -> None:
    encoding = tiny_slot_encoder()(latents(2, 3))
    assert encoding.slots.shape == (2, 3, 4, 16)
    assert encoding.attention_masks.shape == (2, 3, 4, 8, 8)


@pytest.mark.parametrize("num_slots", [2, 7, 11])
def test_any_number_of_slots_works(num_slots: int) -> None:
    assert tiny_slot_encoder()(latents(), num_slots).slots.shape[2] == num_slots


def test_slots_of_a_frame_do_not_know_later_frames() -> None:
    encoder, clip = tiny_slot_encoder(), latents()
    changed = clip.clone()
    changed[:, :, 2] += 1
    assert torch.equal(encoder(clip).slots[:, :2], encoder(changed).slots[:, :2])


def test_slots_of_a_frame_begin_where_the_frame_before_left_them() -> None:
    encoder, clip = tiny_slot_encoder(), latents()
    changed = clip.clone()
    changed[:, :, 0] += 1
    assert (encoder(clip).slots[:, 2] - encoder(changed).slots[:, 2]).abs().max() > 1e-6


def test_slots_do_not_depend_on_the_other_clips_of_a_batch() -> None:
    encoder, clips = tiny_slot_encoder(), latents(2)
    torch.testing.assert_close(
        encoder(clips).slots[1:], encoder(clips[1:]).slots, atol=1e-5, rtol=1e-5
    )


def test_slots_repeat_without_a_generator() -> None:
    encoder = tiny_slot_encoder()
    first = encoder(latents()).slots
    torch.manual_seed(123)
    assert torch.equal(encoder(latents()).slots, first)


def test_generators_decide_where_slots_begin() -> None:
    beginnings = tiny_slot_encoder().initial_slots(3, 4, generators(1, 2, 1))
    assert torch.equal(beginnings[0], beginnings[2])
    assert not torch.equal(beginnings[0], beginnings[1])


def test_slots_begin_as_draws_from_one_gaussian() -> None:
    encoder = tiny_slot_encoder()
    drawn = encoder.initial_slots(1, 20_000, generators(0))[0]
    torch.testing.assert_close(drawn.mean(0), encoder.initial_mean.detach(), atol=0.03, rtol=0)
    torch.testing.assert_close(
        drawn.std(0), encoder.initial_log_std.detach().exp(), atol=0.03, rtol=0
    )


def test_identities_have_the_running_mean_removed() -> None:
    encoder, slots = tiny_slot_encoder(), torch.randn(1, 2, 3, 16)
    before = encoder.identities(slots)
    encoder.get_buffer("identity_mean").fill_(0.25)
    torch.testing.assert_close(encoder.identities(slots), before - 0.25)


def test_running_mean_follows_the_slots_that_are_there() -> None:
    encoder, slots = tiny_slot_encoder(), torch.randn(2, 3, 4, 16)
    presence = torch.zeros(2, 3, 4, dtype=torch.bool)
    presence[0, 1, 2] = True
    encoder.follow_identity_mean(slots, presence)
    wanted = MEAN_MOMENTUM * encoder.to_identity(slots[0, 1, 2])
    torch.testing.assert_close(encoder.get_buffer("identity_mean"), wanted.detach())


def test_running_mean_outlives_a_batch_that_is_not_finite() -> None:
    encoder, there = tiny_slot_encoder(), torch.ones(1, 2, 3, dtype=torch.bool)
    encoder.follow_identity_mean(torch.full((1, 2, 3, 16), float("nan")), there)
    encoder.follow_identity_mean(torch.randn(1, 2, 3, 16), there)
    assert bool(encoder.get_buffer("identity_mean").isfinite().all())


def test_running_mean_stays_where_no_slot_is_there() -> None:
    encoder = tiny_slot_encoder()
    encoder.follow_identity_mean(torch.randn(1, 2, 3, 16), torch.zeros(1, 2, 3, dtype=torch.bool))
    assert not encoder.get_buffer("identity_mean").any()


def test_running_mean_is_saved(tmp_path: Path) -> None:
    encoder = tiny_slot_encoder()
    encoder.get_buffer("identity_mean").fill_(0.25)
    encoder.save_pretrained(tmp_path)
    loaded = SlotEncoder.from_pretrained(tmp_path)
    assert isinstance(loaded, SlotEncoder)
    assert torch.equal(loaded.get_buffer("identity_mean"), encoder.get_buffer("identity_mean"))


@pytest.mark.parametrize(
    "settings", [{"num_slots": 1}, {"num_iterations": 0}, {"num_later_iterations": 0}]
)
def test_too_few_slots_or_rounds_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="need 2 slots and 1 round"):
        SlotEncoder(**settings)


def test_gradient_reaches_the_beginnings_and_every_other_weight_after_two_steps() -> None:
    torch.manual_seed(0)
    encoder = SlotEncoder(latent_channels=4, feature_dim=12, slot_dim=16, num_slots=4)
    decoder = SlotDecoder(latent_channels=4, slot_dim=16, hidden_dim=8)
    weights = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.Adam(weights, lr=1e-2)
    for step in range(3):
        optimizer.zero_grad()
        encoding = encoder(latents(2, 3, seed=step), generators=generators(step, step + 9))
        drawing = decoder(encoding.slots, 8, 8)
        loss = (drawing.latents - latents(2, 3)).square().mean() + drawing.rgb.square().mean()
        (loss + encoder.identities(encoding.slots).square().mean()).backward()
        optimizer.step()
    idle = [
        name for name, one in encoder.named_parameters() if one.grad is None or not one.grad.any()
    ]
    assert idle == []


def test_fresh_predictor_carries_slots_over_unchanged() -> None:
    slots = torch.randn(2, 3, 16)
    encoder = SlotEncoder(latent_channels=4, feature_dim=12, slot_dim=16)
    assert torch.equal(slots + encoder.predict(slots), slots)


def test_slot_that_sees_next_to_nothing_stays_as_it_was() -> None:
    known, seen = torch.zeros(1, 2, 3), torch.ones(1, 2, 3)
    masks = torch.tensor([[[0.001] * 8, [0.999] * 8]])
    waiting, awake = keep_waiting(known, seen, masks)[0]
    assert waiting.max() < 0.1
    assert awake.min() > 0.9


def test_slots_wake_up_evenly() -> None:
    shares = torch.linspace(0, 0.05, 20)
    slots = keep_waiting(
        torch.zeros(1, 20, 1), torch.ones(1, 20, 1), shares[None, :, None].expand(1, 20, 4)
    )
    assert (slots[0, :, 0].diff() >= 0).all()
