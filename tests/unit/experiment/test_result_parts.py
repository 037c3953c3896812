import base64
import io

import numpy as np
import pytest
from PIL import Image

from olvdm.errors import InputError
from olvdm.experiment.result_parts import pack_strip, unpack_strip

FRAMES = np.random.default_rng(0).integers(0, 256, (4, 16, 24, 3), dtype=np.uint8)


def picture(width: int, height: int, kind: str = "png") -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, kind)
    return base64.b64encode(buffer.getvalue()).decode()


def test_frames_come_back_pixel_by_pixel() -> None:
    np.testing.assert_array_equal(unpack_strip(pack_strip(FRAMES), 4), FRAMES)


@pytest.mark.parametrize(
    "strip",
    [
        "",
        "no base64!",
        base64.b64encode(b"no picture").decode(),
        pack_strip(FRAMES)[: len(pack_strip(FRAMES)) // 2],
        picture(64, 16, "gif"),
    ],
)
def test_damaged_strip_is_refused(strip: str) -> None:
    with pytest.raises(InputError, match="damaged"):
        unpack_strip(strip, 4)


@pytest.mark.parametrize(("width", "height"), [(65, 16), (16, 16), (64, 4), (9_000, 16)])
def test_strip_of_other_frames_is_refused(width: int, height: int) -> None:
    with pytest.raises(InputError, match=f"{width} x {height} pixels"):
        unpack_strip(picture(width, height), 4)
