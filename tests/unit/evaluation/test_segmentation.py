import numpy as np
import pytest

from olvdm.data.moving_shapes import COLOURS, MovingShapes
from olvdm.evaluation.segmentation import COLOUR_NAMES, segment_colours


def on_grey(patch: np.ndarray) -> np.ndarray:
    """Put one patch of 20 x 20 pixels on a grey clip, at another place in each frame."""
    frames = np.full((6, 64, 64, 3), (80, 78, 84), np.uint8)
    for number, frame in enumerate(frames):
        frame[20:40, 6 * number : 6 * number + 20] = patch
    return frames


def true_colours(clip) -> np.ndarray:
    names = [COLOUR_NAMES.index(one.colour) for one in clip.objects]
    return np.array([-1, *names])[clip.true_masks]


@pytest.mark.parametrize("name", COLOUR_NAMES)
def test_each_colour_is_told_by_its_name(name: str) -> None:
    labels = segment_colours(on_grey(np.full((20, 20, 3), COLOURS[name], np.uint8)))
    assert (labels[0, 20:40, :20] == COLOUR_NAMES.index(name)).all()


def test_the_background_is_no_colour() -> None:
    labels = segment_colours(on_grey(np.full((20, 20, 3), COLOURS["red"], np.uint8)))
    assert (labels >= 0).sum() == 6 * 400


@pytest.mark.parametrize(("share", "is_object"), [(0.4, False), (0.6, True)])
def test_an_edge_pixel_goes_to_the_larger_part(share: float, is_object: bool) -> None:
    patch = np.full((20, 20, 3), COLOURS["orange"], np.float32)
    patch[0] = share * patch[0] + (1 - share) * np.array([80, 78, 84])
    labels = segment_colours(on_grey(patch.astype(np.uint8)))
    assert (labels[0, 20, 4:16] >= 0).all() == is_object


@pytest.mark.parametrize("level", ["simple", "full"])
def test_labels_agree_with_the_truth(level: str) -> None:
    clips = list(MovingShapes(level, "test", 8))
    wrong = [(segment_colours(clip.frames) != true_colours(clip)).mean() for clip in clips]
    assert max(wrong) < 0.012


def test_an_object_that_never_moves_is_not_taken_for_background() -> None:
    still = on_grey(np.full((20, 20, 3), COLOURS["blue"], np.uint8))[[0] * 6]
    assert (segment_colours(still)[:, 20:40, :20] == COLOUR_NAMES.index("blue")).all()
