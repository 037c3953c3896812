import errno
import os
import signal
import subprocess
import sys
import tempfile

import pytest

from olvdm import cli
from olvdm.errors import CheckpointError, StorageError, TrainingError

DOCTOR = ["doctor"]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch):
    """Let the next command fail in a way of the test's choice."""

    def fail_with(error: BaseException) -> None:
        def run(_: object) -> None:
            raise error

        monkeypatch.setattr(cli, "_run", run)

    return fail_with


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CheckpointError("the checkpoint is damaged"), 2),
        (TrainingError("the loss is not finite"), 3),
        (StorageError("saving failed"), 4),
    ],
)
def test_explained_failure_is_one_line_and_its_code(failing, capsys, error, code) -> None:
    failing(error)
    assert cli.main(DOCTOR) == code
    assert capsys.readouterr().err == f"olvdm: {error.user_message}\n"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_failing_storage_is_named_without_a_path(failing, capsys, number) -> None:
    failing(OSError(number, os.strerror(number), "/secret/place"))
    assert cli.main(DOCTOR) == 4
    assert "secret" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_too_little_memory_says_what_to_do(failing, capsys, error) -> None:
    failing(error)
    assert cli.main(DOCTOR) == 2
    assert "fewer or smaller frames" in capsys.readouterr().err


def test_bug_shows_an_incident_number_alone(failing, capsys, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    failing(ZeroDivisionError("my private prompt"))
    assert cli.main(DOCTOR) == 1
    said = capsys.readouterr().err
    (log,) = tmp_path.glob("olvdm-*.log")
    assert log.name in said
    assert said.count("\n") == 1
    assert "prompt" not in said


def test_log_of_a_bug_holds_class_and_stack_but_no_message(failing, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    failing(ZeroDivisionError("my private prompt"))
    cli.main(DOCTOR)
    (log,) = tmp_path.glob("olvdm-*.log")
    assert log.read_text().startswith("ZeroDivisionError\n")
    assert "my private prompt" not in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_interrupt_ends_without_a_traceback(failing, capsys) -> None:
    failing(KeyboardInterrupt())
    assert cli.main(DOCTOR) == 130
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_request_to_end_unwinds_as_an_interrupt_does(monkeypatch, number) -> None:
    monkeypatch.setattr(cli, "_run", lambda _: os.kill(os.getpid(), number))
    assert cli.main(DOCTOR) == 130


def test_closing_terminal_that_is_ignored_stops_nothing(monkeypatch) -> None:
    monkeypatch.setattr(cli, "_run", lambda _: os.kill(os.getpid(), signal.SIGHUP))
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert cli.main(DOCTOR) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_closed_output_is_no_failure(closed) -> None:
    program = """
from olvdm import cli
cli._run = lambda _: print("an answer")
raise SystemExit(cli.main(["doctor"]))
"""
    command = f'exec "$0" -c "$1" {closed}'
    ended = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable, program], stderr=subprocess.PIPE, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_name_that_is_no_text_is_printed_with_its_bytes(tmp_path) -> None:
    (tmp_path / os.fsdecode(b"\xff.mp4")).touch()
    ended = subprocess.run(
        [sys.executable, "-m", "olvdm", "data", "scan", str(tmp_path)],
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
        capture_output=True,
        check=False,
    )
    assert b"\\udcff.mp4" in ended.stdout + ended.stderr
    assert b"internal error" not in ended.stderr


def test_interrupt_while_the_words_are_read_ends_without_a_traceback(monkeypatch, capsys) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("olvdm.commands.arguments.parse", interrupt)
    assert cli.main(["--help"]) == 130
    assert capsys.readouterr().err == "olvdm: stopped; no output is half-written\n"


@pytest.mark.parametrize(
    "words",
    [
        ["data", "show", "--output", "LONG/a.png"],
        ["data", "scan", "LONG"],
        ["train", "autoencoder", "--preset", "smoke", "--output", "LONG"],
        ["train", "autoencoder", "--resume", "--output", "LONG"],
        ["inspect", "a.mp4", "--checkpoint", "LONG", "--output", "out"],
        ["generate", "a circle", "--checkpoint", "LONG", "--output", "a.mp4"],
    ],
)
def test_name_that_no_disk_can_hold_is_refused_with_the_limit(capsys, words) -> None:
    assert cli.main([word.replace("LONG", "x" * 300) for word in words]) == 2
    said = capsys.readouterr().err
    assert "xxx...xxx" in said
    assert "255 bytes; give a shorter one" in said


def test_handler_of_signals_is_put_back() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    cli.main(["no-such-command"])
    assert signal.signal(signal.SIGTERM, before) is signal.SIG_IGN


def test_reader_who_leaves_is_no_failure() -> None:
    program = """
from olvdm import cli
cli._run = lambda _: print("a long answer\\n" * 10_000)
raise SystemExit(cli.main(["doctor"]))
"""
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-c", program], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "COMMAND"),
        (["generat"], "generat"),
        (["generate", "a circle"], "--output"),
        (["generate", "a circle", "--output", "a.mp4", "--sed", "3"], "the nearest is --seed"),
        (["train", "slots", "--output", "x", "--learing-rate", "1"], "--learning-rate"),
        (["train", "everything", "--output", "x"], "everything"),
        (["inspect", "a.mp4", "--output"], "expected one argument"),
    ],
)
def test_words_that_are_not_known_are_refused_in_one_line(capsys, words, reason) -> None:
    assert cli.main(words) == 2
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1


def test_abbreviated_option_is_not_guessed(capsys) -> None:
    assert cli.main(["generate", "a circle", "--out", "a.mp4"]) == 2
    assert "required: --output" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["generate", "a red circle", "--output", "clip.mp4"],
        ["inspect", "clip.mp4", "--output", "inspection"],
        ["evaluate", "--output", "scores"],
    ],
)
def test_model_that_nobody_named_and_is_not_there_can_be_named(
    words, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    said = capsys.readouterr().err
    assert "there is no checkpoints/olvdm in the folder from which this was started" in said
    assert "name the folder of the model with --checkpoint DIR" in said
