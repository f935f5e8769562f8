import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from quarterdeck.build.engines.emulators import Emulator, running_emulators
from quarterdeck.build.engines.watchdog import Watchdog


class World:
    """A clock that goes on by itself, and an emulator that uses ``share`` of a processor."""

    def __init__(self, share: float) -> None:
        self.now = 100.0
        self.share = share

    def clock(self) -> float:
        self.now += 0.05
        return self.now

    def look(self) -> Mapping[int, Emulator]:
        return {7: Emulator(7, "qemu-aarch64", self.now * self.share, "make")}


@pytest.mark.parametrize(("share", "spins"), [(1.0, True), (0.0, False)])
async def test_silence_is_noticed_and_the_emulator_looked_at(share: float, spins: bool) -> None:
    world = World(share)
    hang = await Watchdog(0.4, world.look, clock=world.clock).wait()
    assert hang.seconds >= 0.4
    assert hang.spins is spins
    assert hang.emulators[0].emulator.command == "make"
    assert hang.emulators[0].share == pytest.approx(share, abs=0.5)


async def test_without_a_limit_it_waits_for_ever() -> None:
    task = asyncio.create_task(Watchdog(None, dict).wait())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def process(proc: Path, pid: int, parent: int, exe: str, *words: str, ticks: int = 0) -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    (folder / "exe").symlink_to(exe)
    (folder / "cmdline").write_bytes(b"\0".join(word.encode() for word in words) + b"\0")
    (folder / "stat").write_text(f"{pid} (a (b) c) R {parent} 0 0 0 0 0 0 0 0 0 {ticks} {ticks} 0 0 0 0 0 0 0", encoding="utf-8")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    process(tmp_path, 1, 0, "/sbin/init", "init")
    process(tmp_path, 10, 1, "/usr/bin/buildah", "buildah", "build")
    process(
        tmp_path,
        11,
        10,
        "/usr/bin/qemu-aarch64-static",
        "/usr/libexec/qemu-binfmt/aarch64-binfmt-P",
        "/bin/sh",
        "/bin/sh",
        "-c",
        "x",
        ticks=100,
    )
    process(tmp_path, 12, 1, "/usr/bin/qemu-arm (deleted)", "qemu-arm", "/bin/true")
    process(tmp_path, 13, 10, "/usr/bin/qemu-system-x86_64", "qemu-system-x86_64")
    process(tmp_path, 14, 1, "/dev/.buildkit_qemu_emulator", "x", "/bin/make")
    (tmp_path / "self").mkdir()
    (tmp_path / "99").mkdir()
    return tmp_path


def test_user_emulators_are_found_by_their_program(proc: Path) -> None:
    found = running_emulators(proc=proc)
    assert sorted(found) == [11, 12, 14]
    assert found[11].command == "/bin/sh /bin/sh -c x"
    assert found[11].seconds > 0


def test_only_emulators_of_one_architecture_count_when_asked(proc: Path) -> None:
    assert sorted(running_emulators(of="aarch64", proc=proc)) == [11, 14]
    assert sorted(running_emulators(of="arm", proc=proc)) == [12, 14]


def test_only_descendants_count_when_asked(proc: Path) -> None:
    assert sorted(running_emulators(10, proc=proc)) == [11]
