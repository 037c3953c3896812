"""The whole page: header, banner and tabs."""

import html
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from visualize.screen import texts
from visualize.screen.api import ApiServices, build_api
from visualize.screen.compare import CompareServices, build_compare, open_link
from visualize.screen.fixed_html import asset
from visualize.screen.how_it_works import build_how_it_works
from visualize.screen.inspect_clip import InspectServices, build_inspect
from visualize.screen.pins import connect_pins
from visualize.screen.runs import RunsServices, build_runs
from visualize.screen.tour import build_tour

HEAD = """
const listen = (name, action) => element.querySelector(name).addEventListener('click', action);
listen('.shade-button', () => document.body.classList.toggle('dark'));
listen('.tour-button', ({ target }) => {
  target.dispatchEvent(new CustomEvent('olvdm-tour', { bubbles: true }));
});
"""


class Page(gr.Blocks):
    """A page that tells of every failure in words, and whose log holds nothing that was sent.

    Args:
        words_of: Says what a person is told of a failure.
        **kwargs: As for every page of Gradio.

    Ours: what fails before or after a handler, such as a forged file, Gradio writes into the log
    with the values that were sent, and answers with nothing. It would also fetch a file from any
    address of the network.
    """

    def __init__(self, words_of: Callable[[Exception], str], **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(**kwargs)
        self._words_of = words_of

    async def preprocess_data(
        self,
        block_fn: Any,  # noqa: ANN401 - as Gradio has them
        inputs: list[Any],
        *args: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Read the arguments of a handler, or refuse them."""
        try:
            if _names_url(inputs):
                raise ValueError("a file is named by a URL")
            return await super().preprocess_data(block_fn, inputs, *args, **kwargs)
        except Exception as error:
            raise gr.Error(texts.UNREADABLE, print_exception=False) from error

    async def process_api(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Run a handler."""
        try:
            return await super().process_api(*args, **kwargs)
        except gr.Error:
            raise
        except Exception as error:
            raise gr.Error(self._words_of(error), print_exception=False) from error


def _names_url(value: Any) -> bool:  # noqa: ANN401 - whatever was sent
    """Say whether a file is named by a URL, at any depth: Gradio would go and fetch it."""
    if isinstance(value, dict):
        return "://" in str(value.get("path", "")) or any(map(_names_url, value.values()))
    return isinstance(value, list) and any(map(_names_url, value))


def build_page(
    compare: CompareServices,
    inspect: InspectServices,
    runs: RunsServices,
    api: ApiServices,
    *,
    missing: Sequence[str],
    explained: Callable[..., Any],
    words_of: Callable[[Exception], str],
    cache_sweep: tuple[int, int],
) -> gr.Blocks:
    """Build the page; nothing is computed yet.

    Args:
        compare: What the first tab needs.
        inspect: What the second tab needs.
        runs: What the last tab needs.
        api: What the endpoints need.
        missing: Names of models that are not there.
        explained: Wraps a handler so that its failures are told in words.
        words_of: Says what a person is told of a failure.
        cache_sweep: How often Gradio clears its files, and how old they may be, in seconds.

    Returns:
        The page, to be launched.
    """
    with Page(
        words_of,
        title=texts.TITLE_LONG,
        analytics_enabled=False,
        delete_cache=cache_sweep,
        fill_width=False,
    ) as page:
        gr.HTML(
            html_template=asset("head.html"),
            js_on_load=HEAD,
            apply_default_css=False,
            elem_id="head",
        )
        if missing:
            markup = _banner(missing, has_stored=bool(compare.stored))
            gr.HTML(html_template=markup, apply_default_css=False, elem_id="banner")
        with gr.Tabs():
            with gr.Tab(texts.TAB_COMPARE, id="compare", elem_id="compare"):
                parts = build_compare(compare, explained, has_weights=not missing)
            with gr.Tab(texts.TAB_INSPECT, id="inspect"):
                inspected = build_inspect(inspect, parts.run_id, explained)
            with gr.Tab(texts.TAB_HOW, id="how"):
                build_how_it_works()
            with gr.Tab(texts.TAB_RUNS, id="runs") as tab:
                build_runs(runs, parts, tab, explained)
        pinning = [(parts.inspector, parts.pins), inspected]
        connect_pins(runs.pins, pinning, parts.outputs, parts.stored, parts.blind_inputs, explained)
        build_api(api, explained)
        build_tour()
        open_link(parts, compare, page)
    return page


def _banner(missing: Sequence[str], *, has_stored: bool) -> str:
    """Return the banner's markup; it holds words of ours alone."""
    command = f"<code>{html.escape(texts.MISSING_COMMAND)}</code>"
    names = html.escape(", ".join(missing))
    till_then = texts.MISSING_STORED if has_stored else texts.MISSING_ALONE
    text = texts.MISSING.format(names=names, command=command, till_then=till_then)
    return f'<p class="page-banner" role="alert">{text}</p>'
