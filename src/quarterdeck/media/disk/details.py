"""What QEMU tells of one image, without what it stands on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from quarterdeck.errors import MediaError
from quarterdeck.media.disk.tool import Tree, file_name, run_tool


@dataclass(frozen=True, kw_only=True)
class Details:
    """One image: sizes in bytes (as the guest sees it, on this host), unit of allocation (0: none), names of snapshots and dirty bitmaps.

    ``variant`` is the kind within the format, such as ``streamOptimized``. ``encryption`` and ``variant`` are empty where there is none.
    """

    virtual_size: int
    actual_size: int
    cluster_size: int
    variant: str
    snapshots: tuple[str, ...]
    bitmaps: tuple[str, ...]
    encryption: str
    corrupt: bool


async def read_details(tree: Tree, name: str) -> Details:
    """Return what QEMU tells of the image that ``tree`` opens; it may be in use. ``name`` is what people know it by.

    Raises:
        MediaError: it cannot be read.
        HostError: qemu-img is not installed.
    """
    if "backing" in tree:  # 'qemu-img info' opens none, and refuses to be told one
        tree = {**tree, "backing": None}
    words = ["qemu-img", "info", "--force-share", "--output=json", file_name(tree)]
    try:
        return _parse(json.loads(await run_tool(words, what=f"{name} cannot be read", timeout=60)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MediaError("image-damaged", f"{name} cannot be read", reason="qemu-img gave an answer that makes no sense") from error


def _parse(answer: dict[str, Any]) -> Details:
    specific = answer.get("format-specific", {}).get("data", {})
    encrypted = specific.get("encrypt", {}).get("format") or ("yes" if answer.get("encrypted") else "")
    return Details(
        virtual_size=int(answer["virtual-size"]),
        actual_size=int(answer.get("actual-size", 0)),
        cluster_size=int(answer.get("cluster-size", 0)),
        variant=str(specific.get("create-type", "")),
        snapshots=tuple(str(one["name"]) for one in answer.get("snapshots", ())),
        bitmaps=tuple(str(one["name"]) for one in specific.get("bitmaps", ())),
        encryption=str(encrypted),
        corrupt=bool(specific.get("corrupt")),
    )
