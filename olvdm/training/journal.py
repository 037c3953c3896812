"""What a person sees of a training: progress bar, log lines, TensorBoard, sample videos."""

import io
import json
import logging
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from tqdm import tqdm

from olvdm.video import write_webp

PREVIEW_FPS = 8
LOG_NAME = "log.jsonl"

logger = logging.getLogger(__name__)


class Journal:
    """Write everything that a training tells; on all but the main process it stays silent.

    A disk that takes no more lines stops no training: that is said, and the training goes on.

    Args:
        output: The folder of the training.
        step: Step at which it begins; later lines of an earlier part are dropped.
        max_steps: Where the progress bar ends.
        is_enabled: Whether this is the main process.
        has_bar: Whether to show a progress bar; somebody else may show one over more than this.

    Ours: one line of JSON an interval, so that a curve can be read without TensorBoard.
    """

    def __init__(
        self, output: Path, step: int, max_steps: int, is_enabled: bool, has_bar: bool = True
    ) -> None:
        self.output = output
        self.is_enabled = is_enabled
        self.writer: Any = None
        if is_enabled:
            self._open(step)
        interval = 0.5 if sys.stderr.isatty() else 30.0  # a log file needs no animation
        self.bar = tqdm(
            total=max_steps,
            initial=step,
            unit="step",
            mininterval=interval,
            disable=not (is_enabled and has_bar),
            bar_format="{percentage:3.0f}%|{bar:24}| {n_fmt}/{total_fmt} {postfix}",
        )

    def __enter__(self) -> "Journal":
        """Begin to write."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        stack: TracebackType | None,
    ) -> None:
        """Close the bar and the files."""
        self.bar.close()
        if self.writer is not None:
            self.writer.close()

    def advance(self, loss: float, clips_per_second: float, seconds_left: float) -> None:
        """Move the progress bar on by one step.

        Args:
            loss: The loss of that step.
            clips_per_second: Speed over the last steps, all processes together.
            seconds_left: Time until the end at that speed.
        """
        left = timedelta(seconds=round(min(seconds_left, 1e8)))
        shown = f"loss {loss:.4g}, {clips_per_second:.3g} clips/s, {left} left"
        self.bar.set_postfix_str(shown, refresh=False)
        self.bar.update()

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """Log numbers, as one line of JSON and to TensorBoard.

        Args:
            step: Number of steps done.
            scalars: Numbers by name; one that is not finite is written as null.
        """
        if not self.is_enabled:
            return
        finite = {key: one if np.isfinite(one) else None for key, one in scalars.items()}
        with _going_on(step), (self.output / LOG_NAME).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **finite}) + "\n")
        with _going_on(step):
            for name, value in scalars.items():
                self.writer.add_scalar(name, value, step)

    def show(self, step: int, previews: Mapping[str, UInt8[np.ndarray, "t h w 3"]]) -> None:
        """Write sample videos as files and to TensorBoard, where they play as animated images.

        Args:
            step: Number of steps done.
            previews: Videos by name.
        """
        folder = self.output / "previews"
        for name, frames in previews.items():
            with _going_on(step):
                folder.mkdir(parents=True, exist_ok=True)
                write_webp(frames, folder / f"step-{step:08d}-{name}.webp", PREVIEW_FPS)
                self._show_animation(f"preview/{name}", step, frames)

    def _open(self, step: int) -> None:
        """Drop what an interrupted part logged after the step, then open TensorBoard."""
        from torch.utils.tensorboard import SummaryWriter  # slow to import

        log = self.output / LOG_NAME
        if log.is_file():
            lines = log.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if _step_of(line) <= step]
            log.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
        self.writer = SummaryWriter(str(self.output / "tensorboard"), purge_step=step + 1)

    def _show_animation(self, name: str, step: int, frames: UInt8[np.ndarray, "t h w 3"]) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore

        image = Summary.Image(
            height=frames.shape[1],
            width=frames.shape[2],
            colorspace=3,
            encoded_image_string=_animated_gif(frames),
        )
        summary = Summary(value=[Summary.Value(tag=name, image=image)])
        self.writer._get_file_writer().add_summary(summary, step)


@contextmanager
def _going_on(step: int) -> Generator[None]:
    """Say what could not be written, and no more."""
    try:
        yield
    except OSError as error:
        logger.warning("could not log step %d: %s", step, error.strerror)


def _animated_gif(frames: UInt8[np.ndarray, "t h w 3"]) -> bytes:
    """Encode frames in memory as the one animated image that TensorBoard plays."""
    images = [Image.fromarray(frame) for frame in frames]
    buffer = io.BytesIO()
    images[0].save(
        buffer,
        format="gif",
        save_all=True,
        append_images=images[1:],
        duration=1000 // PREVIEW_FPS,
        loop=0,
    )
    return buffer.getvalue()


def _step_of(line: str) -> int | float:
    """Return the step of a log line; a line that was cut off belongs to no step."""
    try:
        return json.loads(line)["step"]
    except (ValueError, KeyError, TypeError):
        return float("inf")
