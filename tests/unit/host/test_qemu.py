import os
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.core import process
from quarterdeck.core.arch import find_arch
from quarterdeck.core.process import Completed
from quarterdeck.errors import HostError, UsageError
from quarterdeck.host import cache
from quarterdeck.host.qemu import fingerprint, parse_devices, parse_version, qemu_facts, require_qemu

VERSION = "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)\nCopyright (c) 2003-2022 ...\n"
DEVICES = 'Storage devices:\nname "virtio-blk-pci", bus PCI, alias "virtio-blk"\nname "ide-hd", bus IDE, desc "x"\n\nnot a name "x"\n'


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (VERSION, (7, 2, 22)),
        ("QEMU emulator version 10.0.13\n", (10, 0, 13)),
        ("QEMU emulator version 9.1", (9, 1, 0)),
        ("", None),
        ("version x", None),
    ],
)
def test_versions_are_read(text: str, version: tuple[int, int, int] | None) -> None:
    assert parse_version(text) == version


def test_devices_are_read() -> None:
    assert parse_devices(DEVICES) == {"virtio-blk-pci", "ide-hd"}


def test_a_missing_emulator_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "find", lambda name, *extra: None)
    with pytest.raises(HostError) as caught:
        require_qemu(find_arch("aarch64"))
    assert caught.value.key == "qemu-missing"
    assert "qemu-system-arm" in caught.value.hint


def test_an_architecture_without_machines_is_wrong_use() -> None:
    with pytest.raises(UsageError) as caught:
        require_qemu(find_arch("hexagon"))
    assert caught.value.key == "no-system-emulator"


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An emulator that counts how often it is asked."""
    path = tmp_path / "qemu-system-x86_64"
    path.write_text("one", encoding="utf-8")
    asked = []

    async def answer(argv: Any, **options: Any) -> Any:
        asked.append(argv)
        text = DEVICES if "-device" in argv else VERSION
        return Completed(tuple(argv), 0, text.encode(), b"")

    monkeypatch.setattr(process, "run_async", answer)
    return str(path), asked


async def test_an_emulator_is_asked_once(emulator: tuple[str, list[Any]]) -> None:
    path, asked = emulator
    first = await qemu_facts(path)
    assert await qemu_facts(path) == first
    assert first.version == (7, 2, 22)
    assert len(asked) == 2


async def test_a_replaced_emulator_is_asked_again(emulator: tuple[str, list[Any]]) -> None:
    path, asked = emulator
    await qemu_facts(path)
    os.utime(path, ns=(1, 1))
    await qemu_facts(path)
    assert len(asked) == 4


@pytest.mark.parametrize(
    "answer",
    [{}, {"version": [7, 2], "devices": []}, {"version": [7, 2, "0"], "devices": []}, {"version": [7, 2, True], "devices": []},
     {"version": [7, 2, 0], "devices": [1]}, {"version": [7, 2, 0], "devices": None}],
)  # fmt: skip
async def test_a_malformed_kept_answer_is_asked_again(emulator: tuple[str, list[Any]], answer: dict[str, Any]) -> None:
    path, asked = emulator
    cache.remember("qemu", fingerprint(path), answer)
    assert (await qemu_facts(path)).version == (7, 2, 22)
    assert len(asked) == 2


async def test_a_program_without_a_version_is_a_broken_emulator(emulator: tuple[str, list[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = emulator

    async def answer(argv: Any, **options: Any) -> Any:
        return Completed(tuple(argv), 0, b"hello\n", b"")

    monkeypatch.setattr(process, "run_async", answer)
    with pytest.raises(HostError) as caught:
        await qemu_facts(path)
    assert caught.value.key == "qemu-broken"
