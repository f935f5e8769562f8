import os
import stat
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.host.fake_host import FakeHost

from quarterdeck.core import clock, process
from quarterdeck.core.arch import find_arch
from quarterdeck.core.process import Completed, Identity
from quarterdeck.errors import DeadlineError
from quarterdeck.host import cache, kvm
from quarterdeck.host.kvm import cpu_flags, kvm_module, kvm_obstacle, proof_argv, prove_kvm, verdict, virtualisation_flag

Provable = tuple[str, list[Any], list[Any]]
Device = Callable[..., None]

X86, ARM = find_arch("x86_64"), find_arch("aarch64")
WITH_VMX = "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu vme vmx sse2\n"
WITHOUT = "processor\t: 0\nflags\t\t: fpu vme sse2 hypervisor avmx\n"
ANSWERS = (
    '{"QMP": {"version": {}}}\n{"return": {}}\n{"return": {"enabled": true, "present": true}}\n'
    '{"return": {"status": "prelaunch", "running": false}}\n{"event": "SHUTDOWN"}\n{"return": {}}\n'
)


@pytest.fixture(autouse=True)
def on_x86(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(kvm, "host_arch", lambda: X86)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make /dev/kvm a device with the given mode and owner, wherever it is looked for."""
    plain = os.stat

    def place(mode=0o660, gid=106, uid=0, kind=stat.S_IFCHR) -> Any:
        def fake(path: Any, **options: Any) -> Any:
            if str(path).endswith("/dev/kvm"):
                return SimpleNamespace(st_mode=kind | mode, st_gid=gid, st_uid=uid, st_rdev=2792)
            return plain(path, **options)

        monkeypatch.setattr(os, "stat", fake)
        monkeypatch.setattr(os, "access", lambda path, wanted: False)

    return place


def test_foreign_guests_have_no_kvm(host: FakeHost) -> None:
    found = kvm_obstacle(ARM, None, root=host.root)
    assert found is not None
    assert "aarch64" in found.reason


def test_a_processor_without_its_flag_is_an_obstacle_even_when_the_device_opens(host: FakeHost, device: Device) -> None:
    host.write("/proc/cpuinfo", WITHOUT)
    device(0o666)
    found = kvm_obstacle(X86, None, root=host.root)
    assert found is not None
    assert "vmx or svm" in found.reason
    assert found.hint


def test_kvm_in_software_is_called_by_its_name(host: FakeHost, device: Device) -> None:
    host.write("/proc/cpuinfo", WITHOUT)
    host.folder("/sys/module/kvm")
    host.folder("/sys/module/kvm_pvm")
    device(0o666)
    found = kvm_obstacle(X86, None, root=host.root)
    assert found is not None
    assert "kvm_pvm" in found.reason
    assert kvm_module(host.root) == "kvm_pvm"


def test_a_masked_cpuinfo_rules_nothing_out(host: FakeHost, device: Device) -> None:
    device(0o666)
    assert kvm_obstacle(X86, Identity(4000, 4000), root=host.root) is None


@pytest.mark.parametrize(
    ("trace", "words", "hint"),
    [
        (None, "module is not loaded", "modprobe kvm_intel"),
        ("/.dockerenv", "docker container", "--device /dev/kvm"),
        ("/run/secrets/kubernetes.io/serviceaccount/token", "pod", "device plugin"),
    ],
)
def test_a_missing_device_is_explained_for_the_place(host: FakeHost, trace: str | None, words: str, hint: str) -> None:
    host.write("/proc/cpuinfo", WITH_VMX)
    if trace:
        host.write(trace)
    found = kvm_obstacle(X86, None, root=host.root)
    assert found is not None
    assert words in found.reason
    assert hint in found.hint


@pytest.mark.parametrize(
    ("mode", "identity", "allowed"),
    [
        (0o660, Identity(4000, 4000, (106,)), True),
        (0o660, Identity(4000, 106), True),
        (0o660, Identity(4000, 4000), False),
        (0o666, Identity(4000, 4000), True),
        (0o600, Identity(4000, 4000, (106,)), False),
        (0o606, Identity(4000, 106), False),
        (0o640, Identity(4000, 4000, (106,)), False),
    ],
)
def test_permission_is_that_of_the_user_that_qemu_runs_as(
    host: FakeHost, device: Device, mode: int, identity: Identity, allowed: bool
) -> None:
    host.write("/proc/cpuinfo", WITH_VMX)
    device(mode)
    found = kvm_obstacle(X86, identity, root=host.root)
    assert (found is None) == allowed
    if found is not None:
        assert f"{mode:04o}" in found.reason
        assert found.hint


def test_an_ordinary_user_is_told_to_join_the_group(host: FakeHost, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    host.write("/proc/cpuinfo", WITH_VMX)
    device(0o660, gid=424242)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getgroups", lambda: [1000])
    monkeypatch.setattr(os, "getegid", lambda: 1000)
    found = kvm_obstacle(X86, None, root=host.root)
    assert found is not None
    assert found.reason.startswith("you may not open")
    assert "usermod -aG 424242" in found.hint


def test_a_file_in_place_of_the_device_is_an_obstacle(host: FakeHost, device: Device) -> None:
    host.write("/proc/cpuinfo", WITH_VMX)
    device(0o666, kind=stat.S_IFREG)
    found = kvm_obstacle(X86, None, root=host.root)
    assert found is not None
    assert "not a device" in found.reason


def test_flags_are_whole_words_of_the_first_processor(host: FakeHost) -> None:
    host.write("/proc/cpuinfo", WITHOUT)
    assert virtualisation_flag(X86, host.root) is None
    assert "avmx" in cpu_flags(host.root)
    assert virtualisation_flag(ARM, host.root) == ""
    host.write("/proc/cpuinfo", "vendor_id : IBM/S390\nfeatures\t: esan3 zarch stfle sie\n")
    assert virtualisation_flag(find_arch("s390x"), host.root) == "sie"


def completed(stdout=ANSWERS, stderr="", status=0) -> Any:
    return Completed(("qemu",), status, stdout.encode(), stderr.encode())


def test_qemu_that_answers_paused_under_kvm_is_the_proof() -> None:
    assert verdict(completed()).proved


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (completed(stdout=ANSWERS.replace('"enabled": true', '"enabled": false')), "does not start"),
        (completed(stdout=ANSWERS.replace("prelaunch", "running")), "does not start"),
        (completed(stdout="", stderr="x\ncould not set MSR 0x48e\n", status=-6), "could not set MSR"),
        (completed(stdout="not json\n[1]\n{}\n", status=0), "status 0"),
        (completed(status=1), "status 1"),
    ],
)
def test_anything_else_is_no_proof_and_says_why(done: Completed, words: str) -> None:
    facts = verdict(done)
    assert not facts.proved
    assert words in facts.reason
    assert "\n" not in facts.reason


def test_the_proof_uses_the_tables_machine_and_the_hosts_processor() -> None:
    argv = proof_argv(ARM, "/usr/bin/qemu-system-aarch64")
    assert argv[argv.index("-machine") + 1] == "virt,accel=kvm"
    assert argv[argv.index("-cpu") + 1] == "host"
    assert "-S" in argv


@pytest.fixture
def provable(monkeypatch: pytest.MonkeyPatch, device: Device, tmp_path: Path) -> Any:
    """A host where nothing speaks against KVM and QEMU answers what is asked for."""
    device(0o666)
    monkeypatch.setattr(kvm, "kvm_obstacle", lambda arch, identity: None)
    emulator = tmp_path / "qemu"
    emulator.write_text("x", encoding="utf-8")
    asked = []
    answers = [completed()]

    async def run(argv: Any, **options: Any) -> Any:
        asked.append(options.get("identity"))
        if isinstance(answers[0], Exception):
            raise answers[0]
        return answers[0]

    monkeypatch.setattr(process, "run_async", run)
    return str(emulator), asked, answers


async def test_a_proof_is_kept_for_the_same_user(provable: Provable) -> None:
    path, asked, _ = provable
    assert (await prove_kvm(X86, path, Identity(4000, 4000))).proved
    assert (await prove_kvm(X86, path, Identity(4000, 4000))).proved
    assert asked == [Identity(4000, 4000)]
    await prove_kvm(X86, path, Identity(4001, 4001))
    assert len(asked) == 2


async def test_a_proof_is_not_kept_over_a_reboot(provable: Provable, monkeypatch: pytest.MonkeyPatch) -> None:
    path, asked, _ = provable
    await prove_kvm(X86, path, None)
    monkeypatch.setattr(clock, "boot_id", lambda: "another")
    await prove_kvm(X86, path, None)
    assert len(asked) == 2


async def test_a_refusal_is_asked_again_after_some_minutes(provable: Provable, monkeypatch: pytest.MonkeyPatch) -> None:
    path, asked, answers = provable
    answers[0] = completed(status=1)
    assert not (await prove_kvm(X86, path, None)).proved
    await prove_kvm(X86, path, None)
    assert len(asked) == 1
    later = clock.now() + 1000
    monkeypatch.setattr(clock, "now", lambda: later)
    answers[0] = completed()
    assert (await prove_kvm(X86, path, None)).proved
    assert len(asked) == 2


async def test_a_timeout_is_not_kept(provable: Provable) -> None:
    path, asked, answers = provable
    answers[0] = DeadlineError("process-timeout", "qemu did not end within 5 s")
    facts = await prove_kvm(X86, path, None)
    assert not facts.proved
    assert "did not end" in facts.reason
    answers[0] = completed()
    assert (await prove_kvm(X86, path, None)).proved
    assert len(asked) == 2


@pytest.mark.parametrize(
    "answer", [{}, {"proved": 1, "reason": "", "hint": "", "time": 0}, {"proved": True, "reason": None, "hint": "", "time": 0}]
)
async def test_a_malformed_kept_proof_is_ignored(provable: Provable, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]) -> None:
    path, asked, _ = provable
    monkeypatch.setattr(cache, "recall", lambda kind, question: answer)
    assert (await prove_kvm(X86, path, None)).proved
    assert len(asked) == 1


async def test_without_a_boot_id_nothing_is_kept(provable: Provable, monkeypatch: pytest.MonkeyPatch) -> None:
    path, asked, _ = provable

    def masked() -> Any:
        raise FileNotFoundError("/proc/sys/kernel/random/boot_id")

    monkeypatch.setattr(clock, "boot_id", masked)
    await prove_kvm(X86, path, None)
    await prove_kvm(X86, path, None)
    assert len(asked) == 2
