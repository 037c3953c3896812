import numpy as np
import pytest

from olvdm.evaluation import video_quality as quality
from olvdm.evaluation.optical_flow import estimate_flow


def noise(seed: int = 0, num_frames: int = 4, side: int = 24) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (num_frames, side, side, 3), np.uint8)


def scenery(height: int = 96, width: int = 96) -> np.ndarray:
    """A smooth random picture, which flow can follow."""
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / a + columns / b + a) for a, b in ((5, 9), (-7, 4), (11, 6), (3, -13))]
    picture = np.stack([waves[0] + waves[1], waves[1] + waves[2], waves[2] + waves[3]], axis=-1)
    return np.clip(128 + 50 * picture, 0, 255).astype(np.uint8)


def panning(num_frames: int = 8, step: int = 2, side: int = 64) -> np.ndarray:
    picture = scenery()
    return np.stack([picture[:side, step * t : step * t + side] for t in range(num_frames)])


def still(num_frames: int = 8) -> np.ndarray:
    return np.repeat(scenery()[None, :64, :64], num_frames, axis=0)


def halves(num_frames: int = 8, side: int = 64) -> np.ndarray:
    masks = np.zeros((num_frames, 2, side, side), np.float32)
    masks[:, 0, :, : side // 2] = 1
    masks[:, 1, :, side // 2 :] = 1
    return masks


def blinking_left() -> np.ndarray:
    frames = still()
    frames[::2, :, :32] = (frames[::2, :, :32] * 0.7).astype(np.uint8)
    return frames


def moving_mask(step: int = 2) -> np.ndarray:
    masks = np.zeros((8, 2, 64, 64), np.float32)
    rows, columns = np.mgrid[:64, :64]
    places = columns - step * np.arange(8)[:, None, None]
    masks[:, 1] = (np.abs(places - 16) < 8) & (np.abs(rows - 32) < 8)
    masks[:, 0] = 1 - masks[:, 1]
    return masks


def slow_ssim(first: np.ndarray, second: np.ndarray) -> float:
    """The equations of Wang et al. 2004, window by window."""
    ramp = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    weights = np.outer(ramp, ramp) / ramp.sum() ** 2
    scores = []
    for frame, colour in np.ndindex(len(first), 3):
        for y, x in np.ndindex(first.shape[1] - 10, first.shape[2] - 10):
            a = first[frame, y : y + 11, x : x + 11, colour].astype(float)
            b = second[frame, y : y + 11, x : x + 11, colour].astype(float)
            ma, mb = (weights * a).sum(), (weights * b).sum()
            va, vb = (weights * (a - ma) ** 2).sum(), (weights * (b - mb) ** 2).sum()
            cov = (weights * (a - ma) * (b - mb)).sum()
            c1, c2 = 2.55**2, 7.65**2
            top = (2 * ma * mb + c1) * (2 * cov + c2)
            scores.append(top / ((ma**2 + mb**2 + c1) * (va + vb + c2)))
    return float(np.mean(scores))


def test_psnr_of_a_known_error() -> None:
    black = np.zeros((1, 4, 4, 3), np.uint8)
    assert quality.psnr(black, black + 16) == pytest.approx(24.0485, abs=1e-3)


def test_psnr_of_equal_clips_is_a_number() -> None:
    assert quality.psnr(noise(), noise()) == 100.0


def test_psnr_does_not_wrap_around() -> None:
    black = np.zeros((1, 4, 4, 3), np.uint8)
    assert quality.psnr(black, black + 255) == pytest.approx(0)


def test_ssim_equals_the_equations() -> None:
    first = noise(0, num_frames=1, side=14)
    second = (first * 0.7 + noise(1, num_frames=1, side=14) * 0.3).astype(np.uint8)
    assert quality.ssim(first, second) == pytest.approx(slow_ssim(first, second), abs=1e-9)


def test_ssim_of_equal_clips_is_one() -> None:
    assert quality.ssim(noise(), noise()) == pytest.approx(1)


def test_ssim_refuses_frames_smaller_than_its_window() -> None:
    with pytest.raises(ValueError, match="got 10"):
        quality.ssim(noise(side=10), noise(side=10))


def test_flickering_is_the_formula_of_vbench() -> None:
    frames = noise()
    pairs = zip(frames.astype(float), frames[1:].astype(float), strict=False)
    expected = (255 - np.mean([np.abs(a - b).mean() for a, b in pairs])) / 255
    assert quality.score_video(frames).flickering == pytest.approx(expected, abs=1e-6)


def test_a_still_clip_does_not_flicker() -> None:
    scores = quality.score_video(still())
    assert (scores.flickering, scores.warp_error, scores.high_frequency) == (1, 0, 0)


def test_a_still_clip_does_not_move() -> None:
    scores = quality.score_video(still())
    assert (scores.mean_flow, scores.dynamic_degree, scores.track_length) == (0, 0, 0)


def test_a_pan_moves_as_far_as_it_does() -> None:
    assert quality.score_video(panning()).mean_flow == pytest.approx(2, abs=0.1)


def test_tracks_of_a_pan_add_up() -> None:
    assert quality.score_video(panning()).track_length == pytest.approx(14, abs=1)


def test_a_pan_is_dynamic() -> None:
    assert quality.score_video(panning()).dynamic_degree == 1


def test_a_slow_pan_at_many_frames_a_second_is_dynamic_once_thinned() -> None:
    frames = panning(num_frames=16, step=1)
    assert [quality.score_video(frames, fps=fps).dynamic_degree for fps in (8.0, 24.0)] == [0, 1]


def test_a_pan_costs_less_warp_error_than_plain_change() -> None:
    frames = panning()
    change = (np.diff(frames / 255, axis=0) ** 2).sum(axis=-1).mean()
    assert quality.score_video(frames).warp_error < 0.02 * change


def test_pixels_that_the_flow_loses_are_left_out_of_the_warp_error() -> None:
    frames = panning()
    error = quality.warp_error_map(frames, estimate_flow(frames))
    assert np.isnan(error).any()


def test_alternating_frames_are_all_high_frequency() -> None:
    frames = np.full((8, 4, 4, 3), 100, np.uint8)
    frames[1::2] = 140
    assert quality.high_frequency_map(frames).mean() == pytest.approx((20 / 255) ** 2, rel=0.15)


def test_a_slow_fade_has_no_high_frequency() -> None:
    frames = (
        np.full((16, 4, 4, 3), 1, np.uint8)
        * np.arange(60, 220, 10, dtype=np.uint8)[:, None, None, None]
    )
    assert quality.high_frequency_map(frames).mean() < 1e-5


def test_change_is_laid_at_the_slot_that_changes() -> None:
    change = quality.average_by_slot(quality.difference_map(blinking_left()), halves()[1:])
    assert (change[:, 0] > 0.05).all()
    assert (change[:, 1] == 0).all()


def test_an_absent_slot_has_no_score() -> None:
    masks = np.concatenate([halves(), np.zeros((8, 1, 64, 64), np.float32)], axis=1)
    assert np.isnan(quality.average_by_slot(quality.high_frequency_map(still()), masks)[:, 2]).all()


def test_flicker_is_laid_at_the_slot_that_flickers() -> None:
    flicker = quality.slot_flicker(blinking_left(), halves())[1:-1]
    assert (flicker[:, 0] > 10 * flicker[:, 1]).all()


def test_flicker_is_undefined_at_both_ends() -> None:
    flicker = quality.slot_flicker(blinking_left(), halves())
    assert np.flatnonzero(np.isnan(flicker).all(axis=1)).tolist() == [0, 7]


def test_a_steady_pan_hardly_flickers() -> None:
    pan = np.nanmean(quality.frame_flicker(panning()))
    assert pan < 0.1 * np.nanmean(quality.frame_flicker(blinking_left()))


def test_a_steady_fade_does_not_flicker() -> None:
    fade = (
        np.full((8, 64, 64, 3), 1, np.uint8)
        * np.arange(40, 200, 20, dtype=np.uint8)[:, None, None, None]
    )
    assert np.nanmax(quality.frame_flicker(fade)) < 0.001


def test_a_steadily_moving_mask_has_a_steady_area_and_shape() -> None:
    flicker = quality.measure_flicker(still(), moving_mask())
    assert np.nanmax(flicker.area + flicker.shape) < 1e-3


def test_a_mask_that_pulses_flickers_in_area() -> None:
    masks = moving_mask(step=0)
    masks[::2, 1, 24:26] = 0
    flicker = quality.measure_flicker(still(), masks)
    assert np.nanmin(flicker.area[1:-1, 1]) > 0.03


def test_a_mask_that_is_squeezed_flickers_in_shape_alone() -> None:
    masks = np.zeros((5, 1, 64, 64), np.float32)
    masks[::2, 0, 16:48, 24:40] = 1
    masks[1::2, 0, 24:40, 16:48] = 1
    flicker = quality.measure_flicker(still(5), masks)
    assert np.nanmin(flicker.shape) > 0.3
    assert np.nanmax(flicker.area) == 0


def test_a_slot_is_undefined_beside_frames_that_lack_it() -> None:
    masks = halves()
    masks[4, 0] = 0
    flicker = quality.slot_flicker(still(), masks)
    assert np.flatnonzero(np.isnan(flicker[:, 0])).tolist() == [0, 3, 4, 5, 7]


@pytest.mark.parametrize("num_frames", [1, 2])
def test_too_short_a_clip_has_no_flicker(num_frames: int) -> None:
    assert np.isnan(quality.frame_flicker(still(num_frames))).all()


def test_a_single_frame_does_not_move() -> None:
    assert quality.frame_motion(still(1)).tolist() == [0]


def test_motion_is_in_pixels_of_the_clip_whatever_its_size() -> None:
    frames = panning().repeat(4, axis=1).repeat(4, axis=2)
    assert quality.frame_motion(frames) == pytest.approx(8, abs=0.5)


def test_large_clips_are_measured_too() -> None:
    frames = blinking_left().repeat(4, axis=1).repeat(4, axis=2)
    masks = halves().repeat(4, axis=2).repeat(4, axis=3)
    assert quality.slot_flicker(frames, masks)[3, 0] > 0.05


def test_frames_of_a_few_pixels_are_measured_too() -> None:
    assert np.isfinite(quality.frame_motion(noise(side=3))).all()
