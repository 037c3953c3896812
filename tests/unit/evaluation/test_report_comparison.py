import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest

from olvdm.errors import InputError
from olvdm.evaluation.measures import MEASURES
from olvdm.evaluation.prompt_rows import PromptRow, RowStore
from olvdm.evaluation.protocol import rows_key
from olvdm.evaluation.report_comparison import Comparison, compare_reports, compare_rows

NUM_PROMPTS = 40


def make_rows(name: str = "warp_error", shift: float = 0.0, seed: int = 0) -> list[PromptRow]:
    """Return rows whose one measure is shifted; prompts differ far more than the shift."""
    rng = np.random.default_rng(0)
    jitter = np.random.default_rng(seed)
    rows: list[PromptRow] = []
    for index in range(NUM_PROMPTS):
        values = {measure.name: 5 + 3 * float(rng.random()) for measure in MEASURES}
        real = dict.fromkeys(values, 5.0)
        generated = {key: value + 0.01 * jitter.normal() for key, value in values.items()}
        generated[name] += shift
        rows.append(
            PromptRow(
                index=index,
                prompt=f"prompt {index}",
                noise_seed=index,
                frames_sha256="",
                seconds=1.0,
                generated=generated,
                real=real,
                thumbnail="",
                real_thumbnail="",
            )
        )
    return rows


def compared(name: str, shift: float) -> Comparison:
    comparisons = compare_rows(make_rows(), make_rows(name, shift, seed=1))
    return next(one for one in comparisons if one.measure.name == name)


def write_report(folder: Path, rows: list[PromptRow], **changes: object) -> Path:
    folder.mkdir()
    protocol = {
        "checkpoint": folder.name,
        "checkpoint_sha256": "0" * 64,
        "command": "olvdm evaluate",
        "level": "simple",
        "guidance_scale": 3.0,
        **changes,
    }
    store = RowStore(folder, rows_key(protocol))
    for row in rows:
        store.add(row)
    judge = {"may_judge": {"count": True, "colour": True, "shape": False, "direction": True}}
    report = {"format": 1, "protocol": protocol, "judge": judge, "generation": {}}
    (folder / "scores.json").write_text(json.dumps(report))
    return folder


def test_less_of_an_error_is_better() -> None:
    assert compared("warp_error", -0.1).verdict == "better"


def test_more_of_an_error_is_worse() -> None:
    assert compared("warp_error", 0.1).verdict == "worse"


def test_more_agreement_is_better() -> None:
    assert compared("colour", 0.1).verdict == "better"


def test_motion_away_from_the_real_clips_is_worse() -> None:
    assert compared("mean_flow", 0.1).verdict == "worse"


def test_a_difference_that_noise_explains_is_undecided() -> None:
    assert compared("warp_error", 0.0).verdict == "undecided"


def test_pairing_finds_a_shift_far_smaller_than_the_spread_of_prompts() -> None:
    assert compared("warp_error", -0.1).difference.mean == pytest.approx(-0.1, abs=0.01)


def test_equal_rows_differ_in_nothing() -> None:
    verdicts = {one.verdict for one in compare_rows(make_rows(), make_rows())}
    assert verdicts == {"undecided"}


def test_a_clip_that_cannot_be_measured_counts_for_neither() -> None:
    rows, others = make_rows(), make_rows()
    others[0].generated["area_drift"] = math.nan
    rows[0].generated["area_drift"] = 1e6
    found = {one.measure.name: one for one in compare_rows(rows, others)}
    assert found["area_drift"].first < 10


def test_a_swap_turns_better_into_worse() -> None:
    rows, others = make_rows(), make_rows("warp_error", -0.1, seed=1)
    found = {one.measure.name: one for one in compare_rows(others, rows)}
    assert found["warp_error"].verdict == "worse"


def test_the_report_says_plainly_what_is_better(tmp_path: Path) -> None:
    first = write_report(tmp_path / "lvdm", make_rows())
    second = write_report(tmp_path / "olvdm", make_rows("warp_error", -0.1))
    assert "- olvdm is better in: warp error." in compare_reports(first, second).as_markdown()


def test_an_attribute_that_the_judge_may_not_judge_is_left_out(tmp_path: Path) -> None:
    first = write_report(tmp_path / "lvdm", make_rows())
    second = write_report(tmp_path / "olvdm", make_rows())
    assert "shape agrees" not in compare_reports(first, second).as_markdown()


def test_prompts_that_only_one_has_drawn_are_left_out(tmp_path: Path) -> None:
    first = write_report(tmp_path / "lvdm", make_rows())
    second = write_report(tmp_path / "olvdm", make_rows()[:7])
    assert "\n7 prompts" in compare_reports(first, second).as_markdown()


def test_other_noise_is_no_pair(tmp_path: Path) -> None:
    moved = [dataclasses.replace(row, noise_seed=row.noise_seed + 1) for row in make_rows()]
    first = write_report(tmp_path / "lvdm", make_rows())
    second = write_report(tmp_path / "olvdm", moved)
    with pytest.raises(InputError, match="no prompt in common"):
        compare_reports(first, second)


def test_other_settings_are_refused(tmp_path: Path) -> None:
    first = write_report(tmp_path / "lvdm", make_rows())
    second = write_report(tmp_path / "olvdm", make_rows(), guidance_scale=1.0)
    with pytest.raises(InputError, match=r"differ in guidance_scale \(3.0 and 1.0\)"):
        compare_reports(first, second)


def test_setting_whose_effect_is_measured_may_differ(tmp_path: Path) -> None:
    first = write_report(tmp_path / "lvdm", make_rows())
    second = write_report(tmp_path / "olvdm", make_rows(), num_inference_steps=32)
    found = compare_reports(first, second, differing=["num_inference_steps"])
    assert f"\n{NUM_PROMPTS} prompts" in found.as_markdown()


def test_other_code_is_said(tmp_path: Path) -> None:
    first = write_report(tmp_path / "lvdm", make_rows(), code_sha256="1")
    second = write_report(tmp_path / "olvdm", make_rows(), code_sha256="2")
    assert "these differ: code_sha256" in compare_reports(first, second).as_markdown()


def test_a_missing_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        compare_reports(tmp_path, tmp_path)


def test_a_program_can_read_on_how_many_prompts_the_second_is_lower(tmp_path: Path) -> None:
    first = write_report(tmp_path / "lvdm", make_rows())
    second = write_report(tmp_path / "olvdm", make_rows("warp_error", -0.1))
    rows = {row["name"]: row for row in compare_reports(first, second).as_json()["measures"]}
    found = rows["warp_error"]
    assert found["num_lower"] == found["num_prompts"] == len(make_rows())
    assert found["difference"]["high"] < 0


def test_rows_of_more_prompts_than_a_report_is_of_are_not_compared(tmp_path: Path) -> None:
    first = write_report(tmp_path / "first", make_rows(), num_prompts=NUM_PROMPTS - 10)
    second = write_report(tmp_path / "second", make_rows(seed=1), num_prompts=NUM_PROMPTS)
    assert compare_reports(first, second).num_prompts == NUM_PROMPTS - 10
