"""The atlas gives back exactly what was packed."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from visualize.atlas import WEBP_MAX_SIDE, atlas_layout, decode_atlas, encode_atlas


@given(
    num_frames=st.integers(1, 9),
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    seed=st.integers(0, 99),
)
@settings(max_examples=25, deadline=None)
def test_clip_survives_packing_bit_for_bit(
    num_frames: int, height: int, width: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, (num_frames, height, width, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decode_atlas(encode_atlas(frames)), frames)


def test_frame_lies_in_the_cell_that_the_script_reads() -> None:
    frames = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 3, 3), np.uint8)
    atlas = encode_atlas(frames)
    picture = np.asarray(Image.open(io.BytesIO(atlas.data)).convert("RGB"))
    cells = [(2 * (t // atlas.columns), 3 * (t % atlas.columns)) for t in range(6)]
    assert [picture[cell][0] for cell in cells] == list(range(6))


@given(num_frames=st.integers(1, 300), height=st.integers(1, 900), width=st.integers(1, 900))
@settings(max_examples=30, deadline=None)
def test_grid_holds_every_frame_without_an_empty_row(
    num_frames: int, height: int, width: int
) -> None:
    columns, rows = atlas_layout(num_frames, height, width)
    assert columns * (rows - 1) < num_frames <= columns * rows
    assert max(columns * width, rows * height) <= WEBP_MAX_SIDE


def test_grid_is_nearly_square() -> None:
    assert atlas_layout(16, 64, 64) == (4, 4)


def test_clip_that_no_webp_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="16383 pixels"):
        atlas_layout(64, 4000, 4000)


def test_empty_clip_is_refused() -> None:
    with pytest.raises(ValueError, match="got 0 of"):
        encode_atlas(np.zeros((0, 4, 4, 3), np.uint8))


def test_moving_disc_of_16_frames_stays_small() -> None:
    rows, columns = np.mgrid[:64, :64]
    discs = [np.hypot(rows - 32, columns - 10 - 3 * t) < 8 for t in range(16)]
    frames = np.where(np.stack(discs)[..., None], (220, 50, 47), (40, 60, 80)).astype(np.uint8)
    assert len(encode_atlas(frames).data) < 8_000
