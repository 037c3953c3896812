from dataclasses import asdict

import numpy as np

from tests.unit.visualize.circles import make_world
from tests.unit.visualize.payloads import inspected
from visualize.inspected import InspectedClip, shared_palette


def recoloured(order: list[int]) -> InspectedClip:
    """Return the clip of discs with its slots in another order."""
    world = make_world()
    return inspected(world, alpha_masks=world.masks[:, order], background=order.index(0))


def test_inspection_gives_what_is_shown_and_no_more() -> None:
    found = asdict(inspected(make_world()))
    given = {key: found[key] for key in found if key not in ("name", "what", "scores")}
    clip = InspectedClip.of("A", "of a test", given | {"slots": np.zeros(3)}, {"loss": 0.5})
    assert (clip.name, clip.what, clip.scores) == ("A", "of a test", {"loss": 0.5})
    assert clip.num_slots == 4


def test_same_objects_have_the_same_colours_in_any_order() -> None:
    order = [2, 0, 3, 1]
    first, second = shared_palette([recoloured([0, 1, 2, 3]), recoloured(order)])
    assert [second[order.index(slot)] for slot in range(4)] == list(first)


def test_background_is_always_the_first_of_the_palette() -> None:
    palettes = shared_palette([recoloured([0, 1, 2, 3]), recoloured([3, 1, 0, 2])])
    assert palettes[0][0] == 0
    assert palettes[1][2] == 0


def test_object_that_the_first_clip_lacks_has_a_colour_of_its_own() -> None:
    winner = make_world().masks.argmax(axis=1)
    masks = (winner[:, None] == np.arange(4)[:, None, None]).astype(np.float32)
    looks = np.array([[30, 30, 30], [255, 0, 0], [0, 255, 0], [0, 0, 255]])
    others = np.array([[30, 30, 30], [255, 0, 0], [0, 255, 0], [255, 255, 255]])
    drawn = [np.einsum("tkhw,kc->thwc", masks, each).astype(np.uint8) for each in (looks, others)]
    clips = [inspected(make_world(), frames=each, alpha_masks=masks) for each in drawn]
    first, second = shared_palette(clips)
    assert len(set(second)) == len(second)
    assert set(second) - set(first)


def test_one_clip_counts_through() -> None:
    assert shared_palette([inspected(make_world())]) == [(0, 1, 2, 3)]
