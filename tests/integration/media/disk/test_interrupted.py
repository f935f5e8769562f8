"""Disks that are being made when the process is killed, or when the file system is full."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quarterdeck.core.report import silent
from quarterdeck.errors import HostError
from quarterdeck.media.disk.convert import convert
from quarterdeck.media.disk.kinds import KINDS, Options, find_kind

pytestmark = pytest.mark.integration

MIB = 1 << 20


@pytest.fixture(name="noise", scope="module")
def _noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("noise") / "noise.raw"
    path.write_bytes(os.urandom(24 * MIB))
    return path


def start(noise: Path, target: Path) -> subprocess.Popen[bytes]:
    words: list[str | Path] = [sys.executable, "-m", "quarterdeck", "disk", "convert", noise, target, "--compress", "--progress", "plain"]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def written(folder: Path) -> int:
    """Return how many bytes of the new disk there are, -1 before there is a place to make it."""
    places = list(folder.glob(".quarterdeck-*.work"))
    return sum(path.stat().st_size for place in places for path in place.glob("made/*")) if places else -1


def wait_for(child: subprocess.Popen[bytes], folder: Path, target: Path, least: int) -> None:
    while child.poll() is None and written(folder) < least and not target.exists():
        time.sleep(0.002)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_copy_leaves_what_was_there_and_the_next_run_cleans_up(noise, tmp_path, number):
    target = tmp_path / "new.qcow2"
    before = noise.stat()
    for least in (0, MIB, 12 * MIB) if number == signal.SIGKILL else (MIB,):
        target.unlink(missing_ok=True)
        child = start(noise, target)
        wait_for(child, tmp_path, target, least)
        child.send_signal(number)
        _, errors = child.communicate(timeout=60)
        assert b"Traceback" not in errors
        if target.exists():  # it was quicker than we
            continue
        left = list(tmp_path.iterdir())
        assert bool(left) == (number == signal.SIGKILL)
    target.unlink(missing_ok=True)
    child = start(noise, target)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 0, errors
    assert [path.name for path in tmp_path.iterdir()] == ["new.qcow2"]
    assert noise.stat().st_mtime_ns == before.st_mtime_ns
    subprocess.run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", noise, target], check=True, capture_output=True)


def test_a_full_file_system_is_told_before_or_in_words_and_leaves_nothing(noise, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", tmp_path], check=False).returncode:
        pytest.skip("this container may not mount")
    try:
        # The size of a compressed copy is not known before: it is noticed by QEMU.
        for options in (Options(kind=KINDS[0]), Options(kind=KINDS[0], compress=True), Options(kind=find_kind("vdi", tmp_path))):
            with pytest.raises(HostError) as caught:
                asyncio.run(convert(noise, tmp_path / "new", options, report=silent))
            assert caught.value.key == "disk-full"
            assert list(tmp_path.iterdir()) == []
    finally:
        subprocess.run(["umount", tmp_path], check=True)
