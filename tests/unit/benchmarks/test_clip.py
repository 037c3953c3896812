from benchmarks.clip import NUM_CANDIDATES, run
from benchmarks.settings import Settings


def test_clip_is_split_and_compared_at_matched_and_native_latents(settings: Settings) -> None:
    seconds, parts, times, ratios = run(settings, num_steps=2)
    assert {"threads", "noises", "CPU s", "wall s"} == seconds.rows[0].keys()
    assert [row["noises"] for row in seconds.rows][-1] == NUM_CANDIDATES
    names = [row["part"] for row in parts.rows]
    assert names == ["denoiser", "decode", "slots", "heatmap", "scheduler and the rest"]
    assert str(parts.rows[0]["made of"]).startswith("4 NFE x ")
    assert times.rows
    steps = [row["steps, theirs / ours"] for row in ratios.rows]
    assert steps == ["50 / 2"] * 4 + ["50 / 50"]
    references = [str(row["reference"]) for row in ratios.rows]
    assert ["matched" in one for one in references] == [True, False, True, False, True]
    assert any("extrapolated from 1 call" in note for note in ratios.notes)
