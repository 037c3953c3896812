import fcntl
import hashlib
import itertools
import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from olvdm.errors import InputError
from olvdm.evaluation.measures import MEASURES
from olvdm.evaluation.protocol import Evaluation
from olvdm.experiment import gallery, runner
from olvdm.experiment.branch import train_branch
from olvdm.experiment.examples import RULES
from olvdm.experiment.gather import Asked, gather_results
from olvdm.experiment.plan import Places, Plan, make_plan
from olvdm.experiment.result_parts import unpack_strip
from olvdm.experiment.results import Results, load_results
from olvdm.experiment.runner import run_experiment
from olvdm.experiment.slot_scores import BASELINES
from olvdm.experiment.suite import load_suite
from olvdm.manifest import MANIFEST_NAME, file_sha256
from olvdm.training import autoencoder, denoiser
from tests.tiny_judges import write_judges

SIZES = ("num_clips=2", "height=32", "width=32", "num_frames=8", "precision=no")
CHANGES = (*SIZES, *(f"autoencoder.{size}" for size in SIZES), "slot_max_timestep=1000")
LEVEL = "simple"
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True, scope="module")
def few_validation_clips() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(denoiser, "NUM_VALIDATION_CLIPS", 2)
        patch.setattr(autoencoder, "NUM_VALIDATION_CLIPS", 2)
        yield


def plan(
    base: Path,
    output: Path,
    latents: Path | None = None,
    judges: Path | None = None,
    **asked: Any,
) -> Plan:
    places = Places(
        base=base,
        autoencoder=base,
        slots=base,
        latents=latents or output / "latents",
        output=output,
        judges=judges,
    )
    return make_plan(load_suite("smoke"), places, changes=CHANGES, **asked)


def asked(num_prompts: int = 2) -> Asked:
    evaluation = Evaluation(
        level=LEVEL,
        num_prompts=num_prompts,
        num_clips=2,
        num_inference_steps=4,
        num_training_clips=2,
        parts=("generation",),
    )
    return Asked(evaluations={LEVEL: evaluation}, command="olvdm experiment --suite smoke")


def run(found: Plan, **settings: Any) -> Results:
    results = run_experiment(found, asked(), **settings)
    assert results is not None
    return results


def forget_scores(output: Path, *branches: str) -> None:
    for name in branches:
        shutil.rmtree(output / "branches" / name / f"scores-{LEVEL}")


@pytest.fixture(scope="module")
def output(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished experiment of four rows, two of them with two seeds."""
    folder = tmp_path_factory.mktemp("experiment")
    run(plan(base, folder))
    return folder


@pytest.fixture
def results(output: Path) -> Results:
    return load_results(output / "results.json")


@pytest.fixture
def copy(output: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(output, tmp_path / "copy"))


def test_all_rows_and_seeds_are_there(results: Results) -> None:
    seeds = {row.name: [one.seed for one in row.branches] for row in results.rows}
    assert seeds == {"lvdm": [1, 2], "corr": [1, 2], "guidance": [1], "decoder": [1]}
    assert results.missing == ()


def test_every_row_but_the_reference_is_compared_with_it(results: Results) -> None:
    for row in results.rows:
        for branch in row.branches:
            scores = branch.levels[LEVEL]
            assert bool(scores.paired) == (row.name != "lvdm")
            assert scores.num_prompts == 2
    assert results.row("corr").seeds[LEVEL].measures["warp_error"].count == 2
    pooled = results.row("corr").seeds[LEVEL].pooled["warp_error"]
    spread = results.row("corr").seeds[LEVEL].differences["warp_error"]
    assert pooled.difference.mean == pytest.approx(spread.mean)


def test_slots_are_scored_beside_both_baselines(results: Results) -> None:
    sides = {(one.by, one.seed) for one in results.slots if one.group == "all"}
    assert sides == {("slots", 0), *((name, None) for name in BASELINES.values())}


def test_curves_show_the_slot_term_where_there_is_one(results: Results) -> None:
    plain, with_slots = (results.row(name).branches[0].curves for name in ("lvdm", "corr"))
    assert plain["denoising"].steps == (1, 2)
    assert plain["validation"].steps == (2,)
    assert "slots" not in plain
    assert with_slots["slot_weight"].steps == (1, 2)


def test_a_row_that_trains_nothing_draws_another_s_checkpoint(results: Results) -> None:
    guided, plain = (results.row(name).branches[0] for name in ("guidance", "lvdm"))
    assert guided.checkpoint_sha256 == plain.checkpoint_sha256
    assert guided.settings == {}


def test_slot_guidance_draws_other_clips_below_what_real_slots_reach(output: Path) -> None:
    plain, guided = (
        output / "branches" / name / f"scores-{LEVEL}" for name in ("lvdm-1", "guidance-1")
    )
    protocol = json.loads((guided / "scores.json").read_bytes())["protocol"]
    assert -1 <= protocol["slot_guidance_floor"] <= 1
    pairs = [
        [json.loads(line)["frames_sha256"] for line in (one / "generation.jsonl").open()]
        for one in (plain, guided)
    ]
    assert not set(pairs[0]) & set(pairs[1])


def test_a_fine_tuned_decoder_keeps_the_denoiser_of_its_row(output: Path) -> None:
    folders = [output / "branches" / name / "checkpoint" for name in ("lvdm-1", "decoder-1")]
    for part, is_same in (("denoiser", True), ("autoencoder", False)):
        files = [next((folder / part).glob("*.safetensors")) for folder in folders]
        assert (file_sha256(files[0]) == file_sha256(files[1])) == is_same


def test_results_tell_no_folder(output: Path) -> None:
    assert str(output) not in (output / "results.json").read_text(encoding="utf-8")


def test_a_finished_experiment_is_left_as_it_is(
    base: Path, output: Path, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "train_branch", None)
    monkeypatch.setattr(runner, "score_branch", None)
    monkeypatch.setattr(runner, "score_network", None)
    assert run(plan(base, output)) == results


def test_scores_of_an_earlier_version_are_completed_without_training_or_drawing(
    base: Path, copy: Path, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in copy.glob(f"branches/*/scores-{LEVEL}/scores.json"):
        scores = json.loads(path.read_bytes())
        del scores["generation"]["thumbnail_distances"]
        path.write_text(json.dumps(scores), encoding="utf-8")
    monkeypatch.setattr(runner, "train_branch", None)
    monkeypatch.setattr(runner, "score_branch", None)
    assert run(plan(base, copy)) == results
    names = {"thumbnail_frechet_distance", "thumbnail_kernel_distance", "diversity"}
    for row in results.rows:
        for branch in row.branches:
            assert branch.levels[LEVEL].sets.keys() >= names
            assert "nearest_thumbnail" in branch.levels[LEVEL].measures
    assert results.row("corr").seeds[LEVEL].measures["thumbnail_frechet_distance"].count == 2
    assert "thumbnail_frechet_distance" in results.row("corr").branches[0].levels[LEVEL].paired


def test_two_evaluations_of_the_same_checkpoints_give_the_same_results(
    base: Path, copy: Path, results: Results
) -> None:
    forget_scores(copy, "lvdm-1", "guidance-1")
    again = run(plan(base, copy))
    assert again.found() == results.found()


def test_a_training_that_was_stopped_goes_on_to_the_same_weights(
    base: Path, output: Path, tmp_path: Path
) -> None:
    checksums: list[str] = []
    for name, stops_at in (("whole", None), ("stopped", 1)):
        found = plan(base, tmp_path / name, latents=output / "latents", max_steps=4)
        branch = found.branches["corr", 1]
        if stops_at is not None:
            assert not train_branch(branch, stops_at.__eq__)
            assert (branch.steps_done, branch.has_checkpoint) == (2, False)
        assert train_branch(branch, lambda _: False)
        weights = next((branch.checkpoint / "denoiser").glob("*.safetensors"))
        checksums.append(file_sha256(weights))
    assert checksums[0] == checksums[1]


# while the slots are scored, in the training of the first branch, in its drawing
@pytest.mark.parametrize(("ticks", "steps"), [(1, 0), (3, 2), (5, 2)])
def test_time_that_is_up_loses_nothing(
    base: Path,
    output: Path,
    results: Results,
    tmp_path: Path,
    monkeypatch: Any,
    ticks: int,
    steps: int,
) -> None:
    clock = itertools.count()
    found = plan(base, tmp_path, latents=output / "latents", rows=["lvdm"], num_seeds=1)
    with monkeypatch.context() as patch:
        patch.setattr(runner, "time", SimpleNamespace(monotonic=lambda: next(clock)))
        assert run_experiment(found, asked(), max_minutes=ticks / 60) is None
    assert found.branches["lvdm", 1].steps_done == steps
    assert run(found).row("lvdm").branches[0] == results.row("lvdm").branches[0]


def test_what_is_missing_says_what_it_would_take(base: Path, copy: Path) -> None:
    for name in ("corr-2", "guidance-1"):
        shutil.rmtree(copy / "branches" / name)
    found = plan(base, copy)
    results = runner.write_results(found, asked())
    assert results is not None
    missing = {(one.row, one.seed): one for one in results.missing}
    assert missing.keys() == {("corr", 2), ("guidance", 1)}
    assert (missing["corr", 2].steps, missing["corr", 2].prompts) == (2, 2)
    assert (missing["guidance", 1].steps, missing["guidance", 1].prompts) == (0, 2)
    assert all(one.minutes is not None for one in results.missing)


def test_level_that_was_not_drawn_is_missing_and_told(base: Path, output: Path) -> None:
    (evaluation,) = asked().evaluations.values()
    both = {LEVEL: evaluation, "ood": replace(evaluation, level="ood")}
    results = gather_results(plan(base, output), replace(asked(), evaluations=both))
    assert results is not None
    assert [(one.steps, one.prompts, one.levels) for one in results.missing] == [
        (0, 2, ("ood",))
    ] * 6
    assert all(one.minutes is not None for one in results.missing)


def test_rows_that_were_not_asked_for_are_missing(base: Path, copy: Path) -> None:
    for folder in copy.glob("branches/*"):
        if folder.name != "lvdm-1":
            shutil.rmtree(folder)
    results = run(plan(base, copy, rows=["lvdm"], num_seeds=1))
    assert [row.name for row in results.rows if row.branches] == ["lvdm"]
    assert len(results.missing) == 5


def test_more_prompts_go_on_from_those_that_are_drawn(base: Path, copy: Path) -> None:
    found = plan(base, copy, rows=["lvdm"], num_seeds=1)
    before = (found.branches["lvdm", 1].scores(LEVEL) / "generation.jsonl").read_bytes()
    run_experiment(found, asked(num_prompts=3))
    after = (found.branches["lvdm", 1].scores(LEVEL) / "generation.jsonl").read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == 3


def test_examples_show_the_clips_that_were_scored(
    base: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, evaluations = plan(base, copy), asked().evaluations
    # the clips of fresh networks hold no objects whose warp error could be measured
    warp = next(one for one in MEASURES if one.name == "warp_error")
    monkeypatch.setattr(gallery, "MEASURE", warp)
    assert gallery.gallery(found, evaluations) == ()
    gallery.draw_gallery(found, evaluations)
    shown = gallery.gallery(found, evaluations)
    assert [one.rule for one in shown] == list(RULES)
    for one in shown:
        real, *drawn = one.clips
        assert real.row is None
        for clip, (row, seed) in zip(drawn, (("lvdm", 1), ("corr", 1)), strict=True):
            rows = found.branches[row, seed].scores(LEVEL) / "generation.jsonl"
            scored = [json.loads(line) for line in rows.open()][one.noise_seed]
            frames = unpack_strip(clip.strip, one.num_frames)
            assert clip.row == row
            assert hashlib.sha256(frames.tobytes()).hexdigest() == scored["frames_sha256"]


def test_examples_of_other_scores_are_not_shown(
    base: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, evaluations = plan(base, copy), asked().evaluations
    monkeypatch.setattr(gallery, "_load", None)  # they are there, so nothing is drawn
    gallery.draw_gallery(found, evaluations)
    rows = found.branches["corr", 1].scores(LEVEL) / "generation.jsonl"
    rows.write_bytes(rows.read_bytes() + b"\n")
    with pytest.raises(TypeError, match="not callable"):
        gallery.draw_gallery(found, evaluations)


def test_states_of_a_finished_training_are_gone(output: Path) -> None:
    assert not list(output.glob("branches/*/training/step-*"))
    assert list(output.glob("branches/*/training/log.jsonl"))


def test_two_at_once_are_refused(base: Path, tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another olvdm experiment is at work"):
            run(plan(base, tmp_path))


def test_a_folder_of_other_steps_is_refused(base: Path, copy: Path) -> None:
    with pytest.raises(InputError, match="with max_steps 2, not 3"):
        run(plan(base, copy, max_steps=3))


def test_a_damaged_record_is_refused(base: Path, copy: Path) -> None:
    (copy / "experiment.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="damaged"):
        run(plan(base, copy))


def test_half_a_training_does_not_go_on_with_other_settings(
    base: Path, output: Path, tmp_path: Path
) -> None:
    branch = plan(base, tmp_path, latents=output / "latents", max_steps=4).branches["corr", 1]
    assert not train_branch(branch, lambda step: step == 1)
    found = plan(base, tmp_path, latents=output / "latents", max_steps=5)
    with pytest.raises(InputError, match="row corr was begun with max_steps 4, not 5"):
        train_branch(found.branches["corr", 1], lambda _: False)


def test_scores_of_another_checkpoint_do_not_count(base: Path, copy: Path) -> None:
    branch = plan(base, copy).branches["lvdm", 1]
    assert branch.report(asked().evaluations[LEVEL]) is not None
    manifest = branch.checkpoint / MANIFEST_NAME
    manifest.write_text(manifest.read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert branch.report(asked().evaluations[LEVEL]) is None


def test_clips_are_drawn_again_for_other_judges_and_nothing_is_trained(
    base: Path, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judges = write_judges(tmp_path / "judges")
    found = plan(base, copy, judges=judges, rows=["lvdm"], num_seeds=1)
    branch = found.branches["lvdm", 1]
    assert (branch.prompts_done(asked().evaluations[LEVEL]), branch.steps_done) == (0, 2)
    monkeypatch.setattr(runner, "train_branch", None)
    run(found)
    report = branch.report(asked().evaluations[LEVEL])
    assert report is not None
    assert report["protocol"]["judges_sha256"] == file_sha256(judges / MANIFEST_NAME)
    assert branch.prompts_done(asked().evaluations[LEVEL]) == 2


def test_cost_is_told_of_every_branch(results: Results) -> None:
    cost = {(one.row, one.seed): one for one in results.cost}
    assert len(cost) == 6
    assert cost["guidance", 1].seconds_per_step is None
    trained = cost["corr", 1]
    assert trained.seconds_per_step is not None
    assert trained.peak_memory_mb is not None
    assert trained.peak_memory_mb > 10
