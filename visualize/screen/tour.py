"""A short tour of the first tab: each step sets the inspector to what it tells of."""

from typing import Any

from visualize.screen import texts
from visualize.screen.fixed_html import fixed_html

# What each step sets the inspector to, and the part of it that it outlines.
STATES: tuple[tuple[dict[str, object], str], ...] = (
    ({"view": "side", "frame": 0, "slot": -1, "cell": None}, ".si-players"),
    ({"view": "side", "slot": 0, "cell": None}, ".si-players"),
    ({"slot": -1, "cell": None, "order": "slot", "matching": "raw"}, ".si-matrices"),
    ({"slot": -1, "cell": "object"}, ".si-two"),
    ({"slot": -1, "cell": None, "frame": "start"}, '[data-curve="flicker"]'),
    ({"slot": -1, "cell": None}, ".si-verdict"),
)


def build_tour() -> None:
    """Lay the card out; a button of the header opens it.

    Ours: `gr.Walkthrough` shows its steps at one place of the page and asks the server to turn
    them; this card stays in sight beside what it tells of, and works without a server.
    """
    fixed_html("tour", value=tour_value(), elem_id="tour")


def tour_value() -> dict[str, Any]:
    """Return steps and words of the tour, as JSON."""
    steps = [
        {"title": title, "text": text, "go": state, "look": look}
        for (title, text), (state, look) in zip(texts.TOUR_STEPS.items(), STATES, strict=True)
    ]
    return {"steps": steps, "words": texts.TOUR_WORDS}
