from pathlib import Path
from typing import Any

import pytest

from olvdm.errors import InputError
from olvdm.experiment.results import Interval, Results, load_results, save_results
from tests.example_results import example_results

GOLDEN = Path(__file__).parents[2] / "golden" / "results.json"


def saved(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "results.json"
    path.write_text(text, encoding="utf-8")
    return path


def test_results_are_read_back_equal(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    save_results(path, example_results())
    assert load_results(path) == example_results()


def test_the_form_of_the_file_is_frozen() -> None:
    assert load_results(GOLDEN) == example_results()


def test_a_row_is_found_by_its_name() -> None:
    assert example_results().row("corr").label == "OLVDM (corr)"


def test_what_was_found_holds_no_times() -> None:
    slower = tuple(
        one.model_copy(update={"seconds_per_step": 9.0}) for one in example_results().cost
    )
    assert (
        example_results().model_copy(update={"cost": slower}).found() == example_results().found()
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no results of format 1"),
        ("[]", "no results of format 1"),
        ('{"format": 2}', "at 'format'"),
        (example_results().model_dump_json().replace('"kind"', '"other"'), "at 'kind'|at 'other'"),
        (example_results().model_dump_json().replace("0.984375", "NaN"), "no results of format 1"),
        (example_results().model_dump_json().replace('"steps":[', '"steps":[0,'), "curves"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        load_results(saved(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"give a results\.json"):
        load_results(tmp_path / "results.json")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1"])
def test_numbers_that_json_cannot_carry_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="mean"):
        Interval(mean=value, low=0.0, high=1.0, count=1)


def test_every_measure_of_every_branch_is_described() -> None:
    results: Results = example_results()
    described = {measure.name for measure in results.measures}
    for row in results.rows:
        for branch in row.branches:
            assert branch.levels["simple"].measures.keys() <= described
