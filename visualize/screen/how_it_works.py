"""The tab that explains: text, the loss, words and limits."""

import gradio as gr

from visualize.screen import texts

FORMULAS = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "$", "right": "$", "display": False},
]


def build_how_it_works() -> None:
    """Lay the tab out; it has nothing to connect."""
    for text in (texts.HOW_IT_WORKS, texts.LOSS, texts.AFTER_LOSS):
        gr.Markdown(text, latex_delimiters=FORMULAS, elem_classes="prose-page")
