import csv
import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from olvdm.commands.record import finite
from olvdm.commands.tables import write_arrays, write_table
from olvdm.evaluation.inspection import Inspection
from tests.app_server import stored_clip

NUMBERS = st.floats() | st.integers() | st.text() | st.booleans() | st.none()
VALUES = st.recursive(NUMBERS, lambda one: st.lists(one) | st.dictionaries(st.text(), one))


@given(VALUES)
def test_any_value_becomes_json(value) -> None:
    made = finite(value)
    assert json.loads(json.dumps(made, allow_nan=False)) == made


def test_numbers_of_numpy_become_plain() -> None:
    assert finite({"a": np.float32(0.5), "b": [np.int64(3), np.bool_(True)]}) == {
        "a": 0.5,
        "b": [3, True],
    }


def test_what_a_row_lacks_is_empty(tmp_path) -> None:
    write_table(tmp_path / "a.csv", [{"x": 1, "y": float("nan")}, {"x": 2, "z": 3}])
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [{"x": "1", "y": "", "z": ""}, {"x": "2", "y": "", "z": "3"}]


def test_nameless_clip_keeps_the_names_of_its_arrays(tmp_path) -> None:
    write_arrays(tmp_path / "a.npz", {"": Inspection(**stored_clip(num_frames=2, side=8))})
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["frames"].shape == (2, 8, 8, 3)
