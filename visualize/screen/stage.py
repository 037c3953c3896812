"""Two components with a fixed template, so that no text of a person's is ever read as code."""

from pathlib import Path
from typing import Any

import gradio as gr

FOLDER = Path(__file__).parent


def asset(name: str) -> str:
    """Return the text of a file of this package."""
    return (FOLDER / name).read_text(encoding="utf-8")


def clip_stage(value: dict[str, Any], elem_id: str) -> gr.HTML:
    """Return clips, slots, correlation, curves and figures, driven by one frame number.

    Args:
        value: As `stage_value` makes it.
        elem_id: Of the component on the page.

    Returns:
        The component.

    Ours: scrubbing and playing happen in the browser, a way to the server takes a tenth of a
    second. No subclass, for which Gradio would write a file beside this one.
    """
    return gr.HTML(
        value=value,
        html_template=asset("stage.html"),
        css_template=asset("stage.css"),
        js_on_load=asset("stage.js"),
        apply_default_css=False,
        elem_id=elem_id,
    )


def status_line(elem_id: str) -> gr.HTML:
    """Return one line that says what is going on, with a bar.

    Args:
        elem_id: Of the component on the page.

    Returns:
        The component.
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
    """Return the value of a status line.

    Args:
        text: One sentence.
        share: Of the job that is done.
        is_busy: Whether a job runs.

    Returns:
        The value.
    """
    return {"text": text, "share": share, "tone": "busy" if is_busy else "idle"}
