"""All entries by name: the package's, over them the user's own, over them those of a folder or URL that was named."""

from __future__ import annotations

import difflib
import importlib.resources
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

import platformdirs

from quarterdeck.errors import Problem, UsageError
from quarterdeck.media.catalogue.load import CatalogueError, load_entries
from quarterdeck.media.catalogue.model import Entry

_LARGEST = 1 << 20


@dataclass(frozen=True)
class Layer:
    """Entries from one place. A later layer's entry replaces an earlier one of the same name as a whole."""

    origin: str
    entries: tuple[Entry, ...]


class Catalogue:
    """The entries of all layers."""

    def __init__(self, layers: Iterable[Layer]) -> None:
        self._entries: dict[str, Entry] = {}
        self._names: dict[str, str] = {}
        self._origins: dict[str, str] = {}
        for layer in layers:
            self._add(layer)

    def __iter__(self) -> Iterator[Entry]:
        """Give all entries in the order of their names."""
        return (self._entries[name] for name in sorted(self._entries))

    def get(self, name: str) -> Entry | None:
        """Return the entry of a name or alias in any case, or None."""
        return self._entries.get(self._names.get(name.strip().lower(), ""))

    def origin(self, entry: Entry) -> str:
        """Return where an entry comes from: ``built in``, or a file or URL."""
        return self._origins[entry.name]

    def find(self, name: str) -> Entry:
        """Return the entry of a name or alias in any case.

        Raises:
            UsageError: there is none; the hint names close ones.
        """
        if (entry := self.get(name)) is not None:
            return entry
        close = self.close(name)
        hint = f"did you mean '{close}'? " if close else ""
        raise UsageError("unknown-os", f"the catalogue has no '{name}'", hint=f"{hint}'qd catalogue ls' lists all names")

    def close(self, name: str) -> str | None:
        """Return the name most like ``name``, if one is at all."""
        close = difflib.get_close_matches(name.strip().lower(), self._names, n=1)
        return close[0] if close else None

    def _add(self, layer: Layer) -> None:
        for entry in layer.entries:
            self._entries[entry.name] = entry
            self._origins[entry.name] = layer.origin
        # A name beats an alias, and what a later layer says beats what an earlier one said.
        self._names.update({alias: entry.name for entry in layer.entries for alias in entry.aliases if alias not in self._entries})
        self._names.update({entry.name: entry.name for entry in layer.entries})


def load_catalogue(*more: Layer) -> Catalogue:
    """Return the catalogue of this user; ``more`` layers lie on top, see :func:`folder_layer`.

    Raises:
        CatalogueError: a file cannot be used.
    """
    own = user_folder()
    return Catalogue([packaged(), *([folder_layer(own)] if own.is_dir() else []), *more])


def user_folder() -> Path:
    """Return the folder of the user's own entries; it may not exist."""
    return platformdirs.user_config_path("quarterdeck") / "catalogue"


def packaged() -> Layer:
    """Return the entries that come with the package."""
    return _layer("built in", importlib.resources.files("quarterdeck.media.catalogue") / "data")


def folder_layer(folder: Path) -> Layer:
    """Return the entries of the ``*.yaml`` files in ``folder``.

    Raises:
        CatalogueError: it or a file in it cannot be used.
    """
    return _layer(str(folder), folder)


def text_layer(text: str | bytes, origin: str) -> Layer:
    """Return the entries of one YAML text; ``origin`` says where it is from.

    Raises:
        CatalogueError: it cannot be used.
    """
    return _checked(Layer(origin, load_entries(text, origin)))


def _layer(origin: str, folder: Path | Traversable) -> Layer:
    entries: list[Entry] = []
    try:
        files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
        for file in files:
            with file.open("rb") as stream:
                text = stream.read(_LARGEST + 1)
            entries.extend(load_entries(text, file.name if origin == "built in" else f"{origin}/{file.name}"))
    except OSError as error:
        raise CatalogueError(origin, [Problem("", f"cannot be read: {error.strerror or error}")]) from error
    return _checked(Layer(origin, tuple(entries)))


def _checked(layer: Layer) -> Layer:
    owners: dict[str, str] = {}
    problems = []
    for entry in layer.entries:
        for name in (entry.name, *entry.aliases):
            if name in owners:
                problems.append(Problem("", f"the name '{name}' belongs to {owners[name]} and to {entry.name}"))
            owners[name] = entry.name
    if problems:
        raise CatalogueError(layer.origin, problems)
    return layer
