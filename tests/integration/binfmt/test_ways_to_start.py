"""Every way in which programs are started, for a foreign one: what the rival's own tests try, here through the kernel."""

import os
from pathlib import Path

import pytest
from tests.integration.binfmt.lab import call_isolated, require_lab

from quarterdeck.binfmt.emulators.find import find_emulator
from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.programs.build import EXEC_STATUS, Probe, build
from quarterdeck.core.arch import find_arch, host_arch

pytestmark = pytest.mark.integration

FOREIGN = find_arch("riscv64" if host_arch().name != "riscv64" else "aarch64")


def saved(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def status_of(path: str, *words: str, folder: str | None = None, search: str | None = None) -> int:
    """Start a program in a child process, as a shell does, and return its exit status; for the lab."""
    child = os.fork()
    if child == 0:
        if folder is not None:
            os.chdir(folder)
        try:
            (os.execvp if search else os.execv)(path, list(words) or [path])
        finally:
            os._exit(126)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def searched(name: str, folder: str) -> int:
    os.environ["PATH"] = folder
    return status_of(name, search="PATH")


@pytest.fixture
def start():
    require_lab()
    registration = Registration.of(FOREIGN, str(find_emulator(FOREIGN).path), "POCF")
    return lambda function, *words, **named: call_isolated(f"{__name__}:{function}", *words, registrations=[registration], **named)


def test_by_absolute_path(start, tmp_path):
    assert start("status_of", str(saved(tmp_path / "program", build(FOREIGN, Probe.EXEC)))) == EXEC_STATUS


def test_by_relative_path(start, tmp_path):
    saved(tmp_path / "program", build(FOREIGN, Probe.EXEC))
    assert start("status_of", "./program", folder=str(tmp_path)) == EXEC_STATUS


def test_by_path_search(start, tmp_path):
    saved(tmp_path / "program", build(FOREIGN, Probe.EXEC))
    assert start("searched", "program", str(tmp_path)) == EXEC_STATUS


def test_as_interpreter_of_a_script(start, tmp_path):
    program = saved(tmp_path / "program", build(FOREIGN, Probe.EXEC))
    script = saved(tmp_path / "script", f"#!{program} option\n".encode())
    assert start("status_of", str(script)) == EXEC_STATUS


def test_with_a_name_of_its_own(start, tmp_path):
    program = saved(tmp_path / "program", build(FOREIGN, Probe.ARGV0))
    assert start("status_of", str(program), "Name") == ord("N")


def test_one_that_may_be_executed_but_not_read(start, tmp_path):
    program = saved(tmp_path / "program", build(FOREIGN, Probe.EXEC))
    program.chmod(0o111)
    assert start("status_of", str(program)) == EXEC_STATUS


def test_after_a_native_one_in_a_native_script(start, tmp_path):
    native = saved(tmp_path / "native", build(host_arch(), Probe.EXEC))
    script = saved(tmp_path / "script", f"#!/bin/sh\n{native}; [ $? = {EXEC_STATUS} ] && exec {tmp_path}/foreign\n".encode())
    saved(tmp_path / "foreign", build(FOREIGN, Probe.EXEC))
    assert start("status_of", str(script)) == EXEC_STATUS
