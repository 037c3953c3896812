import hashlib
from pathlib import Path

import pytest

from olvdm.cli import main
from olvdm.experiment.results import Results, load_results, save_results
from tests.example_results import example_results
from tests.full_results import full_results


def report(results: Results, folder: Path, output: Path) -> int:
    """Write the page of some results."""
    folder.mkdir(exist_ok=True)
    save_results(folder / "input.json", results)
    return main(["report", str(folder / "input.json"), "--output", str(output)])


def checksums(folder: Path) -> dict[str, str]:
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.iterdir()}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a page of full results."""
    folder = tmp_path_factory.mktemp("report")
    assert report(full_results(), folder, folder / "docs") == 0
    return folder / "docs"


def test_every_figure_of_the_page_is_there_as_png_and_as_pdf(written) -> None:
    page = (written / "results.md").read_text(encoding="utf-8")
    pictures = {one.name for one in written.glob("results-*")}
    assert {one for one in pictures if f"({one})" not in page} == set()
    assert {one.stem for one in written.glob("*.png")} == {
        "results-curves",
        "results-examples-1",
        "results-examples-2",
        "results-examples-3",
        "results-forest-ood",
        "results-forest-simple",
        "results-losses",
    }


def test_json_beside_the_page_holds_what_follows_from_it(written) -> None:
    results = load_results(written / "results.json")
    assert results.summary is not None
    assert results.model_copy(update={"summary": None}) == full_results()


def test_page_that_is_written_again_from_its_own_json_has_the_same_bytes(written, tmp_path) -> None:
    assert main(["report", str(written / "results.json"), "--output", str(tmp_path)]) == 0
    assert checksums(tmp_path) == checksums(written)


def test_pictures_of_the_former_page_go(tmp_path) -> None:
    output = tmp_path / "docs"
    assert report(full_results(), tmp_path, output) == 0
    assert report(example_results(), tmp_path, output) == 0
    page = (output / "results.md").read_text(encoding="utf-8")
    assert {one.name for one in output.glob("results-*") if f"({one.name})" not in page} == set()


def test_files_that_no_report_wrote_stay(tmp_path) -> None:
    output = tmp_path / "docs"
    output.mkdir()
    analysis = "It pulls too little.\n\n![See](results-mine.png)\n"
    (output / "analysis.md").write_text(analysis, encoding="utf-8")
    for name in ("results-mine.png", "results-of-my-exam.pdf", "results-examples-9.png"):
        (output / name).write_bytes(b"mine")
    for _ in range(2):
        assert report(example_results(), tmp_path, output) == 0
    assert "It pulls too little." in (output / "results.md").read_text(encoding="utf-8")
    assert (output / "analysis.md").read_text(encoding="utf-8") == analysis
    assert [one.name for one in sorted(output.iterdir()) if one.read_bytes() == b"mine"] == [
        "results-examples-9.png",
        "results-mine.png",
        "results-of-my-exam.pdf",
    ]


def damaged_strip(results: Results) -> Results:
    example = results.examples[0]
    clip = example.clips[0].model_copy(update={"strip": "AAAA"})
    broken = example.model_copy(update={"clips": (clip, *example.clips[1:])})
    return results.model_copy(update={"examples": (broken,)})


def test_damaged_strip_is_refused_and_nothing_is_written(tmp_path, capsys) -> None:
    assert report(damaged_strip(full_results()), tmp_path, tmp_path / "docs") == 2
    assert "a strip of an example is damaged" in capsys.readouterr().err
    assert not (tmp_path / "docs").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no results of format 1"),
        (b"\xff\xfe", "no results of format 1"),
        (b'{"format": 2}', "no results of format 1"),
        (b"[" * 100_000, "no results of format 1"),
        (None, "cannot be read"),
    ],
)
def test_what_is_no_results_is_refused(tmp_path, capsys, content, reason) -> None:
    if content is not None:
        (tmp_path / "results.json").write_bytes(content)
    words = ["report", str(tmp_path / "results.json"), "--output", str(tmp_path / "docs")]
    assert main(words) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "docs").exists()


def test_analysis_that_is_no_text_is_refused(tmp_path, capsys) -> None:
    (tmp_path / "analysis.md").write_bytes(b"\xff\xfe\xff")
    assert report(example_results(), tmp_path, tmp_path) == 2
    assert "analysis.md is no UTF-8 text" in capsys.readouterr().err
    assert not (tmp_path / "results.md").exists()
