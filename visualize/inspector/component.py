"""The inspector as a component of Gradio, with a fixed template and one script."""

# Gradio copies this file, and these words with it, into a stub beside it that no checker likes:
# pyright: reportInvalidStubStatement=false, reportUnusedImport=false
# pyright: reportAttributeAccessIssue=false

from typing import Any

import gradio as gr

from visualize.inspector.assets import script, style, template
from visualize.payload import Payload


class SlotInspector(gr.HTML):
    """Clips, slots, correlation, curves and figures, driven by one frame number.

    Args:
        value: What to show at first.
        can_pin: Whether a button offers to keep a run, for which `pin` must be listened to.
        **kwargs: As for every component of Gradio: `elem_id`, `visible`, `render` ...

    Ours: looking happens in the browser, since a way to the server takes a tenth of a second;
    Python hears of a pinned cell (`cell`) and of a run to keep (`pin`).
    """

    def __init__(
        self,
        value: Payload | dict[str, object] | None = None,
        *,
        can_pin: bool = False,
        **kwargs: Any,  # noqa: ANN401 - as Gradio has them
    ) -> None:
        self.can_pin = can_pin
        super().__init__(
            value=value,
            html_template=template(),
            css_template=style(),
            js_on_load=script("gradio"),
            apply_default_css=False,
            can_pin=can_pin,
            **kwargs,
        )

    def postprocess(self, value: object) -> Any:  # noqa: ANN401 - Gradio says str, and means JSON
        """Return the value as it travels.

        Args:
            value: A payload, or one that is JSON already.

        Returns:
            What JSON can hold.
        """
        return value.as_json() if isinstance(value, Payload) else value

    def api_info(self) -> dict[str, Any]:
        """Return what the component's value is, for the list of endpoints."""
        return {"type": "object", "description": "what visualize.payload.Payload holds"}
