import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from olvdm.errors import InputError
from olvdm.evaluation import attribute_judge, generation_score, report, slot_judge
from olvdm.evaluation.report import evaluate_checkpoint, judge_validity, supplement_report
from tests import tiny_networks
from tests.tiny_judges import write_judges

QUICK: dict[str, Any] = {
    "num_clips": 3,
    "num_prompts": 2,
    "num_inference_steps": 2,
    "num_training_clips": 5,
    "progress": False,
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "olvdm"
    tiny_networks.tiny_pipeline().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def output(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "report"
    evaluate(checkpoint, output=folder)
    return folder


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_judges(tmp_path_factory.mktemp("judges") / "mine")


@pytest.fixture(scope="module")
def judged(checkpoint: Path, judges: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a report that has asked judges whose bar is no bar."""
    folder = tmp_path_factory.mktemp("runs") / "judged"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(attribute_judge, "NEEDED", 0.0)
        patched.setattr(slot_judge, "NEEDED", dict.fromkeys(slot_judge.NEEDED, -1.0))
        evaluate(checkpoint, output=folder, judges=judges, parts=("generation",))
    return folder


@pytest.fixture
def scores(output: Path) -> dict[str, Any]:
    return json.loads((output / "scores.json").read_bytes())


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note every prompt that is drawn."""
    places: list[int] = []
    draw: Callable[..., Any] = generation_score._draw_row

    def noted(*args: Any) -> Any:
        places.append(args[3])
        return draw(*args)

    monkeypatch.setattr(generation_score, "_draw_row", noted)
    return places


def without_times(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != "seconds"}


def evaluate(checkpoint: Path, **changes: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {**QUICK, **changes}
    return evaluate_checkpoint(checkpoint, **settings)


def draw_again(checkpoint: Path, output: Path, **changes: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {"num_clips": 1, "num_inference_steps": 1, **changes}
    return evaluate(checkpoint, output=output, parts=("generation",), **settings)


def test_all_parts_are_measured(scores: dict[str, Any]) -> None:
    assert {"protocol", "reconstruction", "slots", "judge", "generation"} <= scores.keys()


def test_a_second_run_gives_the_same_numbers(
    checkpoint: Path, scores: dict[str, Any], tmp_path: Path
) -> None:
    evaluate(checkpoint, output=tmp_path)
    again = json.loads((tmp_path / "scores.json").read_bytes())
    assert without_times(again) == without_times(scores)


def test_what_is_returned_is_what_is_written(checkpoint: Path, tmp_path: Path) -> None:
    found = draw_again(checkpoint, tmp_path)
    assert json.loads((tmp_path / "scores.json").read_bytes()) == found


def test_drawn_prompts_are_not_drawn_again(
    checkpoint: Path, output: Path, tmp_path: Path, drawn: list[int]
) -> None:
    shutil.copy(output / "generation.jsonl", tmp_path)
    evaluate(checkpoint, output=tmp_path, parts=("generation",))
    assert drawn == []


def test_a_torn_line_is_drawn_again(checkpoint: Path, tmp_path: Path, drawn: list[int]) -> None:
    draw_again(checkpoint, tmp_path)
    rows = tmp_path / "generation.jsonl"
    rows.write_bytes(rows.read_bytes()[:-40])
    drawn.clear()
    draw_again(checkpoint, tmp_path)
    assert drawn == [1]


def test_a_resumed_run_gives_the_same_numbers(checkpoint: Path, tmp_path: Path) -> None:
    whole = draw_again(checkpoint, tmp_path / "whole")
    draw_again(checkpoint, tmp_path / "resumed", num_prompts=1)
    resumed = draw_again(checkpoint, tmp_path / "resumed")
    assert resumed["generation"] == whole["generation"]


def test_another_guidance_draws_everything_again(
    checkpoint: Path, tmp_path: Path, drawn: list[int]
) -> None:
    draw_again(checkpoint, tmp_path)
    drawn.clear()
    draw_again(checkpoint, tmp_path, guidance_scale=1.5)
    assert drawn == [0, 1]


def test_without_output_nothing_is_written(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    evaluate(checkpoint, parts=("reconstruction",))
    assert list(tmp_path.iterdir()) == []


def test_only_the_report_and_its_rows_stay(output: Path) -> None:
    names = {path.name for path in output.iterdir()}
    assert names == {"scores.json", "scores.md", "generation.jsonl"}


def test_a_part_alone_is_measured_alone(checkpoint: Path) -> None:
    found = evaluate(checkpoint, parts=("slots",))
    assert found.keys() == {"format", "kind", "protocol", "slots", "seconds"}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("videos of one's own", "**The model was trained on videos of one's own and is scored on"),
        ("moving shapes, level full", "trained on moving shapes, level full and is scored on"),
        ("`x` | [y](z)", "trained on x  yz and is"),
        ("moving shapes, level simple", None),
    ],
)
def test_scores_on_clips_that_a_model_was_not_trained_on_say_so(
    tmp_path: Path, data: str, told: str | None
) -> None:
    tiny_networks.tiny_pipeline().save_pretrained(tmp_path / "mine", about={"data": data})
    evaluate(tmp_path / "mine", output=tmp_path / "scores", parts=("reconstruction",))
    text = (tmp_path / "scores" / "scores.md").read_text()
    assert told in text if told else "was trained on" not in text


def test_drawn_clips_need_a_judge_that_was_tried(checkpoint: Path, tmp_path: Path) -> None:
    assert "judge" in draw_again(checkpoint, tmp_path)


def test_the_command_repeats_what_is_not_the_default(scores: dict[str, Any]) -> None:
    assert scores["protocol"]["command"] == (
        "olvdm evaluate --checkpoint olvdm --level simple --num-clips 3 --num-prompts 2 "
        "--num-inference-steps 2 --num-candidates 1 --num-training-clips 5 --output DIR"
    )


def test_no_path_of_this_machine_is_in_the_report(checkpoint: Path, output: Path) -> None:
    text = (output / "scores.json").read_text() + (output / "scores.md").read_text()
    assert str(checkpoint.parent) not in text


def test_the_report_is_small_enough_to_keep_with_a_checkpoint(output: Path) -> None:
    assert (output / "scores.json").stat().st_size < 100_000


def test_slots_are_reported_apart_by_number_of_objects(scores: dict[str, Any]) -> None:
    groups = scores["slots"]["groups"]
    sizes = [group["num_clips"] for name, group in groups.items() if name[0].isdigit()]
    assert sum(sizes) == QUICK["num_clips"]


def test_k_means_stands_beside_the_slots(scores: dict[str, Any]) -> None:
    group = scores["slots"]["groups"]["all"]
    difference = group["model"]["ari"]["mean"] - group["kmeans"]["ari"]["mean"]
    assert group["model_minus_kmeans"]["ari"]["mean"] == pytest.approx(difference, abs=1e-5)


def test_real_clips_of_the_prompts_stand_beside_the_drawn_ones(scores: dict[str, Any]) -> None:
    motion = scores["generation"]["motion"]["mean_flow"]
    ratio = motion["generated"]["mean"] / motion["real"]["mean"]
    assert motion["ratio"]["mean"] == pytest.approx(ratio, rel=1e-4)


def test_a_judge_that_errs_on_real_clips_may_not_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    agreement = {"count": 0.94, "colour": 0.95}
    monkeypatch.setattr(report, "validate_tracker", lambda *_, **__: agreement)
    assert judge_validity("simple", 3)["may_judge"] == {"count": False, "colour": True}


def test_less_is_asked_of_the_judge_on_harder_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "validate_tracker", lambda *_, **__: {"count": 0.91})
    assert judge_validity("full", 3)["may_judge"] == {"count": True}


def test_what_the_judge_may_not_judge_is_not_reported(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    agreement = {"count": 0.5, "colour": 1.0, "shape": 1.0, "direction": 1.0}
    monkeypatch.setattr(report, "validate_tracker", lambda *_, **__: agreement)
    found = draw_again(checkpoint, tmp_path)["generation"]["agreement"]
    assert [found[name]["generated"] is None for name in agreement] == [True, False, False, False]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"level": "hard"}, "level must be one of simple, full, ood, got 'hard'"),
        ({"parts": ("slot",)}, "parts must be some of"),
        ({"parts": ()}, "parts must be some of"),
        ({"num_clips": 0}, "num_clips must be a whole number"),
        ({"num_prompts": True}, "num_prompts must be a whole number"),
        ({"guidance_scale": float("nan")}, "guidance_scale must be a number"),
        ({"num_inference_steps": 1000}, "num_inference_steps must be a whole number"),
        ({"seed": -1}, "seed must be a whole number"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_loaded(
    settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        evaluate(tmp_path / "nothing", **settings)


def test_an_output_that_is_a_file_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "report").write_text("mine")
    with pytest.raises(InputError, match="output must be a folder"):
        evaluate(checkpoint, output=tmp_path / "report")


def forget_thumbnails(folder: Path) -> None:
    """Make of a report what an earlier version wrote, which measured nothing on thumbnails."""
    scores = json.loads((folder / "scores.json").read_bytes())
    del scores["generation"]["thumbnail_distances"], scores["generation"]["memorisation"]
    (folder / "scores.json").write_text(json.dumps(scores))
    lines = [json.loads(line) for line in (folder / "generation.jsonl").open()]
    for line in lines:
        del line["generated"]["nearest_thumbnail"], line["real"]["nearest_thumbnail"]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "generation.jsonl").write_text(text)


def test_report_of_an_earlier_version_is_completed_without_drawing(
    checkpoint: Path, output: Path, tmp_path: Path, drawn: list[int]
) -> None:
    old = Path(shutil.copytree(output, tmp_path / "old"))
    forget_thumbnails(old)
    supplement_report(old, checkpoint)
    rows, scores = ((old / name).read_bytes() for name in ("generation.jsonl", "scores.json"))
    assert rows == (output / "generation.jsonl").read_bytes()
    assert json.loads(scores) == json.loads((output / "scores.json").read_bytes())
    assert drawn == []


def test_complete_report_is_left_as_it_is(checkpoint: Path, output: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(output, tmp_path / "copy"))
    before = {path.name: path.stat().st_mtime_ns for path in copy.iterdir()}
    supplement_report(copy, checkpoint)
    assert {path.name: path.stat().st_mtime_ns for path in copy.iterdir()} == before


def test_without_judges_the_report_says_so_in_one_line_each(output: Path) -> None:
    text = (output / "scores.md").read_text()
    assert text.count("did not judge: no folder of judges was given") == 2


def test_judges_that_may_judge_fill_their_tables(judged: Path) -> None:
    text = (judged / "scores.md").read_text()
    for title in (
        "### Objects by slots that nothing was trained against",
        "### Nearness to the training clips",
        "| Frechet distance on the features of the attribute network |",
    ):
        assert title in text


def test_real_clips_stand_beside_the_drawn_ones_by_every_judge(judged: Path) -> None:
    found = json.loads((judged / "scores.json").read_bytes())["generation"]
    for group in ("independent_slots", "memorisation"):
        for name, row in found[group].items():
            assert row["generated"] is not None, name
            assert row["real"] is not None, name


def test_judges_below_their_bar_judge_nothing_and_the_report_says_so(
    checkpoint: Path, judges: Path, tmp_path: Path
) -> None:
    found = draw_again(checkpoint, tmp_path, judges=judges)["generation"]
    assert all(row["generated"] is None for row in found["independent_slots"].values())
    assert "distances" not in found
    assert "may judge: nothing, by its bar" in (tmp_path / "scores.md").read_text()


def test_judged_prompts_are_drawn_again_once_there_is_another_judge(
    checkpoint: Path, judges: Path, tmp_path: Path, drawn: list[int]
) -> None:
    draw_again(checkpoint, tmp_path / "run", judges=judges)
    drawn.clear()
    draw_again(checkpoint, tmp_path / "run", judges=judges)
    assert drawn == []
    draw_again(checkpoint, tmp_path / "run", judges=write_judges(tmp_path / "other", seed=2))
    assert drawn == [0, 1]


def test_judges_give_the_same_numbers_again(checkpoint: Path, judges: Path, tmp_path: Path) -> None:
    once, again = (
        draw_again(checkpoint, tmp_path / name, judges=judges)["generation"] for name in "ab"
    )
    assert once == again
