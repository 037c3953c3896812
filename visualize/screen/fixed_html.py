"""Parts of the page whose template is a file of this package, and so never a person's text."""

from pathlib import Path
from typing import Any

import gradio as gr

FOLDER = Path(__file__).parent


def asset(name: str) -> str:
    """Return the text of a file of this package."""
    return (FOLDER / name).read_text(encoding="utf-8")


def fixed_html(name: str, **options: Any) -> gr.HTML:  # noqa: ANN401 - those of the component
    """Return a part of the page with the template and the script of its name.

    Args:
        name: Of both files, without ending.
        **options: Of the component, its value among them.

    Returns:
        The component; its template is fixed, so that no text of a person's is ever read as code.
    """
    return gr.HTML(
        html_template=asset(f"{name}.html"),
        js_on_load=asset(f"{name}.js"),
        apply_default_css=False,
        **options,
    )
