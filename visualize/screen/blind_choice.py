"""The question of a blind trial, asked above the two clips, and its answer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from visualize.screen import texts
from visualize.screen.blind import Answer, Trials, outcome
from visualize.screen.jobs import LIGHT
from visualize.screen.shown import Finished
from visualize.screen.staging import stage_result
from visualize.screen.status_line import status, status_line


@dataclass(frozen=True)
class BlindParts:
    """The components of blind trials.

    Attributes:
        switch: Whether the next results come blind.
        answers: A button an answer.
        said: What was chosen, and how often.
        trials: Of the visit.
    """

    switch: gr.Checkbox
    answers: dict[Answer, gr.Button]
    said: gr.HTML
    trials: gr.State


def blind_switch() -> gr.Checkbox:
    """Return the switch that hides which model is which."""
    return gr.Checkbox(
        False, label=texts.BLIND, container=False, scale=0, min_width=200, elem_id="blind"
    )


def lay_out_choice(switch: gr.Checkbox, described: Sequence[str]) -> BlindParts:
    """Lay the question out; the style shows it while a blind pair is on the stage.

    Args:
        switch: Which is elsewhere on the page.
        described: Runs of which the page says how they end.

    Returns:
        All components of blind trials.
    """
    with gr.Row(elem_id="blind-choice", equal_height=True):
        gr.Markdown(texts.BLIND_QUESTION, elem_id="blind-question")
        answers: dict[Answer, gr.Button] = {
            answer: gr.Button(words, min_width=130, elem_id=f"blind-{answer}")
            for answer, words in texts.ANSWERS.items()
        }
    said = status_line("blind-said")
    return BlindParts(switch, answers, said, gr.State(Trials(seen=tuple(described))))


def connect_choice(
    parts: BlindParts,
    find_run: Callable[[object], Finished],
    run_id: gr.State,
    stage: Sequence[Any],
    explained: Callable[..., Any],
) -> None:
    """Let the switch hide and reveal, and let each answer reveal what was chosen.

    Args:
        parts: The components.
        find_run: Returns a run by its name.
        run_id: Of the run on the stage; empty while it is blind.
        stage: Where results are shown.
        explained: Wraps a handler so that its failures are told in words.
    """

    @explained
    def on_switch(is_blind: object, name: str, trials: Trials) -> Iterator[tuple[Any, ...]]:
        shown = name if is_blind is True else trials.pending
        if not shown:
            yield (gr.skip(),) * len(stage)
            return
        yield stage_result(find_run(shown), is_blind, trials)

    parts.switch.input(on_switch, [parts.switch, run_id, parts.trials], stage, **LIGHT)
    for answer, button in parts.answers.items():
        on_answer = explained(_answered(answer, find_run))
        button.click(on_answer, parts.trials, stage, **LIGHT)


def _answered(
    answer: Answer, find_run: Callable[[object], Finished]
) -> Callable[[Trials], Iterator[tuple[Any, ...]]]:
    """Return the handler of one answer."""

    def on_answer(trials: Trials) -> Iterator[tuple[Any, ...]]:
        if not trials.pending:
            raise gr.Error(texts.NOTHING_TO_JUDGE, print_exception=False)
        finished = find_run(trials.pending)
        names = [clip.name for clip in finished.clips]
        after = trials.answered(names, answer)
        value, line, name, revealed, _ = stage_result(finished, False, after)
        yield value, line, name, revealed, status(outcome(names, answer, trials, after))

    return on_answer
