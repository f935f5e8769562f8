"""``qd build`` by an ordinary user for a platform that this host has no emulator registered for: a real user, kernel and engines."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.engines.place import remove, storage_driver
from tests.foreign_roots import unpacked_root
from tests.host_binfmt import host_binfmt
from tests.integration.binfmt import people
from tests.integration.binfmt.lab import require_lab

from quarterdeck.binfmt.programs.build import build
from quarterdeck.binfmt.programs.probe import EXEC_STATUS, Probe
from quarterdeck.build.platform import Platform
from quarterdeck.core.arch import Arch, find_arch, host_arch
from quarterdeck.errors import MediaError
from quarterdeck.host.binfmt_misc import Entry, claiming, read_entries

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

CANDIDATES = ("riscv64", "s390x", "arm", "ppc64le")
RUNS = 'FROM scratch\nCOPY program /program\nRUN ["/program"]\n'
# containers-storage.conf(5)
STORAGE = '[storage]\ndriver = "{driver}"\ngraphroot = "{home}/storage"\nrunroot = "{home}/run/storage"\n'


@dataclass
class User:
    """An ordinary user with a home and a project in it; ``name`` may be a number that no database has."""

    name: str | int
    home: Path

    @property
    def project(self) -> Path:
        return self.home / "project"

    @property
    def env(self) -> dict[str, str]:
        return {
            **people.environment(),
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": f"{self.home}/run",
            "CONTAINERS_STORAGE_CONF": f"{self.home}/storage.conf",
            "DOCKER_HOST": "unix:///nowhere",
            "TMPDIR": f"{self.home}/tmp",
        }

    def argv(self, *words: str | Path) -> list[str | Path]:
        return ["setpriv", f"--reuid={self.name}", f"--regid={self.name}", "--clear-groups", "--", *words]

    def run(self, *words: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.argv(*words),
            env={**self.env, **env},
            cwd=self.project,
            capture_output=True,
            text=True,
            timeout=300,
            stdin=subprocess.DEVNULL,
        )

    def qd(self, *words: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
        return self.run(people.PYTHON, "-m", "quarterdeck", *words, **env)

    def write(self, dockerfile: str, **programs: bytes) -> None:
        (self.project / "Dockerfile").write_text(dockerfile)
        for name, content in programs.items():
            (self.project / name).write_bytes(content)
            (self.project / name).chmod(0o755)


@contextmanager
def at_home(name: str | int) -> Iterator[User]:
    home = Path(tempfile.mkdtemp(prefix="qd-user-"))
    user = User(name, home)
    for folder in (home / "run", home / "tmp", user.project):
        folder.mkdir(mode=0o700)
    (home / "storage.conf").write_text(STORAGE.format(driver=storage_driver(home), home=home))
    subprocess.run(["chown", "--recursive", f"{name}:{name}", home], check=True)
    try:
        yield user
    finally:
        end_pause_process(home / "run/libpod/tmp/pause.pid")
        remove(home)


def end_pause_process(file: Path) -> None:
    """End the process by which an ordinary user's podman keeps its namespace, which else holds the user."""
    with suppress(FileNotFoundError):
        os.kill(int(file.read_text()), signal.SIGKILL)


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    require_lab()
    with people.user_with_subordinate_ids() as name, at_home(name) as made:
        yield made


@pytest.fixture
def stranger() -> Iterator[User]:
    people.require_other_users()
    with at_home(people.STRANGER) as made:
        yield made


@pytest.fixture(scope="module")
def arch() -> Arch:
    """An architecture that this host has an emulator of, and has not registered it."""
    entries = read_entries()
    for name in CANDIDATES:
        found = find_arch(name)
        if Path(f"/usr/bin/qemu-{found.user}-static").exists() and not claiming(found, entries) and found != host_arch():
            return found
    pytest.skip(f"each of {', '.join(CANDIDATES)} is registered on this host, or its emulator is not installed")


@pytest.fixture
def host_entries() -> Iterator[list[Entry]]:
    """What the host has registered, which is the same afterwards."""
    with host_binfmt():
        before = read_entries()
        yield before
        assert read_entries() == before


@pytest.fixture(params=["buildah", "podman"])
def engine(request: pytest.FixtureRequest) -> str:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return str(request.param)


def test_an_ordinary_user_builds_for_a_platform_that_nothing_is_registered_for(
    user: User, arch: Arch, engine: str, host_entries: list[Entry]
) -> None:
    user.write(RUNS, program=build(arch, Probe.THREADS))
    words = ("--platform", arch.oci, "--engine", engine, "--no-cache", "--progress", "plain", "--metadata-file", "meta.json")
    done = user.qd("build", *words, "-o", "image.tar")
    assert done.returncode == 0, done.stderr
    assert f"emulating {arch.debian} for this build alone" in done.stderr
    assert "nothing of this host is changed" in done.stderr
    meta = json.loads((user.project / "meta.json").read_text())["quarterdeck.platforms"][arch.oci]
    assert (meta["engine"], meta["node"], meta["emulated"]) == (engine, "local", True)
    assert user.qd("image", "check", "image.tar", "--platform", arch.oci).returncode == 0


def test_the_program_of_a_step_really_runs(user: User, arch: Arch, engine: str, host_entries: list[Entry]) -> None:
    user.write(RUNS, program=build(arch, Probe.EXEC))
    done = user.qd("build", "--platform", arch.oci, "--engine", engine, "-o", "failed.tar")
    assert done.returncode == 6
    assert f"status {EXEC_STATUS}" in done.stderr
    assert not (user.project / "failed.tar").exists()


def test_images_of_the_user_are_there_and_what_was_built_is_among_them(user: User, arch: Arch, host_entries: list[Entry]) -> None:
    user.write("FROM scratch\nCOPY program /program\n", program=build(arch, Probe.SIGNAL))
    base = user.run("buildah", "build", f"--platform={arch.oci}", "-t", "localhost/base:1", ".")
    assert base.returncode == 0, base.stderr
    user.write('FROM localhost/base:1\nRUN ["/program"]\n')
    done = user.qd("build", "--platform", arch.oci, "-t", "localhost/made:1")
    assert done.returncode == 0, done.stderr
    assert "loaded localhost/made:1" in done.stdout
    assert "localhost/made" in user.run("buildah", "images").stdout


def test_only_the_platform_that_needs_it_is_built_inside(user: User, arch: Arch, host_entries: list[Entry]) -> None:
    look = f"ls /proc/sys/fs/binfmt_misc/qemu-{arch.user}"
    programs = {f"program-{Platform.parse(one.oci).architecture}": build(one, Probe.THREADS) for one in (arch, host_arch())}
    user.write('FROM scratch\nARG TARGETARCH\nCOPY program-${TARGETARCH} /program\nRUN ["/program"]\n', **programs)
    # What an engine would do by itself with the host's own platform depends on its cgroups.
    done = user.qd(
        "build", "--platform", f"{host_arch().oci},{arch.oci}", "-o", "both.tar", "--metadata-file", "both.json", BUILDAH_ISOLATION="chroot"
    )
    assert done.returncode == 0, done.stderr
    meta = json.loads((user.project / "both.json").read_text())["quarterdeck.platforms"]
    assert {name: one["emulated"] for name, one in meta.items()} == {host_arch().oci: False, arch.oci: True}
    assert user.run("sh", "-c", look).returncode != 0


def test_a_foreign_debian_works_with_several_users_and_ends_when_it_is_interrupted(user: User, host_entries: list[Entry]) -> None:
    arch = find_arch("riscv64")
    if claiming(arch, host_entries) or host_arch() == arch:
        pytest.skip("the host runs riscv64 itself")
    try:
        shutil.copy(unpacked_root("riscv64"), user.project / "root.tar")
    except MediaError as error:
        pytest.skip(f"{error.message}: {error.reason}")
    (user.project / "root.tar").chmod(0o644)
    user.write(
        "FROM scratch\nADD root.tar /\nRUN dpkg --print-architecture > /arch && uname -m >> /arch && chown 33:33 /arch\n"
        'RUN cat /arch && echo "owner $(stat -c %u:%g /arch)" && sleep 1000\n'
    )
    argv = user.argv(people.PYTHON, "-m", "quarterdeck", "build", "--platform", arch.oci, "--progress", "plain", "-o", "debian.tar")
    with subprocess.Popen(argv, env=user.env, cwd=user.project, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL) as child:
        assert child.stderr is not None
        seen = ""
        for line in child.stderr:
            seen += line
            if "owner" in line and "RUN" not in line:
                break
        child.send_signal(signal.SIGINT)
        rest = child.stderr.read()
    assert "riscv64" in seen.partition("RUN cat")[2]
    assert "owner 33:33" in seen, seen + rest
    assert child.returncode == 130, rest
    assert subprocess.run(["pgrep", "--full", "sleep 1000", "--uid", str(user.name)], capture_output=True).stdout == b""
    assert user.run("buildah", "containers", "--quiet").stdout == ""


def test_steps_without_network_have_none(user: User, arch: Arch, host_entries: list[Entry]) -> None:
    if shutil.which("runc") is None:
        pytest.skip("runc is not installed, and crun refuses hosts with controllers in both versions of cgroups")
    user.write(
        'FROM scratch\nCOPY program busybox /\nRUN ["/busybox", "ip", "link"]\nRUN ["/program"]\n', program=build(arch, Probe.THREADS)
    )
    shutil.copy(shutil.which("busybox") or "/bin/busybox", user.project / "busybox")
    words = ("--platform", arch.oci, "--network", "none", "--no-check", "--progress", "plain", "-o", "alone.tar")
    done = user.qd("build", *words, "--", "--runtime=runc")
    assert done.returncode == 0, done.stderr
    links = [line for line in done.stderr.splitlines() if "mtu" in line]
    assert len(links) == 1
    assert "LOOPBACK" in links[0]


def test_root_of_a_user_namespace_may_not_register_and_builds_so_too(user: User, arch: Arch, host_entries: list[Entry]) -> None:
    if shutil.which("podman") is None:
        pytest.skip("podman is not installed")
    user.write(RUNS, program=build(arch, Probe.THREADS))
    build_it = (people.PYTHON, "-m", "quarterdeck", "build", "--platform", arch.oci, "--no-cache", "-o", "root.tar")
    done = user.run("podman", "unshare", *build_it, BUILDAH_ISOLATION="chroot")
    assert done.returncode == 0, done.stderr
    assert f"emulating {arch.debian} for this build alone" in done.stderr


def test_a_plan_shows_what_the_build_would_do(user: User, arch: Arch, host_entries: list[Entry]) -> None:
    user.write(RUNS, program=build(arch, Probe.EXEC))
    plan = json.loads(user.qd("plan", "--platform", arch.oci, "--json").stdout)
    assert plan["possible"]
    assert [(one["node"], one["mode"]) for one in plan["platforms"]] == [("local", "emulated")]


def test_who_has_no_subordinate_ids_is_told_all_that_helps(stranger: User, arch: Arch, host_entries: list[Entry]) -> None:
    stranger.write(RUNS, program=build(arch, Probe.EXEC))
    done = stranger.qd("build", "--platform", arch.oci, "-o", "image.tar")
    assert done.returncode == 3, done.stderr
    assert f"sudo qd binfmt install {arch.debian}" in done.stderr
    assert "usermod --add-subuids" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_engine_with_a_daemon_cannot_have_them_and_the_message_says_so(user: User, arch: Arch, host_entries: list[Entry]) -> None:
    user.write(RUNS, program=build(arch, Probe.EXEC))
    done = user.qd("build", "--platform", arch.oci, "--engine", "docker", "-o", "image.tar")
    assert done.returncode == 3, done.stderr
    assert "only with buildah or podman" in done.stderr
    assert f"sudo qd binfmt install {arch.debian}" in done.stderr


def test_where_emulation_is_forbidden_none_is_set_up(user: User, arch: Arch, host_entries: list[Entry]) -> None:
    user.write(RUNS, program=build(arch, Probe.EXEC))
    done = user.qd("build", "--platform", arch.oci, "--emulation", "never", "-o", "image.tar")
    assert done.returncode == 2, done.stderr
    assert "emulation is 'never'" in done.stderr
    assert "emulating" not in done.stderr
