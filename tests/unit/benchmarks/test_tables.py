import json

from benchmarks.rounds import Spread
from benchmarks.tables import Table

TABLE = Table("Times", [{"case": "ours", "ms": Spread(2.0, 1.0, 3.0), "share": 0.12345}], ["Cold."])


def test_people_read_markdown() -> None:
    assert TABLE.markdown() == (
        "### Times\n\n| case | ms | share |\n| --- | --- | --- |\n"
        "| ours | 2 (1 to 3) | 0.123 |\n\n- Cold.\n"
    )


def test_programs_read_numbers_that_nobody_rounded() -> None:
    assert json.loads(json.dumps(TABLE.as_json())) == {
        "title": "Times",
        "rows": [
            {"case": "ours", "ms": {"median": 2.0, "low": 1.0, "high": 3.0}, "share": 0.12345}
        ],
        "notes": ["Cold."],
    }


def test_what_was_skipped_is_a_table_of_notes() -> None:
    assert Table("Slots", [], ["Skipped."]).markdown() == "### Slots\n\n- Skipped.\n"
