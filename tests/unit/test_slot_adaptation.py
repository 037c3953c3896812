import torch
from torch import Tensor

from olvdm.slot_adaptation import adapt_slots
from tests.tiny_networks import tiny_slot_decoder, tiny_slot_encoder


def latents(num_frames: int = 3) -> Tensor:
    return torch.randn(1, 4, num_frames, 6, 6, generator=torch.Generator().manual_seed(0))


def test_trained_networks_stay_as_they_are() -> None:
    encoder, decoder = tiny_slot_encoder(), tiny_slot_decoder()
    before = {name: one.clone() for name, one in encoder.state_dict().items()}
    adapted, _ = adapt_slots(encoder, decoder, latents(), 3, 2)
    assert all(torch.equal(one, before[name]) for name, one in encoder.state_dict().items())
    assert not torch.equal(adapted.initial_mean, encoder.initial_mean)


def test_every_step_is_reported_and_the_clip_is_redrawn_better() -> None:
    reports: list[tuple[int, int, float]] = []
    adapt_slots(
        tiny_slot_encoder(),
        tiny_slot_decoder(),
        latents(),
        3,
        25,
        lambda step, num_steps, loss: reports.append((step, num_steps, loss)),
    )
    assert [report[:2] for report in reports] == [(step, 25) for step in range(1, 26)]
    assert reports[-1][2] < reports[0][2]


def test_adapting_works_where_gradients_are_off() -> None:
    encoder = tiny_slot_encoder()
    with torch.no_grad():
        adapted, _ = adapt_slots(encoder, tiny_slot_decoder(), latents(), 3, 2)
    assert not torch.equal(adapted.initial_mean, encoder.initial_mean)


def test_adapting_works_in_inference_mode() -> None:
    encoder = tiny_slot_encoder()
    with torch.inference_mode():
        adapted, _ = adapt_slots(encoder, tiny_slot_decoder(), latents().clone(), 3, 2)
    assert not torch.equal(adapted.initial_mean, encoder.initial_mean)


def test_adapted_networks_are_ready_to_use() -> None:
    encoder, decoder = adapt_slots(
        tiny_slot_encoder().bfloat16(), tiny_slot_decoder().bfloat16(), latents(), 3, 1
    )
    weights = [*encoder.parameters(), *decoder.parameters()]
    assert {one.dtype for one in weights} == {torch.float32}
    assert not any(one.requires_grad for one in weights)
    assert not encoder.training


def test_adapting_twice_gives_the_same() -> None:
    first, second = (
        adapt_slots(tiny_slot_encoder(), tiny_slot_decoder(), latents(12), 3, 3)[0] for _ in "12"
    )
    assert torch.equal(first.initial_mean, second.initial_mean)
