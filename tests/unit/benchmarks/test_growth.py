import numpy as np
import pytest

from benchmarks.growth import Axis, exponent, run
from benchmarks.rounds import Measurement
from benchmarks.settings import Settings


def test_growth_has_an_exponent_a_network_and_axis(settings: Settings) -> None:
    times, exponents, windows = run(settings, frames=(4, 8), sides=(8, 16))
    assert len(times.rows) == 6  # 4x8x8 is on both axes
    sizes = [row["size"] for row in exponents.rows]
    assert sizes == ["frames 4 to 8", "frames 4 to 8", "H*W 8x8 to 16x16", "H*W 8x8 to 16x16"]
    assert [row["windows"] for row in windows.rows] == [1, 3]


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_exponent_is_that_of_the_times(power) -> None:
    axis = Axis("frames", [(1, count, 8, 8) for count in (8, 16, 32)])
    found = Measurement(is_wall=False)
    for shape in axis.shapes:
        found.cpu[f"ours, {shape[1]}x8x8"] = [3.0 * shape[1] ** power] * 2
    assert np.isclose(exponent(found, "ours", axis).median, power)
