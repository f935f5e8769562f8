"""The image quarterdeck/binfmt in real engines: registers, proves, undoes, and says so when it cannot.

All but one test use engines in a user namespace with a binfmt_misc of its own, so the host's is not touched. Containers get that
instance as a volume outside /proc, since runc mounts nothing below it.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.engines.base import BaseImage, base_image
from tests.engines.docker import Docker
from tests.engines.image import IMAGE
from tests.engines.namespace import BINFMT, Namespace
from tests.engines.podman import Storage
from tests.host_binfmt import host_binfmt

from quarterdeck.binfmt.kernel.registration import entry_name
from quarterdeck.core.arch import ARCHES, Arch, find_arch, host_arch, runs_natively
from quarterdeck.core.process import Completed
from quarterdeck.host.binfmt_misc import is_mounted

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

PRIVILEGED = ("run", "--rm", "--network=none", "--privileged", f"--volume={BINFMT}:/binfmt", IMAGE, "--mount=/binfmt")
CONFINED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges")
LIST = "import os; [print(folder, name, sep='/') for folder, _, names in os.walk('/usr') for name in names]"
TO_PROVE = ("SYS_CHROOT", "CHOWN", "FSETID", "SETUID", "SETGID")


def state(done: Completed) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def docker_with_image(docker: Docker, binfmt_image: Path) -> Docker:
    docker.load(binfmt_image)
    return docker


def test_the_image_has_no_shell_no_packages_and_no_sources(binfmt_image: Path, docker_with_image: Docker) -> None:
    done = docker_with_image("run", "--rm", "--network=none", "--entrypoint=/bin/sh", IMAGE, "-c", "true", check=False)
    assert done.returncode == 127
    names = docker_with_image("run", "--rm", "--network=none", "--entrypoint=python3", IMAGE, "-c", LIST).text.splitlines()
    unwanted = re.compile(r"\.py$|/cache/|/man/|/bin/(apt|dpkg|pip|gcc)")
    assert [name for name in names if unwanted.search(name)] == []
    assert any(name.endswith("/copyright") and "qemu" in name for name in names)
    assert binfmt_image.stat().st_size < 300 << 20


def test_version(docker_with_image: Docker) -> None:
    assert docker_with_image("run", "--rm", "--network=none", IMAGE, "--version").text.startswith("quarterdeck ")


def test_what_mounts_on_the_host_starts(docker_with_image: Docker) -> None:
    assert "util-linux" in docker_with_image("run", "--rm", "--network=none", "--entrypoint=nsenter", IMAGE, "--version").text


def test_without_options_it_says_what_is_there(docker_with_image: Docker, empty_binfmt: Namespace) -> None:
    answer = state(docker_with_image("run", "--rm", "--network=none", IMAGE))
    assert empty_binfmt.entries() == set()
    assert answer["supported"]
    assert answer["emulators"] == []


def test_install_all_registers_what_foreign_programs_need(docker_with_image: Docker, empty_binfmt: Namespace) -> None:
    done = docker_with_image(*PRIVILEGED, "--install", "all")
    answer = state(done)
    assert set(answer["emulators"]) == empty_binfmt.entries()
    assert {"linux/arm64", "linux/amd64", "linux/riscv64", "linux/s390x", "linux/ppc64le"} <= set(answer["supported"])
    assert "installing: riscv64 OK" in done.stderr.decode()
    again = docker_with_image(*PRIVILEGED, "--install", "all")
    assert state(again)["emulators"] == answer["emulators"]


def test_a_foreign_debian_runs_and_its_programs_keep_rights(docker_with_image: Docker, empty_binfmt: Namespace, tmp_path: Path) -> None:
    foreign = foreign_debian()
    docker_with_image.load(foreign.archive)
    platform = ("run", "--rm", "--network=none", "--platform=linux/arm64")
    refused = docker_with_image(*platform, foreign.name, "dpkg", "--print-architecture", check=False)
    assert "exec format error" in (refused.stderr + refused.stdout).decode()
    docker_with_image(*PRIVILEGED, "--install", "arm64")
    assert docker_with_image(*platform, foreign.name, "dpkg", "--print-architecture").text == "arm64\n"
    rule = tmp_path / "everybody"
    rule.write_text("ALL ALL=(ALL) NOPASSWD: ALL\n", encoding="ascii")
    rule.chmod(0o440)
    sudo = (*platform, "--user=nobody", f"--volume={rule}:/etc/sudoers.d/everybody:ro", foreign.name, "sudo", "--non-interactive")
    assert docker_with_image(*sudo, "id", "-u").text == "0\n"
    docker_with_image(*PRIVILEGED, "--uninstall", "linux/arm64")
    assert empty_binfmt.entries() == set()
    assert docker_with_image(*platform, foreign.name, "true", check=False).returncode != 0


def foreign_debian() -> BaseImage:
    """Debian of another architecture; the host must be able to run its programs to make it, the first time."""
    if runs_natively(find_arch("aarch64"), host_arch()):
        pytest.skip("this host runs arm64 natively")
    return base_image("aarch64", packages=("sudo",))


def test_uninstall_takes_patterns_and_leaves_others_alone(docker_with_image: Docker, empty_binfmt: Namespace) -> None:
    docker_with_image(*PRIVILEGED, "--install", "arm64,riscv64,s390x")
    empty_binfmt.run(["tee", BINFMT / "register"], input=b":someone-elses:E::odd::/bin/true:")
    docker_with_image(*PRIVILEGED, "--uninstall", "qemu-r*")
    assert empty_binfmt.entries() == {"qemu-aarch64", "qemu-s390x", "someone-elses"}
    docker_with_image(*PRIVILEGED, "--uninstall", "qemu-*")
    assert empty_binfmt.entries() == {"someone-elses"}


def test_arguments_keep_their_name_only_when_asked(docker_with_image: Docker, empty_binfmt: Namespace) -> None:
    for value, flag in (("1", True), ("", False)):
        empty_binfmt.clear()
        docker_with_image(*PRIVILEGED[:-2], f"--env=QEMU_PRESERVE_ARGV0={value}", *PRIVILEGED[-2:], "--install", "arm64")
        text = empty_binfmt.run(["cat", BINFMT / "qemu-aarch64"]).text
        assert ("P" in text.partition("flags:")[2].splitlines()[0]) is flag


def test_an_unknown_architecture_is_refused_with_the_state_still_printed(docker_with_image: Docker, empty_binfmt: Namespace) -> None:
    done = docker_with_image(*PRIVILEGED, "--install", "arm65", check=False)
    assert done.returncode == 2
    assert "arm64" in done.stderr.decode()
    assert state(done)["emulators"] == []
    assert empty_binfmt.entries() == set()


def test_without_the_privilege_it_fails_and_says_why(docker_with_image: Docker, empty_binfmt: Namespace) -> None:
    for more in ((), (f"--volume={BINFMT}:/binfmt:ro",), CONFINED):
        done = docker_with_image("run", "--rm", "--network=none", *more, IMAGE, "--install", "arm64", check=False)
        words = done.stderr.decode()
        assert done.returncode == 3
        assert "error: " in words
        assert "Traceback" not in words
        assert state(done)["emulators"] == []
    assert empty_binfmt.entries() == set()


def test_an_instance_that_would_be_lost_is_not_made(docker_with_image: Docker, empty_binfmt: Namespace) -> None:
    done = docker_with_image("run", "--rm", "--network=none", "--privileged", IMAGE, "--install", "arm64", check=False)
    assert done.returncode == 3
    assert "user namespace" in done.stderr.decode()
    assert empty_binfmt.entries() == set()


def test_the_proof_of_the_daemon_set_needs_few_rights(docker_with_image: Docker, empty_binfmt: Namespace) -> None:
    docker_with_image(*PRIVILEGED, "--install", "all")
    rights = (*CONFINED, *(f"--cap-add={name}" for name in TO_PROVE), "--tmpfs=/tmp:exec", "--entrypoint=qd")
    prove = ("run", "--rm", "--network=none", *rights, IMAGE, "binfmt", "prove", "linux/amd64", "linux/arm64", "linux/riscv64")
    assert docker_with_image(*prove).returncode == 0
    empty_binfmt.clear()
    done = docker_with_image(*prove, check=False)
    assert done.returncode == 1
    assert "no emulator is registered" in done.stderr.decode()


def test_other_commands_than_binfmt_are_refused_in_words(docker_with_image: Docker) -> None:
    done = docker_with_image("run", "--rm", "--network=none", "--entrypoint=qd", IMAGE, "run", check=False)
    assert done.returncode == 1
    assert "only 'qd binfmt'" in done.stderr.decode()


def test_podman_takes_it_too(podman: Storage, binfmt_image: Path, empty_binfmt: Namespace) -> None:
    podman.load(binfmt_image)
    answer = state(podman.podman(*PRIVILEGED, "--install", "riscv64"))
    assert answer["emulators"] == ["qemu-riscv64"]
    assert empty_binfmt.entries() == {"qemu-riscv64"}
    podman.podman(*PRIVILEGED, "--uninstall", "all")
    assert empty_binfmt.entries() == set()


def test_on_the_host_itself_as_everybody_calls_it(host_docker: Docker, binfmt_image: Path) -> None:
    if not is_mounted():
        pytest.skip("binfmt_misc is not mounted on this host, which this test leaves as it is")
    host_docker.load(binfmt_image)
    call: tuple[str, ...] = ("run", "--rm", "--network=none", "--privileged", IMAGE)
    if not may_give_every_right():
        call = ("run", "--rm", "--network=none", f"--volume={BINFMT}:/binfmt", IMAGE, "--mount=/binfmt")
    with host_binfmt():
        before = {file.name: file.read_text(encoding="ascii") for file in entries()}
        arch = unregistered(before)
        try:
            answer = state(host_docker(*call, "--install", arch.name))
            assert set(answer["emulators"]) == {*before, entry_name(arch)}
            assert (BINFMT / entry_name(arch)).exists()
        finally:
            host_docker(*call, "--uninstall", entry_name(arch), check=False)
        assert {file.name: file.read_text(encoding="ascii") for file in entries()} == before


def may_give_every_right() -> bool:
    """Whether this root has CAP_SYS_RESOURCE, number 24 of capabilities(7): without it, runc cannot make a container privileged."""
    held = re.search(r"^CapEff:\s*([0-9a-f]+)$", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    return held is not None and bool(int(held[1], 16) >> 24 & 1)


def entries() -> list[Path]:
    return [file for file in BINFMT.iterdir() if file.name not in ("register", "status")]


def unregistered(before: dict[str, str]) -> Arch:
    """An architecture of the image that the host has no entry for."""
    emulated = ("sparc64", "mips64", "s390x", "riscv64", "ppc64le")
    return next(arch for arch in ARCHES if arch.name in emulated and entry_name(arch) not in before)
