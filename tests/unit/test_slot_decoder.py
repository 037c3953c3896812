import pytest
import torch
from torch import Tensor

from olvdm.slot_decoder import SlotDecoder, SlotDrawing
from tests.tiny_networks import tiny_slot_decoder


def slots(seed: int = 0) -> Tensor:
    return torch.randn(1, 2, 3, 16, generator=torch.Generator().manual_seed(seed))


def test_drawing_has_latents_and_a_picture_twice_as_fine() -> None:
    drawing = tiny_slot_decoder()(slots(), 6, 8)
    assert drawing.latents.shape == (1, 4, 2, 6, 8)
    assert drawing.rgb.shape == (1, 3, 2, 12, 16)
    assert drawing.alpha_logits.shape == (1, 2, 3, 12, 16)


def test_masks_come_at_the_size_that_is_asked_for() -> None:
    masks = tiny_slot_decoder()(slots(), 6, 8).alpha_masks(50, 37)
    assert masks.shape == (1, 2, 3, 50, 37)
    torch.testing.assert_close(masks.sum(dim=2), torch.ones(1, 2, 50, 37))


def test_picture_is_the_slots_drawings_by_their_shares() -> None:
    decoder = tiny_slot_decoder()
    together = decoder(slots(), 4, 4)
    alone = [decoder(slots()[:, :, k : k + 1], 4, 4).rgb for k in range(3)]
    shares = together.alpha_masks()
    wanted = sum(shares[:, :, k].unsqueeze(1) * alone[k] for k in range(3))
    torch.testing.assert_close(together.rgb, wanted, atol=1e-5, rtol=1e-4)


def test_painted_slot_fills_its_mask_with_one_colour() -> None:
    decoder = tiny_slot_decoder()
    masks = torch.zeros(1, 2, 3, 2, 2)
    masks[:, :, 0, 0], masks[:, :, 2, 1] = 1, 1
    painted = decoder.paint(slots(), masks)
    colours = decoder.to_colour(slots())
    torch.testing.assert_close(painted[0, :, 1, 0, 1], colours[0, 1, 0])
    torch.testing.assert_close(painted[0, :, 1, 1, 0], colours[0, 1, 2])


def test_one_slot_owns_everything() -> None:
    masks = tiny_slot_decoder()(slots()[:, :, :1], 4, 4).alpha_masks()
    assert torch.equal(masks, torch.ones_like(masks))


def test_claims_are_scaled_before_they_compete_so_that_edges_stay_crisp() -> None:
    claims = torch.zeros(1, 1, 2, 2, 2)
    claims[..., 0] = torch.tensor([20.0, -20.0]).view(1, 1, 2, 1)
    claims[..., 1] = torch.tensor([-20.0, 20.0]).view(1, 1, 2, 1)
    empty = torch.zeros(1, 1, 1, 2, 2)
    drawn = torch.zeros(1, 1, 2, 3, 2, 2)
    masks = SlotDrawing(empty, empty.expand(1, 3, 1, 2, 2), claims, drawn).alpha_masks(16, 16)
    is_undecided = (masks > 0.05) & (masks < 0.95)
    assert is_undecided.float().mean() < 0.1


def test_every_frame_is_drawn_from_its_own_slots() -> None:
    decoder = tiny_slot_decoder()
    torch.testing.assert_close(
        decoder(slots(), 4, 4).latents[:, :, 1:], decoder(slots()[:, 1:], 4, 4).latents
    )


def test_bf16_slots_are_blended_in_float32() -> None:
    drawing = tiny_slot_decoder().bfloat16()(slots().bfloat16(), 4, 4)
    assert drawing.latents.dtype == drawing.rgb.dtype == torch.float32


def test_any_slot_can_stand_anywhere() -> None:
    drawing = SlotDecoder(latent_channels=4, slot_dim=16)(slots(), 5, 3)
    assert drawing.latents.shape[-2:] == (5, 3)


def two_colours(claims: torch.Tensor) -> SlotDrawing:
    """One frame of two slots, the first of which draws black everywhere and the second white."""
    side = claims.shape[-1]
    drawn = torch.stack([-torch.ones(3, side, side), torch.ones(3, side, side)])[None, None]
    empty = torch.zeros(1, 3, 1, side, side)
    return SlotDrawing(empty, empty, claims, drawn)


def test_pixel_goes_to_the_slot_that_draws_its_colour() -> None:
    clip = -torch.ones(1, 3, 1, 16, 16)
    clip[..., 8:] = 1
    masks = two_colours(torch.zeros(1, 1, 2, 4, 4)).posterior_masks(clip)
    assert (masks[0, 0, 0, :, :8] > 0.99).all()
    assert (masks[0, 0, 1, :, 8:] > 0.99).all()


def test_colour_that_no_slot_draws_leaves_the_claims_as_they_were() -> None:
    drawing = two_colours(torch.randn(1, 1, 2, 4, 4))
    grey = torch.zeros(1, 3, 1, 16, 16)
    torch.testing.assert_close(drawing.posterior_masks(grey), drawing.alpha_masks(16, 16))


def three_shades(num_frames: int) -> SlotDrawing:
    """Slots that draw black, white and grey everywhere and claim every pixel alike."""
    shades = torch.tensor([-1.0, 1.0, 0.0]).view(1, 1, 3, 1, 1, 1)
    drawn = shades.expand(1, num_frames, 3, 3, 16, 16)
    empty = torch.zeros(1, 3, num_frames, 16, 16)
    return SlotDrawing(empty, empty, torch.zeros(1, num_frames, 3, 16, 16), drawn)


def halves(num_frames: int) -> torch.Tensor:
    """A clip whose left half is black and whose right half is white."""
    clip = -torch.ones(1, 3, num_frames, 16, 16)
    clip[..., 8:] = 1
    return clip


@pytest.mark.parametrize("num_blended", [1, 2])  # of 256 pixels: less than a hundredth
def test_slot_that_is_never_there_gains_no_blended_pixel(num_blended: int) -> None:
    clip = halves(2)
    clip[..., 5 : 5 + num_blended, 8] = 0.1
    masks = three_shades(2).posterior_masks(clip)
    assert not masks[:, :, 2].any()
    assert (masks[:, :, 1, 5 : 5 + num_blended, 8] > 0.5).all()
    torch.testing.assert_close(masks.sum(dim=2), torch.ones(1, 2, 16, 16))


def test_slot_that_is_there_once_keeps_the_last_sliver_of_its_object() -> None:
    clip = halves(2)
    clip[:, :, 0, :, 6:10] = 0
    clip[:, :, 1, 5, 8] = 0
    masks = three_shades(2).posterior_masks(clip)
    assert (masks[0, 1, 2, 5, 8] > 0.5).all()


def test_posterior_shares_sum_to_one_in_every_frame() -> None:
    drawing = tiny_slot_decoder()(slots(), 4, 4)
    clip = torch.rand(2, 3, slots().shape[1], 20, 28) * 2 - 1
    masks = drawing.posterior_masks(clip[: len(slots())])
    torch.testing.assert_close(masks.sum(dim=2), torch.ones_like(masks[:, :, 0]))
    assert masks.shape[-2:] == (20, 28)
