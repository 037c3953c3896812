from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from olvdm.errors import InputError
from olvdm.evaluation.protocol import Evaluation
from olvdm.experiment import slot_scores as module
from olvdm.experiment.plan import Places, Plan, make_plan
from olvdm.experiment.slot_scores import BASELINES, is_scored, score_network, slot_scores
from olvdm.experiment.suite import load_suite
from tests.tiny_networks import tiny_pipeline

EVALUATION = Evaluation(level="full", num_clips=3)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with slots of another seed."""
    folder = tmp_path_factory.mktemp("slots") / "second"
    about: dict[str, object] = {"trainings": {"slots": {"config": {"seed": 7}}}}
    tiny_pipeline(seed=1).save_pretrained(folder, about=about)
    return folder


def plan(base: Path, output: Path, *other_slots: Path) -> Plan:
    places = Places(
        base=base,
        autoencoder=base,
        slots=base,
        latents=output / "latents",
        output=output,
        other_slots=other_slots,
    )
    return make_plan(load_suite("smoke"), places)


def score(found: Plan, networks: Sequence[int] = (0, 1)) -> None:
    for place in networks:
        score_network(found, found.slot_networks[place], EVALUATION, lambda: None)


@pytest.fixture(scope="module")
def scored(base: Path, second: Path, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    found = plan(base, tmp_path_factory.mktemp("scored"), second)
    score(found)
    return found


def test_every_group_has_each_seed_and_both_baselines(scored: Plan) -> None:
    found = slot_scores(scored, {"full": EVALUATION})
    sides = [("slots", 0), ("slots", 7), *((name, None) for name in BASELINES.values())]
    groups = {one.group for one in found}
    assert "all" in groups
    assert any(name.endswith("_objects") for name in groups)
    for group in groups:
        assert [(one.by, one.seed) for one in found if one.group == group] == sides


def test_other_slots_have_scores_of_their_own(scored: Plan) -> None:
    found = {
        (one.seed, name): interval.mean
        for one in slot_scores(scored, {"full": EVALUATION})
        if one.group == "all" and one.by == "slots"
        for name, interval in one.scores.items()
    }
    assert found[0, "ari"] != found[7, "ari"]
    assert {name for _, name in found} >= {"foreground_ari", "foreground_miou", "mean_best_overlap"}


def test_slots_that_are_not_scored_yet_are_left_out(
    base: Path, second: Path, tmp_path: Path
) -> None:
    found = plan(base, tmp_path, second)
    assert slot_scores(found, {"full": EVALUATION}) == ()
    score(found, [1])
    assert {one.seed for one in slot_scores(found, {"full": EVALUATION})} == {7, None}


def test_stop_in_between_keeps_nothing(base: Path, tmp_path: Path) -> None:
    found, clips = plan(base, tmp_path), iter(range(1))

    def stop() -> None:
        next(clips)

    with pytest.raises(StopIteration):
        score_network(found, found.slot_networks[0], EVALUATION, stop)
    assert not is_scored(found, found.slot_networks[0], EVALUATION)


def test_scores_of_other_clips_or_code_do_not_count(
    scored: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = scored.slot_networks[0]
    assert is_scored(scored, network, EVALUATION)
    assert not is_scored(scored, network, replace(EVALUATION, num_clips=4))
    monkeypatch.setattr(module, "code_sha256", lambda: "other")
    assert not is_scored(scored, network, EVALUATION)


def test_slots_of_one_seed_are_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="are both of seed 0; give slots of different seeds"):
        plan(base, tmp_path, base)
