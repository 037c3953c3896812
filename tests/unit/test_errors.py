from pathlib import Path

import numpy as np
import pytest

from olvdm.errors import (
    CheckpointError,
    InputError,
    VideoError,
    named,
    quoted_name,
    shown_value,
)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/secret/place/clip.mp4", "'clip.mp4'"),
        ("/secret/place/", "'place'"),
        ("a\nb.mp4", r"'a\nb.mp4'"),
        ("a\u202eb.mp4", r"'a\u202eb.mp4'"),
        ("a\udcffb.mp4", r"'a\udcffb.mp4'"),
        (f"{'n' * 300}.mp4", f"'{'n' * 40}...{'n' * 16}.mp4'"),
    ],
)
def test_name_is_shown_without_its_folders_on_one_short_line(path, shown) -> None:
    assert quoted_name(path) == shown


def test_working_folder_has_a_name_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    assert quoted_name(".") == "'mine'"


@pytest.mark.parametrize("kind", [InputError, VideoError, CheckpointError])
def test_refusal_is_named_and_keeps_its_kind(kind) -> None:
    with (
        pytest.raises(kind, match=r"^video 'a\.mp4': the file is empty$"),
        named("video", "x/a.mp4"),
    ):
        raise kind("The file is empty")


def test_programmers_mistake_is_left_as_it_is() -> None:
    with pytest.raises(ValueError, match=r"^257$"), named("video", "x/a.mp4"):
        raise ValueError("257")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "None"),
        (True, "True"),
        (-3, "-3"),
        (10**50, "a number of too many digits"),
        (float("nan"), "nan"),
        (np.int64(16), "16"),
        (np.float32(0.5), "0.5"),
        ("a\n\u7ea2", r"'a\n\u7ea2'"),
        ("x" * 50, f"'{'x' * 40}' and so on"),
        ([1], "a value of type list"),
        (np.zeros(3), "a value of type ndarray"),
    ],
)
def test_refused_value_is_shown_on_one_short_line(value: object, shown: str) -> None:
    assert shown_value(value) == shown


def test_number_that_python_will_not_print_is_no_failure() -> None:
    assert shown_value(10**5_000) == "a number of too many digits"
