"""Each view still looks as it did when somebody looked at it."""

import numpy as np
import pytest
from PIL import Image

from tests.golden.visualize.pictures import FOLDER, PICTURES


@pytest.mark.parametrize("name", PICTURES)
def test_picture_looks_as_approved(name: str) -> None:
    approved = np.asarray(Image.open(FOLDER / f"{name}.png").convert("RGB")).astype(int)
    drawn = PICTURES[name]().astype(int)
    assert drawn.shape == approved.shape
    difference = np.abs(drawn - approved).max(axis=-1)
    assert difference.mean() < 1
    assert (difference > 12).mean() < 0.03
