"""A result as one file that opens from the disk: the same inspector, its data inside."""

import base64
import hashlib
import html
import json
from dataclasses import dataclass

from visualize.inspector.assets import script, style, template
from visualize.payload import Payload

_TITLE = "OLVDM: clips and their slots"
_NOTEBOOK_HEIGHT = 860  # pixels: the clips and their controls; the rest is scrolled to
_PAGE_STYLE = """
:root { color-scheme: light dark; --body-text-color: #1e2230; --body-text-color-subdued: #565d70;
  --background-fill-primary: #ffffff; --background-fill-secondary: #f6f7fa;
  --border-color-primary: #e0e3ea; --color-accent: #4f46e5; }
@media (prefers-color-scheme: dark) { :root { --body-text-color: #eceef4;
  --body-text-color-subdued: #a9b0c0; --background-fill-primary: #0e1117;
  --background-fill-secondary: #171b24; --border-color-primary: #2b313d;
  --color-accent: #8b8af8; } }
body { margin: 0; background: var(--background-fill-primary); color: var(--body-text-color);
  font-family: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 20px 28px 48px; }
main > h1 { font-size: 15px; font-weight: 600; margin: 0 0 12px;
  color: var(--body-text-color-subdued); }
@media (max-width: 640px) { main { padding: 14px 12px 32px; } }
"""


@dataclass(frozen=True)
class Report:
    """A result that a notebook shows in full where it is the last line of a cell.

    Attributes:
        payload: The result, such as `olvdm.commands.pages.report_payload` makes of inspections.

    Ours: an inner page of its own, so that neither the notebook's style nor its other cells meet
    the inspector, and so that a saved notebook still shows it.
    """

    payload: Payload

    def _repr_html_(self) -> str:
        page = html.escape(report_html(self.payload))
        return (
            f'<iframe title="{_TITLE}" sandbox="allow-scripts" srcdoc="{page}"'
            f' style="width: 100%; height: {_NOTEBOOK_HEIGHT}px; border: 0"></iframe>'
        )


def report_html(payload: Payload) -> str:
    """Return a page that shows a result without any server.

    Args:
        payload: The result.

    Returns:
        One HTML file. It may load nothing and call nobody, which its own policy forbids.

    Ours: a result that can be mailed, and that still opens when the app is long gone.
    """
    code = f"(() => {{\n{script('page')}}})();"
    look = _PAGE_STYLE + style()
    policy = (
        f"default-src 'none'; img-src data: blob:; script-src '{_digest(code)}';"
        f" style-src '{_digest(look)}'; base-uri 'none'; form-action 'none'"
    )
    data = json.dumps(payload.as_json(), allow_nan=False, separators=(",", ":"))
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_TITLE}</title>",
            f"<style>{look}</style></head>",
            f"<body><main><h1>{_TITLE}</h1>{template()}</main>",
            f'<script type="application/json" id="slot-inspector-value">{_inert(data)}</script>',
            f"<script>{code}</script></body></html>",
        )
    )


def _inert(data: str) -> str:
    """Return JSON in which no text can end the script that holds it."""
    return data.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
