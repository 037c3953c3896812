import pytest
import torch
from torch import Tensor

from olvdm.frame_conditioning import (
    GivenLatents,
    encode_given_frames,
    nothing_given,
    sampling_windows,
)
from olvdm.video import clip_to_frames, frames_to_clip
from tests.tiny_networks import tiny_autoencoder


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def given(*places: int, num_frames: int = 4) -> GivenLatents:
    is_given = torch.zeros(1, num_frames, dtype=torch.bool)
    is_given[0, list(places)] = True
    return GivenLatents(noise(1, 2, num_frames, 3, 3), is_given)


def frames(clip: Tensor) -> Tensor:
    return torch.from_numpy(clip_to_frames(clip)[0])


@pytest.mark.parametrize("places", [(), (0,), (0, 1), (3,), (0, 3), (0, 1, 2, 3)])
def test_given_frames_are_clean_and_all_others_at_the_step_s_level(places: tuple[int, ...]) -> None:
    wanted = [0.0 if place in places else 625.5 for place in range(4)]
    assert given(*places).timesteps(625.5).tolist() == [wanted]


def test_given_latents_come_back_and_nothing_else_is_touched() -> None:
    known, latents = given(1), noise(1, 2, 4, 3, 3) + 5
    found = known.put_back(latents)
    assert torch.equal(found[:, :, 1], known.latents[:, :, 1])
    assert torch.equal(found[:, :, [0, 2, 3]], latents[:, :, [0, 2, 3]])


def test_putting_back_nothing_changes_nothing() -> None:
    latents = noise(1, 2, 4, 3, 3)
    assert torch.equal(nothing_given(latents).put_back(latents), latents)


def test_window_is_the_same_frames() -> None:
    part = given(1, 3).window(range(1, 3))
    assert part.is_given.tolist() == [[True, False]]
    assert torch.equal(part.latents, given().latents[:, :, 1:3])


def test_more_can_be_given_from_a_place_on() -> None:
    more = given(0).with_latents(torch.full((1, 2, 2, 3, 3), 7.0), start=2)
    assert more.is_given.tolist() == [[True, False, True, True]]
    assert (more.latents[:, :, 2:] == 7).all()


def test_giving_more_leaves_what_was_given_before_alone() -> None:
    before = given(0)
    before.with_latents(torch.full((1, 2, 2, 3, 3), 7.0), start=0)
    assert before.is_given.tolist() == [[True, False, False, False]]
    assert not (before.latents == 7).any()


def test_single_given_frame_stands_still_for_its_latent_frame(clip: Tensor) -> None:
    autoencoder = tiny_autoencoder()
    found = encode_given_frames(autoencoder, frames(clip)[2:3], [0], 4)
    shown = frames_to_clip(frames(clip))
    wanted = autoencoder.encode(shown[:, :, 2:3].repeat(1, 1, 2, 1, 1))
    assert found.is_given.tolist() == [[True, False, False, False]]
    torch.testing.assert_close(found.latents[:, :, :1], wanted)


def test_rows_of_given_frames_are_encoded_as_the_clip_that_they_are(clip: Tensor) -> None:
    autoencoder = tiny_autoencoder()
    found = encode_given_frames(autoencoder, frames(clip)[:4], range(4), 4)
    wanted = autoencoder.encode(frames_to_clip(frames(clip)[:4]))
    assert found.is_given.tolist() == [[True, True, False, False]]
    torch.testing.assert_close(found.latents[:, :, :2], wanted)


def test_row_that_ends_in_half_a_latent_frame_gives_that_one_as_a_still(clip: Tensor) -> None:
    autoencoder = tiny_autoencoder()
    found = encode_given_frames(autoencoder, frames(clip)[:3], range(3), 4)
    shown = frames_to_clip(frames(clip))
    still = autoencoder.encode(shown[:, :, 2:3].repeat(1, 1, 2, 1, 1))
    torch.testing.assert_close(found.latents[:, :, :1], autoencoder.encode(shown[:, :, :2]))
    torch.testing.assert_close(found.latents[:, :, 1:2], still)


def test_both_ends_are_encoded_alone(clip: Tensor) -> None:
    autoencoder = tiny_autoencoder()
    found = encode_given_frames(autoencoder, frames(clip)[[0, 7]], [0, 7], 4)
    last = frames_to_clip(frames(clip))[:, :, 7:].repeat(1, 1, 2, 1, 1)
    assert found.is_given.tolist() == [[True, False, False, True]]
    torch.testing.assert_close(found.latents[:, :, 3:], autoencoder.encode(last))


def test_what_is_not_given_is_zero(clip: Tensor) -> None:
    found = encode_given_frames(tiny_autoencoder(), frames(clip)[:1], [0], 4)
    assert not found.latents[:, :, 1:].any()


def test_clip_that_fits_is_drawn_at_once() -> None:
    assert sampling_windows(8, 8) == [range(8)]
    assert sampling_windows(5, 8) == [range(5)]


def test_long_clip_is_continued_by_half_windows() -> None:
    assert sampling_windows(17, 8) == [range(8), range(4, 12), range(8, 16), range(9, 17)]


@pytest.mark.parametrize(("num_frames", "window"), [(0, 8), (8, 0), (8, -1)])
def test_no_frames_or_no_window_is_refused(num_frames: int, window: int) -> None:
    with pytest.raises(ValueError, match=f"got {num_frames} and {window}"):
        sampling_windows(num_frames, window)


def test_frames_of_any_dtype_but_uint8_are_refused() -> None:
    with pytest.raises(Exception, match=r"uint8|UInt8"):
        encode_given_frames(tiny_autoencoder(), torch.zeros(1, 32, 32, 3), [0], 4)
