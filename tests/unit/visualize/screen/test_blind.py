import itertools
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.app_server import stored_clip
from tests.unit.visualize.payloads import denoising_steps, metric
from visualize.inspected import InspectedClip
from visualize.screen import blind, texts
from visualize.screen.blind import Trials, blinded, blinded_job, outcome
from visualize.screen.inspector_value import finished_value
from visualize.screen.jobs import Job
from visualize.screen.shown import REVERSED, Finished, Progress
from visualize.screen.staging import stage_job, stage_result

RUN, OTHER = "0123456789abcdef", "fedcba9876543210"
MODELS = ("LVDM", "OLVDM")
TELLING = ("lvdm", RUN, "steadier", "figures", "trained", "sha256")


def comparison(run_id: str = RUN, **changes: Any) -> Finished:
    clips = tuple(
        InspectedClip.of(name, texts.WHAT[name.lower()], stored_clip(jitter))
        for name, jitter in zip(MODELS, (0.2, 0.1), strict=True)
    )
    given: dict[str, Any] = {
        "clips": clips,
        "run_id": run_id,
        "badge": texts.BADGE_NEW,
        "caption": "a red circle moves right",
        "notes": ("LVDM is worse",),
        "warning": "OLVDM was trained on this",
        "metrics": (metric(-0.1, -0.05, values=(0.2, 0.1)),),
        "denoising": denoising_steps(1),
        "settings": {"lvdm sha256": "1", "olvdm sha256": "2"},
        "sources": (f"{run_id}/lvdm", f"{run_id}/olvdm"),
    }
    return Finished(**given | changes)


def pair() -> Finished:
    return comparison(OTHER, sources=(f"{RUN}/olvdm", "1-behind/lvdm"))


def coin(monkeypatch: pytest.MonkeyPatch, *sides: bool) -> None:
    """Let the lot fall as these say, in turn."""
    fallen = itertools.cycle(sides)
    monkeypatch.setattr(blind.secrets, "choice", lambda _: next(fallen))


def job() -> Job:
    frames = stored_clip()["frames"]
    yield Progress("one", 0.5, (frames, 255 - frames))
    yield comparison(denoising=())
    yield Progress("more")
    yield comparison()


class TestWhatIsShown:
    @pytest.mark.parametrize("is_reversed", [False, True])
    def test_nothing_that_travels_tells_the_models(self, monkeypatch, is_reversed) -> None:
        coin(monkeypatch, is_reversed)
        value = finished_value(blinded(comparison()), plays=False)
        for each in value["clips"]:
            each.pop("sheet")
        sent = json.dumps(value).lower()
        assert [word for word in TELLING if word in sent] == []
        assert value["metrics"] == value["denoising"] == value["sources"] == []

    def test_both_clips_are_alike_but_for_their_pictures(self, monkeypatch) -> None:
        coin(monkeypatch, False)
        first, second = finished_value(blinded(comparison()), plays=False)["clips"]
        assert (first.pop("name"), second.pop("name")) == ("Clip A", "Clip B")
        first.pop("sheet")
        second.pop("sheet")
        assert first == second

    @pytest.mark.parametrize("is_reversed", [False, True])
    def test_pictures_are_those_of_the_run_in_the_order_of_its_name(
        self, monkeypatch, is_reversed
    ) -> None:
        coin(monkeypatch, is_reversed)
        frames = [np.full((16, 8, 8, 3), value, np.uint8) for value in (1, 2)]
        clips = tuple(replace(c, frames=f) for c, f in zip(comparison().clips, frames, strict=True))
        shown = blinded(replace(comparison(), clips=clips))
        assert shown.run_id.endswith(REVERSED) is is_reversed
        expected = [2, 1] if is_reversed else [1, 2]
        assert [int(clip.frames[0, 0, 0, 0]) for clip in shown.clips] == expected

    def test_opens_at_the_first_frame_without_a_reason(self) -> None:
        start = finished_value(blinded(comparison()), plays=False)["start"]
        assert (start["frame"], start["reason"]) == (0, "")

    def test_order_is_drawn_anew_every_time(self) -> None:
        orders = {blinded(comparison()).run_id for _ in range(64)}
        assert orders == {RUN, RUN + REVERSED}

    def test_pairs_of_clips_of_other_shapes_can_be_judged_too(self) -> None:
        short = InspectedClip.of("LVDM", "", stored_clip(num_frames=8, side=32))
        shown = blinded(comparison(clips=(short, comparison().clips[1])))
        assert len(finished_value(shown, plays=False)["clips"]) == 2


class TestOnTheWay:
    def test_no_picture_is_shown_before_the_result(self) -> None:
        reached = list(blinded_job(job()))
        assert all(not each.previews for each in reached if isinstance(each, Progress))

    def test_what_is_added_later_is_not_shown(self) -> None:
        results = [each for each in blinded_job(job()) if isinstance(each, Finished)]
        assert [each.is_blind for each in results] == [True]

    def test_leaving_closes_the_job(self) -> None:
        inner = job()
        reached = blinded_job(inner)
        next(reached)
        reached.close()
        with pytest.raises(StopIteration):
            next(inner)

    def test_name_of_the_run_stays_on_the_server(self) -> None:
        *_, (value, _, name, trials, _) = [
            each for each in stage_job(job(), True, Trials()) if isinstance(each[2], str)
        ]
        assert value["run_id"] == name == ""
        assert trials.pending.removesuffix(REVERSED) == RUN


class TestStage:
    def test_named_result_has_been_seen(self) -> None:
        _, _, name, trials, said = stage_result(comparison(), False, Trials())
        assert name == RUN
        assert trials.seen == (RUN,)
        assert said["text"] == ""

    def test_fresh_pair_counts(self) -> None:
        trials = stage_result(comparison(), True, Trials())[3]
        assert trials.counts

    @pytest.mark.parametrize(
        ("finished", "seen"),
        [(comparison(), (RUN,)), (comparison().reversed(), (RUN,)), (pair(), ())],
        ids=("seen", "seen in the other order", "a pair of one's own"),
    )
    def test_pair_that_can_be_known_is_for_practice_and_says_so(self, finished, seen) -> None:
        *_, trials, said = stage_result(finished, True, Trials(seen=seen))
        assert not trials.counts
        assert said["text"] == texts.PRACTICE

    def test_single_clip_has_no_trial(self) -> None:
        alone = comparison(clips=comparison().clips[:1], metrics=(), denoising=())
        value, _, name, trials, _ = stage_result(alone, True, Trials())
        assert (value["is_blind"], name, trials.pending) == (False, RUN, "")

    @pytest.mark.parametrize("sent", ["true", 1, [True], {"a": 1}, None])
    def test_only_true_is_blind(self, sent) -> None:
        assert stage_result(comparison(), sent, Trials())[0]["is_blind"] is False


class TestAnswers:
    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            ("a", "You chose clip A, which is OLVDM; clip B is LVDM."),
            ("b", "You chose clip B, which is LVDM; clip A is OLVDM."),
            ("neither", "You saw no difference; clip A is OLVDM, clip B is LVDM."),
        ],
    )
    def test_answer_names_both(self, answer, words) -> None:
        trials = Trials(pending=RUN + REVERSED, counts=True)
        names = MODELS[::-1]
        said = outcome(names, answer, trials, trials.answered(names, answer))
        assert said.startswith(words)

    def test_tally_counts_what_was_chosen(self) -> None:
        trials = Trials()
        for answer in ("b", "b", "a", "neither", "b"):
            before = replace(trials, counts=True)
            trials = before.answered(MODELS, answer)
        assert outcome(MODELS, "b", before, trials).endswith(
            "3 of 5 times you chose OLVDM, 1 of 5 times you saw no difference."
        )

    def test_practice_is_not_counted(self) -> None:
        trials = Trials(pending=RUN)
        after = trials.answered(MODELS, "a")
        assert after.chosen == ()
        assert outcome(MODELS, "a", trials, after).endswith(texts.NOT_COUNTED)

    def test_second_press_counts_no_second_time(self) -> None:
        trials = Trials(pending=RUN, counts=True).answered(MODELS, "a")
        assert trials.answered(MODELS, "a").chosen == ("LVDM",)
