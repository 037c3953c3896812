"""The tab on which two models draw the same prompt from the same noise."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from visualize.inspector.component import SlotInspector
from visualize.screen import texts
from visualize.screen.blind import Trials
from visualize.screen.blind_choice import BlindParts, blind_switch, connect_choice, lay_out_choice
from visualize.screen.downloads import Exporter, build_downloads
from visualize.screen.fixed_html import fixed_html
from visualize.screen.inspector_value import empty_value, finished_value
from visualize.screen.jobs import (
    AS_SENT,
    AT_ONCE,
    LIGHT,
    MODEL,
    Job,
    begin,
    on_cancel,
    unlock_after,
)
from visualize.screen.pins import pins_panel
from visualize.screen.shown import Choice, Finished, Link, split_order
from visualize.screen.staging import stage_job, stage_result
from visualize.screen.status_line import status, status_line

FORM = ("prompt", "seed", "num_inference_steps", "guidance_scale")
MOST_REMEMBERED = 24
NOTHING_CHOSEN = "() => null"  # what is on the screen is none of them any more
NEW_SEED = "() => Math.floor(Math.random() * 2147483648)"


@dataclass(frozen=True)
class CompareServices:
    """What the tab needs from the program.

    Attributes:
        compare: Called with prompt, seed, steps and guidance, all unchecked.
        stored: Finished comparisons to choose from, the first one shown at once.
        load_stored: Reads one of them by its key.
        find_run: Returns a run that was drawn before by its name.
        read_link: Reads the page's address.
        export: Writes one file of a run.
        prompts: To try.
        longest_prompt: Most characters of a prompt, and those that its field takes: more, so that
            what is too long is refused and never cut.
        steps: Most denoising steps, and the usual number.
        guidance: Largest guidance, and the usual one.
        highest_seed: Largest seed.
    """

    compare: Callable[[object, object, object, object], Job]
    stored: Sequence[Choice]
    load_stored: Callable[[object], Finished]
    find_run: Callable[[object], Finished]
    read_link: Callable[[Mapping[str, str]], Link | None]
    export: Exporter
    prompts: Sequence[str]
    longest_prompt: tuple[int, int]
    steps: tuple[int, int]
    guidance: tuple[float, float]
    highest_seed: int


@dataclass(frozen=True)
class CompareParts:
    """The components of the tab, of which other tabs read the settings and the run.

    Attributes:
        settings: Prompt, seed, steps and guidance.
        dice: Chooses another seed.
        buttons: Start and cancel.
        line: What is going on.
        stored: The stored comparisons.
        inspector: Both clips.
        run_id: Of the run on the screen.
        session: Names and prompts of the runs of this visit.
        blind: Of blind trials.
        pins: The pinned runs.
    """

    settings: Sequence[Any]
    dice: gr.Button
    buttons: Sequence[gr.Button]
    line: gr.HTML
    stored: gr.Radio
    inspector: SlotInspector
    run_id: gr.State
    session: gr.State
    blind: BlindParts
    pins: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        """The stage, which every result is given to."""
        return [self.inspector, self.line, self.run_id, self.blind.trials, self.blind.said]

    @property
    def blind_inputs(self) -> list[Any]:
        """What decides whether a result comes blind."""
        return [self.blind.switch, self.blind.trials]


def build_compare(
    services: CompareServices, explained: Callable[..., Any], *, has_weights: bool
) -> CompareParts:
    """Lay the tab out and connect it.

    Args:
        services: What computes.
        explained: Wraps a handler so that its failures are told in words.
        has_weights: Whether anything can be drawn.

    Returns:
        Its components.
    """
    nothing = texts.NOTHING_YET if has_weights else texts.NOTHING_TO_SHOW
    parts = _lay_out(services, explained, nothing)
    compare = explained(services.compare)  # inside the job, so that the line says it too

    @explained
    def on_generate(
        prompt: object,
        seed: object,
        steps: object,
        guidance: object,
        is_blind: object,
        trials: Trials,
    ) -> Iterator[tuple[Any, ...]]:
        yield from stage_job(compare(prompt, seed, steps, guidance), is_blind, trials)

    @explained
    def on_stored(key: object, is_blind: object, trials: Trials) -> Iterator[tuple[Any, ...]]:
        yield stage_result(services.load_stored(key), is_blind, trials)

    parts.dice.click(None, js=NEW_SEED, outputs=parts.settings[1], api_visibility="private")
    triggers = [parts.buttons[0].click, parts.settings[0].submit]
    job = gr.on(triggers, begin, outputs=[*parts.buttons, parts.line], **AT_ONCE).then(
        on_generate,
        [*parts.settings, *parts.blind_inputs],
        parts.outputs,
        show_progress_on=parts.line,
        **AS_SENT,
        **MODEL,
    )
    _follow(job, parts, services)
    chosen = [parts.stored, *parts.blind_inputs]
    parts.stored.input(on_stored, chosen, parts.outputs, **AS_SENT, **LIGHT)
    connect_choice(parts.blind, services.find_run, parts.run_id, parts.outputs, explained)
    return parts


def _follow(job: Any, parts: CompareParts, services: CompareServices) -> None:  # noqa: ANN401
    """Connect what comes after a run, however it ends, and the button that ends it."""
    unlock_after(job, parts.buttons)
    job.failure(
        None,
        js=_say_what_was_not_said(services),
        inputs=[parts.line, parts.settings[0]],
        outputs=parts.line,
        api_visibility="private",
    )
    job.success(
        remember,
        [parts.run_id, parts.blind.trials, *parts.settings[:2], parts.session],
        parts.session,
        **AT_ONCE,
    )
    job.success(None, js=NOTHING_CHOSEN, outputs=parts.stored, api_visibility="private")
    cancels: list[Any] = [job]
    parts.buttons[1].click(
        on_cancel,
        outputs=[parts.inspector, parts.line, *parts.buttons],
        cancels=cancels,
        **AT_ONCE,
    )


def open_link(parts: CompareParts, services: CompareServices, page: gr.Blocks) -> None:
    """Show what the page's address asks for, or fill the form with it where the run is gone.

    Args:
        parts: Of the tab.
        services: What reads addresses and runs.
        page: The page.
    """

    def on_open(request: gr.Request, is_blind: object, trials: Trials) -> tuple[Any, ...]:
        link = services.read_link(dict(request.query_params))
        nothing = [gr.skip()] * len(parts.outputs)
        if link is None:
            return *nothing, *[gr.skip()] * len(parts.settings)
        filled = [link.settings.get(name, gr.skip()) for name in FORM]
        try:
            shown = stage_result(services.find_run(link.run_id), is_blind, trials, link.place)
        except Exception:  # noqa: BLE001 - whatever it is, the person gets the form and a sentence
            return nothing[0], status(texts.NO_SUCH_RUN), *nothing[2:], *filled
        return *shown, *filled

    page.load(on_open, parts.blind_inputs, [*parts.outputs, *parts.settings], **LIGHT)


def remember(
    run_id: str,
    trials: Trials,
    prompt: object,
    seed: object,
    session: Sequence[tuple[str, str]],
) -> list[tuple[str, str]]:
    """Add a run to those of this visit, the newest first.

    Args:
        run_id: Its name; empty for one that is judged blind.
        trials: Which know that one.
        prompt: What was drawn.
        seed: Of its noise.
        session: Labels and names of those before.

    Returns:
        Labels and names of all of them.
    """
    label = f"{str(prompt).strip()[:60]}, seed {seed}"
    name, _ = split_order(run_id or trials.pending)
    return [(label, name), *(run for run in session if run[1] != name)][:MOST_REMEMBERED]


def _say_what_was_not_said(services: CompareServices) -> str:
    """Return a script for failures without words: a full queue, a prompt too large to be sent."""
    most, _ = services.longest_prompt
    hint = json.dumps(status(texts.BUSY_HINT if services.stored else texts.BUSY_ALONE))
    too_long = json.dumps(texts.TOO_LONG.replace("{most}", str(most)))
    return f"""(line, prompt) => {{
      const count = Array.from(prompt || '').length;
      if (line && line.text) return line;
      const text = {too_long}.replace('{{count}}', count.toLocaleString('en'));
      return count > {most} ? {{ ...{hint}, text }} : {hint};
    }}"""


def _lay_out(
    services: CompareServices, explained: Callable[..., Any], nothing: str
) -> CompareParts:
    with gr.Column(elem_classes="card", elem_id="ask"):
        prompt, seed, dice, generate, cancel = _request_row(services)
        with gr.Row(elem_id="options"):
            _prompts_to_try(services.prompts, prompt)
            switch = blind_switch()
            with gr.Accordion(texts.SETTINGS, open=False, elem_id="settings"), gr.Row():
                steps, guidance = _sliders(services)
    with gr.Row(elem_id="stored-row", equal_height=True):
        stored = _stored_choice(services.stored)
        line = status_line("compare-status")
    first = services.load_stored(services.stored[0].key) if services.stored else None
    value = finished_value(first, plays=False) if first else empty_value(nothing)
    blind = lay_out_choice(switch, [choice.key for choice in services.stored])
    pins = pins_panel("compare-pins")
    inspector = SlotInspector(value, can_pin=True, elem_id="compare-inspector")
    run_id = gr.State(first.run_id if first else "")
    build_downloads(services.export, run_id, "compare", explained)
    fixed_html("share", elem_id="share")
    return CompareParts(
        settings=[prompt, seed, steps, guidance],
        dice=dice,
        buttons=[generate, cancel],
        line=line,
        stored=stored,
        inspector=inspector,
        run_id=run_id,
        session=gr.State([]),
        blind=blind,
        pins=pins,
    )


def _request_row(
    services: CompareServices,
) -> tuple[gr.Textbox, gr.Number, gr.Button, gr.Button, gr.Button]:
    """Lay out what a run is asked for with, in one line where there is room."""
    with gr.Row(elem_id="request"):
        prompt = gr.Textbox(
            value=services.prompts[0],
            label=texts.PROMPT,
            placeholder=texts.PROMPT_HINT,
            lines=1,
            max_lines=3,
            max_length=services.longest_prompt[1],
            scale=6,
            min_width=260,
            elem_id="prompt",
        )
        highest = services.highest_seed
        seed = gr.Number(
            3, label=texts.SEED, minimum=0, maximum=highest, min_width=120, elem_id="seed"
        )
        dice = gr.Button(texts.DICE, scale=0, min_width=44, elem_id="dice")
        generate = gr.Button(
            texts.GENERATE, variant="primary", scale=0, min_width=150, elem_id="generate"
        )
        cancel = gr.Button(texts.CANCEL, interactive=False, scale=0, min_width=90, elem_id="cancel")
    return prompt, seed, dice, generate, cancel


def _prompts_to_try(prompts: Sequence[str], prompt: gr.Textbox) -> None:
    gr.Examples(
        [[each] for each in prompts],
        inputs=[prompt],
        label=texts.EXAMPLES,
        cache_examples=False,
        api_visibility="private",
        examples_per_page=len(prompts),
        elem_id="prompts",
    )


def _sliders(services: CompareServices) -> tuple[gr.Slider, gr.Slider]:
    most, usual = services.steps
    steps = gr.Slider(
        1, most, usual, step=1, label=texts.STEPS, info=texts.STEPS_INFO, elem_id="steps"
    )
    largest, common = services.guidance
    guidance = gr.Slider(
        0,
        largest,
        common,
        step=0.5,
        label=texts.GUIDANCE,
        info=texts.GUIDANCE_INFO,
        elem_id="guidance",
    )
    return steps, guidance


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
