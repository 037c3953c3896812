"""The command line: reads the words, runs the command, and ends with one sentence and a code."""

import argparse
import errno
import io
import os
import secrets
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from olvdm.errors import OlvdmError, quoted_name
from olvdm.threads import one_thread

BUG, BAD_INPUT, STORAGE, INTERRUPTED = 1, 2, 4, 130
DRAWING = ("generate", "inspect", "evaluate", "examples")
ENDINGS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
STORAGE_FAULTS = {
    errno.ENOSPC: "the disk is full; make space and start again",
    errno.EDQUOT: "your share of the disk is used up; make space and start again",
    errno.EROFS: "the place to write is read-only; choose another output",
    errno.EACCES: "a file or folder may not be opened or written; change its permissions",
    errno.EPERM: "a file or folder may not be opened or written; change its permissions",
    errno.EIO: "the disk fails; choose another output",
}
TOO_LITTLE_MEMORY = "there is too little memory for this; ask for fewer or smaller frames"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The words after ``olvdm``; none for those of this process.

    Returns:
        The exit code: 0 done, 1 a bug, 2 bad arguments or input, 3 numbers that are not finite,
        4 storage that fails, 130 interrupted.
    """
    with _stoppable():
        try:
            _open_output()
            from olvdm.commands.arguments import parse  # here, where Ctrl-C is understood

            _run(parse(argv))
            sys.stdout.flush()
        except KeyboardInterrupt:
            return _say("stopped; no output is half-written", INTERRUPTED)
        except BrokenPipeError:  # who reads us has seen enough, as in "olvdm ... | head"
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except Exception as error:  # noqa: BLE001
            return _say(*_explain(error))
    return 0


def _open_output() -> None:
    """Let every file name be printed, and where somebody closed an output let it go nowhere."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _run(arguments: argparse.Namespace) -> None:
    """Run the command, on one thread if it draws or looks at clips."""
    with one_thread() if arguments.command in DRAWING else nullcontext():
        _command(arguments.command)(arguments)


def _command(command: str) -> Callable[[argparse.Namespace], None]:  # noqa: C901 - one branch each
    """Import the command, which may take seconds."""
    if command == "train":
        from olvdm.commands.training import train_stage as run
    elif command == "generate":
        from olvdm.commands.generation import generate as run
    elif command == "inspect":
        from olvdm.commands.inspection import inspect_video as run
    elif command == "evaluate":
        from olvdm.commands.evaluation import evaluate as run
    elif command == "experiment":
        from olvdm.commands.experiment import experiment as run
    elif command == "report":
        from olvdm.commands.results_page import write_report as run
    elif command == "data":
        from olvdm.commands.clips import run_data as run
    elif command == "package":
        from olvdm.commands.packaging import package as run
    elif command == "examples":
        from olvdm.commands.examples import store_examples as run
    else:
        from olvdm.commands.machine import examine as run
    return run


def _say(sentence: str, code: int) -> int:
    """Write the one line that a person sees, and return the exit code."""
    line = " ".join(sentence.split())
    with suppress(OSError):
        print(f"olvdm: {line}", file=sys.stderr)
    return code


def _explain(error: Exception) -> tuple[str, int]:
    """Return a sentence for a failure, and its exit code."""
    if isinstance(error, OlvdmError):
        return error.user_message, error.exit_code
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        name = quoted_name(max(Path(error.filename).parts, key=len))
        return f"{name} is too long, a name may have 255 bytes; give a shorter one", BAD_INPUT
    if isinstance(error, OSError) and error.errno in STORAGE_FAULTS:
        return STORAGE_FAULTS[error.errno], STORAGE
    if isinstance(error, MemoryError) or _is_out_of_memory(error):
        return TOO_LITTLE_MEMORY, BAD_INPUT
    incident = secrets.token_hex(3)
    place = _write_stack(incident, error)
    return f"internal error, id {incident}{place}", BUG


def _is_out_of_memory(error: Exception) -> bool:
    """Tell whether torch, whose class for this is a plain RuntimeError, ran out of memory."""
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text
    )


def _write_stack(incident: str, error: Exception) -> str:
    """Keep class and stack of a bug in a private file; no message, for that may hold a prompt."""
    name = f"olvdm-{incident}.log"
    stack = "".join(traceback.format_tb(error.__traceback__))
    try:
        path = Path(tempfile.gettempdir()) / name
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{type(error).__name__}\n{stack}")
    except OSError:
        return ""
    return f"; please report it with {name} from the temporary folder"


@contextmanager
def _stoppable() -> Generator[None]:
    """Let a request to end, or a terminal that closes, unwind as Ctrl-C does: half files go.

    What is ignored stays ignored, as ``nohup`` has it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in ENDINGS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
