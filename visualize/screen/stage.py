"""Two components with a fixed template, so that no text of a person's is ever read as code."""

from pathlib import Path
from typing import Any

import gradio as gr

FOLDER = Path(__file__).parent

STATUS_TEMPLATE = """
<div class="status" role="status" aria-live="polite" data-tone="idle">
  <div class="bar"><i></i></div><p></p>
</div>
"""
STATUS_STYLE = """
.status { min-height: 30px; font-size: 14px; color: var(--body-text-color-subdued); font-variant-numeric: tabular-nums; }
.status p { margin: 6px 0 0; overflow-wrap: anywhere; }
.status .bar { height: 4px; border-radius: 4px; background: var(--border-color-primary); overflow: hidden; visibility: hidden; }
.status[data-tone="busy"] .bar { visibility: visible; }
.status .bar i { display: block; height: 100%; width: 0; background: var(--color-accent); }
"""
STATUS_SCRIPT = """
const status = element.querySelector('.status');
const write = () => {
  const value = props.value;
  if (!value) return;
  status.dataset.tone = value.tone;
  status.querySelector('p').textContent = value.text;
  status.querySelector('i').style.width = Math.round(100 * (value.share || 0)) + '%';
};
watch('value', write);
write();
"""


class Stage(gr.HTML):
    """Clips, slots, correlation, curves and figures, driven by one frame number.

    Args:
        value: As `stage_value` makes it.
        **kwargs: Of every Gradio component.

    Ours: scrubbing and playing happen in the browser, a way to the server takes a tenth of a
    second.
    """

    def __init__(self, value: dict[str, Any] | None = None, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(
            value=value,
            html_template=(FOLDER / "stage.html").read_text(encoding="utf-8"),
            css_template=(FOLDER / "stage.css").read_text(encoding="utf-8"),
            js_on_load=(FOLDER / "stage.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            **kwargs,
        )

    def api_info(self) -> dict[str, Any]:
        """Describe the value to Gradio's own documentation."""
        return {"type": "object"}


class StatusLine(gr.HTML):
    """One line that says what is going on, with a bar.

    Args:
        value: As `status` makes it.
        **kwargs: Of every Gradio component.
    """

    def __init__(self, value: dict[str, Any] | None = None, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(
            value=value or status(""),
            html_template=STATUS_TEMPLATE,
            css_template=STATUS_STYLE,
            js_on_load=STATUS_SCRIPT,
            apply_default_css=False,
            **kwargs,
        )

    def api_info(self) -> dict[str, Any]:
        """Describe the value to Gradio's own documentation."""
        return {"type": "object"}


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
