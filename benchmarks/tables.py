"""Tables of results: Markdown for people, the same rows as JSON for programs."""

from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.rounds import Spread


@dataclass(frozen=True)
class Table:
    """Rows that share their columns, and what has to be said of them.

    Attributes:
        title: What is compared.
        rows: A value for every column.
        notes: Sentences below the table.
    """

    title: str
    rows: list[dict[str, object]]
    notes: list[str]

    def markdown(self) -> str:
        """Return the table as a person reads it."""
        lines = [f"### {self.title}", ""]
        if self.rows:
            names = list(self.rows[0])
            lines += [_line(names), _line(["---"] * len(names))]
            lines += [_line([_text(row[name]) for name in names]) for row in self.rows]
            lines.append("")
        lines += [f"- {note}" for note in self.notes]
        return "\n".join(lines).rstrip() + "\n"

    def as_json(self) -> dict[str, Any]:
        """Return the table as a program reads it, every number unrounded."""
        rows = [{name: _plain(value) for name, value in row.items()} for row in self.rows]
        return {"title": self.title, "rows": rows, "notes": self.notes}


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _plain(value: object) -> object:
    return asdict(value) if isinstance(value, Spread) else value
