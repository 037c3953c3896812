import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from olvdm import limits
from olvdm.commands.source import running_commit
from olvdm.errors import CheckpointError, InputError, OlvdmError
from olvdm.pipeline import OLVDMPipeline
from olvdm.results import MODELS, finished_comparison
from olvdm.run_library import MOST_BROUGHT, MOST_PAIRS
from olvdm.serving.clip_shelf import MOST_CLIPS, ShelvedClip
from olvdm.serving.loaded_models import LoadedModels
from olvdm.serving.stored_runs import StoredRun
from olvdm.workshop import Job, Workshop
from tests.app_server import STORED_PROMPT, make_checkpoints, stored_clip, tiny_model
from tests.clip_files import make_video, moving_frames
from tests.tiny_networks import PROMPTS
from visualize.screen import texts
from visualize.screen.shown import REVERSED, Choice, Finished, Progress

HOSTILE_IDS = [
    "",
    "0" * 16,
    "0" * 15,
    "../lvdm",
    "/etc/passwd",
    "..",
    ".",
    "1-behind/../1-behind",
    "0123456789ABCDEF",
    "0123456789abcdef\n",
    "a\x00b",
    "x" * 5_000,
    "%2e%2e",
    None,
    True,
    7,
    1.5,
    b"0123456789abcdef",
    ["1-behind"],
    {"run": "1-behind"},
    ("1-behind",),
]


@pytest.fixture(scope="module", autouse=True)
def patience() -> Iterator[None]:
    """Let jobs take their time: a shared machine may be slow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "JOB_SECONDS", 3_600)
        yield


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoints(tmp_path_factory.mktemp("checkpoints"))


@pytest.fixture(scope="module")
def models(checkpoints: Path) -> LoadedModels[OLVDMPipeline]:
    return LoadedModels(checkpoints, lambda path: tiny_model(MODELS.index(path.name)), MODELS)


@pytest.fixture
def workshop(models: Any, checkpoints: Path, tmp_path: Path) -> Workshop:
    (tmp_path / "uploads").mkdir()
    return Workshop(models, checkpoints, tmp_path / "uploads", tmp_path / "runs")


@dataclass(frozen=True)
class Drawn:
    """What two requests with the same settings reported, one after the other."""

    workshop: Workshop
    reports: list[Progress | Finished]
    later: list[Progress | Finished]

    @property
    def results(self) -> list[Finished]:
        return [each for each in self.reports if isinstance(each, Finished)]

    @property
    def found(self) -> Finished:
        return last(iter(self.later))


def never(_: Path) -> OLVDMPipeline:
    raise AssertionError("the model was reached")


@pytest.fixture
def no_model(checkpoints: Path, tmp_path: Path) -> Workshop:
    (tmp_path / "uploads").mkdir()
    models = LoadedModels(checkpoints, never, MODELS)
    return Workshop(models, checkpoints, tmp_path / "uploads", tmp_path / "runs")


def drawing(workshop: Workshop, steps: object = 2, seed: object = 1) -> Job:
    return workshop.compare(PROMPTS[0], seed, steps, 3.0)


def last(job: Iterator[Progress | Finished]) -> Finished:
    *_, finished = job
    assert isinstance(finished, Finished)
    return finished


@pytest.fixture(scope="module")
def drawn(models: Any, checkpoints: Path, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Draw once for all tests that only look at what came of it."""
    folder = tmp_path_factory.mktemp("drawn")
    (folder / "uploads").mkdir()
    workshop = Workshop(models, checkpoints, folder / "uploads", folder / "runs")
    return Drawn(workshop, list(drawing(workshop, steps=3)), list(drawing(workshop, steps=3)))


def shelved(workshop: Workshop, frames: np.ndarray, name: str = texts.YOUR_CLIP) -> str:
    return workshop.shelf.put(ShelvedClip(name, frames, 8.0, is_upload=True))


class TestComparison:
    @pytest.mark.parametrize("prompt", ["", "   ", None, 7, "x" * 301])
    def test_bad_prompt_never_reaches_the_model(self, no_model, prompt) -> None:
        with pytest.raises(InputError, match="prompt"):
            list(no_model.compare(prompt, 3, 10, 3.0))

    @pytest.mark.parametrize("steps", [0, 101, float("nan"), True, "10", None])
    def test_bad_number_never_reaches_the_model(self, no_model, steps) -> None:
        with pytest.raises(InputError, match="num_inference_steps"):
            list(drawing(no_model, steps=steps))

    def test_ends_with_both_clips(self, drawn) -> None:
        assert [clip.name for clip in drawn.results[-1].clips] == ["LVDM", "OLVDM"]

    def test_reports_every_step(self, drawn) -> None:
        reports = [each.text.split(",")[0] for each in drawn.reports]
        assert [each for each in reports if each.startswith("Step")] == [
            "Step 1 of 3",
            "Step 2 of 3",
        ]
        assert texts.LOOKING in reports

    def test_first_step_comes_with_previews_of_both(self, drawn) -> None:
        first = next(each for each in drawn.reports if "Step" in each.text)
        assert isinstance(first, Progress)
        assert len(first.previews) == 2

    def test_rows_are_judged_by_nobody_who_was_trained_against(self, drawn) -> None:
        rows = drawn.results[-1].metrics
        assert rows
        assert all("slots" not in row.judge for row in rows)

    def test_leaving_after_a_step_frees_the_models(self, workshop) -> None:
        job = drawing(workshop, steps=50)
        next(job)
        job.close()
        with workshop.models.turn():
            pass

    def test_closing_server_ends_the_job_at_its_next_step(self, workshop) -> None:
        job = drawing(workshop, steps=50)
        next(job)
        workshop.is_closing.set()
        with pytest.raises(InputError, match="closing"):
            list(job)

    def test_job_may_not_take_longer_than_its_limit(self, workshop, monkeypatch) -> None:
        workshop.models.wait(60)
        monkeypatch.setattr(limits, "JOB_SECONDS", -1)
        with pytest.raises(InputError, match="longer than"):
            list(drawing(workshop))

    def test_damaged_weights_are_told_in_words(self, checkpoints, tmp_path) -> None:
        def refuse(_: Path) -> OLVDMPipeline:
            raise CheckpointError("a byte was altered")

        models = LoadedModels(checkpoints, refuse, MODELS)
        with pytest.raises(CheckpointError, match="a byte was altered"):
            list(drawing(Workshop(models, checkpoints, tmp_path, tmp_path / "runs")))


class TestKeptRuns:
    def test_same_settings_are_found_instead_of_drawn(self, drawn) -> None:
        assert len(drawn.later) == 1
        assert (drawn.found.run_id, drawn.found.text) == (drawn.results[0].run_id, texts.FOUND)
        assert texts.BADGE_FOUND in drawn.found.badge

    def test_found_run_has_the_same_pixels(self, drawn) -> None:
        for before, after in zip(drawn.results[0].clips, drawn.found.clips, strict=True):
            np.testing.assert_array_equal(before.frames, after.frames)

    def test_found_run_has_the_same_figures(self, drawn) -> None:
        assert drawn.found.metrics == drawn.results[0].metrics

    def test_run_names_the_code_that_drew_it(self, drawn) -> None:
        assert drawn.found.settings["commit"] == running_commit()

    def test_run_names_the_noise_of_each_clip(self, drawn) -> None:
        shown = drawn.found.settings
        assert (shown["candidates, lvdm"], shown["candidates, olvdm"]) == ("0", "0")

    def test_clip_of_another_noise_says_so(self) -> None:
        clips = {name: stored_clip() for name in MODELS}
        run = StoredRun("x", {"candidates": {"lvdm": 0, "olvdm": 2}}, clips)
        whats = [clip.what for clip in finished_comparison(run, "", "", "", {}).clips]
        assert whats[0] == texts.WHAT["lvdm"]
        assert "noise 3" in whats[1]

    @pytest.mark.parametrize("candidates", [None, 3, {"olvdm": "2"}, {}])
    def test_run_that_does_not_know_its_noises_is_shown_all_the_same(self, candidates) -> None:
        run = StoredRun("x", {"candidates": candidates}, {"olvdm": stored_clip()})
        assert finished_comparison(run, "", "", "", {}).clips[0].what == texts.WHAT["olvdm"]

    def test_every_setting_is_shown_by_a_name_of_its_own(self, drawn) -> None:
        shown = drawn.found.settings
        assert {"guidance scale", "checkpoints sha256, olvdm", "versions, torch"} <= shown.keys()
        assert not any("{" in text for text in shown.values())

    def test_run_is_found_whatever_commit_drew_it(self, drawn, monkeypatch) -> None:
        monkeypatch.setattr("olvdm.commands.source.running_commit", lambda: "0" * 40)
        assert last(drawing(drawn.workshop, steps=3)).run_id == drawn.found.run_id

    def test_run_outlives_the_process(self, drawn, no_model) -> None:
        later = Workshop(
            no_model.models, no_model.checkpoints, no_model.uploads, drawn.workshop.runs
        )
        assert later.find_run(drawn.found.run_id).run_id == drawn.found.run_id

    def test_lost_run_is_drawn_again_as_it_was(self, drawn, models, checkpoints, tmp_path) -> None:
        other = Workshop(models, checkpoints, tmp_path, tmp_path / "runs")
        again = next(each for each in drawing(other, steps=3) if isinstance(each, Finished))
        assert texts.BADGE_NEW in again.badge
        assert again.run_id == drawn.found.run_id
        np.testing.assert_array_equal(again.clips[1].frames, drawn.found.clips[1].frames)

    @pytest.mark.parametrize("change", [{"seed": 2}, {"steps": 4}])
    def test_other_settings_make_another_run(self, drawn, change) -> None:
        job = drawing(drawn.workshop, **{"steps": 3} | change)
        assert isinstance(next(job), Progress)  # it draws
        job.close()

    def test_denoising_arrives_after_the_result(self, drawn) -> None:
        assert [len(each.denoising) for each in drawn.results] == [0, 3]
        assert len({each.run_id for each in drawn.results}) == 1

    def test_denoising_shows_both_models_at_every_step(self, drawn) -> None:
        views = drawn.results[-1].denoising
        assert [(view.step, len(view.sheets), len(view.masks)) for view in views] == [
            (1, 2, 2),
            (2, 2, 2),
            (3, 2, 2),
        ]

    def test_denoising_is_kept_with_the_run(self, drawn) -> None:
        assert drawn.found.denoising == drawn.results[-1].denoising

    def test_time_that_is_over_after_the_result_takes_nothing_away(
        self, workshop, monkeypatch
    ) -> None:
        job = drawing(workshop, steps=2)
        shown = next(each for each in job if isinstance(each, Finished))
        monkeypatch.setattr(limits, "JOB_SECONDS", -1)
        assert list(job) == []
        assert workshop.store.run_ids() == [shown.run_id]

    def test_run_is_found_from_the_moment_in_which_it_is_shown(self, workshop) -> None:
        job = drawing(workshop)
        shown = next(each for each in job if isinstance(each, Finished))
        assert list(workshop.store.folder.iterdir()) == []
        np.testing.assert_array_equal(
            workshop.find_run(shown.run_id).clips[0].frames, shown.clips[0].frames
        )

    def test_leaving_before_the_result_keeps_nothing(self, workshop) -> None:
        job = drawing(workshop, steps=5)
        next(each for each in job if "Step" in each.text)
        job.close()
        assert list(workshop.store.folder.iterdir()) == []

    def test_leaving_with_the_result_keeps_it(self, workshop) -> None:
        job = drawing(workshop)
        shown = next(each for each in job if isinstance(each, Finished))
        job.close()
        assert workshop.store.run_ids() == [shown.run_id]

    def test_leaving_before_the_denoising_keeps_a_whole_run(self, workshop) -> None:
        job = drawing(workshop, steps=3)
        shown = next(each for each in job if isinstance(each, Finished))
        next(job)
        job.close()
        assert workshop.store.run_ids() == [shown.run_id]
        assert [path.name for path in workshop.store.folder.iterdir()] == [shown.run_id]
        np.testing.assert_array_equal(
            workshop.find_run(shown.run_id).clips[0].frames, shown.clips[0].frames
        )

    def test_full_disk_leaves_no_part_of_a_run(self, workshop, monkeypatch) -> None:
        from olvdm.serving import stored_runs

        def full(*_: object, **__: object) -> None:
            raise OSError(28, "full")

        monkeypatch.setattr(stored_runs.np, "savez_compressed", full)
        with pytest.raises(OSError, match="full"):
            list(drawing(workshop))
        assert list(workshop.store.folder.iterdir()) == []

    @pytest.mark.parametrize("run_id", HOSTILE_IDS, ids=lambda each: repr(each)[:20])
    @pytest.mark.parametrize("door", ["find_run", "run", "take_run", "pinned"])
    def test_unknown_run_is_refused_in_words(self, no_model, door, run_id) -> None:
        with pytest.raises(InputError) as caught:
            getattr(no_model, door)(run_id)
        assert caught.value.user_message == texts.NO_SUCH_RUN

    @pytest.mark.parametrize("run_id", HOSTILE_IDS, ids=lambda each: repr(each)[:20])
    def test_unknown_run_leaves_no_file(self, no_model, run_id) -> None:
        with pytest.raises(InputError):
            no_model.export(run_id, "npz")
        assert list(no_model.uploads.iterdir()) == []


class TestStored:
    def test_needs_no_model(self, no_model) -> None:
        assert no_model.load_stored("1-behind").caption == STORED_PROMPT

    def test_is_found_by_its_name_like_any_run(self, no_model) -> None:
        assert texts.BADGE_STORED in no_model.find_run("1-behind").badge

    def test_list_tells_what_was_drawn(self, no_model) -> None:
        first = no_model.stored()[0]
        assert (first.key, first.label) == ("1-behind", "passing behind")
        assert first.detail == f"{STORED_PROMPT}, seed 3"

    @pytest.mark.parametrize("key", ["../olvdm", "/etc", None, 3, ["1-behind"]])
    def test_only_listed_comparisons_are_read(self, no_model, key) -> None:
        with pytest.raises(InputError, match="choose one of the list"):
            no_model.load_stored(key)


class TestPairs:
    def test_one_model_of_two_runs(self, drawn) -> None:
        run_id = drawn.found.run_id
        pair = drawn.workshop.pair_clips(run_id, "olvdm", "1-behind", "olvdm")
        assert [clip.name for clip in pair.clips] == ["OLVDM, seed 1", "OLVDM, seed 3"]
        np.testing.assert_array_equal(pair.clips[0].frames, drawn.found.clips[1].frames)

    def test_same_clip_twice_is_told_apart_by_letters(self, no_model) -> None:
        pair = no_model.pair_clips("1-behind", "lvdm", "1-behind", "lvdm")
        assert [clip.name for clip in pair.clips] == ["LVDM, seed 3 A", "LVDM, seed 3 B"]

    def test_pair_is_found_again_by_its_name(self, no_model) -> None:
        pair = no_model.pair_clips("1-behind", "lvdm", "2-failure", "olvdm")
        assert no_model.find_run(pair.run_id) is pair

    def test_pair_of_a_pair_is_a_pair(self, no_model) -> None:
        pair = no_model.pair_clips("1-behind", "lvdm", "2-failure", "olvdm")
        again = no_model.pair_clips(pair.run_id, "LVDM, seed 3", "1-behind", "olvdm")
        assert len(again.clips) == 2

    @pytest.mark.parametrize("model", ["", "other", None, 3, ["lvdm"], "../lvdm"])
    def test_unknown_model_is_refused(self, no_model, model) -> None:
        with pytest.raises(InputError, match="no clip of that model"):
            no_model.pair_clips("1-behind", model, "1-behind", "olvdm")

    def test_record_of_a_pair_does_not_claim_that_it_was_drawn_together(self, no_model) -> None:
        pair = no_model.pair_clips("1-behind", "lvdm", "2-failure", "olvdm")
        assert '"kind": "inspection"' in no_model.export(pair.run_id, "run").read_text()

    def test_memory_keeps_few_of_them(self, no_model) -> None:
        first, *_, last_one = [
            no_model.pair_clips("1-behind", "lvdm", "2-failure", "olvdm").run_id
            for _ in range(MOST_PAIRS + 1)
        ]
        no_model.find_run(last_one)
        with pytest.raises(InputError):
            no_model.find_run(first)

    def test_many_of_them_drive_no_inspected_clip_out(self, workshop) -> None:
        clip_id = workshop.read_sample("shapes").clip_id
        brought = last(workshop.inspect(clip_id, 4, 8, 0)).run_id
        for _ in range(MOST_PAIRS + MOST_BROUGHT):
            workshop.pair_clips(brought, "clip-a", "1-behind", "olvdm")
        assert workshop.find_run(brought).run_id == brought

    def test_both_clips_of_a_run_are_that_run(self, no_model) -> None:
        assert no_model.pair_clips("1-behind", "lvdm", "1-behind", "olvdm").run_id == "1-behind"

    def test_both_clips_of_a_run_exchanged_are_that_run_in_the_other_order(self, no_model) -> None:
        exchanged = no_model.pair_clips("1-behind", "olvdm", "1-behind", "lvdm")
        assert exchanged.run_id == f"1-behind{REVERSED}"
        assert [clip.name for clip in exchanged.clips] == ["OLVDM", "LVDM"]

    def test_pair_knows_where_its_clips_are_from(self, no_model) -> None:
        pair = no_model.pair_clips("1-behind", "olvdm", "2-failure", "lvdm")
        assert pair.sources == ("1-behind/olvdm", "2-failure/lvdm")

    def test_what_many_prompts_say_of_two_models_is_not_said_of_a_pair(self, no_model) -> None:
        pair = no_model.pair_clips("1-behind", "olvdm", "2-failure", "olvdm")
        assert all(row.spread is None for row in pair.metrics)
        assert any(row.spread for row in no_model.find_run("1-behind").metrics)


class TestOrder:
    """A run whose name asks for the other order of its clips."""

    def test_exchanges_clips_values_and_what_many_prompts_say(self, no_model) -> None:
        usual, other = (no_model.find_run(f"1-behind{end}") for end in ("", REVERSED))
        assert [clip.name for clip in other.clips] == ["OLVDM", "LVDM"]
        assert other.sources == ("1-behind/olvdm", "1-behind/lvdm")
        row, exchanged = (
            next(row for row in one.metrics if row.id == "warp_error") for one in (usual, other)
        )
        assert exchanged.values == row.values[::-1]
        assert (exchanged.spread.low, exchanged.spread.high) == (-row.spread.high, -row.spread.low)

    def test_count_of_prompts_is_not_claimed_of_the_other_order(self, no_model) -> None:
        other = no_model.find_run(f"1-behind{REVERSED}")
        assert {row.spread.num_lower for row in other.metrics if row.spread} == {None}

    def test_exchanges_the_denoising_too(self, drawn) -> None:
        run_id = drawn.found.run_id
        usual, other = (drawn.workshop.find_run(run_id + end) for end in ("", REVERSED))
        assert usual.denoising[0].sheets != other.denoising[0].sheets
        assert usual.denoising[0].sheets == other.denoising[0].sheets[::-1]

    def test_exchanged_twice_is_as_before(self, no_model) -> None:
        usual = no_model.find_run("1-behind")
        again = usual.reversed().reversed()
        assert (again.run_id, again.sources) == (usual.run_id, usual.sources)

    def test_files_have_the_order_of_the_screen(self, no_model) -> None:
        file = no_model.export(f"1-behind{REVERSED}", "mp4-a")
        assert file.name == "olvdm.mp4"

    @pytest.mark.parametrize("run_id", [REVERSED, f"1-behind{REVERSED * 2}", REVERSED * 9_000])
    def test_name_that_asks_for_more_is_refused(self, no_model, run_id) -> None:
        with pytest.raises(InputError) as caught:
            no_model.find_run(run_id)
        assert caught.value.user_message == texts.NO_SUCH_RUN


class TestPinned:
    def test_comparison_offers_both_its_clips(self, no_model) -> None:
        pinned = no_model.pinned("1-behind")
        assert pinned.clips == (Choice("lvdm", "LVDM"), Choice("olvdm", "OLVDM"))
        assert pinned.label == f"{STORED_PROMPT}, seed 3"

    def test_inspected_clip_is_called_as_on_the_screen(self, workshop) -> None:
        clip_id = shelved(workshop, moving_frames(8, 64, 64))
        finished = last(workshop.inspect(clip_id, 4, 8, 0))
        pinned = workshop.pinned(finished.run_id)
        assert pinned.clips == (Choice("clip-a", texts.YOUR_CLIP),)
        pair = workshop.pair_clips(finished.run_id, "clip-a", "1-behind", "olvdm")
        assert [clip.name for clip in pair.clips] == [texts.YOUR_CLIP, "OLVDM, seed 3"]

    def test_order_on_the_screen_is_no_part_of_the_pinned_run(self, no_model) -> None:
        assert no_model.pinned(f"1-behind{REVERSED}") == no_model.pinned("1-behind")


class TestUploads:
    def test_is_deleted_once_it_is_read(self, no_model) -> None:
        file = no_model.uploads / "clip.mp4"
        file.write_bytes(make_video())
        no_model.read_upload(str(file))
        assert not file.exists()

    def test_that_cannot_be_read_is_deleted_too(self, no_model) -> None:
        file = no_model.uploads / "clip.mp4"
        file.write_bytes(b"text")
        with pytest.raises(OlvdmError):
            no_model.read_upload(str(file))
        assert not file.exists()

    @pytest.mark.parametrize(
        "path",
        ["/etc/passwd", "../secret", "a\x00b", "x" * 5_000, "", None, 3, ["a"], {"path": "a"}],
    )
    def test_from_elsewhere_is_refused(self, no_model, path) -> None:
        with pytest.raises(InputError):
            no_model.read_upload(path)

    def test_link_out_of_the_folder_is_refused(self, no_model, tmp_path) -> None:
        secret = tmp_path / "secret.mp4"
        secret.write_bytes(make_video())
        (no_model.uploads / "clip.mp4").symlink_to(secret)
        with pytest.raises(InputError):
            no_model.read_upload(str(no_model.uploads / "clip.mp4"))
        assert secret.exists()

    def test_file_of_a_kept_run_is_refused_and_stays(self, models, checkpoints, tmp_path) -> None:
        workshop = Workshop(models, checkpoints, tmp_path, tmp_path / "runs")
        with workshop.store.save({}, run_id="0" * 16) as folder:
            (folder / "lvdm.npz").write_bytes(b"arrays")
        with pytest.raises(InputError, match="upload"):
            workshop.read_upload(str(workshop.runs / ("0" * 16) / "lvdm.npz"))
        assert workshop.store.find("0" * 16) is not None

    def test_folder_is_refused(self, no_model) -> None:
        with pytest.raises(InputError):
            no_model.read_upload(str(no_model.uploads))
        assert no_model.uploads.is_dir()


class TestInspection:
    def test_sample_clip_takes_no_more_than_one_place(self, no_model) -> None:
        own = shelved(no_model, moving_frames())
        names = {no_model.read_sample("shapes").clip_id for _ in range(MOST_CLIPS)}
        assert len(names) == 1
        assert no_model.shelf.get(own).name == texts.YOUR_CLIP

    def test_sample_clip_can_be_inspected(self, workshop) -> None:
        finished = last(workshop.inspect(workshop.read_sample("shapes").clip_id, 4, 8, 0))
        assert len(finished.clips[0].frames) == 8
        assert finished.warning == texts.UNFAMILIAR

    def test_adaptation_tells_its_gain(self, workshop) -> None:
        clip_id = workshop.read_sample("shapes").clip_id
        *reports, finished = workshop.inspect(clip_id, 4, 8, 2)
        assert sum("Fitting" in each.text for each in reports) == 2
        assert isinstance(finished, Finished)
        assert "before" in finished.notes[0]

    def test_leaving_an_adaptation_ends_its_thread(self, workshop) -> None:
        job = workshop.inspect(workshop.read_sample("shapes").clip_id, 4, 8, 200)
        next(each for each in job if "Fitting" in each.text)
        job.close()
        assert not any(thread.name == "worker" for thread in threading.enumerate())

    @pytest.mark.parametrize(
        ("field", "wrong"), [("num_slots", 1), ("max_frames", 33), ("adapt_steps", -1)]
    )
    def test_bad_setting_is_refused(self, no_model, field, wrong) -> None:
        clip_id = no_model.read_sample("shapes").clip_id
        settings = {"num_slots": 4, "max_frames": 8, "adapt_steps": 0} | {field: wrong}
        with pytest.raises(InputError, match=field):
            list(no_model.inspect(clip_id, *settings.values()))

    @pytest.mark.parametrize("clip_id", [None, "", "0" * 32, 7, ["a"], {"a": 1}])
    def test_unknown_clip_is_refused(self, no_model, clip_id) -> None:
        with pytest.raises(InputError, match="Choose a video"):
            list(no_model.inspect(clip_id, 4, 8, 0))

    @pytest.mark.parametrize("other", ["", "0" * 32, 7, ["a"], False])
    def test_unknown_second_clip_is_refused(self, no_model, other) -> None:
        clip_id = no_model.read_sample("shapes").clip_id
        with pytest.raises(InputError, match="Choose a video"):
            list(no_model.inspect(clip_id, 4, 8, 0, other))

    def test_two_clips_of_different_length_are_both_shown_and_the_rest_is_said(
        self, workshop
    ) -> None:
        ids = [shelved(workshop, moving_frames(count, 64, 64)) for count in (12, 9)]
        finished = last(workshop.inspect(ids[0], 4, 16, 0, ids[1]))
        assert [len(clip.frames) for clip in finished.clips] == [12, 9]
        assert finished.notes == (texts.COMMON_FRAMES.format(count=9),)

    def test_two_clips_of_one_name_are_told_apart(self, workshop) -> None:
        ids = [shelved(workshop, moving_frames(8, 64, 64)) for _ in range(2)]
        finished = last(workshop.inspect(ids[0], 4, 8, 0, ids[1]))
        assert [clip.name for clip in finished.clips] == ["Your clip A", "Your clip B"]

    def test_every_row_has_a_value_a_clip(self, workshop) -> None:
        ids = [shelved(workshop, moving_frames(8, 64, 64)) for _ in range(2)]
        finished = last(workshop.inspect(ids[0], 4, 8, 0, ids[1]))
        assert {len(row.values) for row in finished.metrics} == {2}

    def test_crop_looks_at_the_square_in_the_middle(self, workshop) -> None:
        frames = moving_frames(8, 64, 96)
        finished = last(workshop.inspect(shelved(workshop, frames), 4, 8, 0, None, True))
        np.testing.assert_array_equal(finished.clips[0].frames, frames[:, :, 16:80])

    @pytest.mark.parametrize("crop", [False, None, 1, "yes", [True]])
    def test_only_true_crops(self, workshop, crop) -> None:
        frames = moving_frames(8, 64, 96)
        finished = last(workshop.inspect(shelved(workshop, frames), 4, 8, 0, None, crop))
        assert finished.clips[0].frames.shape[2] == 96

    def test_both_clips_of_a_run_can_be_inspected(self, workshop) -> None:
        first, second = workshop.take_run("1-behind")
        finished = last(workshop.inspect(first.clip_id, 4, 8, 0, second.clip_id))
        assert [clip.name for clip in finished.clips] == ["LVDM", "OLVDM"]

    def test_run_of_one_clip_has_no_two_to_take(self, workshop) -> None:
        finished = last(workshop.inspect(workshop.read_sample("shapes").clip_id, 4, 8, 0))
        with pytest.raises(InputError):
            workshop.take_run(finished.run_id)

    def test_result_is_found_again_by_its_name(self, workshop) -> None:
        finished = last(workshop.inspect(workshop.read_sample("shapes").clip_id, 4, 8, 0))
        assert workshop.find_run(finished.run_id) is finished

    def test_upload_never_reaches_the_disk(self, workshop) -> None:
        last(workshop.inspect(shelved(workshop, moving_frames(8, 64, 64)), 4, 8, 0))
        assert not workshop.runs.exists() or list(workshop.runs.iterdir()) == []


class TestExports:
    @pytest.mark.parametrize("kind", texts.EXPORTS.values())
    def test_every_kind_is_written(self, drawn, kind) -> None:
        file = drawn.workshop.export(drawn.found.run_id, kind)
        assert file.stat().st_size > 0
        assert file.is_relative_to(drawn.workshop.uploads)

    @pytest.mark.parametrize("kind", ["report", "side-by-side", "mp4-b", "csv", "run"])
    def test_pair_leaves_as_files_too(self, no_model, kind) -> None:
        pair = no_model.pair_clips("1-behind", "lvdm", "2-failure", "olvdm")
        assert no_model.export(pair.run_id, kind).stat().st_size > 0

    @pytest.mark.parametrize("kind", ["", "exe", "../npz", None, 3, ["npz"], {"npz": 1}])
    def test_unknown_kind_is_refused_and_leaves_no_file(self, no_model, kind) -> None:
        with pytest.raises(InputError, match="no such kind"):
            no_model.export("1-behind", kind)
        assert list(no_model.uploads.iterdir()) == []

    def test_single_clip_has_no_second_one(self, workshop) -> None:
        finished = last(workshop.inspect(workshop.read_sample("shapes").clip_id, 4, 8, 0))
        assert workshop.export(finished.run_id, "report").stat().st_size > 0
        with pytest.raises(InputError, match="has 1 clip"):
            workshop.export(finished.run_id, "mp4-b")

    def test_arrays_are_those_on_the_screen(self, drawn) -> None:
        with np.load(drawn.workshop.export(drawn.found.run_id, "npz")) as arrays:
            shown = drawn.found.clips[1].frames
            np.testing.assert_array_equal(arrays["olvdm_frames"], shown)

    def test_report_says_what_the_page_says(self, no_model) -> None:
        text = no_model.export("1-behind", "report").read_text()
        assert f"{texts.BADGE_STORED}, seed 3" in text

    def test_record_repeats_the_frames_checksums(self, drawn) -> None:
        frames = drawn.found.clips[1].frames
        text = drawn.workshop.export(drawn.found.run_id, "run").read_text()
        assert hashlib.sha256(frames.tobytes()).hexdigest() in text
