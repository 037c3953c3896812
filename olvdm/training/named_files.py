"""TOML files of settings: those that ship go by their names, one's own by its path."""

import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from olvdm.errors import InputError, quoted_name
from olvdm.limits import CONFIG_BYTES

PLACE = re.compile(r"\(at (line \d+), column \d+\)")  # as tomllib ends its messages


@dataclass(frozen=True)
class NamedFiles:
    """Files of one kind.

    Attributes:
        kind: What a name stands for, such as "preset".
        names: Of those that ship.
        package: In which they ship.
        folder: Of that package.
        noun: What one's own file is called.
    """

    kind: str
    names: tuple[str, ...]
    package: str
    folder: str
    noun: str

    def read(self, name_or_path: str | Path) -> dict[str, Any]:
        """Return what a file says.

        Args:
            name_or_path: One of the names, or a path that ends in .toml.

        Returns:
            The document, of which nobody has checked yet what it holds.

        Raises:
            InputError: If there is no such file, or it is too large to be one, or no TOML.
        """
        text = self._content(name_or_path)
        try:
            return tomllib.loads(text.decode("utf-8"))
        except (ValueError, RecursionError) as error:  # the former also of endless numbers
            place = PLACE.search(str(error))
            raise InputError(
                f"the {self.noun} {quoted_name(name_or_path)} is not valid TOML"
                f"{f' at {place[1]}' if place else ''}; the {self.kind} 'smoke' shows the form"
            ) from error

    def _content(self, name_or_path: str | Path) -> bytes:
        if str(name_or_path) in self.names:
            file = resources.files(self.package) / self.folder / f"{name_or_path}.toml"
            return file.read_bytes()
        path = Path(name_or_path)
        if path.suffix != ".toml":
            known = f"{', '.join(self.names)} or a path that ends in .toml"
            raise InputError(f"{self.kind} must be {known}, got {path.name[:64]!r}")
        try:
            with path.open("rb") as file:
                content = file.read(CONFIG_BYTES + 1)
        except (OSError, ValueError) as error:  # a name can be one that no file may have
            raise InputError(
                f"the {self.noun} {quoted_name(path)} cannot be read; give a file that exists, or "
                f"one of {', '.join(self.names)}"
            ) from error
        if len(content) > CONFIG_BYTES:
            raise InputError(
                f"the {self.noun} {quoted_name(path)} is larger than {CONFIG_BYTES} bytes; give a "
                "smaller one"
            )
        return content
