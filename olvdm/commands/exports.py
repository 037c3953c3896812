"""A finished run -> any one of the files in which it can be taken away."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from olvdm.commands.comparison import comparison_record
from olvdm.commands.films import comparison_film
from olvdm.commands.output import written_together
from olvdm.commands.pages import report_payload, write_report
from olvdm.commands.pictures import write_figure_sheet
from olvdm.commands.record import finite, frames_sha256, write_record
from olvdm.commands.source import running_commit
from olvdm.commands.tables import metric_rows, write_arrays, write_metrics, write_table
from olvdm.errors import InputError
from olvdm.evaluation.inspection import Inspection
from olvdm.limits import CHECKPOINTS
from olvdm.serving.stored_runs import StoredRun
from olvdm.video import write_gif, write_mp4, write_webp
from visualize.payload import Payload

GIF_BYTES = 5_000_000  # what chats and trackers of issues still play
PLAIN_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
LETTERS = "abcd"


@dataclass(frozen=True, eq=False)
class _Exported:
    """A run with names that are safe in files, and what the page shows of it."""

    run: StoredRun
    clips: Mapping[str, Inspection]
    payload: Payload | None

    @property
    def prompt(self) -> str:
        return str(self.run.settings.get("prompt", ""))

    @property
    def shown(self) -> dict[str, Inspection]:
        """The clips by the names that a person reads."""
        return {
            name.upper() if name in CHECKPOINTS else name: clip
            for name, clip in zip(self.run.clips, self.clips.values(), strict=True)
        }

    def name_of(self, place: int) -> str:
        """Return the name of one of the clips, or say that there are fewer."""
        if place >= len(self.clips):
            raise InputError(f"this run has {len(self.clips)} clip; take the first one")
        return list(self.clips)[place]


def export(run: StoredRun, kind: object, folder: Path, *, payload: Payload | None = None) -> Path:
    """Write one file of a run.

    Args:
        run: One clip, or two that were drawn or inspected together.
        kind: One of `KINDS`, unchecked.
        folder: Where the file goes; made if missing. A file of its name there is replaced.
        payload: What the page shows of the run, for its report; none for what the run itself says.

    Returns:
        The file, whole; if writing fails there is none. Its name follows from the kind and from
        the names of models alone, never from what a person wrote.

    Raises:
        InputError: If there is no such kind, or the run has no such clip.

    Ours: files are made when somebody wants them, since most never are.
    """
    if not isinstance(kind, str) or kind not in EXPORTS:
        raise InputError(f"there is no such kind of file; known are {', '.join(KINDS)}")
    exported = _Exported(run, _inspections(run), payload)
    name, write = EXPORTS[kind]
    if kind in FIRST_AND_SECOND:
        name = f"{exported.name_of(FIRST_AND_SECOND[kind])}{name}"
    with written_together(folder) as draft:
        write(exported, draft / name)
    return folder / name


def _inspections(run: StoredRun) -> dict[str, Inspection]:
    """Return the clips by names that are safe in files: their own, or letters."""
    names = list(run.clips)
    if not all(PLAIN_NAME.fullmatch(name) for name in names):
        names = list(LETTERS[: len(names)])
    known = [field.name for field in fields(Inspection)]
    found = [Inspection(**{name: clip[name] for name in known}) for clip in run.clips.values()]
    return dict(zip(names, found, strict=True))


def _write_clip(exported: _Exported, path: Path) -> None:
    found = exported.clips[path.stem]
    write_mp4(found.frames, path, found.fps)


def _write_film(
    write: Callable[..., None],
    **options: Any,  # noqa: ANN401 - of the writer
) -> Callable[[_Exported, Path], None]:
    """Return what writes the clips beside each other, by one of the writers of films."""

    def write_film(exported: _Exported, path: Path) -> None:
        film = comparison_film(exported.shown, exported.prompt)
        write(film, path, next(iter(exported.clips.values())).fps, **options)

    return write_film


def _write_figures(exported: _Exported, path: Path) -> None:
    write_figure_sheet(path, exported.shown, finite(dict(exported.run.settings)))


def _write_arrays(exported: _Exported, path: Path) -> None:
    write_arrays(path, exported.clips)


def _write_table(exported: _Exported, path: Path) -> None:
    write_table(path, metric_rows(exported.clips))


def _write_metrics(exported: _Exported, path: Path) -> None:
    write_metrics(path, exported.clips)


def _write_run(exported: _Exported, path: Path) -> None:
    """Write the record of models that drew, or what is known of a clip that was brought."""
    frames = {name: found.frames for name, found in exported.clips.items()}
    if exported.prompt:
        fps = next(iter(exported.clips.values())).fps
        write_record(path, comparison_record(exported.run.settings, frames, fps))
        return
    record = {
        "kind": "inspection",
        "settings": finite(dict(exported.run.settings)),
        "frames_sha256": {name: frames_sha256(one) for name, one in frames.items()},
        "shape": {name: list(one.shape) for name, one in frames.items()},
        "commit": running_commit(),
    }
    write_record(path, record)


def _write_report(exported: _Exported, path: Path) -> None:
    payload = exported.payload or report_payload(
        exported.shown,
        caption=exported.prompt or exported.run.title,
        settings=exported.run.settings,
    )
    write_report(path, payload)


FIRST_AND_SECOND = {"mp4": 0, "mp4-a": 0, "mp4-b": 1}
EXPORTS: Mapping[str, tuple[str, Callable[[_Exported, Path], None]]] = {
    **dict.fromkeys(FIRST_AND_SECOND, (".mp4", _write_clip)),
    "side-by-side": ("side-by-side.mp4", _write_film(write_mp4)),
    "gif": ("side-by-side.gif", _write_film(write_gif, max_bytes=GIF_BYTES)),
    "webp": ("side-by-side.webp", _write_film(write_webp)),
    "png": ("figures.png", _write_figures),
    "pdf": ("figures.pdf", _write_figures),
    "npz": ("run.npz", _write_arrays),
    "csv": ("metrics.csv", _write_table),
    "json": ("metrics.json", _write_metrics),
    "run": ("run.json", _write_run),
    "report": ("report.html", _write_report),
}
KINDS = tuple(EXPORTS)
