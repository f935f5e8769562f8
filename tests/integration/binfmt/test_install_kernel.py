"""Installations on the real kernel, in an instance of its own, with the emulators of this host."""

import os
import shutil
import time
from pathlib import Path

import pytest
from tests.integration.binfmt.lab import call_isolated

from quarterdeck.binfmt.change.apply import RolledBack
from quarterdeck.binfmt.change.install import install, native_names, planner, uninstall, wanted_of
from quarterdeck.binfmt.change.plan import Action, Wanted
from quarterdeck.binfmt.emulators.find import find_emulators
from quarterdeck.binfmt.entries.interpreter import FileState, look
from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.kernel.registry import Registry
from quarterdeck.binfmt.persist.choice import Choice, Keeper
from quarterdeck.binfmt.prove.prove import prove
from quarterdeck.binfmt.selection import select
from quarterdeck.binfmt.status.read import read_status
from quarterdeck.core import process
from quarterdeck.core.arch import find_arch, host_arch
from quarterdeck.errors import QuarterdeckError

pytestmark = pytest.mark.integration

HERE = "tests.integration.binfmt.test_install_kernel"
ARM64 = find_arch("arm64")
SYSTEMD = Choice(Keeper.BINFMT_D, "systemd")
SYSTEMD_BINFMT = Path("/usr/lib/systemd/systemd-binfmt")
NAMES = ("arm64", "riscv64", "s390x")


def wanted(*words, **options):
    selection = select(words)
    return wanted_of(selection, find_emulators(selection.arches).found, **options)


def emulator():
    return find_emulators([ARM64]).found[0].path


def install_all(root):
    registry = Registry()
    make = planner(wanted("all"), registry)
    first = install(registry, make, keeper=SYSTEMD, root=Path(root))
    second = install(registry, make, keeper=SYSTEMD, root=Path(root))
    arches = [step.arch for step in first.applied.steps if step.arch is not None]
    proofs = prove([arch for arch in arches if arch.oci], entries=registry.entries())
    status = read_status(proved={proof.arch.name: "" if proof.ok else "failed" for proof in proofs})
    return {
        "skipped": [step.arch.name for step in first.plan.steps if step.arch and step.action is Action.SKIP],
        "added": [step.name for step in first.applied.steps],
        "entries": [entry.name for entry in registry.entries()],
        "kept": first.kept,
        "second": [len(second.applied.steps), len(second.kept)],
        "proved": [proof.arch.name for proof in proofs if not proof.ok],
        "findings": [finding.key for finding in status.findings if finding.entry],
        "no": [platform.platform for platform in status.platforms if platform.runs == "no" and platform.proved],
    }


def test_everything_is_installed_proved_and_kept_and_a_second_time_nothing_is_done(tmp_path):
    answer = call_isolated(f"{HERE}:install_all", str(tmp_path))
    assert set(answer["skipped"]) == native_names()
    assert sorted(answer["added"]) == answer["entries"]
    assert answer["kept"] == [f"/etc/binfmt.d/{name}.conf" for name in answer["added"]]
    assert answer["second"] == [0, 0]
    assert answer["proved"] == []
    assert answer["no"] == []
    assert answer["findings"] == []


def read_by_systemd(files):
    process.run([SYSTEMD_BINFMT, *files])
    return [[entry.name, entry.interpreter, entry.flags] for entry in Registry().entries()]


@pytest.mark.skipif(not SYSTEMD_BINFMT.exists(), reason="systemd-binfmt is not installed")
def test_systemd_registers_at_boot_what_our_files_say(tmp_path):
    before = call_isolated(f"{HERE}:install_all", str(tmp_path))
    files = [str(tmp_path / kept.lstrip("/")) for kept in before["kept"]]
    after = call_isolated(f"{HERE}:read_by_systemd", files)
    assert [name for name, _, _ in after] == before["entries"]
    assert all("F" in flags and "C" in flags for _, _, flags in after)


def kept_by_binfmt_support(program):
    """Install with the database of binfmt-support in memory, take all entries away as a reboot does, and have it register them."""
    database = Path("/var/lib/binfmts")
    if not database.exists():
        process.run(["mount", "-t", "tmpfs", "tmpfs", str(database.parent)])
        database.mkdir()
    else:
        process.run(["mount", "-t", "tmpfs", "tmpfs", str(database)])
    registry, keeper = Registry(), Choice(Keeper.BINFMT_SUPPORT, "test", program=program)
    kept = install(registry, planner(wanted(*NAMES), registry), keeper=keeper).kept
    before = [[entry.name, entry.interpreter, entry.flags] for entry in registry.entries()]
    for name, _, _ in before:
        registry.remove(name)
    process.run([program, "--enable"])
    after = [[entry.name, entry.interpreter, entry.flags] for entry in registry.entries()]
    outcome = uninstall(registry, ["all"], keeper=keeper)
    return {
        "kept": kept,
        "same": before == after,
        "removed": outcome.kept,
        "left": [entry.name for entry in registry.entries()],
        "database": os.listdir(database),
    }


def test_binfmt_support_registers_at_boot_what_we_told_it():
    program = process.find("update-binfmts")
    if program is None:
        pytest.skip("binfmt-support is not installed")
    answer = call_isolated(f"{HERE}:kept_by_binfmt_support", program)
    assert answer["kept"] == [f"binfmt-support: qemu-{name}" for name in ("aarch64", "riscv64", "s390x")]
    assert answer["same"]
    assert sorted(answer["removed"]) == sorted(answer["kept"])
    assert answer["left"] == answer["database"] == []


def replace_stale(folder):
    """Meet what rivals leave behind, one after the other, and repair it."""
    registry, reasons = Registry(), []
    copy = Path(folder) / "qemu-aarch64-static"
    standard = Registration.of(ARM64, str(emulator()), "OCF")
    cases = {
        "no F": Registration.of(ARM64, str(emulator()), "OC"),
        "no C": Registration.of(ARM64, str(emulator()), "POF"),
        "deleted": Registration.of(ARM64, str(copy), "OCF"),
        "replaced": Registration.of(ARM64, str(copy), "OCF"),
        "off": standard,
        "careless": Registration(standard.name, standard.magic, b"", standard.interpreter, "OCF"),
    }
    for name, case in cases.items():
        for entry in registry.entries():
            registry.remove(entry.name)
        shutil.copy2(emulator(), copy)
        registry.register(case)
        _spoil(name, registry, copy)
        outcome = install(registry, planner(wanted("arm64"), registry), keeper=None)
        step = outcome.plan.steps[0]
        end = [[entry.interpreter, "F" in entry.flags and "C" in entry.flags, entry.enabled] for entry in registry.entries()]
        reasons.append([name, step.action.value, step.reason, end == [[str(emulator()), True, True]]])
    return reasons


def _spoil(name, registry, copy):
    if name == "off":
        registry.disable("qemu-aarch64")
    if name == "deleted":
        copy.unlink()
    if name == "replaced":
        registered = (registry.folder / "qemu-aarch64").stat().st_ctime
        fresh = copy.with_suffix(".new")
        shutil.copy2(emulator(), fresh)
        fresh.replace(copy)
        while copy.stat().st_ctime <= registered:
            time.sleep(0.01)
            copy.touch()


def test_stale_entries_of_every_kind_are_replaced(tmp_path):
    answers = call_isolated(f"{HERE}:replace_stale", str(tmp_path))
    assert [(name, action, good) for name, action, _, good in answers] == [
        (name, "replace", True) for name in ("no F", "no C", "deleted", "replaced", "off", "careless")
    ]
    words = {name: reason for name, _, reason, _ in answers}
    assert "F (works inside other root folders)" in words["no F"]
    assert "does not exist here" in words["deleted"]
    assert "was changed after" in words["replaced"]


def run_deleted(folder):
    """A deleted interpreter of an F entry still runs; what it says of itself is honest."""
    copy = Path(folder) / "qemu-aarch64-static"
    shutil.copy2(emulator(), copy)
    registry = Registry()
    registry.register(Registration.of(ARM64, str(copy), "OCF"))
    copy.unlink()
    (proof,) = prove([ARM64], entries=registry.entries())
    status = read_status()
    return [proof.ok, look(registry.entries())[0].file.value, [finding.key for finding in status.findings if finding.entry]]


def test_a_deleted_interpreter_goes_on_and_is_told(tmp_path):
    assert call_isolated(f"{HERE}:run_deleted", str(tmp_path)) == [True, FileState.MISSING.value, ["interpreter-missing"]]


def roll_back(root):
    registry = Registry()
    registry.register(Registration.of(ARM64, str(emulator()), "POF"))
    before = [[entry.name, entry.flags] for entry in registry.entries()]
    riscv = find_arch("riscv64")
    items = [*wanted("arm64"), Wanted(riscv, Registration.of(riscv, "/nowhere/qemu-riscv64", "OCF"))]
    try:
        install(registry, planner(items, registry), keeper=SYSTEMD, root=Path(root))
    except RolledBack as error:
        return [error.reason, before == [[entry.name, entry.flags] for entry in registry.entries()]]
    return None


def test_a_step_that_fails_takes_all_others_back(tmp_path):
    reason, same = call_isolated(f"{HERE}:roll_back", str(tmp_path))
    assert same
    assert "no file /nowhere/qemu-riscv64" in reason
    assert list(tmp_path.rglob("*.conf")) == []


class Unlocked(Registry):
    """Does not wait for others, like the installers of other projects."""

    def locked(self, *, timeout=60):
        return open(os.devnull)


def install_at_once(kind):
    """Install from four processes at the same time and return their exit statuses and what is there in the end."""
    registry = Unlocked() if kind == "unlocked" else Registry()
    items, children = wanted(*NAMES), []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            _install_and_end(registry, items)
        children.append(child)
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    return [statuses, [entry.name for entry in registry.entries()]]


def _install_and_end(registry, items):
    try:
        install(registry, planner(items, registry), keeper=None)
    except QuarterdeckError as error:
        os.write(2, f"{error}: {error.reason}".encode())
        os._exit(1)
    os._exit(0)


@pytest.mark.parametrize("kind", ["locked", "unlocked"])
def test_installations_at_the_same_time_all_succeed(kind):
    statuses, entries = call_isolated(f"{HERE}:install_at_once", kind)
    assert statuses == [0] * 4
    assert entries == ["qemu-aarch64", "qemu-riscv64", "qemu-s390x"]


def uninstall_some(root):
    registry = Registry()
    install(registry, planner(wanted(*NAMES), registry), keeper=SYSTEMD, root=Path(root))
    registry.register(Registration("python9.99", b"\xa7\x0d", b"", "/bin/true", ""))
    packaged = Path(root) / "usr/lib/binfmt.d"
    packaged.mkdir(parents=True)
    shutil.copy(Path(root) / "etc/binfmt.d/qemu-aarch64.conf", packaged)
    refused = uninstall(registry, ["python9.99"], keeper=SYSTEMD, root=Path(root))
    outcome = uninstall(registry, ["linux/arm64", "s390*"], keeper=SYSTEMD, root=Path(root))
    registry.remove("qemu-riscv64")
    late = uninstall(registry, ["riscv64"], keeper=SYSTEMD, root=Path(root))
    return {
        "refused": [step.action.value for step in refused.plan.steps],
        "removed": [[step.name for step in outcome.applied.steps], list(outcome.kept)],
        "notes": list(outcome.notes),
        "late": list(late.kept),
        "left": [entry.name for entry in registry.entries()],
        "files": sorted(file.name for file in (Path(root) / "etc/binfmt.d").iterdir()),
    }


def test_uninstalling_takes_entry_and_file_and_nothing_of_others(tmp_path):
    answer = call_isolated(f"{HERE}:uninstall_some", str(tmp_path))
    assert answer["refused"] == ["refuse"]
    assert answer["removed"][0] == ["qemu-aarch64", "qemu-s390x"]
    assert sorted(answer["removed"][1]) == ["/etc/binfmt.d/qemu-aarch64.conf", "/etc/binfmt.d/qemu-s390x.conf"]
    assert "files in /usr/lib/binfmt.d register again at the next boot: qemu-aarch64;" in answer["notes"][0]
    assert answer["late"] == ["/etc/binfmt.d/qemu-riscv64.conf"]
    assert answer["left"] == ["python9.99"]
    assert answer["files"] == []


def shadow_native():
    """An entry for 32-bit programs of this very processor family is found by the status."""
    registry, kin = Registry(), [find_arch(name) for name in native_names() if name != host_arch().name]
    for arch in kin:
        registry.register(Registration.of(arch, str(find_emulators([arch]).found[0].path), "OCF"))
    return [[arch.name for arch in kin], [finding.entry for finding in read_status().findings if finding.key == "native-shadowed"]]


def test_an_emulator_of_what_the_processor_runs_itself_is_told():
    kin, told = call_isolated(f"{HERE}:shadow_native")
    assert told == [f"qemu-{find_arch(name).user}" for name in kin]
