from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from olvdm.cli import main
from olvdm.commands.arguments import build_parser
from olvdm.commands.examples import RULES, Comparison, choose
from olvdm.evaluation.inspection import Inspection
from olvdm.request import check_request
from olvdm.serving.stored_runs import list_stored_runs, load_stored_run
from tests.app_server import make_checkpoints, stored_clip


def clip_that_flickers(amount: float) -> Inspection:
    clip = Inspection(**stored_clip())
    return replace(clip, flicker=np.full_like(clip.flicker, amount), background=0)


def comparison(gain: float) -> Comparison:
    clips = {"lvdm": clip_that_flickers(0.5 + gain), "olvdm": clip_that_flickers(0.5)}
    return Comparison(check_request(prompt="a red circle"), clips)


def test_rules_choose_the_median_the_largest_and_the_smallest_gain() -> None:
    drawn = [comparison(gain) for gain in (0.2, -0.1, 0.0, 0.3, 0.1)]
    chosen = choose(drawn)
    assert [round(one.gain, 3) for one in chosen.values()] == [0.1, 0.3, -0.1]


def test_no_failure_is_stored_where_there_is_none() -> None:
    assert "where OLVDM is worse" not in choose([comparison(0.1), comparison(0.2)])


def test_background_does_not_count_as_an_object() -> None:
    unsteady = clip_that_flickers(0.1)
    unsteady.flicker[:, 0] = 9.0
    clips = {"lvdm": unsteady, "olvdm": clip_that_flickers(0.1)}
    assert Comparison(check_request(prompt="a red circle"), clips).gain == pytest.approx(0)


def test_stored_examples_can_be_read_again(tmp_path: Path) -> None:
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
