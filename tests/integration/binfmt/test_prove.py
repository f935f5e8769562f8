"""Real proof programs through a real kernel: in the lab with all kinds of registrations, and as an ordinary user."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.integration.binfmt import lab, people

from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.programs.build import supported
from quarterdeck.binfmt.programs.probe import Probe
from quarterdeck.core.arch import ARCHES, Arch, find_arch, host_arch, runs_natively

pytestmark = pytest.mark.integration

ARM64, RISCV = find_arch("arm64"), find_arch("riscv64")
PROVE = """
import json, sys
from quarterdeck.binfmt.prove.prove import prove
from quarterdeck.core.arch import find_arch
from quarterdeck.errors import QuarterdeckError
from quarterdeck.host.binfmt_misc import read_entries
said = []
try:
    proofs = prove([find_arch(name) for name in sys.argv[2:]], entries=read_entries(), timeout=float(sys.argv[1]), report=said.append)
    print(json.dumps([proof.to_json() for proof in proofs] + [message.text for message in said]))
except QuarterdeckError as error:
    print(json.dumps(error.to_json()))
"""


def emulator(arch: Arch) -> str:
    """Return Debian's static emulator, under either of its names."""
    found = shutil.which(f"qemu-{arch.user}-static") or shutil.which(f"qemu-{arch.user}")
    if found is None:
        pytest.skip("qemu-user-static is not installed")
    return os.path.realpath(found)


def outcome(proof: dict[str, Any], probe: Probe) -> str:
    return str(proof["probes"][probe]["outcome"])


def detail(proof: dict[str, Any], probe: Probe = Probe.EXEC) -> str:
    return str(proof["probes"][probe]["detail"])


def answers(registrations: Sequence[Registration], *arches: Arch, timeout: float = 60.0, before: str = "") -> list[Any]:
    """Prove in a new lab; ``before`` is shell text that runs there first."""
    words = [sys.executable, "-c", PROVE, str(timeout), *(arch.name for arch in arches)]
    env = {"PYTHONPATH": str(people.ROOT / "src")}
    done = lab.run_isolated(["sh", "-c", f'{before or "true"} && exec "$@"', "sh", *words], registrations=registrations, env=env)
    return list(json.loads(done.text))


def answer(registration: Registration | None, arch: Arch = ARM64, **options: Any) -> dict[str, Any]:
    return dict(answers([registration] if registration else [], arch, **options)[0])


@pytest.fixture(autouse=True)
def _lab() -> None:
    lab.require_lab()


def test_every_architecture_that_has_programs_is_proved() -> None:
    foreign = [arch for arch in ARCHES if arch.user and supported(arch) and not runs_natively(arch, host_arch())]
    registrations = [Registration.of(arch, emulator(arch), "CF") for arch in foreign]
    proofs = answers(registrations, *foreign)
    assert {proof["arch"]: detail(proof) for proof in proofs if not proof["ok"]} == {}
    for arch, proof in zip(foreign, proofs, strict=True):
        ran = {probe for probe in supported(arch) if probe is not Probe.ARGV0}
        assert {outcome(proof, probe) for probe in ran} <= {"pass", "limit"}, proof
        assert outcome(proof, Probe.CREDENTIALS) == ("pass" if Probe.CREDENTIALS in supported(arch) else "skip")


def test_platforms_alone_are_those_of_the_status_and_cost_one_program_each() -> None:
    flags = {ARM64: "F", RISCV: "OC", find_arch("s390x"): "F", find_arch("i386"): "F"}
    registrations = [Registration.of(arch, emulator(arch), word) for arch, word in flags.items()]
    code = """
        from quarterdeck.binfmt.status.tried import proved_platforms, proved_status
        from quarterdeck.core.arch import find_arch

        found, arm = proved_platforms(), find_arch("arm64")
        assert found == proved_status().platforms, found
        assert {"linux/arm64", "linux/s390x", "linux/386"} <= {one.platform for one in found if one.runs == "emulated"}, found
        assert next(one for one in found if one.platform == "linux/riscv64").reason, found
        assert proved_platforms([arm]) == tuple(one for one in found if one.arch == arm)
    """
    lab.run_code(textwrap.dedent(code), registrations=registrations)


@pytest.mark.parametrize(
    ("flags", "argv0", "credentials"), [("CF", "skip", "pass"), ("OPF", "pass", "skip"), ("OCPF", "pass", "pass"), ("F", "skip", "skip")]
)
def test_flags_decide_what_is_proved(flags: str, argv0: str, credentials: str) -> None:
    proof = answer(Registration.of(ARM64, emulator(ARM64), flags))
    assert proof["ok"]
    assert (outcome(proof, Probe.ARGV0), outcome(proof, Probe.CREDENTIALS)) == (argv0, credentials)


def test_without_f_the_empty_root_fails() -> None:
    proof = answer(Registration.of(ARM64, emulator(ARM64), "OCP"))
    assert not proof["ok"]
    assert detail(proof) == "the emulator is not found in an empty root: flag F is not registered"
    assert {outcome(proof, probe) for probe in Probe} == {"fail", "skip"}


def test_without_an_entry_the_kernel_refuses() -> None:
    proof = answer(None)
    assert (proof["ok"], proof["entry"], detail(proof)) == (False, None, "exec format error: no emulator is registered")


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("qemu-aarch64", "exec format error: the entry qemu-aarch64 is disabled"),
        ("status", "exec format error: binfmt_misc is switched off"),
    ],
)
def test_what_is_switched_off_is_named(file: str, words: str) -> None:
    proof = answer(Registration.of(ARM64, emulator(ARM64), "CF"), before=f"echo 0 > /proc/sys/fs/binfmt_misc/{file}")
    assert not proof["ok"]
    assert detail(proof) == words


def test_an_emulator_that_does_nothing_fails() -> None:
    proof = answer(Registration.of(ARM64, "/bin/false", "F"))
    assert not proof["ok"]
    assert detail(proof) == "the emulator is not static: an empty root lacks its loader"


def test_an_emulator_of_another_kind_fails() -> None:
    # A static program that runs, and is no emulator of this architecture.
    proof = answer(Registration.of(ARM64, emulator(RISCV), "F"))
    assert not proof["ok"]
    assert "42 was expected" in detail(proof)


def test_an_emulator_that_hangs_and_writes_without_end_is_killed(tmp_path: Path) -> None:
    busybox = Path("/bin/busybox")
    if not busybox.exists():
        pytest.skip("busybox-static is not installed")
    # busybox takes what it is to do from argv[0], which is the interpreter's path.
    endless = shutil.copy(busybox, tmp_path / "yes")
    proof = answer(Registration.of(ARM64, str(endless), "F"), timeout=0.5)
    assert not proof["ok"]
    assert detail(proof).startswith("hangs: killed after")


def test_what_an_emulator_says_is_told(tmp_path: Path) -> None:
    busybox = Path("/bin/busybox")
    if not busybox.exists():
        pytest.skip("busybox-static is not installed")
    odd = shutil.copy(busybox, tmp_path / "no-such-applet")
    assert "applet not found" in detail(answer(Registration.of(ARM64, str(odd), "F")))


def test_an_emulator_that_was_deleted_after_registration_with_f_still_works(tmp_path: Path) -> None:
    copy = tmp_path / "emulator"
    shutil.copy(emulator(ARM64), copy)
    proof = answer(Registration.of(ARM64, str(copy), "CF"), before=f"rm {copy}")
    assert not copy.exists()
    assert proof["ok"]
    assert proof["interpreter"] == str(copy)


def test_native_programs_need_no_entry() -> None:
    proof = answer(None, host_arch())
    assert (proof["ok"], proof["native"], proof["shadowed"], proof["entry"]) == (True, True, False, None)
    assert {outcome(proof, probe) for probe in Probe} == {"pass"}


def test_an_emulator_of_a_native_architecture_shadows_it() -> None:
    # One for the host's own architecture would be asked to run itself, without end.
    native = next((arch for arch in ARCHES if arch.user and host_arch().name in arch.runs_on), None)
    if native is None:
        pytest.skip("this host's processor runs no other architecture")
    proof = answer(Registration.of(native, emulator(native), "OCPF"), native)
    assert (proof["native"], proof["shadowed"], proof["entry"]) == (True, True, f"qemu-{native.user}")
    assert "makes it emulate them" in proof["notes"][0]


def test_several_entries_are_told() -> None:
    twice = [Registration.of(ARM64, emulator(ARM64), "CF"), replace(Registration.of(ARM64, emulator(ARM64), "CF"), name="another")]
    proof = dict(answers(twice, ARM64)[0])
    assert proof["ok"]
    assert "another, qemu-aarch64" in proof["notes"][0]


def test_a_noexec_folder_is_passed_over_and_that_is_said(tmp_path: Path) -> None:
    before = f"mount -t tmpfs -o noexec none {tmp_path} && export TMPDIR={tmp_path}"
    proof, said = answers([Registration.of(ARM64, emulator(ARM64), "CF")], ARM64, before=before)
    assert proof["ok"]
    assert said == f"the proof programs run in /tmp: {tmp_path} is mounted noexec"


def test_where_all_is_nosuid_credentials_are_skipped() -> None:
    folders = ("/tmp", "/var/tmp", "/dev/shm", "/run")
    if any(people.ROOT.is_relative_to(folder) for folder in folders):
        pytest.skip("this checkout is in a folder that the test hides")
    mounts = " && ".join(f"mount -t tmpfs -o nosuid none {folder}" for folder in folders)
    proof = answer(Registration.of(ARM64, emulator(ARM64), "CF"), before=f"{mounts} && unset TMPDIR XDG_RUNTIME_DIR HOME")
    assert proof["ok"]
    assert detail(proof, Probe.CREDENTIALS) == "every folder for temporary files is mounted nosuid"


def test_nothing_stays_in_the_folder(tmp_path: Path) -> None:
    answer(Registration.of(ARM64, emulator(ARM64), "CF"), before=f"export TMPDIR={tmp_path}")
    assert list(tmp_path.iterdir()) == []


def ordinary(user: str | int) -> list[Any]:
    done = people.run_as(user, PROVE, "60", host_arch().name, "hexagon")
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_an_ordinary_user_proves_what_the_host_has() -> None:
    people.require_other_users()
    native, _ = ordinary(people.STRANGER)
    assert native["ok"]
    assert detail(native, Probe.CREDENTIALS) == f"only one user is mapped: {people.STRANGER} has no subordinate ids"


def test_with_subordinate_ids_it_proves_set_uid_programs_too() -> None:
    with people.user_with_subordinate_ids() as name:
        native, _ = ordinary(name)
    assert {outcome(native, probe) for probe in Probe} == {"pass"}


def test_an_ordinary_user_proves_its_private_emulators() -> None:
    people.require_other_users()
    code = (
        "import sys\n"
        "from quarterdeck.binfmt.private.instance import open_instance\n"
        "from quarterdeck.binfmt.kernel.registration import Registration\n"
        "from quarterdeck.core import process\n"
        "from quarterdeck.core.arch import find_arch\n"
        f"with open_instance([Registration.of(find_arch('arm64'), {emulator(ARM64)!r}, 'OCPF')]) as instance:\n"
        f"    print(process.run(instance.argv([sys.executable, '-c', {PROVE!r}, '60', 'arm64', 'riscv64'])).text)\n"
    )
    done = people.run_as(people.STRANGER, code)
    assert done.returncode == 0, done.stderr
    arm64, riscv64 = json.loads(done.stdout)
    assert (arm64["ok"], riscv64["ok"]) == (True, False)
    assert outcome(arm64, Probe.ARGV0) == "pass"


def test_an_ordinary_user_without_user_namespaces_is_told_what_to_do() -> None:
    before = "echo 0 > /proc/sys/user/max_user_namespaces"
    words = ["setpriv", f"--reuid={people.STRANGER}", f"--regid={people.STRANGER}", "--clear-groups"]
    env = {"PYTHONPATH": str(people.ROOT / "src")}
    argv = ["sh", "-c", f'{before} && exec "$@"', "sh", *words, people.PYTHON, "-c", PROVE, "60", "arm64"]
    error = json.loads(lab.run_isolated(argv, env=env).text)
    assert error["key"] == "userns-forbidden"
    assert error["reason"] == "user namespaces: limited to 0"
