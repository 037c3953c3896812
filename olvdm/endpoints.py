"""The same work for programs: plain arguments, plain answers, files beside them; and links."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from olvdm import limits
from olvdm.errors import InputError
from olvdm.request import check_choice, check_inspection, check_request
from olvdm.results import MODELS
from olvdm.workshop import INSPECTING_MODEL, Job, Workshop
from visualize.payload import Start
from visualize.screen.shown import Finished, Link, Progress

if TYPE_CHECKING:
    from visualize.payload import Metric

Answers = Iterator[tuple[dict[str, Any], list[Path]]]

RUN = re.compile(r"[0-9a-z-]{1,64}")
NUMBER = re.compile(r"[0-9]{1,4}")
CELL = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){3}")


class Endpoints:
    """Answer programs.

    Args:
        workshop: Does the work.
    """

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop

    def generate(
        self, prompt: object, seed: object, checkpoint: object, steps: object, guidance: object
    ) -> Answers:
        """Draw with one model; the run holds the other's clip too, from the same noise."""
        name = str(check_choice("checkpoint", checkpoint, MODELS))
        film = ("mp4-a", "mp4-b")[MODELS.index(name)]
        job = self.workshop.compare(prompt, seed, steps, guidance)
        for report, files in self._followed(job, (film, "npz")):
            if "clips" in report:
                report["clips"] = {name: report["clips"][name]}
            yield report, files

    def compare(self, prompt: object, seed: object, steps: object, guidance: object) -> Answers:
        """Draw with both models from the same noise."""
        job = self.workshop.compare(prompt, seed, steps, guidance)
        yield from self._followed(job, ("side-by-side", "npz"))

    def inspect(self, clip: object, slots: object, frames: object, adapt: object) -> Answers:
        """Inspect an uploaded file; it goes once it is read, so the settings are checked before."""
        check_inspection(num_slots=slots, max_frames=frames, adapt_steps=adapt)
        clip_id = self.workshop.read_upload(clip).clip_id
        yield from self._followed(self.workshop.inspect(clip_id, slots, frames, adapt), ("npz",))

    def metrics(self, run_id: object) -> dict[str, Any]:
        """Return what a finished run measures."""
        return self._answer(self.workshop.find_run(run_id))

    def list_checkpoints(self) -> list[dict[str, Any]]:
        """Describe the models, without loading them."""
        from olvdm.commands.record import checkpoint_sha256

        folder = self.workshop.checkpoints
        return [
            {
                "name": name,
                "sha256": checkpoint_sha256(folder / name),
                "bytes": sum(f.stat().st_size for f in (folder / name).rglob("*") if f.is_file()),
                "can_inspect": name == INSPECTING_MODEL,
                "num_frames": 16,
            }
            for name in MODELS
            if (folder / name).is_dir()
        ]

    def _followed(self, job: Job, kinds: tuple[str, ...]) -> Answers:
        """Report every step of a job, and last its result with these files."""
        last: Finished | None = None
        with closing(job):
            for reached in job:
                if isinstance(reached, Progress):
                    yield {"status": reached.text, "share": reached.share}, []
                else:
                    last = reached
        assert last is not None
        yield self._answer(last), self._files(last.run_id, kinds)

    def _answer(self, finished: Finished) -> dict[str, Any]:
        from olvdm.commands.record import frames_sha256

        return {
            "run_id": finished.run_id,
            "clips": {
                clip.name.lower(): {
                    "frames_sha256": frames_sha256(clip.frames),
                    "shape": list(clip.frames.shape),
                    "fps": float(clip.fps),
                    "switches": int(clip.switches),
                    "background": int(clip.background),
                    "assignment": clip.assignment.tolist(),
                }
                for clip in finished.clips
            },
            "metrics": [_metric(row) for row in finished.metrics],
            "notes": list(finished.notes),
            "warning": finished.warning,
        }

    def _files(self, run_id: str, kinds: tuple[str, ...]) -> list[Path]:
        return [self.workshop.export(run_id, kind) for kind in kinds]


def read_link(query: Mapping[str, str]) -> Link | None:
    """Read what the page's address asks for; whatever is not legal is left out.

    Args:
        query: Names and values as a stranger may have written them.

    Returns:
        The link; none where no run is named.
    """
    run_id = query.get("run", "")
    if not RUN.fullmatch(run_id):
        return None
    return Link(run_id=run_id, place=_linked_place(query), settings=_linked_settings(query))


def _linked_place(query: Mapping[str, str]) -> Start:
    """Return where to open; older links name no side, and mean the first clip."""
    frame, cell = query.get("t", ""), query.get("cell", "")
    places = tuple(int(part) for part in cell.split(".")) if CELL.fullmatch(cell) else None
    return Start(
        frame=int(frame) if NUMBER.fullmatch(frame) else 0,
        cell=places,  # pyright: ignore[reportArgumentType] - four of them, says the pattern
        side=1 if query.get("side") == "b" else 0,
    )


def _linked_settings(query: Mapping[str, str]) -> dict[str, Any]:
    """Return settings that are legal, to fill the form with."""
    try:
        request = check_request(
            prompt=query["prompt"],
            seed=_number(query.get("seed", "3")),
            num_inference_steps=_number(query.get("steps", str(limits.DEFAULT_STEPS))),
            guidance_scale=_number(query.get("guidance", str(limits.DEFAULT_GUIDANCE))),
        )
    except (KeyError, InputError):
        return {}
    names = ("prompt", "seed", "num_inference_steps", "guidance_scale")
    return {name: getattr(request, name) for name in names}


def _number(text: str) -> object:
    """Return the number that a text spells, or the text, which the check will refuse."""
    try:
        return json.loads(text[:32])
    except ValueError:
        return text[:32]


def _metric(row: "Metric") -> dict[str, Any]:
    return row.model_dump(mode="json")
