import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quarterdeck.core import process
from quarterdeck.core.arch import ARCHES, Arch, find_arch, host_arch, runs_natively
from quarterdeck.core.process import Identity
from quarterdeck.errors import HostError
from quarterdeck.host.kvm import cpu_flags, prove_kvm
from quarterdeck.host.probe import probe
from quarterdeck.host.qemu import find_qemu
from quarterdeck.host.resources import Limits, limits

pytestmark = pytest.mark.integration

INSTALLED = [arch for arch in ARCHES if find_qemu(arch)]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user or limit itself")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUARTERDECK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.parametrize("arch", INSTALLED, ids=lambda arch: arch.name)
async def test_every_installed_emulator_is_probed(arch: Arch) -> None:
    facts = await probe(arch, machine="test")
    assert os.path.isabs(facts.qemu.path)
    assert facts.qemu.version >= (5, 0, 0)
    assert len(facts.qemu.devices) > 5
    assert 1 <= facts.cpus <= (os.cpu_count() or 1)
    assert 0 < facts.memory_available <= facts.memory
    assert facts.kvm.reason
    assert all(os.access(path, os.X_OK) for _, path in facts.tools)
    assert all(os.access(pair.code, os.R_OK) for pair in facts.firmware)
    assert (facts.identity is None) == (os.geteuid() != 0) or facts.identity_reason


async def test_a_second_probe_starts_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    first = await probe(host_arch())

    async def forbidden(argv: object, **options: object) -> None:
        raise AssertionError(f"started {argv}")

    monkeypatch.setattr(process, "run_async", forbidden)
    second = await probe(host_arch())
    assert (second.qemu, second.kvm, second.firmware, second.tools) == (first.qemu, first.kvm, first.firmware, first.tools)


async def test_a_ruined_cache_is_made_again(home: Path) -> None:
    first = await probe(host_arch())
    for file in (home / "cache").iterdir():
        file.write_bytes(b"\0garbage")
    assert (await probe(host_arch())).qemu == first.qemu


async def test_kvm_is_not_proved_without_virtualisation_and_the_reason_says_so() -> None:
    flags = host_arch().kvm_flags
    if not flags or cpu_flags() & set(flags):
        pytest.skip("this processor shows hardware virtualisation")
    facts = (await probe(host_arch())).kvm
    assert not facts.proved
    assert flags[0] in facts.reason
    assert facts.hint


async def test_kvm_that_was_not_asked_for_is_not_proved() -> None:
    facts = (await probe(host_arch(), accel=False)).kvm
    assert (facts.proved, facts.reason) == (False, "KVM was not asked for")


async def test_foreign_guests_have_no_kvm() -> None:
    foreign = next((arch for arch in INSTALLED if not runs_natively(arch, host_arch())), None)
    if foreign is None:
        pytest.skip("no emulator of another architecture is installed")
    assert not (await probe(foreign)).kvm.proved


async def test_the_question_to_qemu_is_one_that_qemu_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof's own command, but under TCG, where it must come as far as saying that KVM is off."""
    from quarterdeck.host import kvm

    plain = kvm.proof_argv

    def emulated(arch: Arch, qemu: str) -> list[str]:
        return [word.replace("accel=kvm", "accel=tcg").replace("host", "max") for word in plain(arch, qemu)]

    answers: list[process.Completed] = []
    judge = kvm.verdict

    def note(done: process.Completed) -> object:
        answers.append(done)
        return judge(done)

    monkeypatch.setattr(kvm, "proof_argv", emulated)
    monkeypatch.setattr(kvm, "verdict", note)
    monkeypatch.setattr(kvm, "kvm_obstacle", lambda arch, identity: None)
    qemu = find_qemu(host_arch())
    if qemu is None:
        pytest.skip("QEMU for this host is not installed")
    identity = Identity(2_100_000_009, 2_100_000_009) if os.geteuid() == 0 else None
    facts = await prove_kvm(host_arch(), qemu, identity)
    assert not facts.proved
    assert answers[0].returncode == 0, answers[0].stderr
    assert '"enabled": false' in answers[0].text
    assert '"prelaunch"' in answers[0].text


async def test_a_missing_emulator_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "find", lambda name, *extra: None)
    with pytest.raises(HostError) as caught:
        await probe(find_arch("aarch64"))
    assert "qemu-system-arm" in caught.value.hint


LIMITED = "from quarterdeck.host.resources import *; l = limits(); print(l.version, l.cpus, l.memory, cpu_count(), memory().total)"


@pytest.fixture
def group() -> Iterator[tuple[Limits, dict[str, Path]]]:
    """A cgroup below ours for memory and cpu, version 1 or 2; removed at the end."""
    from quarterdeck.host import resources

    version = limits().version
    made: dict[str, Path] = {}
    try:
        for controller in ("memory", "cpu"):
            parents = resources._folders(Path("/"), controller if version == 1 else "")
            if not parents:
                pytest.skip("no cgroup is visible")
            folder = Path(parents[0]) / f"quarterdeck-test-{os.getpid()}"
            folder.mkdir(exist_ok=True)
            made[controller] = folder
        yield limits(), made
    except OSError as error:
        pytest.skip(f"cgroups cannot be made here: {error.strerror}")
    finally:
        for folder in set(made.values()):
            folder.rmdir()


@needs_root
def test_the_limits_of_a_real_cgroup_are_seen(group: tuple[Limits, dict[str, Path]]) -> None:
    before, folders = group
    names = {1: ("memory.limit_in_bytes", "cpu.cfs_quota_us"), 2: ("memory.max", "cpu.max")}[before.version]
    try:
        (folders["memory"] / names[0]).write_text(str(512 << 20), encoding="ascii")
        (folders["cpu"] / names[1]).write_text("100000" if before.version == 1 else "100000 100000", encoding="ascii")
    except OSError as error:
        pytest.skip(f"limits cannot be set here: {error.strerror}")
    joined = "; ".join(f"echo $$ > {folder}/cgroup.procs" for folder in sorted(set(folders.values())))
    done = process.run(["sh", "-c", f'{joined}; exec "$@"', "sh", sys.executable, "-c", LIMITED], cwd="/")
    assert done.text.split() == [str(before.version), "1.0", str(512 << 20), "1", str(512 << 20)]
