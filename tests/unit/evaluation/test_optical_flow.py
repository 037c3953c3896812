import numpy as np
import pytest

from olvdm.evaluation.optical_flow import estimate_flow, warp


def smooth_picture() -> np.ndarray:
    rows, columns = np.mgrid[:64, :80]
    wave = np.sin(rows / 5 + columns / 9) + np.sin(rows / -7 + columns / 4)
    return np.repeat((128 + 50 * wave).astype(np.uint8)[..., None], 3, axis=-1)


def test_flow_points_where_the_picture_goes() -> None:
    picture = smooth_picture()
    flow = estimate_flow(np.stack([picture[:, 8:72], picture[:, 5:69]]))
    assert np.median(flow.forward[0, 8:-8, 8:-8], axis=(0, 1)) == pytest.approx([3, 0], abs=0.1)


def test_flow_back_is_flow_of_the_clip_played_backwards() -> None:
    frames = np.stack([smooth_picture()[:, start : start + 64] for start in (0, 2, 5)])
    there, back = estimate_flow(frames), estimate_flow(frames[::-1].copy())
    np.testing.assert_array_equal(there.backward, back.forward[::-1])


def test_flow_does_not_hold_where_it_leaves_the_picture() -> None:
    picture = smooth_picture()
    flow = estimate_flow(np.stack([picture[:, 8:72], picture[:, :64]]))
    assert flow.forward_holds[0, :, :48].mean() > flow.forward_holds[0, :, -6:].mean() + 0.3


def test_no_flow_warps_to_the_same_image() -> None:
    image = smooth_picture().astype(np.float32)
    np.testing.assert_array_equal(warp(image, np.zeros((64, 80, 2), np.float32)), image)


def test_warping_reads_where_the_flow_leads() -> None:
    image = smooth_picture().astype(np.float32)
    flow = np.zeros((64, 80, 2), np.float32)
    flow[..., 0] = 2
    np.testing.assert_allclose(warp(image, flow)[:, :70], image[:, 2:72], atol=1e-3)


def test_one_frame_has_no_flow() -> None:
    with pytest.raises(ValueError, match="got 1"):
        estimate_flow(smooth_picture()[None])
