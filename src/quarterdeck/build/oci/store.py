"""Writes blobs into a folder by their digests, each once and only when it is what its digest says."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from quarterdeck.build.oci.blobs import FolderBlobs, open_verified
from quarterdeck.build.oci.digest import CHUNK, check_digest
from quarterdeck.build.oci.errors import BlobMissingError
from quarterdeck.build.oci.layout import ImageSource, Layout, closure, may_be_absent
from quarterdeck.build.oci.model import Descriptor
from quarterdeck.build.oci.write import index_bytes
from quarterdeck.core.fs import write_atomic

LAYOUT_MARK = b'{"imageLayoutVersion":"1.0.0"}'


class ContentStore(FolderBlobs):
    """Blobs by digest in ``folder/blobs``, as in a layout folder; made if it is not there.

    Several processes may write to one at the same time: a blob appears whole or not at all.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder

    def has(self, digest: str) -> bool:
        """Whether the blob is there already."""
        return self._place(digest).is_file()

    def add(self, source: ImageSource, descriptor: Descriptor) -> None:
        """Copy a blob of ``source`` here, unless it is here.

        Raises:
            BlobMissingError: ``source`` does not have it.
            BadImageError: it is another one than its descriptor says; nothing is left of it here.
        """
        if self.has(descriptor.digest):
            return
        place = self._place(descriptor.digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=".new.")
        try:
            with os.fdopen(handle, "wb") as file, open_verified(source.blobs, descriptor) as reader:
                while chunk := reader.read(CHUNK):
                    file.write(chunk)
                os.fchmod(file.fileno(), 0o644)
            os.replace(temporary, place)
        except BaseException:
            os.unlink(temporary)
            raise

    def add_all(self, source: ImageSource) -> None:
        """Copy all that belongs to a source here; layers that only their makers may give away can be absent.

        Raises: as :meth:`add`.
        """
        for descriptor in closure(source):
            try:
                self.add(source, descriptor)
            except BlobMissingError:
                if not may_be_absent(descriptor):
                    raise

    def _place(self, digest: str) -> Path:
        algorithm, _, name = check_digest(digest).partition(":")
        return self.folder / "blobs" / algorithm / name


def write_layout(layout: Layout, folder: Path) -> None:
    """Write an OCI layout into ``folder``, which is made; what stands there under the same digests stays, its index is replaced.

    Raises:
        BadImageError: a blob is missing or is another one than its digest says.
        OSError: it cannot be written.
    """
    store = ContentStore(folder)
    for source in layout.sources():
        store.add_all(source)
    write_atomic(folder / "oci-layout", LAYOUT_MARK, mode=0o644)
    write_atomic(folder / "index.json", index_bytes(layout.index), mode=0o644)
