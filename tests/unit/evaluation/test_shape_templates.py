import math

import numpy as np
import pytest

from olvdm.data.moving_shapes import SHAPES
from olvdm.data.rendering import DISTANCES
from olvdm.evaluation.shape_templates import match_shapes


def silhouette(shape: str, radius: float, angle: float, offset: float) -> np.ndarray:
    """Draw a shape of the world on 40 x 40 pixels, as coarsely as a clip does."""
    y, x = (np.mgrid[:40, :40].astype(np.float32)[:, None] - 19.5 - offset) / radius
    cosine, sine = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    return DISTANCES[shape](x * cosine + y * sine, y * cosine - x * sine)[0] < 0


@pytest.mark.parametrize("offset", [0.0, 0.4])
@pytest.mark.parametrize("angle", [0.0, 0.4, 2.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_is_known_small_turned_and_off_the_grid(
    shape: str, angle: float, offset: float
) -> None:
    scores = match_shapes([silhouette(shape, 7.0, angle, offset)])
    assert SHAPES[int(scores.argmax())] == shape


def test_a_large_clean_shape_fits_its_template() -> None:
    assert match_shapes([silhouette("heart", 14.0, 0.0, 0.0)]).max() > 0.9


def test_views_are_averaged() -> None:
    views = [silhouette("star", 9.0, angle, 0.0) for angle in (0.0, 1.0)]
    expected = (match_shapes(views[:1]) + match_shapes(views[1:])) / 2
    np.testing.assert_allclose(match_shapes(views), expected, rtol=1e-5)
