import importlib
import json
from pathlib import Path

import pytest

from benchmarks import __main__ as program
from benchmarks.settings import Settings


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Settings]]:
    """Note which suites would run, and run none."""
    names: list[tuple[str, Settings]] = []

    def run_apart(name: str, settings: Settings) -> dict[str, object]:
        names.append((name, settings))
        return {"tables": []}

    monkeypatch.setattr(program, "run_apart", run_apart)
    return names


def test_without_a_name_every_suite_runs(asked) -> None:
    assert program.main([]) == 0
    assert [name for name, _ in asked] == list(program.SUITES)


def test_options_reach_the_suite(asked, tmp_path: Path) -> None:
    words = ["decode", "--rounds", "3", "--threads", "2", "--peers", str(tmp_path)]
    program.main([*words, "--checkpoint", str(tmp_path)])
    assert asked == [("decode", Settings(3, 2, tmp_path, tmp_path))]


@pytest.mark.usefixtures("asked")
def test_results_are_kept_for_a_program(tmp_path: Path) -> None:
    program.main(["growth", "--json", str(tmp_path / "all.json")])
    assert json.loads((tmp_path / "all.json").read_text()) == {"growth": {"tables": []}}


def test_failed_suite_is_a_failure(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(program, "run_apart", lambda *_: None)
    assert program.main(["clip"]) == 1
    assert "clip failed" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0", "-1", "x"])
def test_rounds_that_are_no_number_are_refused(number, capsys) -> None:
    with pytest.raises(SystemExit):
        program.main(["clip", "--rounds", number])
    assert "--rounds" in capsys.readouterr().err


def test_help_names_every_suite_and_every_script(capsys) -> None:
    with pytest.raises(SystemExit):
        program.main(["--help"])
    text = capsys.readouterr().out
    for name in (*program.SUITES, *(f"benchmarks.{script}" for script in program.SCRIPTS)):
        assert f"  {name} " in text


@pytest.mark.parametrize("name", program.SUITES)
def test_every_suite_can_be_run(name) -> None:
    assert callable(importlib.import_module(f"benchmarks.{name}").run)
