"""The tab on which two models draw the same prompt from the same noise."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from visualize.screen import texts
from visualize.screen.jobs import (
    AT_ONCE,
    LIGHT,
    MODEL,
    Job,
    as_sent,
    lock,
    on_cancel,
    show_job,
    unlock_after,
)
from visualize.screen.shown import Choice, Finished
from visualize.screen.stage import clip_stage, status_line
from visualize.screen.stage_value import empty_value, finished_value

NEW_SEED = "() => Math.floor(Math.random() * 2147483648)"


@dataclass(frozen=True)
class CompareServices:
    """What the tab needs from the program.

    Attributes:
        compare: Called with prompt, seed, steps and guidance, all unchecked.
        stored: Finished comparisons to choose from, the first one shown at once.
        load_stored: Reads one of them by its key.
        prompts: To try.
        steps: Most denoising steps, and the usual number.
        guidance: Largest guidance, and the usual one.
        highest_seed: Largest seed.
    """

    compare: Callable[[object, object, object, object], Job]
    stored: Sequence[Choice]
    load_stored: Callable[[object], Finished]
    prompts: Sequence[str]
    steps: tuple[int, int]
    guidance: tuple[float, float]
    highest_seed: int


@dataclass(frozen=True)
class _Parts:
    """The components of the tab."""

    prompt: gr.Textbox
    seed: gr.Number
    dice: gr.Button
    steps: gr.Slider
    guidance: gr.Slider
    buttons: Sequence[gr.Button]
    line: gr.HTML
    stored: gr.Radio
    stage: gr.HTML


def build_compare(services: CompareServices, explained: Callable[..., Any]) -> None:
    """Lay the tab out and connect it.

    Args:
        services: What computes.
        explained: Wraps a handler so that its failures are told in words.
    """
    parts = _lay_out(services)

    @explained
    def on_generate(
        prompt: object, seed: object, steps: object, guidance: object
    ) -> Iterator[tuple[Any, ...]]:
        yield from show_job(services.compare(prompt, seed, steps, guidance))

    @explained
    def on_stored(key: object) -> Iterator[dict[str, Any]]:
        yield finished_value(services.load_stored(key), plays=False)

    as_sent([parts.prompt, parts.seed, parts.steps, parts.guidance, parts.stored])
    outputs = [parts.stage, parts.line]
    parts.dice.click(None, js=NEW_SEED, outputs=parts.seed, api_visibility="private")
    triggers = [parts.buttons[0].click, parts.prompt.submit]
    job = gr.on(triggers, lock, outputs=parts.buttons, **AT_ONCE).then(
        on_generate,
        [parts.prompt, parts.seed, parts.steps, parts.guidance],
        outputs,
        show_progress_on=parts.line,
        api_name="compare",
        **MODEL,
    )
    unlock_after(job, parts.buttons)
    cancels: list[Any] = [job]
    parts.buttons[1].click(
        on_cancel, outputs=[*outputs, *parts.buttons], cancels=cancels, **AT_ONCE
    )
    parts.stored.input(on_stored, parts.stored, parts.stage, api_name="stored", **LIGHT)


def _lay_out(services: CompareServices) -> _Parts:
    with gr.Column(elem_classes="card"):
        with gr.Row():
            prompt = gr.Textbox(
                value=services.prompts[0],
                label=texts.PROMPT,
                placeholder=texts.PROMPT_HINT,
                lines=1,
                max_lines=3,
                scale=6,
                min_width=260,
                elem_id="prompt",
            )
            highest = services.highest_seed
            seed = gr.Number(
                3, label=texts.SEED, minimum=0, maximum=highest, min_width=120, elem_id="seed"
            )
        with gr.Row():
            generate = gr.Button(texts.GENERATE, variant="primary", scale=4, elem_id="generate")
            cancel = gr.Button(texts.CANCEL, interactive=False, min_width=90, elem_id="cancel")
            dice = gr.Button(texts.DICE, min_width=110, elem_id="dice")
        line = status_line("compare-status")
        gr.Examples(
            [[each] for each in services.prompts],
            inputs=[prompt],
            label=texts.EXAMPLES,
            cache_examples=False,
            api_visibility="private",
            examples_per_page=len(services.prompts),
        )
        with gr.Accordion(texts.SETTINGS, open=False, elem_id="settings"), gr.Row():
            steps, guidance = _settings(services)
    stored = _stored_choice(services.stored)
    stage = clip_stage(_first_value(services), "compare-stage")
    buttons = [generate, cancel]
    return _Parts(prompt, seed, dice, steps, guidance, buttons, line, stored, stage)


def _settings(services: CompareServices) -> tuple[gr.Slider, gr.Slider]:
    steps = gr.Slider(
        1,
        services.steps[0],
        services.steps[1],
        step=1,
        label=texts.STEPS,
        info=texts.STEPS_INFO,
        elem_id="steps",
    )
    guidance = gr.Slider(
        0,
        services.guidance[0],
        services.guidance[1],
        step=0.5,
        label=texts.GUIDANCE,
        info=texts.GUIDANCE_INFO,
        elem_id="guidance",
    )
    return steps, guidance


def _first_value(services: CompareServices) -> dict[str, Any]:
    """Return what stands on the page before any click."""
    if not services.stored:
        return empty_value(texts.NOTHING_YET)
    return finished_value(services.load_stored(services.stored[0].key), plays=False)


def _stored_choice(stored: Sequence[Choice]) -> gr.Radio:
    return gr.Radio(
        [(texts.STORED.format(title=choice.label), choice.key) for choice in stored],
        value=stored[0].key if stored else None,
        label=texts.STORED_LABEL,
        show_label=False,
        container=False,
        visible=len(stored) > 1,
        elem_id="stored",
    )
