import torch
from torch import Tensor, nn

from olvdm.alignment import slot_presence
from olvdm.slot_networks import SlotNetworks
from tests.tiny_networks import tiny_slot_decoder, tiny_slot_encoder


def test_a_slot_that_draws_nothing_is_not_there_wherever_it_attends() -> None:
    encoder, decoder = tiny_slot_encoder(), tiny_slot_decoder()

    def first_claims_all(_: nn.Module, __: object, claims: Tensor) -> Tensor:
        return (
            claims + 100 * (torch.arange(len(claims)) % encoder.num_slots == 0)[:, None, None, None]
        )

    decoder.to_alpha.register_forward_hook(first_claims_all)
    latents = torch.randn(2, 4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    encoding, presence = SlotNetworks(encoder, decoder)(latents)
    assert bool(slot_presence(encoding.attention_masks).all())
    assert bool(presence[..., 0].all())
    assert not bool(presence[..., 1:].any())


def test_what_a_slot_loss_looks_with_never_learns() -> None:
    networks = SlotNetworks(tiny_slot_encoder(), tiny_slot_decoder())
    assert not any(weight.requires_grad for weight in networks.parameters())
    latents = torch.zeros(1, 4, 2, 8, 8)
    assert not networks(latents)[0].slots.requires_grad
