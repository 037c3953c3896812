from itertools import pairwise

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from olvdm.frame_conditioning import GivenLatents, sampling_windows
from tests.tiny_networks import tiny_pipeline

LENGTHS, WINDOWS = st.integers(1, 200), st.integers(1, 40)
PIPELINE = tiny_pipeline()


@settings(max_examples=200)
@given(num_frames=LENGTHS, window=WINDOWS)
def test_windows_cover_every_length_exactly(num_frames: int, window: int) -> None:
    windows = sampling_windows(num_frames, window)
    assert windows[0].start == 0
    assert windows[-1].stop == num_frames
    assert {frame for one in windows for frame in one} == set(range(num_frames))


@settings(max_examples=200)
@given(num_frames=LENGTHS, window=WINDOWS)
def test_every_window_is_as_long_as_the_training_s(num_frames: int, window: int) -> None:
    lengths = {len(one) for one in sampling_windows(num_frames, window)}
    assert lengths == {min(window, num_frames)}


@settings(max_examples=200)
@given(num_frames=LENGTHS, window=st.integers(2, 40))
def test_every_window_goes_on_and_sees_half_of_the_one_before(num_frames: int, window: int) -> None:
    for first, second in pairwise(sampling_windows(num_frames, window)):
        assert second.stop > first.stop
        assert len(set(first) & set(second)) >= window - window // 2


@given(data=st.data(), num_frames=st.integers(1, 12), window=st.integers(1, 6))
def test_given_frames_survive_any_window(data: st.DataObject, num_frames: int, window: int) -> None:
    chosen = data.draw(st.lists(st.booleans(), min_size=num_frames, max_size=num_frames))
    given_latents = GivenLatents(torch.randn(1, 1, num_frames, 2, 2), torch.tensor([chosen]))
    for frames in sampling_windows(num_frames, window):
        part = given_latents.window(frames)
        back = part.put_back(torch.zeros(1, 1, len(frames), 2, 2))
        wanted = given_latents.latents[:, :, frames.start : frames.stop]
        assert torch.equal(back[:, :, part.is_given[0]], wanted[:, :, part.is_given[0]])
        assert not back[:, :, ~part.is_given[0]].any()


@settings(max_examples=12)
@given(num_frames=st.integers(1, 64))
def test_clip_has_exactly_the_frames_that_were_asked_for(num_frames: int) -> None:
    output = PIPELINE("a red circle", num_frames=num_frames, num_inference_steps=1)
    assert output.uint8_frames.shape == (1, num_frames, 32, 32, 3)
    assert output.slots.shape[:2] == output.assignment.shape[:2] == (1, num_frames)
