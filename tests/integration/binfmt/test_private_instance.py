"""A private binfmt_misc on this kernel: as root inside the lab or beside the host's, and as an ordinary user."""

import json
import os
import tempfile
from collections.abc import Iterator

import pytest
from tests.host_binfmt import host_binfmt
from tests.integration.binfmt import lab, people

from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.private.instance import open_instance
from quarterdeck.binfmt.programs.build import build
from quarterdeck.binfmt.programs.probe import EXEC_STATUS, Probe
from quarterdeck.core import process
from quarterdeck.core.arch import find_arch
from quarterdeck.errors import HostError
from quarterdeck.host.binfmt_misc import Entry, read_entries

pytestmark = pytest.mark.integration

RISCV = find_arch("riscv64")
EMULATOR = "/usr/bin/qemu-riscv64-static"
needs_emulator = pytest.mark.skipif(not os.path.exists(EMULATOR), reason="qemu-user-static is not installed")

LOOK = """
import json, os
from quarterdeck.host.binfmt_misc import read_entries
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
print(json.dumps({"uid": os.getuid(), "gid": os.getgid(), "names": [e.name for e in read_entries()], "cwd": os.getcwd(),
    "caps": int(status["CapEff"], 16), "ambient": int(status["CapAmb"], 16), "nnp": int(status["NoNewPrivs"]),
    "ids": sum(int(line.split()[2]) for line in open("/proc/self/uid_map"))}))
"""
OPEN = """
import sys
from quarterdeck.binfmt.private.instance import open_instance
from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.core import process
from quarterdeck.core.arch import find_arch
from quarterdeck.errors import QuarterdeckError
registrations = [Registration.of(find_arch("riscv64"), "/usr/bin/qemu-riscv64-static", "CF")]
"""
OPEN_AND_LOOK = f"""{OPEN}
with open_instance(registrations, root=sys.argv[1] == "root") as instance:
    print(process.run(instance.argv([sys.executable, "-c", {LOOK!r}], cwd="/usr")).text)
"""
OPEN_AND_FAIL = f"""{OPEN}
import json
try:
    with open_instance([]):
        print("opened")
except QuarterdeckError as error:
    print(json.dumps(error.to_json()))
"""


@pytest.fixture
def host_entries() -> Iterator[list[Entry]]:
    lab.require_lab()
    with host_binfmt():
        yield read_entries()


@needs_emulator
def test_it_has_what_was_asked_for_and_the_host_sees_nothing(host_entries, tmp_path):
    program = tmp_path / "program"
    program.write_bytes(build(RISCV, Probe.EXEC))
    program.chmod(0o755)
    tmp_path.chmod(0o755)
    with open_instance([Registration.of(RISCV, EMULATOR, "CF")]) as instance:
        assert process.run(instance.argv([program]), check=False).returncode == EXEC_STATUS
        names = process.run(instance.argv(["ls", "/proc/sys/fs/binfmt_misc"])).text.split()
        assert names == ["qemu-riscv64", "register", "status"]
        assert read_entries() == host_entries


def test_an_instance_may_be_opened_inside_another(host_entries):
    code = OPEN.replace("registrations =", "inner =") + (
        "with open_instance([]) as instance:\n"
        "    print(process.run(instance.argv(['ls', '/proc/sys/fs/binfmt_misc'])).text)\n"
        "from quarterdeck.host.binfmt_misc import read_entries\n"
        "print([entry.name for entry in read_entries()])\n"
    )
    done = lab.run_code(code, registrations=[Registration("outer", b"abcd", b"", "/bin/true", "")])
    assert done.text.split() == ["register", "status", "['outer']"]


@needs_emulator
@pytest.mark.parametrize("flags", ["CF", "POF", "OCPF", ""])
def test_flags_arrive(host_entries, flags):
    wanted = Registration.of(RISCV, EMULATOR, flags)
    done = lab.run_code(
        "from quarterdeck.host.binfmt_misc import read_entries\nprint(*[(e.interpreter, e.flags) for e in read_entries()])",
        registrations=[wanted],
    )
    interpreter, shown = eval(done.text)
    assert interpreter == EMULATOR
    assert set(shown) == set(flags) | ({"O"} if "C" in flags else set())


def test_a_refused_registration_is_named_and_nothing_stays(host_entries):
    with pytest.raises(HostError) as caught, open_instance([Registration.of(RISCV, "/no/such/emulator", "F")]):
        pass
    assert (caught.value.message, caught.value.reason) == ("qemu-riscv64 cannot be registered", "/no/such/emulator is not there")
    twice = Registration("same", b"abcd", b"", "/bin/true", "")
    with pytest.raises(HostError) as caught, open_instance([twice, twice]):
        pass
    assert "given twice" in caught.value.reason


def test_an_ordinary_user_is_itself_inside_and_has_no_capabilities():
    people.require_other_users()
    done = people.run_as(people.STRANGER, OPEN_AND_LOOK, "own")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["uid"], seen["gid"], seen["names"], seen["cwd"]) == (people.STRANGER, people.STRANGER, ["qemu-riscv64"], "/usr")
    assert (seen["caps"], seen["ambient"], seen["nnp"], seen["ids"]) == (0, 0, 0, 1)


def test_with_root_it_has_its_subordinate_ids():
    with people.user_with_subordinate_ids() as name:
        done = people.run_as(name, OPEN_AND_LOOK, "root")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["uid"], seen["names"], seen["nnp"]) == (0, ["qemu-riscv64"], 0)
    assert seen["ids"] > 60_000
    assert seen["caps"]


def test_without_subordinate_ids_root_is_refused_with_the_way_out():
    people.require_other_users()
    done = people.run_as(people.STRANGER, OPEN_AND_FAIL.replace("open_instance([])", "open_instance([], root=True)"))
    error = json.loads(done.stdout)
    assert error["key"] == "no-subordinate-ids"
    assert str(people.STRANGER) in error["message"]


@pytest.mark.parametrize(
    ("spoil", "key", "words"),
    [
        ("echo 0 > /proc/sys/user/max_user_namespaces", "userns-forbidden", "limited to 0"),
        ("mount -t tmpfs none /proc/sys/fs", "no-binfmt-misc", "is not there"),
    ],
    ids=["limit", "masked"],
)
def test_a_host_that_forbids_it_is_described(spoil, key, words):
    env = {"PYTHONPATH": str(people.ROOT / "src")}
    done = lab.run_isolated(["sh", "-c", f'{spoil} && exec "$@"', "sh", people.PYTHON, "-c", OPEN_AND_FAIL], env=env)
    error = json.loads(done.text)
    assert error["key"] == key
    assert words in error["reason"]
    assert error["hint"]


def test_a_read_only_proc_is_no_obstacle():
    env = {"PYTHONPATH": str(people.ROOT / "src")}
    spoil = "mount --rbind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys"
    done = lab.run_isolated(["sh", "-c", f'{spoil} && exec "$@"', "sh", people.PYTHON, "-c", OPEN_AND_FAIL], env=env)
    assert done.text.strip() == "opened"


def test_without_util_linux_the_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(process, "find", lambda name: None)
    with pytest.raises(HostError) as caught, open_instance([]):
        pass
    assert "util-linux" in caught.value.hint


def test_in_a_chroot_the_kernel_makes_none_and_we_say_so():
    code = (
        f"import os, sys\n{OPEN_AND_FAIL.partition('try:')[0]}"
        "process.run(['mount', '--rbind', '/', sys.argv[1]])\n"
        "os.chroot(sys.argv[1])\n"
        f"try:{OPEN_AND_FAIL.partition('try:')[2]}"
    )
    with tempfile.TemporaryDirectory() as folder:
        error = json.loads(lab.run_code(code, folder).text)
    assert error["key"] == "userns-forbidden"
    assert error["reason"] == "unshare: unshare failed: Operation not permitted"
    assert "chroot" in error["hint"]
