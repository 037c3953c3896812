import json

import numpy as np
import pytest
import torch

from olvdm.commands.record import (
    environment,
    frames_sha256,
    package_versions,
    read_record,
    write_record,
)
from olvdm.errors import InputError


def test_record_comes_back_equal(tmp_path) -> None:
    record = {"kind": "generation", "settings": {"seed": 3, "fps": 7.5}}
    write_record(tmp_path / "clip.json", record)
    assert read_record(tmp_path / "clip.json", "generation") == {"format": 1, **record}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '"generation"', '{"kind": "inspection"}', '{"kind": "generation"}', "[" * 9999],
)
def test_other_file_is_no_record(tmp_path, text) -> None:
    (tmp_path / "clip.json").write_text(text)
    with pytest.raises(InputError):
        read_record(tmp_path / "clip.json", "generation")


def test_record_may_not_hold_nan(tmp_path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_record(tmp_path / "clip.json", {"seconds": float("nan")})


def test_environment_is_json() -> None:
    assert json.loads(json.dumps(environment(torch.bfloat16)))["dtype"] == "bfloat16"


def test_missing_package_is_named_as_missing() -> None:
    assert package_versions(("no-such-package",)) == {"no-such-package": "not installed"}


def test_checksum_is_of_the_pixels_in_their_order() -> None:
    frames = np.arange(96, dtype=np.uint8).reshape(2, 4, 4, 3)
    mirrored = frames[:, :, ::-1]
    assert frames_sha256(mirrored[:, :, ::-1]) == frames_sha256(frames) != frames_sha256(mirrored)
