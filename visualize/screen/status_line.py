"""One line with a bar that says what is going on, and whether the server still answers."""

from pathlib import Path
from typing import Any

import gradio as gr

FOLDER = Path(__file__).parent


def asset(name: str) -> str:
    """Return the text of a file of this package."""
    return (FOLDER / name).read_text(encoding="utf-8")


def status_line(elem_id: str) -> gr.HTML:
    """Return the line.

    Args:
        elem_id: Of the component on the page.

    Returns:
        The component; its template is fixed, so that no text of a person's is ever read as code.
    """
    return gr.HTML(
        value=status(""),
        html_template=asset("status.html"),
        css_template=asset("status.css"),
        js_on_load=asset("status.js"),
        apply_default_css=False,
        elem_id=elem_id,
    )


def status(text: str, share: float | None = None, *, is_busy: bool = False) -> dict[str, Any]:
    """Return the value of the line.

    Args:
        text: One sentence.
        share: Of the job that is done.
        is_busy: Whether a job runs.

    Returns:
        The value.
    """
    return {"text": text, "share": share, "tone": "busy" if is_busy else "idle"}
