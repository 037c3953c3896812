"""The page of results: every number is one of its JSON, and no word says more than a verdict."""

import json
import re
from collections.abc import Iterator, Sequence

import pytest

from olvdm.errors import InputError
from olvdm.experiment.conclusions import summarise
from olvdm.experiment.report_page import check_names, render_page
from olvdm.experiment.results import Results, Row, load_results
from tests.contract.project import ROOT
from tests.example_results import example_results
from tests.full_results import full_results

NUMBER = re.compile(r"(?<![\w.])[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w]|\.\d)")
PUBLISHED = ROOT / "docs" / "results.json"
# Of any number of the JSON: as tables print it, as a change in percent, and as it stands there.
FORMS = ("{:.4g}", "{:+.1f}", "{:.1f}", "{:.0f}", "{:+.0f}", "{}")


def page_of(results: Results, analysis: str = "") -> str:
    return render_page(results, summarise(results), {}, analysis)


def numbers_of(value: object) -> Iterator[str]:
    """Return each number of a JSON value in every form in which the page may print it."""
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        for one in value:
            yield from numbers_of(one)
    elif isinstance(value, str):
        yield from NUMBER.findall(value)
    elif isinstance(value, int | float):
        yield from (form.format(value) for form in FORMS)


def strange_numbers(page: str, results: Results) -> set[str]:
    """Return the numbers of a page that its JSON does not hold."""
    whole = results.model_copy(update={"summary": summarise(results)})
    return set(NUMBER.findall(page)) - set(numbers_of(json.loads(whole.model_dump_json())))


@pytest.mark.parametrize("results", [full_results(), example_results()], ids=["full", "partial"])
def test_every_number_of_the_page_is_in_the_json(results: Results) -> None:
    assert strange_numbers(page_of(results), results) == set()


def test_number_that_is_not_in_the_json_is_seen() -> None:
    results = full_results()
    assert strange_numbers(page_of(results, "It gains 98.76 %."), results) == {"98.76"}


@pytest.mark.skipif(not PUBLISHED.exists(), reason="nothing is published yet")
def test_published_page_holds_no_number_of_its_own() -> None:
    page = PUBLISHED.with_suffix(".md").read_text(encoding="utf-8")
    assert strange_numbers(page, load_results(PUBLISHED)) == set()


@pytest.mark.skipif(not PUBLISHED.exists(), reason="nothing is published yet")
def test_published_pictures_are_there() -> None:
    page = PUBLISHED.with_suffix(".md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((results[^)]*)\)", page)
    assert links
    assert [link for link in links if not (PUBLISHED.parent / link).exists()] == []


def test_numbers_of_the_table_are_those_of_their_measure() -> None:
    results = full_results()
    change = summarise(results).changes["corr"]["simple"]["area_drift"]
    mean = results.row("corr").seeds["simple"].measures["area_drift"].mean
    line = next(one for one in page_of(results).splitlines() if one.startswith("| drift of area |"))
    assert f"{mean:.4g}" in line
    assert f"{change.percent:+.1f} % [{change.low:+.1f}, {change.high:+.1f}]" in line


def without_claims(row: Row) -> Row:
    """Return a row none of whose intervals leaves out 0."""
    branches = [
        one.model_copy(
            update={
                "levels": {
                    level: scores.model_copy(
                        update={
                            "paired": {
                                name: paired.model_copy(update={"verdict": "undecided"})
                                for name, paired in scores.paired.items()
                            }
                        }
                    )
                    for level, scores in one.levels.items()
                }
            }
        )
        for one in row.branches
    ]
    return row.model_copy(update={"branches": tuple(branches)})


def verdicts(page: str) -> Sequence[str]:
    return re.findall(r"(?:<br>|, |\| )(better|worse)\b(?= \||<br>|\))", page)


def test_no_verdict_no_claim() -> None:
    results = full_results()
    open_rows = tuple(without_claims(row) for row in results.rows)
    page = page_of(results.model_copy(update={"rows": open_rows}))
    assert verdicts(page) == []
    assert "- better in: nothing." in page
    assert "There is no gain whose vanishing" in page


def test_better_and_worse_are_said_alike() -> None:
    page = page_of(full_results())
    assert re.search(r"^- better in: .*drift of area \(-", page, re.MULTILINE)
    assert re.search(r"^- \*\*worse\*\* in: .*colour agrees \(-", page, re.MULTILINE)


def test_missed_aim_is_said_first() -> None:
    section = page_of(full_results()).split("## What was aimed at")[1]
    assert "**The aim is not reached.**" in section.split("|")[0]


def test_gain_of_the_control_is_told() -> None:
    results = full_results()
    gaining = results.row("corr").model_copy(update={"name": "shuffled", "label": "control"})
    rows = tuple(gaining if row.name == "shuffled" else row for row in results.rows)
    assert "shuffled slots gains too" in page_of(results.model_copy(update={"rows": rows}))


def test_row_that_was_not_run_is_listed_with_its_time() -> None:
    page = page_of(example_results())
    assert "| gram | 1 | 300 | 256 | - | 42.5 |" in page
    assert "It was not run to its end" in page


def test_what_is_not_in_the_results_is_left_out() -> None:
    page = page_of(example_results())
    assert "## Clips" not in page
    assert "## The slots themselves" not in page
    assert "## Analysis" not in page


def test_what_a_person_wrote_is_set_in() -> None:
    assert "## Analysis\n\nIt pulls.\n" in page_of(example_results(), "\nIt pulls.\n\n")


def test_label_neither_ends_a_cell_nor_starts_markup() -> None:
    results = full_results()
    wild = results.row("gram").model_copy(update={"label": "a | b\n<b>"})
    rows = tuple(wild if row.name == "gram" else row for row in results.rows)
    assert "a \\| b &lt;b>" in page_of(results.model_copy(update={"rows": rows}))


@pytest.mark.parametrize("name", ["reference", "default"])
def test_unknown_row_is_refused(name: str) -> None:
    results = example_results()
    protocol = results.protocol.model_copy(update={name: "ours"})
    with pytest.raises(InputError, match="a row 'ours' that they do not hold"):
        check_names(results.model_copy(update={"protocol": protocol}))


def test_row_that_stands_twice_is_refused() -> None:
    results = example_results()
    with pytest.raises(InputError, match="a row twice"):
        check_names(results.model_copy(update={"rows": (*results.rows, results.rows[0])}))
