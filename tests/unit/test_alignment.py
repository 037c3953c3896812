import pytest
import torch
from torch import Tensor

from olvdm.alignment import align_slots, slot_constancy, slot_correlation, slot_presence


def identities(order: list[list[int]], dim: int = 8) -> Tensor:
    """Return one clip whose frames show objects 0, 1, ... in these slots."""
    return torch.eye(dim)[torch.tensor(order)][None]


def aligned(order: list[list[int]], absent: tuple[tuple[int, int], ...] = ()) -> list[list[int]]:
    clip = identities(order)
    presence = torch.ones(clip.shape[:3], dtype=torch.bool)
    for frame, slot in absent:
        presence[0, frame, slot] = False
    return align_slots(slot_correlation(clip), presence)[0].tolist()


def test_correlation_of_a_slot_with_itself_is_one() -> None:
    found = slot_correlation(torch.randn(2, 3, 4, 8))
    torch.testing.assert_close(
        found.diagonal(dim1=1, dim2=2).diagonal(dim1=1, dim2=2), torch.ones(2, 3, 4)
    )


def test_correlation_is_the_cosine_of_two_slots() -> None:
    clip = torch.tensor([[[[1.0, 0.0]], [[1.0, 1.0]], [[-2.0, 0.0]]]])
    found = slot_correlation(clip)[0, :, :, 0, 0]
    half = 0.5**0.5
    wanted = torch.tensor([[1, half, -1], [half, 1, -half], [-1, -half, 1]])
    torch.testing.assert_close(found, wanted)


def test_correlation_reads_frames_first_then_slots() -> None:
    found = slot_correlation(identities([[0, 1], [1, 2]]))
    assert found[0, 0, 1].tolist() == [[0.0, 0.0], [1.0, 0.0]]  # slot 1 of frame 0 is slot 0 later


def constancy(order: list[list[int]], absent: tuple[tuple[int, int], ...] = ()) -> float:
    clip = identities(order)
    presence = torch.ones(clip.shape[:3], dtype=torch.bool)
    for frame, slot in absent:
        presence[0, frame, slot] = False
    return float(slot_constancy(slot_correlation(clip), presence))


def test_slots_that_keep_their_objects_are_constant() -> None:
    assert constancy([[0, 1, 2]] * 4) == pytest.approx(1)


def test_slot_that_becomes_another_object_is_a_mean_of_its_pairs_of_frames() -> None:
    # slot 0 is two frames one object and one frame another: of 3 pairs of frames 1 agrees
    assert constancy([[0, 1], [0, 1], [5, 1]]) == pytest.approx((1 / 3 + 1) / 2)


def test_swap_of_two_slots_is_not_constant_although_the_same_objects_are_there() -> None:
    assert constancy([[0, 1], [1, 0]]) == pytest.approx(0)


def test_object_that_hides_is_not_blamed_for_it() -> None:
    assert constancy([[0, 1], [7, 1], [0, 1]], absent=((1, 0),)) == pytest.approx(1)


def test_slots_that_are_never_there_do_not_count() -> None:
    absent = tuple((frame, 1) for frame in range(3))
    assert constancy([[0, 1], [0, 2], [0, 3]], absent=absent) == pytest.approx(1)


def test_single_frame_has_nothing_to_keep() -> None:
    assert constancy([[0, 1]]) == 1


def test_each_clip_of_a_batch_is_judged_alone() -> None:
    clips = torch.cat([identities([[0, 1], [0, 1]]), identities([[0, 1], [1, 0]])])
    there = torch.ones(clips.shape[:3], dtype=torch.bool)
    assert slot_constancy(slot_correlation(clips), there).tolist() == pytest.approx([1, 0])


def test_slots_that_stay_continue_themselves() -> None:
    assert aligned([[0, 1, 2]] * 3) == [[0, 1, 2]] * 3


def test_known_swap_is_found() -> None:
    assert aligned([[0, 1, 2], [1, 0, 2], [1, 2, 0]]) == [[0, 1, 2], [1, 0, 2], [2, 0, 1]]


def test_hidden_object_is_found_again() -> None:
    order = [[0, 1, 2], [0, 7, 2], [2, 0, 1]]
    assert aligned(order, absent=((1, 1),)) == [[0, 1, 2], [0, -1, 2], [1, 2, 0]]


def test_object_that_hides_for_long_is_found_again() -> None:
    order = [[0, 1], [0, 6], [0, 6], [0, 6], [1, 0]]
    absent = ((1, 1), (2, 1), (3, 1))
    assert aligned(order, absent=absent)[-1] == [1, 0]


def test_object_that_comes_late_begins_a_track_of_its_own() -> None:
    order = [[0, 7, 7], [0, 7, 3], [3, 7, 0]]
    absent = ((0, 1), (0, 2), (1, 1), (2, 1))
    assert aligned(order, absent=absent) == [[0, -1, -1], [0, -1, 2], [2, -1, 0]]


def test_newcomer_does_not_take_the_track_of_what_is_hidden() -> None:
    order = [[0, 1, 7], [0, 7, 7], [0, 7, 3], [0, 1, 3]]
    absent = ((0, 2), (1, 1), (1, 2), (2, 1))
    assert aligned(order, absent) == [[0, 1, -1], [0, -1, -1], [0, -1, 2], [0, 1, 2]]


def test_newcomer_in_the_slot_of_what_is_hidden_begins_another_track() -> None:
    order = [[0, 1, 7], [0, 7, 7], [0, 3, 7], [0, 3, 1]]
    absent = ((0, 2), (1, 1), (1, 2), (2, 2))
    assert aligned(order, absent) == [[0, 1, -1], [0, -1, -1], [0, -1, 1], [0, 2, 1]]


def test_newcomer_takes_a_lost_track_where_none_is_free() -> None:
    order = [[0, 1], [0, 7], [0, 3]]
    assert aligned(order, absent=((1, 1),)) == [[0, 1], [0, -1], [0, 1]]


def test_object_that_changes_without_hiding_keeps_its_track() -> None:
    order = [[0, 1, 7], [0, 3, 7]]
    assert aligned(order, absent=((0, 2), (1, 2))) == [[0, 1, -1], [0, 1, -1]]


def test_empty_clip_is_aligned_with_nothing() -> None:
    assert aligned([[0, 1]] * 2, absent=((0, 0), (0, 1), (1, 0), (1, 1))) == [[-1, -1]] * 2


def test_clips_of_a_batch_are_aligned_alone() -> None:
    clips = torch.cat([identities([[0, 1], [1, 0]]), identities([[0, 1], [0, 1]])])
    found = align_slots(slot_correlation(clips), torch.ones(2, 2, 2, dtype=torch.bool))
    assert found[:, 1].tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(("num_pixels", "is_there"), [(2, False), (3, True)])
def test_presence_begins_above_half_a_percent(num_pixels: int, is_there: bool) -> None:
    masks = torch.zeros(1, 1, 2, 20, 20)
    masks[0, 0, 1] = 1
    masks[0, 0, :, 0, :num_pixels] = torch.tensor([[1.0], [0.0]])
    assert slot_presence(masks)[0, 0].tolist() == [is_there, True]


def test_presence_carries_no_gradient() -> None:
    masks = torch.rand(1, 1, 2, 4, 4, requires_grad=True)
    assert not slot_presence(masks).requires_grad
