"""Pinned runs: a few that stay at hand, of whose clips any two become A and B."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from visualize.inspector.component import SlotInspector
from visualize.screen import texts
from visualize.screen.blind import Trials
from visualize.screen.fixed_html import fixed_html
from visualize.screen.jobs import AT_ONCE, LIGHT
from visualize.screen.shown import Finished, PinnedRun, split_order
from visualize.screen.staging import TO_COMPARE, stage_result

Pins = tuple[PinnedRun, ...]


@dataclass(frozen=True)
class PinServices:
    """What pinned runs need from the program.

    Attributes:
        pin: Returns what is shown of a run that is pinned, by its name.
        pair_clips: Returns one clip of each of two runs, side by side.
        most: Runs that can be pinned.
    """

    pin: Callable[[object], PinnedRun]
    pair_clips: Callable[[object, object, object, object], Finished]
    most: int


def pins_panel(elem_id: str) -> gr.HTML:
    """Return the list of pinned runs, which is hidden while there is none.

    Args:
        elem_id: Of the component on the page.

    Returns:
        The component; its template is fixed, so that no text of a person's is ever read as code.
    """
    return fixed_html("pins", value={"title": "", "hint": "", "runs": []}, elem_id=elem_id)


def panel_value(pins: Pins, most: int) -> dict[str, Any]:
    """Return the value of the list.

    Args:
        pins: The runs, the oldest first.
        most: Runs that can be pinned.

    Returns:
        All its words, as JSON.
    """
    return {
        "title": texts.PINNED.format(count=len(pins), most=most),
        "hint": texts.PINNED_HINT,
        "runs": [_row(number, run) for number, run in enumerate(pins, 1)],
    }


def connect_pins(
    services: PinServices,
    sources: Sequence[tuple[SlotInspector, gr.HTML]],
    stage: Sequence[Any],
    stored: gr.Radio,
    blind_inputs: Sequence[Any],
    explained: Callable[..., Any],
) -> None:
    """Let inspectors pin what they show, and the lists choose and unpin.

    Args:
        services: What finds runs and pairs their clips.
        sources: Inspectors that can pin, each with its list.
        stage: Where pairs are shown.
        stored: The stored comparisons, of which a pair is none.
        blind_inputs: What decides whether they come blind.
        explained: Wraps a handler so that its failures are told in words.
    """
    pinned = gr.State(())
    panels = [panel for _, panel in sources]

    def listed(pins: Pins) -> tuple[Any, ...]:
        return pins, *[panel_value(pins, services.most)] * len(panels)

    @explained
    def on_pin(pins: Pins, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
        run_id = _sent(event, "run_id")
        name, _ = split_order(run_id) if isinstance(run_id, str) else ("", False)
        if any(run.run_id == name for run in pins):
            gr.Info(texts.PINNED_ALREADY)
            yield listed(pins)
        elif len(pins) >= services.most:
            gr.Warning(texts.PINS_FULL.format(most=services.most))
            yield listed(pins)
        else:
            yield listed((*pins, services.pin(run_id)))

    @explained
    def on_unpin(pins: Pins, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
        run_id = _sent(event, "run_id")
        yield listed(tuple(run for run in pins if run.run_id != run_id))

    @explained
    def on_choose(
        is_blind: object, trials: Trials, event: gr.EventData
    ) -> Iterator[tuple[Any, ...]]:
        (run, clip), (other, other_clip) = _clips(_sent(event, "clips"))
        pair = services.pair_clips(run, clip, other, other_clip)
        yield stage_result(pair, is_blind, trials)

    for inspector, panel in sources:
        inspector.pin(on_pin, pinned, [pinned, *panels], **LIGHT)
        panel.unpin(on_unpin, pinned, [pinned, *panels], **AT_ONCE)
        chosen = panel.choose(on_choose, blind_inputs, stage, **LIGHT)
        chosen.success(None, js=TO_COMPARE, outputs=stored, api_visibility="private")


def _row(number: int, run: PinnedRun) -> dict[str, Any]:
    clips = [
        {
            "key": clip.key,
            "name": clip.label,
            "labels": [
                texts.PINNED_CLIP.format(clip=clip.label, number=number, side=side) for side in "AB"
            ],
        }
        for clip in run.clips
    ]
    unpin = texts.UNPIN.format(number=number)
    return {
        "run_id": run.run_id,
        "number": number,
        "label": run.label,
        "unpin": unpin,
        "clips": clips,
    }


def _sent(event: gr.EventData, name: str) -> object:
    """Return what the page says of an event; it may say anything."""
    try:
        return getattr(event, name, None)
    except TypeError:  # where nothing has names
        return None


def _clips(sent: object) -> list[tuple[object, object]]:
    """Return two pairs of run and clip, unchecked; none where the page sent no such thing."""
    pairs = sent if isinstance(sent, list) and len(sent) == 2 else [None, None]
    found = [each if isinstance(each, list) and len(each) == 2 else [None, None] for each in pairs]
    return [(run, clip) for run, clip in found]
