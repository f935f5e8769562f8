"""Bytes of the guest's view of a disk, whatever its format: read by qemu-img, written by qemu-io."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from quarterdeck.errors import MediaError
from quarterdeck.media.bootable import HEAD_SIZE
from quarterdeck.media.disk.tool import Tree, file_name, run_tool


async def read_start(tree: Tree, name: str) -> bytes:
    """Return the first megabyte of the disk that ``tree`` opens. Raises: MediaError when it cannot be read."""
    with tempfile.TemporaryDirectory(prefix="quarterdeck-") as folder:
        head = Path(folder, "head")
        words = ["qemu-img", "dd", "-U", "-O", "raw", f"bs={HEAD_SIZE}", "count=1", f"if={file_name(tree)}", f"of={head}"]
        await run_tool(words, what=f"{name} cannot be read", timeout=60)
        return await asyncio.to_thread(head.read_bytes)


async def write_parts(tree: Tree, parts: Sequence[tuple[int, bytes]], name: str) -> None:
    """Write bytes at places, one after the other: each is on the disk before the next is begun. Raises: MediaError or HostError."""
    with tempfile.TemporaryDirectory(prefix="quarterdeck-") as folder:
        commands = _store(Path(folder), parts)
        await run_tool(["qemu-io", *commands, file_name(tree)], what=f"{name} cannot be written", cwd=folder)


async def empty_from(tree: Tree, start: int, name: str) -> bool:
    """Whether no bytes but zeros were ever written from byte ``start`` on. Raises: MediaError when it cannot be read."""
    words = ["qemu-img", "map", "--output=json", f"--start-offset={start}", file_name(tree)]
    try:
        areas = json.loads(await run_tool(words, what=f"{name} cannot be read"))
        return not any(area["data"] and not area["zero"] for area in areas)
    except (ValueError, KeyError, TypeError) as error:
        raise MediaError("image-damaged", f"{name} cannot be read", reason="qemu-img gave an answer that makes no sense") from error


def _store(folder: Path, parts: Sequence[tuple[int, bytes]]) -> list[str]:
    """Put each part into a file, and return the words that let qemu-io write them; it runs in ``folder``, so no name needs quotes."""
    commands: list[str] = []
    for number, (place, data) in enumerate(parts):
        (folder / f"part{number}").write_bytes(data)
        commands += ["-c", f"write -q -s part{number} {place} {len(data)}", "-c", "flush"]
    return commands
