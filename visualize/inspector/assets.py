"""The inspector's markup, style and script, joined from the files beside this one."""

from pathlib import Path

FOLDER = Path(__file__).parent
SCRIPTS = (
    "state",
    "decode",
    "plots",
    "players",
    "strip",
    "matrix",
    "pair",
    "words",
    "timeline",
    "curves",
    "verdict",
    "plain",
    "table",
    "paint",
    "transport",
    "slots",
    "denoising",
    "actions",
    "keys",
    "phases",
)


def template() -> str:
    """Return the markup; it holds no value, so no text of a person's is ever read as markup."""
    return _text("template.html")


def style() -> str:
    """Return the style sheet, whose rules all begin with the inspector's own class."""
    return _text("style.css")


def script(adapter: str) -> str:
    """Return the script with the way in which it meets its host.

    Args:
        adapter: "gradio", or "page" for a page of its own.

    Returns:
        Statements for the body of a function: nothing of theirs is global.

    Ours: several files, one a view, in one scope, because two inspectors live on one page and
    there is no build step.
    """
    parts = "\n".join(_text(f"script/{name}.js") for name in SCRIPTS)
    start = _text(f"script/adapter_{adapter}.js")
    return f"const startInspector = (host) => {{\n{parts}\n}};\n{start}"


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
