from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from olvdm.commands.films import comparison_film, in_palette_order
from olvdm.evaluation.inspection import Inspection
from tests.app_server import stored_clip


def clip(num_frames: int = 8, side: int = 32) -> Inspection:
    return Inspection(**stored_clip(num_frames=num_frames, side=side))


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 11).flatmap(lambda count: st.permutations(range(count + 2))))
def test_slots_are_only_renumbered(places) -> None:
    palette = tuple(places[:-2])
    masks = np.random.default_rng(0).random((2, len(palette), 3, 4), np.float32)
    ordered = in_palette_order(masks, palette)
    np.testing.assert_array_equal(ordered[:, list(palette)], masks)
    np.testing.assert_allclose(ordered.sum(axis=1), masks.sum(axis=1), rtol=1e-5)


def test_object_has_one_colour_on_both_sides() -> None:
    a, b = clip(), clip()
    swapped = replace(b, alpha_masks=b.alpha_masks[:, ::-1].copy(), background=1)
    same = comparison_film({"x": a, "y": a})
    np.testing.assert_array_equal(comparison_film({"x": a, "y": swapped}), same)


def test_frames_carry_their_number() -> None:
    still = clip()
    still.frames[:] = still.frames[0]
    still.alpha_masks[:] = still.alpha_masks[0]
    film = comparison_film({"x": still})
    assert len({frame.tobytes() for frame in film}) == len(film)


def test_film_ends_with_the_shorter_clip() -> None:
    assert len(comparison_film({"x": clip(8), "y": clip(10, 48)})) == 8
