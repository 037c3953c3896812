import json
import sys

from benchmarks.settings import Settings
from benchmarks.suite import run_suite


def test_result_is_json_with_machine_settings_and_tables(
    settings: Settings, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])  # the suite adds the folder of the peers
    result = json.loads(json.dumps(run_suite("slots", settings)))
    assert result["settings"]["rounds"] == settings.rounds
    assert result["machine"]["threads"] == settings.threads
    assert capsys.readouterr().out.startswith("## slots\n\n" + result["machine"]["cpu"])
    assert [table["title"] for table in result["tables"]] == ["Slot attention"]
