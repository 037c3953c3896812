"""The real app in a process of its own, for tests through its doors; tiny models, no weights."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError

import numpy as np

from olvdm.serving.stored_runs import StoredRun, save_stored_run

if TYPE_CHECKING:
    from olvdm.pipeline import OLVDMPipeline

ROOT = Path(__file__).parents[1]
START_SECONDS = 240  # a shared machine may be slow
ANSWER_SECONDS = 120
STORED_PROMPT = "a red circle moves right"
SPREAD = {  # of one measure, as an evaluation writes it
    "name": "warp_error",
    "num_prompts": 256,
    "first": 0.03,
    "second": 0.02,
    "difference": {"low": -0.02, "high": -0.005},
    "num_lower": 180,
}


@dataclass(frozen=True)
class AppServer:
    """A running app."""

    url: str
    port: int
    log: Path
    temp: Path
    runs: Path
    process: subprocess.Popen[bytes]

    def request(
        self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """Return status and text of an answer, whatever the status."""
        request = urllib.request.Request(self.url + path, body, headers or {})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    def post(self, path: str, value: object, **headers: str) -> tuple[int, str]:
        """Send JSON."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.request(path, body, {"content-type": "application/json", **headers})

    def call(self, name: str, *arguments: object) -> tuple[str, Any]:
        """Run a handler by its name; return its last event and what came with it."""
        status, text = self.post(f"/gradio_api/call/{name}", {"data": list(arguments)})
        if status != 200:
            return f"http {status}", text
        status, stream = self.request(f"/gradio_api/call/{name}/{json.loads(text)['event_id']}")
        events = [part.split("\n", 1) for part in stream.strip().split("\n\n")]
        ends = [part for part in events if part[0] in ("event: complete", "event: error")]
        event, data = ends[-1]
        return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))

    def upload(self, data: bytes, name: str = "clip.mp4") -> str:
        """Send a file as the page does; return where the app put it."""
        head = (
            '--edge\r\nContent-Disposition: form-data; name="files";'
            f' filename="{name}"\r\nContent-Type: video/mp4\r\n\r\n'
        )
        body = head.encode() + data + b"\r\n--edge--\r\n"
        kind = {"content-type": "multipart/form-data; boundary=edge"}
        status, text = self.request("/gradio_api/upload", body, kind)
        assert status == 200, text
        return json.loads(text)[0]

    def files(self) -> int:
        """Count the app's temporary files."""
        return sum(path.is_file() for path in self.temp.rglob("*"))


@contextmanager
def running_app(
    checkpoints: Path, folder: Path, *options: str, program: tuple[str, ...] = ("app.py",)
) -> Generator[AppServer]:
    """Start the app, wait for its first answer, and end it as a service manager would."""
    port, temp, runs, log = free_port(), folder / "temp", folder / "runs", folder / "server.log"
    temp.mkdir(parents=True)
    command = [sys.executable, *program, "--port", str(port), "--runs", str(runs), *options]
    command += ["--checkpoints", str(checkpoints)]
    environment = os.environ | {"TMPDIR": str(temp), "OMP_NUM_THREADS": "1"}
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=written, stderr=subprocess.STDOUT
        )
    server = AppServer(f"http://127.0.0.1:{port}", port, log, temp, runs, process)
    try:
        _wait(server)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(server: AppServer) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            if server.request("/config")[0] == 200:
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"the app did not start: {server.log.read_text()[-2000:]}")


def make_checkpoints(folder: Path, *, has_stored: bool = True) -> Path:
    """Write two tiny models, two stored comparisons, and what an evaluation said."""
    for seed, name in enumerate(("lvdm", "olvdm")):
        tiny_model(seed).save_pretrained(folder / name)
    evaluation = json.dumps({"measures": [SPREAD]})
    (folder / "comparison.json").write_text(evaluation, encoding="utf-8")
    if has_stored:
        settings = {"prompt": STORED_PROMPT, "seed": 3}
        for key, title in (("1-behind", "passing behind"), ("2-failure", "where OLVDM is worse")):
            clips = {"lvdm": stored_clip(0.2), "olvdm": stored_clip(0.1)}
            save_stored_run(folder / "examples" / key, StoredRun(title, settings, clips))
    return folder


def tiny_model(seed: int) -> "OLVDMPipeline":
    """Return a model that draws the usual number of frames at once."""
    from tests.tiny_networks import tiny_denoiser, tiny_pipeline

    pipeline = tiny_pipeline(seed)
    pipeline.register_modules(denoiser=tiny_denoiser(seed, num_frames=8))
    return pipeline


def stored_clip(jitter: float = 0.0, num_frames: int = 16, side: int = 64) -> dict[str, Any]:
    """A disc that moves right over a dark ground, its mask, and made-up figures."""
    t, y, x = np.mgrid[:num_frames, :side, :side]
    disc = (x - 8 - 3 * t) ** 2 + (y - side // 2) ** 2 < 100
    frames = np.where(disc[..., None], (220, 60, 40), (20, 24, 40)).astype(np.uint8)
    masks = np.stack([~disc, disc], axis=1).astype(np.float32)
    flicker = np.full((num_frames, 2), 0.01, np.float32)
    flicker[1:-1, 1] += jitter * np.arange(num_frames - 2) / num_frames
    flicker[[0, -1]] = np.nan
    return {
        "frames": frames,
        "slots": np.ones((num_frames, 2, 4), np.float32),
        "attention_masks": masks,
        "alpha_masks": masks,
        "correlation": np.tile(np.eye(2, dtype=np.float32), (num_frames, num_frames, 1, 1)),
        "presence": np.ones((num_frames, 2), bool),
        "assignment": np.tile(np.arange(2), (num_frames, 1)),
        "flicker": flicker,
        "flicker_all": flicker[:, 1],
        "motion": np.full(num_frames, 0.5, np.float32),
        "switches": 0,
        "background": 0,
        "reconstruction_psnr": float("nan"),
        "explained": float("nan"),
        "fps": 8.0,
    }
