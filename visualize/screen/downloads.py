"""A row below an inspector from which everything on the screen can be taken away."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from visualize.screen import texts
from visualize.screen.jobs import AS_SENT, LIGHT

Exporter = Callable[[object, object], Path]

# Gradio's button downloads only what was there before the click, so a hidden one is clicked.
CLICK = "() => document.querySelector('#{elem_id} a, a#{elem_id}, button#{elem_id}').click()"


def refuse_blind(run_id: object) -> None:
    """Refuse to make anything of a run that nobody may know; it has no name, like no run at all."""
    if run_id == "":
        raise gr.Error(texts.NOTHING_TO_TAKE, print_exception=False)


def build_downloads(
    export: Exporter, run_id: gr.State, name: str, explained: Callable[..., Any]
) -> None:
    """Lay the row out and connect it.

    Args:
        export: Called with the run's name and the kind of file, both unchecked; returns the file.
        run_id: Of the run on the screen.
        name: Begins the ids of the components.
        explained: Wraps a handler so that its failures are told in words.
    """
    with gr.Row(elem_id=f"{name}-downloads", equal_height=True):
        kind = gr.Dropdown(
            list(texts.EXPORTS.items()),
            value="report",
            label=texts.EXPORT,
            show_label=False,
            container=False,
            scale=3,
            min_width=220,
            elem_id=f"{name}-kind",
        )
        take = gr.Button(texts.DOWNLOAD, scale=1, min_width=120, elem_id=f"{name}-download")
        hidden = gr.DownloadButton(visible="hidden", elem_id=f"{name}-file")

    @explained
    def on_take(run: object, wanted: object) -> Iterator[str]:
        refuse_blind(run)
        yield str(export(run, wanted))

    take.click(on_take, [run_id, kind], hidden, **AS_SENT, **LIGHT).success(
        None, js=CLICK.format(elem_id=f"{name}-file"), api_visibility="private"
    )
