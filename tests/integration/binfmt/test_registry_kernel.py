"""The real kernel's answers, in an instance of its own."""

import json
import os
import shlex
import signal
import sys
from pathlib import Path

import pytest
from tests.host_binfmt import host_binfmt
from tests.integration.binfmt.lab import ROOT, call_isolated

from quarterdeck.binfmt.change.apply import apply
from quarterdeck.binfmt.change.plan import Wanted, plan_install
from quarterdeck.binfmt.emulators.find import find_emulator
from quarterdeck.binfmt.entries.interpreter import FileState, Found
from quarterdeck.binfmt.entries.kind import has_standard_magic
from quarterdeck.binfmt.kernel.instance import Kind, probe_instance
from quarterdeck.binfmt.kernel.mount import ensure_mounted, mount, unmount
from quarterdeck.binfmt.kernel.registration import LINE_LIMIT, Registration
from quarterdeck.binfmt.kernel.registry import Registry
from quarterdeck.binfmt.programs.build import EXEC_STATUS, Probe, build
from quarterdeck.binfmt.selection import emulated
from quarterdeck.core import process
from quarterdeck.core.arch import find_arch, host_arch
from quarterdeck.errors import QuarterdeckError
from quarterdeck.host.binfmt_misc import FOLDER, claiming, is_mounted, read_entries

pytestmark = pytest.mark.integration

HERE = "tests.integration.binfmt.test_registry_kernel"
ARM64 = find_arch("arm64")


def emulator_of(arch):
    return str(find_emulator(arch).path)


def register_everything():
    registry, host = Registry(), host_arch()
    for arch in emulated():
        if arch != host:
            assert registry.register(Registration.of(arch, "/bin/true", "POCF"))
    assert all(has_standard_magic(entry, arch) for arch in emulated() for entry in claiming(arch, registry.entries()))
    return {arch.name: [entry.name for entry in claiming(arch, registry.entries())] for arch in emulated()}


def test_the_kernel_takes_every_architecture_and_tells_them_apart():
    answer = call_isolated(f"{HERE}:register_everything")
    assert answer == {arch.name: [] if arch == host_arch() else [f"qemu-{arch.user}"] for arch in emulated()}


def refusals():
    registry, good = Registry(), Registration.of(ARM64, "/bin/true", "F")
    plain = Path("/tmp") / f"plain-{os.getpid()}"
    plain.write_text("#!/bin/true\n")
    spare = LINE_LIMIT - 1 - len(Registration("longest", b"MZ", b"", "/bin/", "F").line()) - len("true")
    longest = "/bin/" + "./" * (spare // 2) + "true"
    cases = {
        "missing": Registration("a", b"MZ", b"", "/nowhere/qemu", "F"),
        "plain": Registration("a", b"MZ", b"", str(plain), "F"),
        "folder": Registration("a", b"MZ", b"", "/etc", "F"),
        "flag": Registration("a", b"MZ", b"", "/bin/true", "X"),
        "mask": Registration("a", b"MZ", b"\xff", "/bin/true", "F"),
        "far": Registration("a", b"MZ", b"", "/bin/true", "F", 5000),
        "empty": Registration("a", b"", b"", "/bin/true", "F"),
    }
    answers = {name: _answer(registry, case) for name, case in cases.items()}
    plain.unlink()
    assert registry.register(Registration("longest", b"MZ", b"", longest, "F"))
    assert registry.register(Registration("colon", b"MZ", b"", "/tmp/a:b", ""))
    colon = registry.find("colon")
    assert colon is not None
    assert colon.interpreter == "/tmp/a:b"
    assert registry.register(good)
    assert not registry.register(good)
    answers["again"] = _answer(registry, Registration.of(ARM64, "/bin/false", "F"))
    return answers


def _answer(registry, registration):
    try:
        registry.register(registration)
    except QuarterdeckError as error:
        return [error.key, error.reason]
    return None


def test_each_refusal_of_the_kernel_is_said_in_words():
    answers = call_isolated(f"{HERE}:refusals")
    assert {name: answer[0] for name, answer in answers.items()} == {
        "missing": "binfmt-refused",
        "plain": "binfmt-permission",
        "folder": "binfmt-permission",
        "flag": "binfmt-refused",
        "mask": "binfmt-refused",
        "far": "binfmt-refused",
        "empty": "binfmt-refused",
        "again": "binfmt-exists",
    }
    assert "no file /nowhere/qemu" in answers["missing"][1]
    assert "execute bit" in answers["plain"][1]
    assert "does not understand" in answers["flag"][1]


def switch_off_and_remove():
    registry = Registry()
    registry.register(Registration.of(ARM64, "/bin/true", "F"))
    states = []
    for change in (registry.disable, registry.remove, registry.remove):
        done = change("qemu-aarch64")
        entry = registry.find("qemu-aarch64")
        states.append([done, entry.enabled if entry else None])
    return states


def test_entries_are_switched_off_and_removed():
    assert call_isolated(f"{HERE}:switch_off_and_remove") == [[True, False], [True, None], [False, None]]


class DyingRegistry(Registry):
    """Is killed before one of its writes, as by the kernel's own out-of-memory killer."""

    def __init__(self, dies_at):
        super().__init__()
        self.left = dies_at

    def _write(self, name, content):
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1
        super()._write(name, content)


def make_plan(entries, interpreter):
    wanted = [Wanted(ARM64, Registration.of(ARM64, interpreter, "OCF"))]
    return plan_install(wanted, [Found(entry, 1.0, FileState.SAME) for entry in entries], host=host_arch())


def die_at(count, interpreter):
    apply(DyingRegistry(count), lambda entries: make_plan(entries, interpreter))


def runs(program):
    return process.run([program], check=False).returncode == EXEC_STATUS


def kill_at_every_step(interpreter, folder):
    """Replace a stale entry, killed one write later each time, and run a foreign program after each kill and each repair."""
    registry, program, results = Registry(), Path(folder) / "program", []
    program.write_bytes(build(ARM64, Probe.EXEC))
    program.chmod(0o755)
    for count in range(5):
        for entry in registry.entries():
            registry.remove(entry.name)
        registry.register(Registration.of(ARM64, interpreter, "POF"))
        child = os.fork()
        if child == 0:
            die_at(count, interpreter)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        survived = runs(program)
        apply(registry, lambda entries: make_plan(entries, interpreter))
        clean = [[entry.name, entry.flags] for entry in registry.entries()]
        results.append([status, survived, clean, runs(program)])
    return results


def test_a_kill_between_any_two_steps_leaves_an_emulator_and_the_next_run_cleans_up(tmp_path):
    results = call_isolated(f"{HERE}:kill_at_every_step", emulator_of(ARM64), str(tmp_path))
    clean = [["qemu-aarch64", "OCF"]]
    assert results == [[-signal.SIGKILL, True, clean, True]] * 4 + [[0, True, clean, True]]


def lose_entries():
    registry = Registry()
    registry.register(Registration.of(ARM64, "/bin/true", "F"))
    unmount()
    mount()
    return [entry.name for entry in registry.entries()]


def test_entries_are_gone_after_the_last_unmount():
    assert call_isolated(f"{HERE}:lose_entries") == []


def mount_again():
    unmount()
    answers: list[object] = []
    for _ in range(2):
        try:
            answers.append(ensure_mounted().reason)
        except QuarterdeckError as error:
            answers.append([error.key, error.reason, error.hint])
            mount()
    return answers


def test_a_user_namespace_does_not_get_an_instance_that_hides_the_hosts_unasked():
    refused, again = call_isolated(f"{HERE}:mount_again")
    assert refused[0] == "binfmt-user-namespace"
    assert "qd binfmt run" in refused[2]
    assert "as long as this user namespace" in again


def mount_beside_host():
    """In a mount and process namespace of its own, as in a privileged container, without the mount of the host."""
    if is_mounted():
        process.run(["umount", str(FOLDER)])
    mounted = ensure_mounted()
    return [mounted.by_us, mounted.reason, sorted(entry.name for entry in read_entries()), mounted.instance.kind.value]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--pid", "--fork", "--mount-proc"], "something outside this container has it mounted too"),
        ([], "it is mounted on the host"),
    ],
    ids=["container", "pid=host"],
)
def test_a_container_joins_the_instance_that_the_host_has_mounted(options, reason):
    if os.geteuid() != 0 or probe_instance().kind is not Kind.HOST:
        pytest.skip("needs root, and binfmt_misc mounted on the host")
    code = f"import json\nfrom {HERE} import mount_beside_host\nprint(json.dumps(mount_beside_host()))"
    env = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    with host_binfmt():
        done = process.run(["unshare", "--mount", *options, "--", sys.executable, "-c", code], env=env)
        assert json.loads(done.text) == [True, reason, sorted(entry.name for entry in read_entries()), "host"]


_TWO_FOLDERS_OF_MOUNTS = """
import json
from quarterdeck.binfmt.kernel import mount
from quarterdeck.host.binfmt_misc import FOLDER

mount.mount()
before = mount._host_holds(FOLDER)
mount._mount_on_host()
print(json.dumps([before, mount._host_holds(FOLDER)]))
"""


def mount_for_the_first_process():
    """Let the first process of a process namespace, in other mounts than ours, hold our instance too."""
    inner = ["unshare", "--mount", sys.executable, "-c", _TWO_FOLDERS_OF_MOUNTS]
    # The shell stays the first process: it has another command to run.
    first = ["unshare", "--pid", "--fork", "--mount-proc", "--", "sh", "-c", f"{shlex.join(inner)}; true"]
    done = process.run(["unshare", "--mount", "--", "sh", "-c", f"umount {FOLDER} && {shlex.join(first)}"])
    return json.loads(done.text)


def test_the_instance_of_a_container_is_mounted_for_the_hosts_first_process_too():
    assert call_isolated(f"{HERE}:mount_for_the_first_process") == [False, True]
