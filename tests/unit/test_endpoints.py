import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from olvdm import limits
from olvdm.endpoints import Endpoints, read_link
from olvdm.errors import InputError
from olvdm.results import MODELS
from olvdm.serving.loaded_models import LoadedModels
from olvdm.workshop import Workshop
from tests.app_server import make_checkpoints, tiny_model
from tests.clip_files import make_video
from tests.tiny_networks import PROMPTS
from visualize.payload import Start
from visualize.screen import texts

GOOD = (PROMPTS[0], 1, 1, 3.0)
Answer = tuple[dict[str, Any], list[Path]]


@pytest.fixture(scope="module", autouse=True)
def patience() -> Iterator[None]:
    """Let jobs take their time: a shared machine may be slow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "JOB_SECONDS", 3_600)
        yield


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Endpoints:
    folder = tmp_path_factory.mktemp("endpoints")
    (folder / "uploads").mkdir()
    checkpoints = make_checkpoints(folder / "checkpoints")
    models = LoadedModels(checkpoints, lambda path: tiny_model(MODELS.index(path.name)), MODELS)
    return Endpoints(Workshop(models, checkpoints, folder / "uploads", folder / "runs"))


@pytest.fixture(scope="module")
def compared(endpoints: Endpoints) -> list[Answer]:
    return list(endpoints.compare(*GOOD))


@pytest.fixture(scope="module")
def inspected(endpoints: Endpoints) -> list[Answer]:
    file = endpoints.workshop.uploads / "clip.mp4"
    file.write_bytes(make_video())
    return list(endpoints.inspect(str(file), 4, 8, 0))


def drained(answers: Iterator[Answer]) -> Answer:
    *_, answer = answers
    return answer


class TestAnswers:
    def test_every_step_is_reported_without_a_file(self, compared) -> None:
        *steps, _ = compared
        assert steps
        assert all(set(report) == {"status", "share"} and not files for report, files in steps)

    def test_result_names_the_run_and_both_clips(self, compared) -> None:
        report, _ = compared[-1]
        assert list(report["clips"]) == ["lvdm", "olvdm"]
        assert len(report["run_id"]) == 16

    def test_result_is_json_without_nan(self, compared, inspected) -> None:
        for report, _ in (compared[-1], inspected[-1]):
            json.dumps(report, allow_nan=False)

    def test_checksum_is_that_of_the_frames(self, endpoints, compared) -> None:
        report, _ = compared[-1]
        frames = endpoints.workshop.find_run(report["run_id"]).clips[1].frames
        checksum = hashlib.sha256(frames.tobytes()).hexdigest()
        assert report["clips"]["olvdm"]["frames_sha256"] == checksum

    def test_comparison_comes_with_film_and_arrays(self, compared) -> None:
        assert [file.name for file in compared[-1][1]] == ["side-by-side.mp4", "run.npz"]

    @pytest.mark.parametrize("name", MODELS)
    def test_one_model_answers_for_itself_alone(self, endpoints, compared, name) -> None:
        report, files = drained(endpoints.generate(*GOOD[:2], name, *GOOD[2:]))
        assert list(report["clips"]) == [name]
        assert [file.name for file in files] == [f"{name}.mp4", "run.npz"]
        assert report["run_id"] == compared[-1][0]["run_id"]

    @pytest.mark.parametrize("name", ["", "other", "../olvdm", None, 3, ["olvdm"], {"a": 1}])
    def test_unknown_model_is_refused(self, endpoints, name) -> None:
        with pytest.raises(InputError, match="checkpoint must be one of lvdm, olvdm, got "):
            list(endpoints.generate(*GOOD[:2], name, *GOOD[2:]))

    def test_metrics_are_those_of_the_run(self, endpoints, compared) -> None:
        report, _ = compared[-1]
        assert endpoints.metrics(report["run_id"])["metrics"] == report["metrics"]

    def test_metrics_of_an_inspected_clip_are_known_too(self, endpoints, inspected) -> None:
        report, _ = inspected[-1]
        assert endpoints.metrics(report["run_id"]) == report

    def test_inspection_says_which_slot_holds_what(self, inspected) -> None:
        report, files = inspected[-1]
        (clip,) = report["clips"].values()
        assert clip["shape"] == [8, 64, 96, 3]
        assert len(clip["assignment"]) == 8
        assert [file.name for file in files] == ["run.npz"]

    @pytest.mark.parametrize("settings", [(1, 8, 0), (4, 7, 0), (4, 8, -1)])
    def test_upload_outlives_settings_that_are_refused(self, endpoints, settings) -> None:
        path = endpoints.workshop.uploads / "clip.mp4"
        path.write_bytes(make_video())
        with pytest.raises(InputError, match="must be a whole number from"):
            list(endpoints.inspect(str(path), *settings))
        assert path.is_file()

    def test_warning_of_an_unfamiliar_clip_is_passed_on(self, inspected) -> None:
        assert inspected[-1][0]["warning"] == texts.UNFAMILIAR

    def test_models_are_described_without_being_loaded(self, endpoints) -> None:
        def never(_: Path) -> Any:
            raise AssertionError("the model was reached")

        there = endpoints.workshop
        models = LoadedModels(there.checkpoints, never, MODELS)
        idle = Workshop(models, there.checkpoints, there.uploads, there.runs)
        described = Endpoints(idle).list_checkpoints()
        assert [(each["name"], each["can_inspect"]) for each in described] == [
            ("lvdm", False),
            ("olvdm", True),
        ]
        assert all(each["bytes"] > 0 and len(each["sha256"]) == 64 for each in described)

    def test_missing_models_are_left_out(self, tmp_path) -> None:
        models = LoadedModels(tmp_path, lambda _: tiny_model(0), MODELS)
        none = Workshop(models, tmp_path, tmp_path, tmp_path / "runs")
        assert Endpoints(none).list_checkpoints() == []


RUN = "0123456789abcdef"
HOSTILE = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "NaN",
            "Infinity",
            "1e400",
            "-1",
            "\u0663",
            "9" * 5_000,
            "[" * 5_000,
            "0x10",
            "1_000",
            "true",
            "null",
            '"3"',
            "../../etc",
            "${alert(1)}",
            "<img src=x>",
            "\x00",
            "\ud800",
            "1.2.3.4\n",
            "1.2.3",
            "99999.0.0.0",
        ]
    ),
    st.integers().map(str),
    st.floats().map(str),
)
QUERIES = st.dictionaries(
    st.sampled_from(["run", "t", "cell", "side", "prompt", "seed", "steps", "guidance", "view"]),
    HOSTILE,
)


class TestLinks:
    @given(QUERIES)
    @example({"run": RUN, "t": "9999", "cell": "9999.0.9999.0"})
    @example({"run": RUN, "cell": "1.0.2.0", "side": "c"})
    @example({"run": RUN, "prompt": "a", "seed": "[" * 100_000})
    def test_whatever_it_says_only_legal_values_pass(self, query) -> None:
        link = read_link({"run": RUN} | query)
        if link is None:
            return
        assert link.run_id.isascii()
        assert set(link.run_id) <= set("0123456789abcdefghijklmnopqrstuvwxyz-")
        assert 0 <= link.place.frame <= 9999
        assert link.place.cell is None or len(link.place.cell) == 4
        assert link.place.side in (0, 1)
        assert link.place.reason == ""
        assert set(link.settings) <= {"prompt", "seed", "num_inference_steps", "guidance_scale"}
        if link.settings:
            assert type(link.settings["seed"]) is int
            assert link.settings["seed"] in limits.SEED
            assert link.settings["num_inference_steps"] in limits.STEPS
            assert link.settings["guidance_scale"] in limits.GUIDANCE
            assert 1 <= len(link.settings["prompt"]) <= limits.PROMPT_CHARS.high

    @given(HOSTILE)
    def test_name_of_a_run_cannot_leave_its_folder(self, run) -> None:
        link = read_link({"run": run})
        assert link is None or "/" not in link.run_id
        assert link is None or "." not in link.run_id

    def test_good_link_is_read_whole(self) -> None:
        query = {"run": RUN, "t": "9", "cell": "2.1.10.1", "side": "b", "prompt": "a red circle"}
        link = read_link(query | {"seed": "7", "steps": "5", "guidance": "2.5"})
        assert link is not None
        assert link.run_id == RUN
        assert link.place == Start(frame=9, cell=(2, 1, 10, 1), side=1)
        assert link.settings == {
            "prompt": "a red circle",
            "seed": 7,
            "num_inference_steps": 5,
            "guidance_scale": 2.5,
        }

    def test_link_from_before_there_were_sides_opens_on_the_first_clip(self) -> None:
        link = read_link({"run": RUN, "t": "9", "cell": "2.1.10.1"})
        assert link is not None
        assert link.place == Start(frame=9, cell=(2, 1, 10, 1), side=0)

    @pytest.mark.parametrize("side", ["a", "B", "1", "bb", "b\n", "\u0431", "${b}", ""])
    def test_side_that_is_not_the_second_is_the_first(self, side) -> None:
        link = read_link({"run": RUN, "side": side})
        assert link is not None
        assert link.place.side == 0

    def test_address_without_a_run_is_no_link(self) -> None:
        assert read_link({"t": "3", "prompt": "a"}) is None

    def test_one_bad_setting_fills_no_form(self) -> None:
        link = read_link({"run": RUN, "prompt": "a", "seed": "-1"})
        assert link is not None
        assert link.settings == {}
