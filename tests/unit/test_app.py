import errno
import signal
import subprocess
import sys
from collections.abc import Iterator

import gradio as gr
import pytest
import torch

import app
from olvdm.errors import CheckpointError, InputError
from olvdm.serving.loaded_models import LoadedModels
from olvdm.threads import CHOICES
from olvdm.workshop import Workshop
from tests.app_server import free_port, make_checkpoints
from tests.tiny_networks import tiny_pipeline


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


def test_failure_that_is_told_already_is_told_once() -> None:
    with pytest.raises(gr.Error, match="as it is") as caught:
        list(failing(gr.Error("as it is")))
    assert caught.value.__cause__ is None


def test_leaving_is_no_failure() -> None:
    job = failing(RuntimeError())
    next(job)
    job.close()  # pyright: ignore[reportAttributeAccessIssue]


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

    def test_mcp_without_its_package_is_told_with_the_remedy(self, monkeypatch, capsys) -> None:
        monkeypatch.setattr(app.importlib.util, "find_spec", lambda _: None)
        assert app.main(["--mcp"]) == 2
        assert capsys.readouterr().err == f"{app.NO_MCP}\n"

    @pytest.mark.parametrize("text", ["abc", "0", "-1", "65536", "7860.0", "9" * 5_000])
    @pytest.mark.parametrize("is_variable", [False, True])
    def test_impossible_port_is_told_with_the_range(
        self, monkeypatch, capsys, text, is_variable
    ) -> None:
        if is_variable:
            monkeypatch.setenv("PORT", text)
        with pytest.raises(SystemExit):
            app.main([] if is_variable else [f"--port={text}"])
        assert "is no port; give a whole number from 1 to 65,535" in capsys.readouterr().err

    @pytest.mark.parametrize("place", ["taken", "taken/below"])
    def test_folder_that_cannot_be_is_told_before_the_start(self, tmp_path, place) -> None:
        (tmp_path / "taken").touch()
        process = self.start("--port", str(free_port()), "--runs", str(tmp_path / place))
        _, words = process.communicate(timeout=240)
        assert process.returncode == 2
        assert words.startswith(f"Runs cannot be kept in '{place.rpartition('/')[2]}' (")
        assert words.endswith("; give another folder with --runs.\n")

    def test_space_takes_no_paths(self, monkeypatch, capsys) -> None:
        monkeypatch.setattr(app, "IS_SPACE", True)
        with pytest.raises(SystemExit):
            app.main(["--runs", "runs"])
        assert "--runs" in capsys.readouterr().err

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


def test_damaged_stored_comparison_is_left_out_and_told(tmp_path, capsys) -> None:
    checkpoints = make_checkpoints(tmp_path / "checkpoints")
    (checkpoints / "examples" / "1-behind" / "lvdm.npz").write_bytes(b"cut")
    models = LoadedModels(checkpoints, app.load_pipeline, app.MODELS)
    page = app.build(Workshop(models, checkpoints, tmp_path, tmp_path / "runs"))
    assert "checkpoint '1-behind': 'lvdm.npz'" in capsys.readouterr().err
    stored = next(each for each in page.blocks.values() if each.elem_id == "stored")
    assert isinstance(stored, gr.Radio)
    assert [key for _, key in stored.choices] == ["2-failure"]


def test_missing_weights_are_told_with_the_remedy(tmp_path) -> None:
    with pytest.raises(CheckpointError, match="'lvdm' are missing; restore them with 'git"):
        app.load_pipeline(tmp_path / "lvdm")


def test_app_draws_on_one_thread(tmp_path, monkeypatch) -> None:
    for name in CHOICES:
        monkeypatch.delenv(name, raising=False)
    tiny_pipeline().save_pretrained(tmp_path / "tiny")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        app.load_pipeline(tmp_path / "tiny")
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
