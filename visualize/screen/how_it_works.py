"""The tab that explains: text, the loss, words and limits."""

import gradio as gr

from visualize.screen.stage import asset

FORMULAS = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "$", "right": "$", "display": False},
]


def build_how_it_works() -> None:
    """Lay the tab out; it has nothing to connect."""
    gr.Markdown(asset("how_it_works.md"), latex_delimiters=FORMULAS, elem_classes="prose-page")
