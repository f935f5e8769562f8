"""The files of an image once all layers are applied; of files only ELF files are kept, and links, through which paths lead.

Rules of applying as in layer.md of the OCI image specification 1.1 and containerd's archive package, which resolves links of lower
layers in paths of upper ones, inside the image.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from quarterdeck.binfmt.elf import Header
from quarterdeck.build.oci.errors import BadImageError

_MOST_LINKS = 40
"""As Linux, path_resolution(7)."""
_LONGEST_PATH = 4096
MOST_NODES = 2_000_000


@dataclass(frozen=True)
class ElfFile:
    """A file that begins as ELF files do: its header, or why it has none that is sound; ``layer`` is the number from 0 that it is from."""

    header: Header | str
    layer: int


@dataclass(frozen=True)
class _Link:
    target: str
    layer: int


_Folder = dict[str, "ElfFile | _Link | _Folder"]


class Tree:
    """Paths are relative to the image's root, without ``.`` and ``..``."""

    def __init__(self) -> None:
        self._root: _Folder = {}
        self._count = 0
        self._done: set[tuple[int, str]] = set()

    def put(self, path: str, file: ElfFile) -> None:
        """Put a file there, in place of whatever is there.

        Raises:
            BadImageError: the image has too many files.
        """
        self._store(path, file)

    def link(self, path: str, target: str, *, layer: int) -> None:
        """Put a symbolic link there, in place of whatever is there; raises as :meth:`put`."""
        self._store(path, _Link(target, layer))

    def folder(self, path: str) -> None:
        """Have a folder there: one that is there keeps what is in it."""
        place = self._parent(path, make=False)
        if place is not None and not isinstance(place[0].get(place[1]), dict):
            place[0].pop(place[1], None)

    def remove(self, path: str) -> None:
        """Have nothing that is kept there: another file takes the place."""
        place = self._parent(path, make=False)
        if place is not None:
            place[0].pop(place[1], None)

    def get(self, path: str) -> ElfFile | None:
        """Return the ELF file there, None for anything else."""
        place = self._parent(path, make=False)
        found = place[0].get(place[1]) if place is not None else None
        return found if isinstance(found, ElfFile) else None

    def white_out(self, path: str, *, layer: int, only_inside: bool = False) -> None:
        """Remove what lower layers put there; ``only_inside``: into the folder that is there. Raises as :meth:`put`."""
        if (layer, path) in self._done:
            return
        self._grow()
        self._done.add((layer, path))
        if only_inside and not path:
            _prune(self._root, layer)
            return
        place = self._parent(path, make=False)
        if place is None:
            return
        folder, name = place
        found = folder.get(name)
        if isinstance(found, dict):
            _prune(found, layer)
        elif found is not None and found.layer < layer and not only_inside:
            del folder[name]

    def files(self) -> Iterator[tuple[str, ElfFile]]:
        """Yield all ELF files by their paths, sorted within each folder."""
        waiting: list[tuple[str, ElfFile | _Link | _Folder]] = [("", self._root)]
        while waiting:
            path, node = waiting.pop()
            if isinstance(node, ElfFile):
                yield path, node
            elif isinstance(node, dict):
                waiting += [(f"{path}/{name}" if path else name, node[name]) for name in sorted(node, reverse=True)]

    def _store(self, path: str, node: ElfFile | _Link) -> None:
        place = self._parent(path, make=True)
        if place is not None:
            self._grow()
            place[0][place[1]] = node

    def _grow(self) -> None:
        self._count += 1
        if self._count > MOST_NODES:
            raise BadImageError("image-too-large", f"it has more than {MOST_NODES} programs, links, whiteouts and folders of them")

    def _parent(self, path: str, *, make: bool) -> tuple[_Folder, str] | None:
        """Return the folder that a path's last part is in, and that part; None where there is no such folder.

        Raises:
            BadImageError: the path is too long, or links go in a circle.
        """
        if len(path) > _LONGEST_PATH:
            raise BadImageError("path-too-long", f"a path has {len(path)} characters; {_LONGEST_PATH} are allowed")
        *parents, name = path.split("/")
        if not name:
            return None
        trail = [self._root]
        ahead, links = parents[::-1], 0
        while ahead:
            part = ahead.pop()
            if part in ("", "."):
                continue
            if part == "..":
                trail = trail[:-1] or trail
                continue
            found = trail[-1].get(part)
            if isinstance(found, _Link):
                links += 1
                trail, ahead = _follow(found, trail, ahead, links=links)
                continue
            if not isinstance(found, dict):
                if not make:
                    return None
                self._grow()
                found = trail[-1][part] = {}
            trail.append(found)
        return trail[-1], name


def _follow(link: _Link, trail: list[_Folder], ahead: list[str], *, links: int) -> tuple[list[_Folder], list[str]]:
    """Return where a link leads to begin, and the parts that are to be walked then."""
    if links > _MOST_LINKS or len(link.target) > _LONGEST_PATH:
        raise BadImageError("link-loop", "symbolic links of folders go in a circle")
    return (trail[:1] if link.target.startswith("/") else trail), ahead + link.target.split("/")[::-1]


def _prune(folder: _Folder, layer: int) -> None:
    """Remove what layers below ``layer`` put into a folder, at all depths."""
    waiting = [folder]
    while waiting:
        inside = waiting.pop()
        for name in list(inside):
            node = inside[name]
            if isinstance(node, dict):
                waiting.append(node)
            elif node.layer < layer:
                del inside[name]
