"""A guest that writes all the while, exported: the copy is of one moment, and nothing is left of one that was ended."""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.boot.cli_lab import QD, qd, terminal
from tests.boot.lifecycle_lab import lab, until
from tests.boot.test_storage import DISKS, is_of_one_moment, numbers
from tests.tiny_guest import READY

from quarterdeck.runtime.storage.still import STILL
from quarterdeck.runtime.store import MachineStore

pytestmark = pytest.mark.boot


@pytest.fixture(name="tiny", scope="module")
def _tiny():
    with lab() as made:
        layout = made.create(disks=DISKS)
        assert qd("start", "tiny").returncode == 0
        with terminal("serial", "tiny") as person:
            person.expect(READY)
            person.type("count\r")
            person.expect("> counting")
        asyncio.run(made.until_listed("tiny", "ready"))
        yield layout
        assert made.store.get("tiny").state == "ready"  # the guest ran on
        assert not layout.storage_journal.exists()
        assert list(layout.root.glob(".quarterdeck*")) == []
        assert qd("rm", "--force", "--yes", "tiny").returncode == 0


@pytest.fixture(name="small")
def _small(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """A function that mounts a file system of so many MiB on the folder that it returns."""
    mounted: list[Path] = []

    def mount(mebibytes: int) -> Path:
        words = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(tmp_path)]
        if os.geteuid() != 0 or subprocess.run(words, check=False).returncode:
            pytest.skip("only root may mount a small file system, and not in every container")
        mounted.append(tmp_path)
        return tmp_path

    yield mount
    for path in mounted:
        subprocess.run(["umount", path], check=True)


def begin_copying(layout, target: Path, *more: str) -> subprocess.Popen[str]:
    """Start an export and return when the supervisor copies for it."""
    words = (*QD, "export", "tiny", "--to", str(target), *more)
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while child.poll() is None and not layout.storage_journal.exists():
        time.sleep(0.002)
    assert child.poll() is None, child.communicate()
    assert json.loads(layout.storage_journal.read_text())["operation"] == STILL
    return child


def settle(layout) -> None:
    deadline = time.monotonic() + 60
    while layout.storage_journal.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_all_disks_of_one_moment_in_an_ova(tiny, tmp_path):
    done = qd("export", "tiny", "--to", str(tmp_path / "out.ova"), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["consistency"] == "agent"
    assert "file systems were frozen" in done.stderr
    (tmp_path / "in").mkdir()
    subprocess.run(["tar", "-xf", tmp_path / "out.ova", "-C", tmp_path / "in"], check=True)
    first, second = (numbers(tmp_path / "in" / f"tiny-disk{number}.vmdk", tmp_path) for number in (2, 3))
    assert second[-1] > 0
    assert is_of_one_moment(first, second), (first, second)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "numbers.raw", "out.ova"]


@pytest.mark.parametrize("form", ["qcow2", "raw", "containerdisk"])
def test_one_disk_alone(tiny, tmp_path, form):
    target = tmp_path / "out"
    done = qd("export", "tiny", "--to", str(target), "--format", form, "--disk", "1")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    if form == "containerdisk":
        return
    told = json.loads(subprocess.run(["qemu-img", "info", "--output=json", target], capture_output=True, check=True).stdout)
    assert (told["virtual-size"], told.get("backing-filename")) == (8 << 20, None)
    assert numbers(target, tmp_path)[-1] > 0


def test_nothing_is_left_of_an_interrupted_one(tiny, tmp_path):
    child = begin_copying(tiny, tmp_path / "out.ova")
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)
    assert child.returncode == 130
    assert not tiny.storage_journal.exists()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_one_left_is_named_and_removed_by_the_next(tiny, tmp_path):
    child = begin_copying(tiny, tmp_path / "out.ova")
    child.kill()
    child.communicate(timeout=60)
    settle(tiny)
    (left,) = tmp_path.glob(".quarterdeck-*.work")
    done = qd("export", "tiny", "--to", str(tmp_path / "out.qcow2"), "--disk", "1")
    assert done.returncode == 0, done.stderr
    assert f"removed what an interrupted run left: {left}" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["out.qcow2"]


def test_copy_lies_with_the_machine_where_the_target_lacks_room_for_it(tiny, small):
    folder = small(40)  # the disk and its copy take up to twice 18 MiB, and 16 are reserved
    words = ("export", "tiny", "--to", str(folder / "out.raw"), "--disk", "0")
    child = begin_copying(tiny, folder / "out.raw", "--disk", "0")
    child.kill()
    child.communicate(timeout=60)
    settle(tiny)
    (left,) = tiny.root.glob(".quarterdeck-*.work")
    done = qd(*words)
    assert done.returncode == 0, done.stderr
    assert f"removed what an interrupted run left: {left}" in done.stderr
    assert [path.name for path in folder.iterdir()] == ["out.raw"]


def test_what_has_no_room_is_refused_before(tiny, small):
    folder = small(20)
    done = qd("export", "tiny", "--to", str(folder / "out.raw"), "--disk", "0")
    assert done.returncode == 3
    assert "too little space" in done.stderr
    assert list(folder.iterdir()) == []


def test_nothing_is_left_where_the_target_fills_up(tiny, small):
    folder = small(200)
    child = begin_copying(tiny, folder / "out.ova")
    status = os.statvfs(folder)
    with (folder / "filler").open("wb") as filler:
        os.posix_fallocate(filler.fileno(), 0, status.f_bavail * status.f_frsize - (1 << 20))
    _, told = child.communicate(timeout=60)
    assert child.returncode == 3, told
    assert "space" in told  # while it was copied, or before the copy was converted
    settle(tiny)
    assert [path.name for path in folder.iterdir()] == ["filler"]


async def test_export_goes_on_with_a_new_supervisor_where_the_last_was_killed(tiny, tmp_path):
    child = begin_copying(tiny, tmp_path / "out.ova")
    os.kill(json.loads(tiny.state.read_text())["supervisor"]["pid"], signal.SIGKILL)
    child.communicate(timeout=60)
    assert child.returncode in (0, 5)  # 0 when the copy was just complete
    assert [path.name for path in tmp_path.iterdir()] == ([] if child.returncode else ["out.ova"])
    done = qd("export", "tiny", "--to", str(tmp_path / "out.raw"), "--disk", "1")
    assert done.returncode == 0, done.stderr
    assert numbers(tmp_path / "out.raw", tmp_path)[-1] > 0
    await until(lambda: MachineStore(tiny.root.parent).get("tiny").state == "ready")
