import pytest
import torch
from torch import Tensor

from olvdm.alignment import slot_correlation
from olvdm.generation import SlotOutput
from olvdm.noise_schedule import EpsilonPrediction, FlowMatching
from olvdm.slot_encoder import SlotEncoder
from olvdm.slot_selection import STEADY_ENOUGH, SlotSelection, shows_enough

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


def constancy(order: list[list[int]], candidate: int = 0, shuffles: bool = False) -> float:
    selection = SlotSelection(
        lambda _: slots_of(order), KnownIdentities(latent_channels=1), shuffles
    )
    return selection.constancy(torch.zeros(1, 1, 1, 1, 1), candidate)


@pytest.mark.parametrize("worse", [SWAPPED, LOST])
def test_clip_whose_slots_keep_their_objects_is_steady(worse: list[list[int]]) -> None:
    assert constancy(STEADY) == pytest.approx(1)
    assert constancy(worse) < STEADY_ENOUGH


def test_control_does_not_know_which_clip_keeps_its_objects() -> None:
    pairs = [
        (constancy(STEADY, 2 * seed, shuffles=True), constancy(LOST, 2 * seed + 1, shuffles=True))
        for seed in range(40)
    ]
    assert max(steady for steady, _ in pairs) < STEADY_ENOUGH
    assert 0 < sum(lost > steady for steady, lost in pairs) < 40


def test_control_draws_its_order_from_the_number_of_the_noise_alone() -> None:
    found = [constancy(STEADY, number, shuffles=True) for number in (0, 1, 0, 1)]
    assert found[:2] == found[2:]
    assert found[0] != found[1]


@pytest.mark.parametrize(
    ("level", "is_enough"), [(1000.0, False), (923.0, False), (875.0, True), (0.0, True)]
)
def test_slots_are_asked_once_enough_of_the_clip_is_known(level: float, is_enough: bool) -> None:
    assert shows_enough(FlowMatching(), level) == is_enough


def test_enough_is_as_much_of_the_clip_whatever_the_schedule() -> None:
    schedule = EpsilonPrediction()
    assert not shows_enough(schedule, 981.0)
    assert shows_enough(schedule, 501.0)
