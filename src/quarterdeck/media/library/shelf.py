"""The folder of the library: its entries, and how one becomes visible."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from quarterdeck.core.fs import sync_file
from quarterdeck.media.entries import EntryFolder, not_writable
from quarterdeck.media.library import entry as entries
from quarterdeck.media.library.entry import ImportManifest, LibraryImage


class Shelf(EntryFolder):
    """The entries below ``root``, one folder each."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, root.parent)

    def entries(self) -> list[LibraryImage]:
        """Return all complete entries."""
        try:
            folders = [folder for folder in self.root.iterdir() if not folder.name.startswith(".")]
        except OSError:
            return []
        return [image for folder in sorted(folders) if (image := entries.load(folder)) is not None]

    def put(self, folder: Path, name: str, manifest: ImportManifest) -> LibraryImage:
        """Make the entry ``name`` out of ``folder``, or return the one that is there already.

        Raises:
            HostError: the library cannot be written.
        """
        target = self.root / name
        try:
            _keep_only_disk(folder, manifest.disk)
            entries.save(folder, manifest)
            there = entries.load(target)
            if there is not None:
                return there
            if os.path.lexists(target):  # damaged: nothing could start from it
                os.rename(target, Path(tempfile.mkdtemp(dir=self.root, prefix=".removing-")) / "entry")
            return LibraryImage(self.publish(folder, name), manifest)
        except OSError as error:
            raise not_writable(self.root, error) from error


def _keep_only_disk(folder: Path, disk: str) -> None:
    """What was unpacked on the way goes; the disk is synchronised, since machines will stand on it after a power cut too."""
    for file in folder.iterdir():
        if file.name != disk:
            shutil.rmtree(file) if file.is_dir() and not file.is_symlink() else file.unlink()
    sync_file(folder / disk, mode=0o644)
