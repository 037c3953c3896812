from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from olvdm.autoencoder import LOG_VARIANCE_RANGE, VideoAutoencoder
from tests.tiny_networks import tiny_autoencoder


def test_paper_s_factors_give_the_latents_their_size() -> None:
    autoencoder = VideoAutoencoder(
        spatial_factor=8, temporal_factor=4, latent_channels=3, widths=(4, 4, 4), num_blocks=1
    )
    assert autoencoder.encode(torch.zeros(2, 3, 8, 16, 24)).shape == (2, 3, 2, 2, 3)


@pytest.mark.parametrize(
    ("spatial_factor", "temporal_factor", "widths"),
    [
        (3, 1, (4, 4)),
        (4, 3, (4, 4)),
        (4, 4, (4, 4)),
        (4, 0, (4, 4)),
        (0, 1, (4, 4)),
        (-4, 1, (4, 4)),
        (1, 1, ()),
        (8, 2, (4, 4)),
        (4, 2, (4, 0)),
        (4, 2, (4, -4)),
    ],
)
def test_bad_factors_are_refused(
    spatial_factor: int, temporal_factor: int, widths: Sequence[int]
) -> None:
    with pytest.raises(ValueError, match=r"must be|got"):
        VideoAutoencoder(
            spatial_factor=spatial_factor, temporal_factor=temporal_factor, widths=widths
        )


@pytest.mark.parametrize("shape", [(3, 16, 16), (4, 15, 16), (4, 16, 18)])
def test_size_that_is_no_multiple_is_refused_with_its_numbers(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="x".join(map(str, shape))):
        tiny_autoencoder().encode(torch.zeros(1, 3, *shape))


def test_latents_are_standardised_by_the_stored_statistics(clip: Tensor) -> None:
    autoencoder = tiny_autoencoder()
    raw, _ = autoencoder.encode_moments(clip)
    mean = torch.tensor([0.1, -0.2, 0.3, 0.0]).view(1, -1, 1, 1, 1)
    std = torch.tensor([0.5, 1.5, 1.0, 2.0]).view(1, -1, 1, 1, 1)
    torch.testing.assert_close(autoencoder.encode(clip), (raw - mean) / std)


def test_decoding_takes_the_standardising_back(clip: Tensor) -> None:
    autoencoder = tiny_autoencoder()
    raw, _ = autoencoder.encode_moments(clip)
    torch.testing.assert_close(
        autoencoder.decode(autoencoder.standardise(raw)), autoencoder.decode_raw(raw)
    )


@pytest.mark.parametrize("positions_at_once", [1, 40, 10_000])
def test_decoding_in_chunks_is_decoding_at_once(
    positions_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("olvdm.autoencoder.POSITIONS_AT_ONCE", positions_at_once)
    autoencoder = tiny_autoencoder()
    latents = torch.randn(2, 4, 5, 4, 4, generator=torch.Generator().manual_seed(0))
    lengths = [chunk.shape[2] for chunk in autoencoder.decode_chunks(latents)]
    assert len(lengths) == {1: 5, 40: 3, 10_000: 1}[positions_at_once]
    whole = autoencoder.decode(latents)
    assert whole.requires_grad
    with torch.no_grad():
        torch.testing.assert_close(autoencoder.decode(latents), whole, atol=1e-6, rtol=1e-5)


def test_forward_is_encode_then_decode(clip: Tensor) -> None:
    autoencoder = tiny_autoencoder()
    assert torch.equal(autoencoder(clip), autoencoder.decode(autoencoder.encode(clip)))


def test_statistics_travel_in_the_settings(tmp_path: Path, clip: Tensor) -> None:
    autoencoder = tiny_autoencoder()
    autoencoder.set_latent_statistics([1.0, 2.0, 3.0, 4.0], [0.5, 0.6, 0.7, 0.8])
    autoencoder.save_pretrained(tmp_path)
    loaded = VideoAutoencoder.from_pretrained(tmp_path)
    assert isinstance(loaded, VideoAutoencoder)
    assert loaded.config["latents_mean"] == [1.0, 2.0, 3.0, 4.0]
    assert torch.equal(loaded.encode(clip), autoencoder.encode(clip))


def test_fresh_autoencoder_leaves_raw_latents_as_they_are(clip: Tensor) -> None:
    autoencoder = VideoAutoencoder(widths=(4, 4), num_blocks=1).eval()
    assert torch.equal(autoencoder.encode(clip), autoencoder.encode_moments(clip)[0])


@pytest.mark.parametrize(
    ("mean", "std"),
    [
        ([0.0] * 3, [1.0] * 4),
        ([0.0] * 4, [1.0] * 5),
        ([0.0] * 4, [1.0, 1.0, 1.0, 0.0]),
        ([0.0] * 4, [1.0, 1.0, 1.0, -1.0]),
        ([0.0] * 4, [1.0, 1.0, 1.0, float("nan")]),
        ([0.0] * 4, [1.0, 1.0, 1.0, float("inf")]),
        ([0.0, 0.0, 0.0, float("nan")], [1.0] * 4),
        ([0.0, 0.0, 0.0, float("inf")], [1.0] * 4),
    ],
)
def test_statistics_that_would_break_latents_are_refused(
    mean: list[float], std: list[float]
) -> None:
    with pytest.raises(ValueError, match=r"need 4 numbers|must be"):
        tiny_autoencoder().set_latent_statistics(mean, std)


def test_log_variance_stays_where_exp_is_finite(clip: Tensor) -> None:
    _, log_variance = tiny_autoencoder().encode_moments(1e6 * clip)
    low, high = LOG_VARIANCE_RANGE
    assert low <= log_variance.min()
    assert log_variance.max() <= high


def test_bf16_weights_give_about_the_same_clip(clip: Tensor) -> None:
    whole = tiny_autoencoder()
    wanted = whole(clip)
    found = whole.bfloat16()(clip.bfloat16()).float()
    assert (found - wanted).abs().mean() < 0.03 * wanted.abs().mean()
