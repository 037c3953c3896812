import os

import pytest

from benchmarks.memory import Work, peak_mib, run
from benchmarks.settings import Settings


def test_peak_is_what_a_child_held_at_once() -> None:
    def hold() -> int:
        return sum(len(b"x" * (64 * 2**20)) for _ in range(3))

    assert peak_mib(Work("blocks", lambda: None, hold)) == pytest.approx(64, abs=4)


def test_child_that_dies_is_told() -> None:
    with pytest.raises(RuntimeError, match="without an answer"):
        peak_mib(Work("death", lambda: None, lambda: os._exit(1)))


def test_memory_has_clips_and_decodes(settings: Settings) -> None:
    (table,) = run(settings, large_side=32)
    names = [str(row["work"]) for row in table.rows]
    assert names[:2] == ["clip 8x32x32", "clip 8x32x32 and its slots"]
    assert [name for name in names[2:] if "decode" in name] == names[2:]
    assert all(isinstance(row["peak above weights, MiB"], float) for row in table.rows)
