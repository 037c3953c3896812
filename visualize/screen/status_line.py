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


def status(text: str, share: float | None = None, *, job_id: str = "") -> dict[str, Any]:
    """Return the value of the line.

    Args:
        text: One sentence.
        share: Of the job that is done.
        job_id: Names the job that runs, so that a step that comes after its cancel is known; empty
            where none runs.

    Returns:
        The value.
    """
    tone = "busy" if job_id else "idle"
    return {"text": text, "share": share, "tone": tone, "job": job_id}
