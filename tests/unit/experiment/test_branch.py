from dataclasses import replace
from pathlib import Path

import pytest

from olvdm.evaluation.protocol import Evaluation
from olvdm.experiment.branch import Branch, score_branch
from olvdm.experiment.suite import load_suite

LEVEL = "simple"
ASKED = Evaluation(
    level=LEVEL,
    num_prompts=3,
    num_clips=2,
    num_inference_steps=2,
    num_training_clips=2,
    parts=("generation",),
)


class EnoughError(Exception):
    """Ends the scoring after two prompts."""


@pytest.fixture
def begun(base: Path, tmp_path: Path) -> Branch:
    """Return a branch of which two prompts of three are drawn."""
    row, count = load_suite("smoke").rows[0], 0
    branch = Branch(row, 1, tmp_path / "branch", None, {}, base)

    def stop() -> None:
        nonlocal count
        count += 1
        if count == 2:
            raise EnoughError

    with pytest.raises(EnoughError):
        score_branch(branch, ASKED, None, stop)
    return branch


@pytest.mark.parametrize(("key", "drawn"), [(None, 1), ("of other code", 3)])
def test_every_prompt_that_is_drawn_counts_and_no_other(
    begun: Branch, key: str | None, drawn: int
) -> None:
    rows = begun.scores(LEVEL) / "generation.jsonl"
    if key is not None:
        rows.write_text(rows.read_text().replace('{"key": "', f'{{"key": "{key}'))
    calls: list[None] = []
    assert begun.cost()["prompts"] == 2
    score_branch(begun, ASKED, None, lambda: calls.append(None))
    assert len(calls) == drawn
    assert begun.cost()["prompts"] == 2 + drawn
    assert begun.prompts_done(ASKED) == 3


@pytest.mark.parametrize("sampling", [{"num_inference_steps": 1}, {"slot_guidance_scale": 1.0}])
def test_scores_of_a_row_that_no_longer_asks_for_something_do_not_count(
    begun: Branch, sampling: dict[str, float]
) -> None:
    guided = replace(begun, row=replace(begun.row, sampling=sampling))
    score_branch(guided, ASKED, None, lambda: None)
    assert guided.report(ASKED) is not None
    assert begun.report(ASKED) is None
