"""What qemu-img converts can be stopped at any time, and tells how far it is."""

import asyncio
import os
from pathlib import Path

import pytest
from tests.integration.media.fetch.publisher import Publisher, Served

from quarterdeck.core.process import find, run
from quarterdeck.core.report import Event, Step
from quarterdeck.media.fetch.http import Http
from quarterdeck.media.fetch.model import Wanted
from quarterdeck.media.library.library import Library, Options

pytestmark = pytest.mark.integration

ENDLESS = """#!/bin/sh
case "$1" in
convert)
    echo $$ >"{pid}"
    for name; do :; done
    echo half >"$name"
    printf '    (1.00/100%%)\\r    (42.00/100%%)\\r'
    exec sleep 1000;;
esac
exec {real} "$@"
"""


@pytest.fixture
def endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the process number of a qemu-img whose conversions never end."""
    folder, pid = tmp_path / "bin", tmp_path / "pid"
    folder.mkdir()
    program = folder / "qemu-img"
    program.write_text(ENDLESS.format(pid=pid, real=find("qemu-img")))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return pid


@pytest.mark.parametrize("place", ["file", "url"])
async def test_a_cancelled_import_ends_qemu_img_and_leaves_nothing(
    lab: Publisher, http: Http, tmp_path: Path, endless: Path, place: str
) -> None:
    image = tmp_path / "disk.vhdx"
    run(["qemu-img", "create", "-q", "-f", "vhdx", image, "8M"])
    library = Library(images=tmp_path / "images", downloads=tmp_path / "downloads")
    seen: asyncio.Queue[Event] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def report(event: Event) -> None:
        loop.call_soon_threadsafe(seen.put_nowait, event)

    if place == "file":
        work = asyncio.create_task(_as_none(library.obtain_file(image, report=report)))
    else:
        wanted = Wanted((lab.add("/disk.vhdx", Served(image.read_bytes())),))
        work = asyncio.create_task(_as_none(library.obtain_url(wanted, http=http, report=report, options=Options(unverified=True))))
    while True:
        event = await seen.get()
        if isinstance(event, Step) and event.detail == "converting to qcow2" and event.done:
            break
    assert (event.done, event.total, event.unit) == (8 * 1024 * 1024 * 42 // 100, 8 << 20, "bytes")
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert not _lives(endless)
    assert [path for path in (tmp_path / "images").rglob("*") if path.is_file() and not path.name.endswith(".lock")] == []


def _lives(pid: Path) -> bool:
    return os.path.exists(f"/proc/{pid.read_text().strip()}")


async def _as_none(work: object) -> None:
    await work  # type: ignore[misc]
