"""Captions of a folder of videos, from a CSV file, a JSON file, or text files beside the videos."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from olvdm.errors import InputError, named
from olvdm.request import clean_text

FILE_COLUMNS = ("file", "filename", "file_name", "video", "path")
CAPTION_COLUMNS = ("caption", "prompt", "text")
USUAL_NAMES = ("captions.csv", "captions.json")
TEXT_BYTES = 65_536  # a caption beside a video is a few sentences at most


class ClipCaptions:
    """Find the caption of a video by its path within the folder, its name, or its bare name.

    Args:
        folder: The folder of videos.
        file: A CSV file with a column ``file`` and a column ``caption``, or a JSON file: an object
            of captions by file, or a list of objects with those keys. Without it, the usual names
            in the folder are tried. One that is missing or of another form is refused.

    Ours: the forms that tools for video data sets write.
    """

    def __init__(self, folder: Path, file: str | Path | None = None) -> None:
        self.folder = folder
        self.by_name: dict[str, str] = {}
        usual = (folder / name for name in USUAL_NAMES)
        path = Path(file) if file is not None else next((p for p in usual if p.is_file()), None)
        if path is not None:
            with named("captions file", path):
                captions = _read_captions(path)
            self.by_name = {key: clean_text(text) for key, text in captions.items()}
        self.in_file = tuple(self.by_name)  # before captions beside videos join them

    def find(self, name: str) -> str:
        """Return the caption of a video.

        Args:
            name: Its path within the folder, with forward slashes.

        Returns:
            One cleaned line, empty where there is none.
        """
        for key in _keys(name):
            if key in self.by_name:
                return self.by_name[key]
        beside = (self.folder / name).with_suffix(".txt")
        if not beside.is_file():
            return ""
        with beside.open("rb") as file:
            text = file.read(TEXT_BYTES).decode("utf-8-sig", errors="replace")
        self.by_name[name] = clean_text(text)
        return self.by_name[name]

    def without_video(self, names: Iterable[str]) -> list[str]:
        """Return what the captions file speaks of, but none of these videos is.

        Args:
            names: Of all videos, as `find` takes them.

        Returns:
            The names in the file, in its order.
        """
        known = {key for name in names for key in _keys(name)}
        return [key for key in self.in_file if key not in known]


def _keys(name: str) -> tuple[str, str, str]:
    """Return by what a captions file may call a video."""
    path = PurePosixPath(name)
    return name, path.name, path.stem


def _read_captions(path: Path) -> dict[str, str]:
    """Read a captions file of either form."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        is_table = path.suffix.lower() == ".csv"
        rows = csv.DictReader(io.StringIO(text, newline=""))
        content = list(rows) if is_table else json.loads(text)
    except FileNotFoundError as error:
        raise InputError("there is no such captions file; give a CSV or JSON file") from error
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise InputError("it is not readable CSV or JSON in UTF-8; save it anew") from error
    if isinstance(content, dict) and all(isinstance(text, str) for text in content.values()):
        return content
    if isinstance(content, list) and all(isinstance(row, dict) for row in content):
        return _captions_of_rows(content)
    raise InputError(
        "it must hold an object of captions by file, or a list of objects with the keys file and "
        "caption"
    )


def _captions_of_rows(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return captions by file from rows that name their columns."""
    captions: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        file = next((row[column] for column in FILE_COLUMNS if column in row), None)
        caption = next((row[column] for column in CAPTION_COLUMNS if column in row), None)
        if not isinstance(file, str) or not isinstance(caption, str):
            raise InputError(
                f"row {number} lacks a file or a caption; every row needs both, under the names "
                "file and caption, and a CSV file has a comma between them"
            )
        captions[file.replace("\\", "/")] = caption
    return captions
