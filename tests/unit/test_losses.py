"""Objectives; the table of method.md section 4 is rebuilt here, by signs and order."""

import math

import pytest
import torch
from torch import Tensor

from olvdm import losses
from olvdm.experiment.slot_sequences import (
    BATCH,
    DIM,
    FRAMES,
    SLOTS,
    TERMS,
    sequence_costs,
    slot_sequences,
)
from olvdm.losses import SLOT_LOSSES, appearance_drift, slot_loss, slot_usage

EVERYWHERE = torch.ones(BATCH, FRAMES, SLOTS, dtype=torch.bool)
ACCEPTED = 1e-6  # a false optimum: nothing is left to pay
SEQUENCES = slot_sequences()
COST, ANCHORED = sequence_costs().alone, sequence_costs().anchored


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def good() -> Tensor:
    return SEQUENCES["good"].clone()


def swapped() -> Tensor:
    return SEQUENCES["swapped"].clone()


def flickering() -> Tensor:
    return SEQUENCES["flickering"].clone()


@pytest.mark.parametrize("term", ["gram", "smooth", "l2"])
@pytest.mark.parametrize("sequence", ["collapsed", "index code", "frozen"])
def test_literal_readings_are_won_by_slots_that_never_change(sequence: str, term: str) -> None:
    assert COST[sequence, term] < ACCEPTED < COST["good", term]


@pytest.mark.parametrize("term", ["identity", "nce", "nce_batch", "corr"])
def test_collapse_is_rejected_by_whatever_tells_slots_apart(term: str) -> None:
    assert COST["collapsed", term] > 5 * COST["good", term] + 0.1


@pytest.mark.parametrize("term", ["identity", "gram", "smooth", "l2", "nce"])
def test_code_of_the_index_wins_all_that_sees_one_clip(term: str) -> None:
    assert COST["index code", term] <= COST["good", term] + 1e-3


@pytest.mark.parametrize("term", ["nce_batch", "corr"])
def test_code_of_the_index_is_rejected_by_negatives_of_other_clips(term: str) -> None:
    assert COST["index code", term] > 5 * COST["good", term] + 0.1


@pytest.mark.parametrize("term", TERMS)
def test_frozen_slots_are_rejected_by_nothing_that_sees_no_truth(term: str) -> None:
    assert COST["frozen", term] <= 1.2 * COST["good", term]


@pytest.mark.parametrize("term", TERMS)
def test_swap_in_mid_clip_costs_more_than_good_slots(term: str) -> None:
    assert COST["swapped", term] > 2 * COST["good", term]


@pytest.mark.parametrize("term", TERMS)
def test_flicker_costs_more_than_good_slots(term: str) -> None:
    assert COST["flickering", term] > 1.5 * COST["good", term]


@pytest.mark.parametrize("term", ["nce", "nce_batch"])
def test_contrast_hardly_sees_flicker(term: str) -> None:
    assert COST["flickering", term] < 0.3 * COST["swapped", term]


@pytest.mark.parametrize("term", ["gram", "l2"])
def test_literal_readings_see_flicker_better_than_a_swap(term: str) -> None:
    assert COST["flickering", term] > COST["swapped", term]


def test_collapse_costs_the_logarithm_of_the_number_of_candidates() -> None:
    assert COST["collapsed", "nce"] == pytest.approx(math.log(SLOTS), abs=1e-4)
    assert COST["collapsed", "nce_batch"] == pytest.approx(math.log(BATCH * SLOTS), abs=1e-4)
    assert COST["index code", "nce_batch"] == pytest.approx(math.log(BATCH), abs=0.01)


@pytest.mark.parametrize("sequence", [one for one in SEQUENCES if one != "good"])
def test_anchor_rejects_everything_but_the_clean_clip(sequence: str) -> None:
    assert ANCHORED["good", "anchored"] < ACCEPTED < ANCHORED[sequence, "anchored"]


@pytest.mark.parametrize("sequence", [one for one in SEQUENCES if one != "good"])
def test_default_mix_with_an_anchor_prefers_the_clean_clip(sequence: str) -> None:
    assert ANCHORED["good", "corr"] < ANCHORED[sequence, "corr"]


def test_default_mix_of_the_slots_stage_is_its_two_terms() -> None:
    wanted = 0.5 * COST["swapped", "nce_batch"] + 0.1 * COST["swapped", "gram"]
    assert COST["swapped", "corr"] == pytest.approx(wanted)


def test_default_mix_of_the_denoiser_stage_is_its_two_terms() -> None:
    wanted = ANCHORED["swapped", "anchored"] + 0.5 * COST["swapped", "gram"]
    assert ANCHORED["swapped", "corr"] == pytest.approx(wanted)


def test_anchor_gives_no_gradient_to_the_clean_clip() -> None:
    reference = good().requires_grad_()
    slots = swapped().requires_grad_()
    slot_loss("anchored", slots, EVERYWHERE, reference=reference).backward()
    assert reference.grad is None
    assert slots.grad is not None
    assert slots.grad.any()


def test_anchor_compares_frames_that_are_near_alone() -> None:
    slots = noise(0, 1, losses.WINDOW + 2, 2, 4)
    turned = slots.clone().requires_grad_()
    weights = torch.ones(1, losses.WINDOW + 2, 2)
    far = losses.slot_correlation(turned)[:, 0, -1].sum()
    near = losses.anchored_loss(turned, slots, weights)
    assert near.detach() < ACCEPTED
    assert far.requires_grad


def test_no_loss_is_zero() -> None:
    assert slot_loss("none", good(), EVERYWHERE) == 0


@pytest.mark.parametrize("term", [one for one in SLOT_LOSSES if one not in ("none", "anchored")])
def test_every_term_gives_a_gradient(term: str) -> None:
    slots = flickering().requires_grad_()
    slot_loss(term, slots, EVERYWHERE).backward()
    assert slots.grad is not None
    assert slots.grad.isfinite().all()
    assert slots.grad.any()


@pytest.mark.parametrize("term", [*SLOT_LOSSES])
def test_empty_slots_neither_pull_nor_push(term: str) -> None:
    presence = EVERYWHERE.clone()
    presence[:, :, 3:] = False
    changed = flickering()
    changed[:, :, 3:] = 7 * noise(9, BATCH, FRAMES, 2, DIM)
    costs = [
        slot_loss(term, slots, presence, reference=good()) for slots in (flickering(), changed)
    ]
    torch.testing.assert_close(costs[0], costs[1])


@pytest.mark.parametrize("term", [*SLOT_LOSSES])
def test_clip_without_any_slot_costs_nothing(term: str) -> None:
    slots = flickering().requires_grad_()
    loss = slot_loss(term, slots, ~EVERYWHERE, reference=good())
    assert loss.detach() == 0


@pytest.mark.parametrize("term", [*TERMS, "anchored"])
def test_frames_that_weigh_nothing_do_not_count(term: str) -> None:
    weights = torch.ones(BATCH, FRAMES)
    weights[:, 5:] = 0
    changed = swapped()
    changed[:, 5:] = noise(9, BATCH, 3, SLOTS, DIM)
    costs = [
        slot_loss(term, slots, EVERYWHERE, weights, reference=good())
        for slots in (swapped(), changed)
    ]
    torch.testing.assert_close(costs[0], costs[1])


def test_two_frames_are_enough() -> None:
    assert slot_loss("smooth", good()[:, :2], EVERYWHERE[:, :2]) == 0


@pytest.mark.parametrize("term", [*SLOT_LOSSES])
def test_one_frame_is_refused(term: str) -> None:
    with pytest.raises(ValueError, match="need at least two frames, got 1"):
        slot_loss(term, good()[:, :1], EVERYWHERE[:, :1], reference=good()[:, :1])


def test_unknown_term_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"one of none, l2, gram.*got 'grim'"):
        slot_loss("grim", good(), EVERYWHERE)


def test_anchor_without_a_clean_clip_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the identities of the clean clip"):
        slot_loss("anchored", good(), EVERYWHERE)


def test_perfect_reconstruction_costs_nothing(clip: Tensor) -> None:
    assert losses.reconstruction_loss(clip, clip) == 0


def test_reconstruction_pays_for_absolute_and_squared_error(clip: Tensor) -> None:
    assert float(losses.reconstruction_loss(clip + 0.5, clip)) == pytest.approx(0.75, abs=1e-5)


def test_still_error_is_no_flicker(clip: Tensor) -> None:
    assert float(losses.temporal_difference_loss(clip + 0.5, clip)) == pytest.approx(0, abs=1e-6)


def test_error_that_comes_and_goes_is_flicker(clip: Tensor) -> None:
    blinking = clip.clone()
    blinking[:, :, ::2] += 0.5
    assert float(losses.temporal_difference_loss(blinking, clip)) == pytest.approx(0.5, abs=1e-5)


def test_single_frame_cannot_flicker(clip: Tensor) -> None:
    assert losses.temporal_difference_loss(clip[:, :, :1] + 1, clip[:, :, :1]) == 0


def test_divergence_is_that_of_two_gaussians() -> None:
    mean, log_variance = noise(0, 1, 2, 3, 4, 5), noise(1, 1, 2, 3, 4, 5)
    found = losses.gaussian_divergence(mean, log_variance)
    wanted = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, (0.5 * log_variance).exp()),
        torch.distributions.Normal(0.0, 1.0),
    ).mean()
    torch.testing.assert_close(found, wanted)


def test_denoising_loss_can_be_absolute() -> None:
    target = noise(0, 2, 3, 4, 5, 5)
    nothing = torch.zeros(2, 4, dtype=torch.bool)
    found = [float(losses.denoising_loss(target + 3, target, nothing, one)) for one in ("l2", "l1")]
    assert found == pytest.approx([9, 3], rel=1e-5)


def test_given_frames_carry_no_loss() -> None:
    target = noise(0, 2, 3, 4, 5, 5)
    prediction = target.clone()
    is_given = torch.tensor([[True, False, False, True], [False, False, False, False]])
    prediction[0, :, [0, 3]] += 100
    assert losses.denoising_loss(prediction, target, is_given) == 0


def test_frames_to_draw_carry_the_whole_loss() -> None:
    target = noise(0, 1, 3, 4, 5, 5)
    is_given = torch.tensor([[True, True, True, False]])
    assert float(losses.denoising_loss(target + 2, target, is_given)) == pytest.approx(4, rel=1e-5)


def test_clip_that_is_given_whole_costs_nothing() -> None:
    target = noise(0, 1, 3, 2, 5, 5)
    assert losses.denoising_loss(target + 2, target, torch.ones(1, 2, dtype=torch.bool)) == 0


def test_pixels_with_one_owner_have_no_entropy() -> None:
    masks = torch.zeros(1, 2, 3, 4, 4)
    masks[:, :, 1] = 1
    assert float(losses.mask_entropy(masks)) == pytest.approx(0, abs=1e-6)


def test_pixels_that_all_share_have_the_entropy_of_a_die() -> None:
    masks = torch.full((1, 2, 3, 4, 4), 1 / 3)
    assert float(losses.mask_entropy(masks)) == pytest.approx(math.log(3), rel=1e-5)


def test_mean_of_nothing_is_zero_not_nan() -> None:
    assert losses.weighted_mean(torch.ones(3), torch.zeros(3)) == 0


def shares_of(*areas: float) -> Tensor:
    """Masks of one frame in which each slot holds that share of a hundred pixels."""
    masks = torch.zeros(1, 1, len(areas), 10, 10)
    owners = torch.repeat_interleave(torch.arange(len(areas)), torch.tensor(areas).mul(100).int())
    return (
        masks.view(1, 1, len(areas), 100).scatter(2, owners[None, None, None], 1.0).view_as(masks)
    )


def test_object_in_two_slots_costs_more_than_in_one() -> None:
    assert slot_usage(shares_of(0.8, 0.1, 0.1)) > slot_usage(shares_of(0.8, 0.2, 0.0)) + 0.05


def test_object_that_is_handed_over_half_way_costs_more_than_one_that_stays() -> None:
    first, second = shares_of(0.8, 0.2, 0.0), shares_of(0.8, 0.0, 0.2)
    handed = torch.cat([first, second], dim=1)
    stayed = torch.cat([first, first], dim=1)
    assert slot_usage(handed) > slot_usage(stayed) + 0.05


def test_slots_that_exchange_their_colours_drift() -> None:
    red, blue = torch.tensor([1.0, -1, -1]), torch.tensor([-1.0, -1, 1])
    kept = torch.stack([red, blue])[None, None].expand(1, 4, 2, 3)
    swapped = kept.clone()
    swapped[:, 2:] = kept[:, 2:].flip(2)
    is_there = torch.ones(1, 4, 2, dtype=torch.bool)
    assert appearance_drift(kept, is_there) == 0
    assert appearance_drift(swapped, is_there) > 0.5


def test_slot_that_is_absent_may_have_any_colour() -> None:
    colours = torch.randn(1, 5, 2, 3)
    assert appearance_drift(colours, torch.zeros(1, 5, 2, dtype=torch.bool)) == 0
