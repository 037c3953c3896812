"""Clips beside each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualize.comparison import arrange_clips, side_by_side


def clip_of(num_frames: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 200, (num_frames, height, width, 3), dtype=np.uint8)


def holds(page: np.ndarray, picture: np.ndarray) -> bool:
    corners = np.argwhere((page[:, :] == picture[0, 0]).all(axis=-1))
    height, width = picture.shape[:2]
    return any(
        np.array_equal(page[row : row + height, column : column + width], picture)
        for row, column in corners
    )


@given(
    sizes=st.tuples(*[st.integers(5, 40)] * 4),
    scale=st.integers(1, 2),
    title=st.text(max_size=20),
    has_counter=st.booleans(),
)
@settings(max_examples=15, deadline=None)
def test_sides_are_even_as_mp4_wants_them(
    sizes: tuple[int, ...], scale: int, title: str, has_counter: bool
) -> None:
    film = side_by_side(
        clip_of(2, *sizes[:2]),
        clip_of(2, *sizes[2:]),
        scale=scale,
        title=title,
        has_counter=has_counter,
    )
    assert film.shape[1] % 2 == film.shape[2] % 2 == 0


def test_both_clips_are_shown_pixel_by_pixel() -> None:
    first, second = clip_of(3, 20, 24, seed=1), clip_of(3, 20, 24, seed=2)
    film = side_by_side(first, second, ("LVDM", "OLVDM"), title="a red circle")
    assert holds(film[2], first[2])
    assert holds(film[2], second[2])


def test_smaller_clip_is_shown_whole() -> None:
    first, second = clip_of(1, 30, 40, seed=1), clip_of(1, 11, 13, seed=2)
    film = side_by_side(first, second)
    assert holds(film[0], first[0])
    assert holds(film[0], second[0])


def test_longer_clip_ends_with_the_shorter() -> None:
    assert len(side_by_side(clip_of(5, 16, 16), clip_of(3, 16, 16))) == 3


def test_counter_changes_from_frame_to_frame() -> None:
    still = np.full((2, 64, 64, 3), 90, np.uint8)
    counted = side_by_side(still, still)
    plain = side_by_side(still, still, has_counter=False)
    assert (counted[0] != counted[1]).any()
    np.testing.assert_array_equal(plain[0], plain[1])


def test_long_title_does_not_widen_the_page() -> None:
    clip = clip_of(1, 32, 32)
    long = side_by_side(clip, clip, title="a red circle " * 100_000)
    assert long.shape == side_by_side(clip, clip, title="a").shape


def test_table_shows_every_clip() -> None:
    clips = [[clip_of(1, 16, 16, seed) for seed in row] for row in ((1, 2), (3, 4))]
    page = arrange_clips(clips, ("LVDM", "OLVDM"), ("clip", "slots"))[0]
    assert all(holds(page, clip[0]) for row in clips for clip in row)


@pytest.mark.parametrize("clips", [[], [[clip_of(1, 8, 8)]]])
def test_row_without_a_clip_for_each_label_is_refused(clips: list[list[np.ndarray]]) -> None:
    with pytest.raises(ValueError, match="each of 2 labels"):
        arrange_clips(clips, ("A", "B"))
