import pytest

from benchmarks.settings import Settings
from benchmarks.training import run
from olvdm.training import denoiser


def test_step_is_timed_with_slots_and_without(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(denoiser, "NUM_VALIDATION_CLIPS", 2)
    times, slots, networks = run(settings, batch=2)
    assert [row["case"] for row in times.rows][:2] == [
        "whole step without slots",
        "whole step with slots",
    ]
    assert {"what", "share (quartiles)", "goal", "matmul"} == slots.rows[0].keys()
    assert [row["latents"] for row in networks.rows] == ["4x4x8x8", "4x4x4x4"]
