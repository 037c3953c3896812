from benchmarks.denoiser import run
from benchmarks.settings import Settings


def test_denoiser_is_compared_in_both_dtypes_and_batches(settings: Settings) -> None:
    networks, times, ratios = run(settings)
    assert [row["network"] for row in networks.rows] == ["ours", "UNet3DConditionModel"]
    assert all(isinstance(row["parameters"], int) for row in networks.rows)
    assert networks.rows[1]["within 15 %"] == "**no**"  # the peer is as large as the shipped model
    assert any("LVDM's U-Net skipped" in note for note in networks.notes)
    assert len(times.rows) == 8
    assert {"CPU ms", "wall ms", "GFLOP", "share of the matmul"} <= times.rows[0].keys()
    assert [str(row["ratio"]) for row in ratios.rows[:2]] == [
        "UNet3DConditionModel / ours, bf16, batch 1",
        "UNet3DConditionModel / ours, bf16, batch 2",
    ]
    assert len(ratios.rows) == 6
