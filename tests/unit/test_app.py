import errno
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

import app
from olvdm.errors import CheckpointError, InputError
from olvdm.pipeline import OLVDMPipeline
from olvdm.serving.loaded_models import LoadedModels
from tests.app_server import STORED_PROMPT, free_port, make_checkpoints, tiny_model
from tests.clip_files import make_video
from tests.tiny_networks import PROMPTS
from visualize.screen import texts
from visualize.screen.shown import Finished, Progress


def load(folder: Path) -> OLVDMPipeline:
    return tiny_model(app.MODELS.index(folder.name))


def never(_: Path) -> OLVDMPipeline:
    raise AssertionError("the model was reached")


@pytest.fixture
def workshop(tmp_path: Path) -> app.Workshop:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    models = LoadedModels(tmp_path, load, app.MODELS)
    return app.Workshop(models, tmp_path / "examples", uploads)


@pytest.fixture
def no_model(tmp_path: Path) -> app.Workshop:
    return app.Workshop(LoadedModels(tmp_path, never, app.MODELS), tmp_path, tmp_path)


def drawing(workshop: app.Workshop, steps: object = 2, seed: object = 1) -> app.Job:
    return workshop.compare(PROMPTS[0], seed, steps, 3.0)


@app.explained
def failing(error: BaseException) -> Iterator[int]:
    yield 1
    raise error


def test_expected_failure_is_shown_in_its_own_words() -> None:
    with pytest.raises(gr.Error, match="too long"):
        list(failing(InputError("the prompt is too long")))


def test_words_of_a_failure_are_no_markup() -> None:
    with pytest.raises(gr.Error) as caught:
        list(failing(InputError("got <img src=x>")))
    assert caught.value.message == "got &lt;img src=x&gt;"


def test_bug_shows_a_number_and_nothing_else() -> None:
    with pytest.raises(gr.Error, match=r"Internal error, id [0-9a-f]{6}") as caught:
        list(failing(RuntimeError("/secret/path")))
    assert "secret" not in str(caught.value)


def test_bug_is_logged_under_its_number(caplog) -> None:
    with pytest.raises(gr.Error) as caught:
        list(failing(RuntimeError("/secret/path")))
    assert caught.value.message[-6:] in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("error", "words"),
    [(MemoryError(), "out of memory"), (OSError(errno.ENOSPC, "full"), "disk is full")],
)
def test_full_machine_is_told_in_words(error, words) -> None:
    with pytest.raises(gr.Error, match=words):
        list(failing(error))


def test_leaving_is_no_failure() -> None:
    job = failing(RuntimeError())
    next(job)
    job.close()  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("prompt", ["", "   ", None, 7, "x" * 301])
def test_bad_prompt_never_reaches_the_model(no_model, prompt) -> None:
    with pytest.raises(InputError, match="prompt"):
        list(no_model.compare(prompt, 3, 10, 3.0))


@pytest.mark.parametrize("steps", [0, 101, float("nan"), True, "10", None])
def test_bad_number_never_reaches_the_model(no_model, steps) -> None:
    with pytest.raises(InputError, match="num_inference_steps"):
        list(drawing(no_model, steps=steps))


def test_comparison_ends_with_both_clips(workshop) -> None:
    *_, finished = drawing(workshop)
    assert isinstance(finished, Finished)
    assert [clip.name for clip in finished.clips] == ["LVDM", "OLVDM"]


def test_comparison_reports_every_step(workshop) -> None:
    reports = [each for each in drawing(workshop, steps=3) if isinstance(each, Progress)]
    assert [each.text.split(",")[0] for each in reports if "Step" in each.text] == [
        "Step 1 of 3",
        "Step 2 of 3",
    ]
    assert reports[-1].text == texts.LOOKING


def test_first_step_comes_with_previews_of_both(workshop) -> None:
    first = next(each for each in drawing(workshop, steps=3) if "Step" in each.text)
    assert isinstance(first, Progress)
    assert len(first.previews) == 2


def test_same_seed_gives_the_same_frames(workshop) -> None:
    first, second = (list(drawing(workshop))[-1] for _ in range(2))
    assert isinstance(first, Finished)
    assert isinstance(second, Finished)
    np.testing.assert_array_equal(first.clips[1].frames, second.clips[1].frames)


def test_leaving_after_a_step_frees_the_models(workshop) -> None:
    job = drawing(workshop, steps=50)
    next(job)
    job.close()
    with workshop.models.turn():
        pass


def test_closing_server_ends_the_job_at_its_next_step(workshop) -> None:
    job = drawing(workshop, steps=50)
    next(job)
    workshop.is_closing.set()
    with pytest.raises(InputError, match="closing"):
        list(job)


def test_job_may_not_take_longer_than_its_limit(workshop, monkeypatch) -> None:
    monkeypatch.setattr(app.limits, "JOB_SECONDS", -1)
    workshop.models.wait(60)
    with pytest.raises(InputError, match="longer than"):
        list(drawing(workshop))


def test_damaged_weights_are_told_in_words(tmp_path) -> None:
    def refuse(_: Path) -> OLVDMPipeline:
        raise CheckpointError("a byte was altered")

    models = LoadedModels(tmp_path, refuse, app.MODELS)
    with pytest.raises(CheckpointError, match="a byte was altered"):
        list(drawing(app.Workshop(models, tmp_path, tmp_path)))


def test_stored_comparison_needs_no_model(tmp_path) -> None:
    checkpoints = make_checkpoints(tmp_path)
    models = LoadedModels(checkpoints, never, app.MODELS)
    shown = app.Workshop(models, checkpoints / "examples", tmp_path).load_stored("1-behind")
    assert shown.caption == STORED_PROMPT


@pytest.mark.parametrize("key", ["../olvdm", "/etc", None, 3, ["1-behind"]])
def test_only_listed_comparisons_are_read(workshop, key) -> None:
    with pytest.raises(InputError, match="choose one of the list"):
        workshop.load_stored(key)


def test_upload_is_deleted_once_it_is_read(workshop) -> None:
    file = workshop.uploads / "clip.mp4"
    file.write_bytes(make_video())
    workshop.read_upload(str(file))
    assert not file.exists()


def test_upload_that_cannot_be_read_is_deleted_too(workshop) -> None:
    file = workshop.uploads / "clip.mp4"
    file.write_bytes(b"text")
    with pytest.raises(app.OlvdmError):
        workshop.read_upload(str(file))
    assert not file.exists()


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret", None, 3, ["a"], {"path": "a"}])
def test_file_from_elsewhere_is_refused(workshop, path) -> None:
    with pytest.raises(InputError):
        workshop.read_upload(path)


def test_link_out_of_the_upload_folder_is_refused(workshop, tmp_path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(make_video())
    (workshop.uploads / "clip.mp4").symlink_to(secret)
    with pytest.raises(InputError):
        workshop.read_upload(str(workshop.uploads / "clip.mp4"))
    assert secret.exists()


def test_sample_clip_can_be_inspected(workshop) -> None:
    clip_id = workshop.read_sample("shapes").clip_id
    *_, finished = workshop.inspect(clip_id, 4, 8, 0)
    assert isinstance(finished, Finished)
    assert finished.clips[0].frames.shape[0] == 8
    assert finished.warning == texts.UNFAMILIAR


def test_adaptation_tells_its_gain(workshop) -> None:
    clip_id = workshop.read_sample("shapes").clip_id
    *reports, finished = workshop.inspect(clip_id, 4, 8, 2)
    assert sum("Fitting" in each.text for each in reports) == 2
    assert isinstance(finished, Finished)
    assert "before" in finished.notes[0]


def test_leaving_an_adaptation_ends_its_thread(workshop) -> None:
    job = workshop.inspect(workshop.read_sample("shapes").clip_id, 4, 8, 200)
    next(each for each in job if "Fitting" in each.text)
    job.close()
    assert not any(thread.name == "worker" for thread in threading.enumerate())


@pytest.mark.parametrize(
    ("field", "wrong"), [("num_slots", 1), ("max_frames", 33), ("adapt_steps", -1)]
)
def test_bad_setting_of_an_inspection_is_refused(workshop, field, wrong) -> None:
    clip_id = workshop.read_sample("shapes").clip_id
    settings = {"num_slots": 4, "max_frames": 8, "adapt_steps": 0} | {field: wrong}
    with pytest.raises(InputError, match=field):
        list(workshop.inspect(clip_id, *settings.values()))


class TestProcess:
    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "app.py", *arguments]
        return subprocess.Popen(
            command, cwd=app.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def test_importing_the_entry_brings_neither_gradio_nor_torch(self) -> None:
        program = "import app, sys; print({'gradio', 'torch'} & set(sys.modules))"
        command = [sys.executable, "-c", program]
        ended = subprocess.run(command, cwd=app.ROOT, capture_output=True, text=True, check=True)
        assert ended.stdout.strip() == "set()"

    def test_taken_port_is_told_in_one_line(self, tmp_path) -> None:
        import socket

        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            process = self.start("--port", str(port), "--checkpoints", str(tmp_path))
            _, words = process.communicate(timeout=240)
        assert process.returncode == 2
        assert words == f"Port {port} is taken; choose another one with --port.\n"

    def test_ending_it_is_no_failure_and_leaves_no_file(self, tmp_path, monkeypatch) -> None:
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        process = self.start("--port", str(free_port()), "--checkpoints", str(tmp_path / "none"))
        assert process.stdout is not None
        assert "OLVDM is at" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode == 0
        assert list(tmp_path.iterdir()) == []
