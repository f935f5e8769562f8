import os
from pathlib import Path

import pytest

from quarterdeck.binfmt.emulators import find as emulator
from quarterdeck.binfmt.emulators.find import Emulator, Origin, find_emulator, find_emulators, inspect_emulator, version_of
from quarterdeck.core import process
from quarterdeck.core.arch import ARCHES, find_arch
from quarterdeck.core.process import Completed
from quarterdeck.errors import DeadlineError, HostError, UsageError

HOST, ARM = find_arch("amd64"), find_arch("arm64")
PROGRAM = HOST.elf.example()
INTERPRETER = b"/lib64/ld-linux-x86-64.so.2\0"
ANSWER = "qemu-{} version {} (Debian 1:7.2+dfsg-7)\nCopyright (c) 2003-2022 Fabrice Bellard and the QEMU Project developers\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    """An x86_64 host whose PATH is one empty folder; its programs answer --version by what their name says."""
    monkeypatch.setattr(emulator, "host_arch", lambda: HOST)
    monkeypatch.setattr(emulator, "_LINKS", tmp_path / "links")
    monkeypatch.setattr(process, "find", lambda name: str(tmp_path / name) if (tmp_path / name).exists() else None)
    answering(monkeypatch, None)
    return tmp_path


def answering(monkeypatch, text: str | None, status: int = 0) -> None:
    def run(argv, **_: object) -> Completed:
        name = Path(argv[0]).name.removeprefix("qemu-").removesuffix("-static")
        output = ANSWER.format(name, "7.2.22") if text is None else text
        return Completed(tuple(map(str, argv)), status, output.encode(), b"")

    monkeypatch.setattr(process, "run", run)


def put(folder: Path, name: str, content: bytes = PROGRAM, *, mode: int = 0o755) -> Path:
    file = folder / name
    file.write_bytes(content)
    file.chmod(mode)
    return file


def dynamic() -> bytes:
    row = (3).to_bytes(4, "little") + (4).to_bytes(4, "little") + (120).to_bytes(8, "little") + bytes(16)
    row += len(INTERPRETER).to_bytes(8, "little") + bytes(16)
    head = bytearray(PROGRAM)
    head[32:40] = (64).to_bytes(8, "little")
    head[54:58] = bytes([56, 0, 1, 0])
    return bytes(head) + row + INTERPRETER


def refusal(arch=ARM, **options) -> HostError:
    with pytest.raises(HostError) as caught:
        find_emulator(arch, **options)
    return caught.value


@pytest.mark.parametrize("name", ["qemu-aarch64-static", "qemu-aarch64"])
def test_both_names_are_known(folder: Path, name: str) -> None:
    file = put(folder, name)
    assert find_emulator(ARM) == Emulator(ARM, file, (7, 2, 22), static=True, origin=Origin.SYSTEM)


def test_the_static_name_comes_first(folder: Path) -> None:
    put(folder, "qemu-aarch64")
    static = put(folder, "qemu-aarch64-static")
    assert find_emulator(ARM).path == static


def test_debians_link_is_followed(folder: Path, monkeypatch) -> None:
    file = put(folder, "qemu-aarch64-static")
    (folder / "links").mkdir()
    (folder / "links" / "aarch64-binfmt-P").symlink_to(file)
    monkeypatch.setattr(process, "find", lambda _: None)
    assert find_emulator(ARM).path == file


def test_a_dynamic_emulator_is_passed_over_for_a_static_one(folder: Path) -> None:
    put(folder, "qemu-aarch64-static", dynamic())
    file = put(folder, "qemu-aarch64")
    assert find_emulator(ARM).path == file


def test_a_dynamic_emulator_is_refused_with_the_reason(folder: Path) -> None:
    put(folder, "qemu-aarch64", dynamic())
    error = refusal()
    assert error.key == "emulator-dynamic"
    assert "libraries" in error.reason
    assert "qemu-user" in error.hint


def test_a_dynamic_emulator_can_be_looked_at(folder: Path) -> None:
    file = put(folder, "qemu-aarch64", dynamic())
    assert not inspect_emulator(file, ARM).static


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"#!/bin/sh\nexec qemu\n", "x7fELF"),
        (PROGRAM[:40], "cut short"),
        (ARM.elf.example(), "this host is x86_64"),
        (b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x01\x00\x3e\x00\x01" + bytes(43), "not a program"),
        (b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xff\xff\x01" + bytes(43), "unknown processor"),
    ],
)
def test_other_files_are_refused(folder: Path, content: bytes, words: str) -> None:
    put(folder, "qemu-aarch64-static", content)
    assert words in refusal().reason


def test_a_file_that_nobody_may_execute_is_refused(folder: Path) -> None:
    put(folder, "qemu-aarch64-static", mode=0o644)
    assert "execute" in refusal(folder=folder).reason


def test_an_emulator_of_another_architecture_is_refused(folder: Path, monkeypatch) -> None:
    put(folder, "qemu-aarch64-static")
    answering(monkeypatch, ANSWER.format("arm", "7.2.22"))
    assert "it emulates arm" in refusal().reason


@pytest.mark.parametrize("text", ["", "qemu-aarch64 version\n", "version 7.2.22\n", "QEMU emulator version 7.2.22\n", "\0\0"])
def test_an_answer_that_is_not_qemus_is_refused(folder: Path, monkeypatch, text: str) -> None:
    put(folder, "qemu-aarch64-static")
    answering(monkeypatch, text)
    assert "--version" in refusal().reason


def test_an_emulator_that_hangs_is_refused(folder: Path, monkeypatch) -> None:
    def run(*_: object, **__: object) -> Completed:
        raise DeadlineError("process-timeout", "it did not end within 5 s")

    put(folder, "qemu-aarch64-static")
    monkeypatch.setattr(process, "run", run)
    assert "within 5 s" in refusal().reason


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("qemu-aarch64 version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)", (7, 2, 22)),
        ("qemu-aarch64 version 10.0.13 (Debian 1:10.0.13+ds-0+deb13u1)", (10, 0, 13)),
        ("qemu-aarch64 version 9.2.90 (v10.0.0-rc0)", (9, 2, 90)),
        ("qemu-aarch64 version 8.2.2-dirty", (8, 2, 2)),
        ("qemu-x86_64 version 11.0", (11, 0, 0)),
    ],
)
def test_versions_are_understood(folder: Path, monkeypatch, text: str, version: tuple[int, int, int]) -> None:
    answering(monkeypatch, f"{text}\nCopyright (c) 2003-2099 version 99.9.9\n")
    assert version_of(folder) == version


@pytest.mark.parametrize("name", ["my-aarch64", "my-aarch64-static"])
def test_a_folder_may_use_either_name_and_a_prefix(folder: Path, monkeypatch, name: str) -> None:
    file = put(folder, name)
    answering(monkeypatch, ANSWER.format("aarch64", "9.2.2"))
    found = find_emulator(ARM, folder=folder, prefix="my-")
    assert (found.path, found.version, found.origin) == (file, (9, 2, 2), Origin.FOLDER)


def test_a_folder_is_the_only_place_looked_in(folder: Path, tmp_path: Path) -> None:
    put(folder, "qemu-aarch64-static")
    (tmp_path / "empty").mkdir()
    error = refusal(folder=tmp_path / "empty")
    assert error.key == "emulator-missing"
    assert "empty" in error.reason
    assert not error.hint


def test_a_dangling_link_in_a_folder_is_said(folder: Path) -> None:
    (folder / "qemu-aarch64").symlink_to("/nowhere")
    assert "No such file" in refusal(folder=folder).reason


@pytest.mark.parametrize("prefix", ["a/", "../", "\0"])
def test_a_prefix_is_part_of_a_name(folder: Path, prefix: str) -> None:
    with pytest.raises(UsageError):
        find_emulator(ARM, folder=folder, prefix=prefix)


@pytest.mark.parametrize(
    ("release", "package"),
    [
        ('ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"', "qemu-user-static"),
        ('ID=debian\nVERSION_ID="13"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"', "qemu-user"),
        ('ID=debian\nPRETTY_NAME="Debian GNU/Linux forky/sid"', "qemu-user"),
        ('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04.1 LTS"', "qemu-user-static"),
        ('ID=fedora\nVERSION_ID="42"\nPRETTY_NAME="Fedora Linux 42"', "qemu-user-static"),
    ],
)
def test_the_package_is_the_one_of_this_release(tmp_path: Path, release: str, package: str) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(release)
    assert emulator._package(tmp_path) == package


def test_what_is_missing_names_a_package(folder: Path) -> None:
    error = refusal()
    assert error.key == "emulator-missing"
    assert "qemu-aarch64-static" in error.reason
    assert "qemu-user" in error.hint


def test_many_are_found_in_the_order_asked_for_and_the_rest_is_explained(folder: Path) -> None:
    asked = [find_arch(name) for name in ("s390x", "arm64", "riscv64", "arm64")]
    put(folder, "qemu-s390x-static")
    put(folder, "qemu-riscv64-static")
    search = find_emulators(asked)
    assert [one.arch.name for one in search.found] == ["s390x", "riscv64"]
    assert [(arch.name, error.key) for arch, error in search.failed] == [("aarch64", "emulator-missing")]


def test_every_architecture_of_the_table_has_an_emulators_name() -> None:
    assert all(arch.user for arch in ARCHES)


def test_the_path_has_no_links(folder: Path) -> None:
    (folder / "real").mkdir()
    file = put(folder / "real", "qemu-aarch64")
    os.symlink(file, folder / "qemu-aarch64-static")
    assert find_emulator(ARM).path == file
