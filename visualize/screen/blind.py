"""Blind trials: two clips without a name until somebody has chosen, and what was chosen so far."""

import secrets
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from visualize.inspected import InspectedClip
from visualize.screen import texts
from visualize.screen.jobs import Job
from visualize.screen.shown import Finished, Progress, split_order

Answer = Literal["a", "b", "neither"]
MOST_SEEN = 1_000  # runs of a visit; more are hardly looked at


@dataclass(frozen=True)
class Trials:
    """The blind trials of one visit; it stays on the server, where no page can read it.

    Attributes:
        pending: The run that is judged now, its order in its name; empty for none.
        counts: Whether its answer will count.
        seen: Runs that stood on the screen with their names, or that a title describes.
        chosen: Names of the models of all answers that count; empty for no difference.
    """

    pending: str = ""
    counts: bool = False
    seen: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()

    def shown(self, finished: Finished) -> "Trials":
        """Return the trials after a result came on the screen, blind or with its names."""
        name, _ = split_order(finished.run_id)
        if not finished.is_blind:
            seen = (name, *(each for each in self.seen if each != name))[:MOST_SEEN]
            return replace(self, pending="", counts=False, seen=seen)
        counts = name not in self.seen and is_one_run(finished)
        return replace(self, pending=finished.run_id, counts=counts)

    def answered(self, names: Sequence[str], answer: Answer) -> "Trials":
        """Return the trials after an answer.

        Args:
            names: Of the models, in the order of the screen.
            answer: What was chosen.

        Returns:
            The trials; the pair on the screen still has to be shown with its names.
        """
        if not self.counts:
            return self
        chosen = dict(zip("ab", names, strict=True)).get(answer, "")
        return replace(self, chosen=(*self.chosen, chosen), counts=False)


def is_one_run(finished: Finished) -> bool:
    """Say whether both clips were drawn together, so that the models alone tell them apart."""
    runs = {source.partition("/")[0] for source in finished.sources}
    return runs == {split_order(finished.run_id)[0]}


def blinded(finished: Finished) -> Finished:
    """Return two clips in an order drawn by lot, without anything else.

    Args:
        finished: Two clips, with all that is known of them.

    Returns:
        Their pictures, the prompt and where they come from; the name of the run has the order.

    Ours: what is left out cannot be read from the page's source. Figures, slots and the steps of
    the denoising go too: who knows the models would know them by these.
    """
    order = finished.reversed() if secrets.choice((False, True)) else finished
    clips = [_picture(clip, letter) for clip, letter in zip(order.clips, "AB", strict=True)]
    return Finished(
        tuple(clips),
        run_id=order.run_id,
        badge=order.badge,
        caption=order.caption,
        text=order.text,
        sources=order.sources,
        is_blind=True,
    )


def blinded_job(job: Job) -> Generator[Progress | Finished, None, None]:
    """Report a job so that nothing on the way tells the models apart.

    Args:
        job: Draws two clips, always in the same order.

    Yields:
        Its progress without pictures, and its first result blinded; what comes later adds only to
        what is not shown.
    """
    try:
        is_shown = False
        for reached in job:
            if isinstance(reached, Progress):
                yield replace(reached, previews=())
            elif not is_shown:
                is_shown = True
                yield blinded(reached)
    finally:
        job.close()


def outcome(names: Sequence[str], answer: Answer, before: Trials, after: Trials) -> str:
    """Say what was chosen, who it was, and what was chosen so far.

    Args:
        names: Of both clips, in the order of the screen.
        answer: What was chosen.
        before: Trials before the answer.
        after: Trials after it.

    Returns:
        Two sentences.
    """
    said = texts.REVEALED[answer].format(a=names[0], b=names[1])
    return f"{said} {_tally(after) if before.counts else texts.NOT_COUNTED}"


def _tally(trials: Trials) -> str:
    """Sum up the answers that count."""
    count = len(trials.chosen)
    ours, even = trials.chosen.count(texts.OURS), trials.chosen.count("")
    parts = [texts.TALLY.format(name=texts.OURS, times=ours, count=count)]
    if even:
        parts.append(texts.TALLY_EVEN.format(times=even, count=count))
    return ", ".join(parts) + "."


def _picture(clip: InspectedClip, letter: str) -> InspectedClip:
    """Return a clip of which nothing is known but its pixels: one slot holds all of it."""
    num_frames = len(clip.frames)
    undefined = np.full(num_frames, np.nan, np.float32)
    return InspectedClip(
        name=texts.BLIND_NAME.format(letter=letter),
        what="",
        frames=clip.frames,
        alpha_masks=np.ones((num_frames, 1, *clip.frames.shape[1:3]), np.float32),
        correlation=np.ones((num_frames, num_frames, 1, 1), np.float32),
        presence=np.ones((num_frames, 1), bool),
        assignment=np.zeros((num_frames, 1), np.int64),
        flicker=undefined[:, None],
        flicker_all=undefined,
        motion=undefined,
        switches=0,
        background=0,
        fps=clip.fps,
    )
