"""Start the app in a process of its own, and speak to it as a browser would."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.error import URLError

START_SECONDS = 300
JOB_SECONDS = 300


@dataclass(frozen=True)
class RunningApp:
    """An app that answers.

    Attributes:
        url: Where it is.
        start_seconds: From the start of its process to the first page.
        process: To be ended before its time, where that is what shall be seen.
    """

    url: str
    start_seconds: float
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> str:
        """Return the text of an answer."""
        with urllib.request.urlopen(self.url + path, timeout=JOB_SECONDS) as answer:  # noqa: S310
            return answer.read().decode()

    def call(self, name: str, *arguments: object) -> list[object] | None:
        """Run a handler to its end.

        Args:
            name: Of the handler.
            *arguments: As the page would send them.

        Returns:
            What it returned last, or None where it failed.
        """
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            f"{self.url}/gradio_api/call/{name}",
            json.dumps({"data": arguments}).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=JOB_SECONDS) as answer:  # noqa: S310
            event = json.load(answer)["event_id"]
        stream = self.get(f"/gradio_api/call/{name}/{event}")
        last = [part for part in stream.strip().split("\n\n") if "data: " in part][-1]
        if not last.startswith("event: complete"):
            return None
        return json.loads(last.partition("data: ")[2])


@contextmanager
def running_app(
    command: Sequence[str],
    folder: Path,
    variables: Mapping[str, str],
    port: int,
    log: IO[bytes] | None = None,
) -> Generator[RunningApp]:
    """Start the app, wait for its page, and end it in the end.

    Args:
        command: Starts it.
        folder: In which it is started.
        variables: Added to the environment.
        port: On which it will answer.
        log: Takes what it prints; without it that goes where ours goes.

    Yields:
        The app.

    Raises:
        RuntimeError: If it does not answer in time.
    """
    begun = time.monotonic()
    process = subprocess.Popen(  # noqa: S603
        command, cwd=folder, env=os.environ | dict(variables), stdout=log, stderr=log
    )
    url = f"http://127.0.0.1:{port}"
    try:
        while not _answers(url):
            if process.poll() is not None or time.monotonic() - begun > START_SECONDS:
                raise RuntimeError("the app did not start")
            time.sleep(0.1)
        yield RunningApp(url, time.monotonic() - begun, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def free_port() -> int:
    """Return a port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=START_SECONDS) as answer:  # noqa: S310
            return answer.status == 200
    except (URLError, OSError):
        return False
