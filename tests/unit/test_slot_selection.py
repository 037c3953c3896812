import pytest
import torch
from torch import Tensor

from olvdm.alignment import slot_correlation
from olvdm.generation import SlotOutput
from olvdm.noise_schedule import EpsilonPrediction, FlowMatching
from olvdm.slot_encoder import SlotEncoder
from olvdm.slot_selection import SlotSelection, shows_enough

STEADY = [[0, 1, 2]] * 4
SWAPPED = [[0, 1, 2], [1, 0, 2], [0, 1, 2], [1, 0, 2]]
LOST = [[0, 1, 2], [0, 1, 2], [0, 4, 2], [0, 5, 2]]


def slots_of(order: list[list[int]]) -> SlotOutput:
    """Return the slots of a clip whose frames show objects 0, 1, ... in these slots."""
    slots = torch.eye(6)[torch.tensor(order)][None]
    batch, num_frames, num_slots, _ = slots.shape
    masks = torch.full((batch, num_frames, num_slots, 8, 8), 1 / num_slots)
    index = torch.arange(num_slots).expand(batch, num_frames, num_slots)
    return SlotOutput(
        slots=slots,
        attention_masks=masks,
        alpha_masks=masks,
        correlation=slot_correlation(slots),
        presence=torch.ones(batch, num_frames, num_slots, dtype=torch.bool),
        assignment=index,
    )


class KnownIdentities(SlotEncoder):
    """Slots that are their own identity vectors."""

    def identities(self, slots: Tensor) -> Tensor:
        return slots


def kept(*orders: list[list[int]], shuffled_by: torch.Generator | None = None) -> int:
    clips = [torch.full((1, 1, 1, 1, 1), float(number)) for number in range(len(orders))]

    def look(clip: Tensor) -> SlotOutput:
        return slots_of(orders[int(clip)])

    encoder = KnownIdentities(latent_channels=1)
    return SlotSelection(look, encoder, shuffled_by).steadiest(clips)


@pytest.mark.parametrize("worse", [SWAPPED, LOST])
def test_clip_whose_slots_keep_their_objects_is_kept(worse: list[list[int]]) -> None:
    assert kept(worse, STEADY) == 1
    assert kept(STEADY, worse) == 0


def test_of_equally_steady_clips_the_first_is_kept() -> None:
    assert kept(SWAPPED, STEADY, STEADY) == 1


def test_control_does_not_know_which_clip_keeps_its_objects() -> None:
    generator = torch.Generator().manual_seed(0)
    found = [kept(LOST, STEADY, shuffled_by=generator) for _ in range(40)]
    assert 5 < sum(found) < 35


def test_control_draws_the_same_order_from_the_same_generator() -> None:
    both = [
        [kept(LOST, STEADY, SWAPPED, shuffled_by=generator) for _ in range(8)]
        for generator in (torch.Generator().manual_seed(4), torch.Generator().manual_seed(4))
    ]
    assert both[0] == both[1]


@pytest.mark.parametrize(
    ("level", "is_enough"), [(1000.0, False), (923.0, False), (875.0, True), (0.0, True)]
)
def test_slots_are_asked_once_enough_of_the_clip_is_known(level: float, is_enough: bool) -> None:
    assert shows_enough(FlowMatching(), level) == is_enough


def test_enough_is_as_much_of_the_clip_whatever_the_schedule() -> None:
    schedule = EpsilonPrediction()
    assert not shows_enough(schedule, 981.0)
    assert shows_enough(schedule, 501.0)
