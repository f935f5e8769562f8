"""All entries by name: the package's, over them the user's own, over them those of a folder or URL that was named."""

from __future__ import annotations

import difflib
import functools
import importlib.resources
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path

import platformdirs

from quarterdeck.errors import Problem, UsageError
from quarterdeck.media.catalogue.load import CatalogueError, load_entries
from quarterdeck.media.catalogue.model import Entry

_LARGEST = 1 << 20


@dataclass(frozen=True)
class Layer:
    """Entries from one place: made already, and in ``files`` (name and text) that are read when something in them is asked for.

    A later layer's entry replaces an earlier one of the same name as a whole.
    """

    origin: str
    made: tuple[Entry, ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()
    _read: dict[str, tuple[Entry, ...]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries. Raises: CatalogueError when a file cannot be used, or a name belongs to two."""
        found = (*self.made, *(entry for name, text in self.files for entry in self._entries(name, text)))
        _check_names(self.origin, found)
        return found

    def about(self, word: str) -> tuple[Entry, ...]:
        """Return the entries of those files that ``word`` stands in at all: reading all files takes most of a second."""
        holding = [(name, text) for name, text in self.files if word.encode("utf-8", "surrogateescape") in text]
        return (*self.made, *(entry for name, text in holding for entry in self._entries(name, text)))

    def _entries(self, name: str, text: bytes) -> tuple[Entry, ...]:
        if name not in self._read:
            self._read[name] = load_entries(text, name)
        return self._read[name]


class Catalogue:
    """The entries of all layers, the last layer lying on top."""

    def __init__(self, layers: Iterable[Layer]) -> None:
        self._layers = tuple(layers)

    def __iter__(self) -> Iterator[Entry]:
        """Give all entries in the order of their names."""
        entries = {entry.name: entry for layer in self._layers for entry in layer.entries}
        return (entries[name] for name in sorted(entries))

    def get(self, name: str) -> Entry | None:
        """Return the entry of a name or alias in any case, or None. A name beats an alias."""
        word = name.strip().lower()
        if (found := self._named(word)) is not None:
            return found[0]
        for layer in reversed(self._layers):
            for entry in layer.about(word):
                if word in entry.aliases:
                    return (self._named(entry.name) or (entry, layer))[0]
        return None

    def origin(self, entry: Entry) -> str:
        """Return where an entry comes from: ``built in``, or a folder, file or URL."""
        found = self._named(entry.name)
        return found[1].origin if found is not None else ""

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
        """Return the name or alias most like ``name``, if one is at all."""
        names = [word for entry in self for word in (entry.name, *entry.aliases)]
        close = difflib.get_close_matches(name.strip().lower(), names, n=1)
        return close[0] if close else None

    def _named(self, word: str) -> tuple[Entry, Layer] | None:
        for layer in reversed(self._layers):
            for entry in layer.about(word):
                if entry.name == word:
                    return entry, layer
        return None


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


@functools.cache
def packaged() -> Layer:
    """Return the entries that come with the package."""
    return Layer("built in", files=_files("", importlib.resources.files("quarterdeck.media.catalogue") / "data"))


def folder_layer(folder: Path) -> Layer:
    """Return the entries of the ``*.yaml`` files in ``folder``.

    Raises:
        CatalogueError: it cannot be read; what is in its files is looked at later.
    """
    return Layer(str(folder), files=_files(f"{folder}/", folder))


def text_layer(text: str | bytes, origin: str) -> Layer:
    """Return the entries of one YAML text; ``origin`` says where it is from.

    Raises:
        CatalogueError: it cannot be used.
    """
    layer = Layer(origin, load_entries(text, origin))
    _check_names(origin, layer.made)
    return layer


def _files(prefix: str, folder: Path | Traversable) -> tuple[tuple[str, bytes], ...]:
    found: list[tuple[str, bytes]] = []
    try:
        for file in sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name):
            with file.open("rb") as stream:
                found.append((f"{prefix}{file.name}", stream.read(_LARGEST + 1)))
    except OSError as error:
        raise CatalogueError(prefix or "the catalogue", [Problem("", f"cannot be read: {error.strerror or error}")]) from error
    return tuple(found)


def _check_names(origin: str, entries: Iterable[Entry]) -> None:
    owners: dict[str, str] = {}
    problems = []
    for entry in entries:
        for name in (entry.name, *entry.aliases):
            if name in owners:
                problems.append(Problem("", f"the name '{name}' belongs to {owners[name]} and to {entry.name}"))
            owners[name] = entry.name
    if problems:
        raise CatalogueError(origin, problems)
