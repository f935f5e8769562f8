"""Stream metadata of CoreOS: one release, its images by architecture, platform and format.

Format: https://github.com/coreos/stream-metadata-go (stream/stream.go).
"""

from __future__ import annotations

from typing import Any

from quarterdeck.media.catalogue.extract.document import text_at, walk


def find(data: Any, arch: str, *, artifact: str, form: str) -> list[dict[str, str]]:
    """Return release, url and sha256 of the disk of ``artifact`` (such as ``qemu``) in format ``form`` (such as ``qcow2.xz``)."""
    found = []
    for place in walk(data, f"architectures/{arch}/artifacts/{artifact}"):
        fields = {
            "release": text_at(place, "release"),
            "url": text_at(place, f"formats/{form}/disk/location"),
            "sha256": text_at(place, f"formats/{form}/disk/sha256"),
        }
        if fields["release"] and fields["url"]:
            found.append({key: value for key, value in fields.items() if value})
    return found
