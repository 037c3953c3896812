from benchmarks.decode import run
from benchmarks.settings import Settings


def test_decoders_are_timed_and_what_has_no_picture_says_so(settings: Settings) -> None:
    decoders, times, ratios = run(settings, num_clips=1)
    ours, peer = decoders.rows
    assert isinstance(ours["PSNR, dB"], float)
    assert peer["PSNR, dB"] == "none: random weights"
    assert len(times.rows) == 4
    assert [row["ratio"] for row in ratios.rows] == [
        "AutoencoderTiny / ours, bf16",
        "AutoencoderTiny / ours, fp32",
    ]
