"""One line with a bar that says what is going on, and whether the server still answers."""

from typing import Any

import gradio as gr

from visualize.screen import texts
from visualize.screen.fixed_html import asset, fixed_html


def status_line(elem_id: str) -> gr.HTML:
    """Return the line.

    Args:
        elem_id: Of the component on the page.

    Returns:
        The component; its template is fixed, so that no text of a person's is ever read as code.
    """
    css = asset("status.css")
    return fixed_html(
        "status",
        value=status(""),
        css_template=css,
        words={"queued": texts.QUEUED, "lost": texts.LOST},
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
