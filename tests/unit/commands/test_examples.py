from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from olvdm.cli import main
from olvdm.commands import examples
from olvdm.commands.arguments import build_parser
from olvdm.commands.examples import RULES, Comparison, choose
from olvdm.errors import InputError
from olvdm.evaluation.inspection import Inspection
from olvdm.request import check_request
from olvdm.serving.stored_runs import list_stored_runs, load_stored_run
from tests.app_server import make_checkpoints, stored_clip


def clip_with(objects: float = 0.0, background: float = 0.0, size: int = 10) -> Inspection:
    """Return a disc that moves right; every second frame is smaller and darker by these shares."""
    t, y, x = np.mgrid[:16, :64, :64]
    is_dark = (t % 2 == 1)[..., None]
    radius = size * (1 - objects * is_dark[..., 0])
    is_disc = ((x - 16 - 2 * t) ** 2 + (y - 32) ** 2 < radius**2)[..., None]
    disc = np.array((230, 40, 40))
    behind = np.array((60, 60, 60)) * (1 - background * is_dark)
    frames = np.where(is_disc, disc, behind).astype(np.uint8)
    return replace(Inspection(**stored_clip()), frames=frames)


def comparison(baseline: Inspection, ours: Inspection) -> Comparison:
    return Comparison(check_request(prompt="a red circle"), {"lvdm": baseline, "olvdm": ours})


def test_rules_choose_the_median_the_largest_and_the_smallest_gain() -> None:
    ours = clip_with(objects=0.15)
    drawn = [comparison(clip_with(objects=share), ours) for share in (0.2, 0.05, 0.1, 0.25, 0.15)]
    chosen = choose(drawn)
    assert [drawn.index(one) for one in chosen.values()] == [4, 3, 1]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--num-seeds", "0"], "num_seeds must be a whole number from 1 to 1,000, got 0"),
        (["--num-seeds", "abc"], "num_seeds must be a whole number from 1 to 1,000, got 'abc'"),
        (["--level", "hard"], "level must be one of simple, full, ood, got 'hard'"),
    ],
)
def test_illegal_value_is_refused_before_models_are_loaded(capsys, words, reason) -> None:
    assert main(["examples", "--checkpoints", "nowhere", *words]) == 2
    assert reason in capsys.readouterr().err


def test_no_failure_is_stored_where_there_is_none() -> None:
    steady = clip_with()
    drawn = [comparison(clip_with(objects=share), steady) for share in (0.2, 0.3)]
    assert "where OLVDM is worse" not in choose(drawn)


def test_background_does_not_count_as_an_object() -> None:
    steady = clip_with()
    behind = comparison(clip_with(background=0.3), steady).gain
    before = comparison(clip_with(objects=0.3), steady).gain
    assert abs(behind) < 0.2 * before


def test_clip_without_an_object_is_not_chosen() -> None:
    empty, steady = clip_with(size=0), clip_with()
    drawn = [comparison(empty, steady), comparison(clip_with(objects=0.3), steady)]
    assert set(map(drawn.index, choose(drawn).values())) == {1}
    with pytest.raises(InputError, match="in none of the comparisons do both clips show an object"):
        choose(drawn[:1])


def test_stored_examples_can_be_read_again(tmp_path: Path, monkeypatch) -> None:
    # in the noise of fresh networks the tracker sees no object
    monkeypatch.setattr(examples, "_area_variation", lambda clip: float(clip.frames.mean()))
    folder = make_checkpoints(tmp_path, has_stored=False)
    assert main(["examples", "--checkpoints", str(folder), "--num-seeds", "1"]) == 0
    keys = list_stored_runs(folder / "examples")
    assert keys
    typical = load_stored_run(folder / "examples" / "1-typical")
    assert set(typical.clips) == {"lvdm", "olvdm"}
    assert RULES["typical"] in typical.settings["reason"]


@pytest.mark.parametrize("rule", RULES)
def test_help_states_every_rule(rule: str, capsys) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args(["examples", "--help"])
    help_text = " ".join(capsys.readouterr().out.split())
    assert f"{rule} {RULES[rule]}" in help_text
