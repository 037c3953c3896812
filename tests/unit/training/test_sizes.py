from dataclasses import replace

import pytest
import torch

from olvdm.autoencoder import VideoAutoencoder
from olvdm.errors import InputError
from olvdm.training.config import AutoencoderConfig
from olvdm.training.sizes import check_clip_size, fresh_network


def autoencoder(**settings: object) -> VideoAutoencoder:
    return fresh_network(VideoAutoencoder, "autoencoder", "widths or num_blocks", **settings)


def test_counting_changes_neither_weights_nor_random_state() -> None:
    torch.manual_seed(3)
    counted, after = autoencoder(widths=(8, 8)).state_dict(), torch.rand(1)
    torch.manual_seed(3)
    plain = VideoAutoencoder(widths=(8, 8)).state_dict()
    assert all(torch.equal(value, plain[name]) for name, value in counted.items())
    assert torch.equal(torch.rand(1), after)


def test_network_that_is_too_large_is_refused_before_it_takes_memory() -> None:
    sentence = (
        r"^the autoencoder would have [\d,]{13,} weights, at most 200,000,000 are allowed; lower "
        "widths or num_blocks$"
    )
    with pytest.raises(InputError, match=sentence):
        autoencoder(spatial_factor=8, widths=(4096, 4096, 4096), num_blocks=16)


def test_settings_that_do_not_fit_together_are_told_in_words() -> None:
    with pytest.raises(InputError, match="autoencoder's settings do not fit together: spatial_fac"):
        autoencoder(spatial_factor=3)


@pytest.mark.parametrize(("name", "value"), [("num_frames", 7), ("height", 65), ("width", 66)])
def test_clip_that_cannot_be_divided_is_refused_by_its_side(name: str, value: int) -> None:
    config = replace(AutoencoderConfig(), **{name: value})
    with pytest.raises(InputError, match=f"{name} must be a multiple of [24], got {value}"):
        check_clip_size(config, 2, 4)
