import json
import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from quarterdeck.core import process
from quarterdeck.core.process import Completed, Identity
from quarterdeck.errors import QuarterdeckError
from quarterdeck.host.doctor import examine, summarize

pytestmark = pytest.mark.integration

KEYS = {"kernel", "place", "cpu", "kvm", "nested", "cgroup", "memory", "disk", "tun", "vhost-net", "userns", "subids", "binfmt",
        "docker", "buildx", "podman", "buildah", "libvirt", "kubectl", "debian-guests", "tool-qemu-img"}  # fmt: skip
ORDINARY = Identity(2_100_000_011, 2_100_000_011)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
SOURCE = Path(__file__).parents[3] / "src"
PACKAGES = sysconfig.get_path("purelib")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home that an ordinary user can enter, which pytest's own temporary folders are not."""
    with tempfile.TemporaryDirectory(prefix="quarterdeck-test-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, ORDINARY.uid, ORDINARY.gid)
        monkeypatch.setenv("QUARTERDECK_HOME", name)
        monkeypatch.setenv("PYTHONPATH", f"{SOURCE}:{PACKAGES}")
        yield folder


def python(identity: Identity | None) -> str:
    """Return a Python that ``identity`` may start: ours may live in root's home."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        try:
            process.run([candidate, "-c", "import typer, rich"], cwd="/", identity=identity)
        except QuarterdeckError:
            continue
        return candidate
    pytest.skip("no Python that an ordinary user may start has the packages")


def doctor(*prefix: str, identity: Identity | None = None, options: tuple[str, ...] = ("--json",)) -> Completed:
    program = "import typer; from quarterdeck.cli.doctor import doctor; app = typer.Typer(); app.command()(doctor); app()"
    argv = [*prefix, python(identity), "-c", program, *options]
    return process.run(argv, check=False, timeout=60, cwd="/", identity=identity)


def answer_of(done: Completed) -> tuple[dict[str, dict[str, object]], dict[str, object]]:
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    answer = json.loads(done.text)
    checks = {check["key"]: check for check in answer["checks"]}
    assert len(checks) == len(answer["checks"])
    assert done.returncode == (0 if answer["summary"]["ready"] else 1)
    return checks, answer["summary"]


async def test_all_that_was_promised_is_checked() -> None:
    checks = await examine()
    assert {check.key for check in checks} >= KEYS
    assert all(check.detail and "\n" not in check.detail + check.fix for check in checks)
    assert not [check.key for check in checks if check.key.startswith("group-")]
    assert summarize(checks)["ready"] == (not any(check.fatal for check in checks))


def test_the_command_answers_in_json_and_in_plain_text() -> None:
    checks, _ = answer_of(doctor())
    assert checks.keys() >= KEYS
    text = doctor(options=()).text
    assert "\x1b" not in text
    assert text.splitlines()[-1].startswith("Machines can")


def test_something_needed_that_is_missing_is_exit_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    monkeypatch.setenv("QUARTERDECK_HOME", str(tmp_path / "file"))
    done = doctor()
    checks, summary = answer_of(done)
    assert done.returncode == 1
    assert summary["ready"] is False
    assert checks["disk"]["status"] == "fail"


@needs_root
def test_an_ordinary_user_gets_the_same_checks() -> None:
    checks, _ = answer_of(doctor(identity=ORDINARY))
    assert checks.keys() >= KEYS
    assert checks["disk"]["status"] in ("ok", "warn")
    assert checks["subids"]["status"] != "info"


def unshared(script: str) -> list[str]:
    program = process.find("unshare")
    if program is None:
        pytest.skip("unshare (util-linux) is not installed")
    prefix = [program, "--user", "--map-root-user", "--mount", "--pid", "--fork"]
    if process.run([*prefix, "true"], check=False, cwd="/").returncode:
        pytest.skip("user namespaces cannot be made here")
    return [*prefix, "sh", "-c", f'{script}; exec "$@"', "sh"]


@pytest.mark.parametrize(
    "script",
    [
        "true",
        "mount -t proc proc /proc",
        "mount -t tmpfs none /proc && mount -t tmpfs none /sys",
        "mount -t tmpfs none /proc && mkdir -p /proc/self/ns /proc/cpuinfo /proc/meminfo && echo odd > /proc/self/cgroup",
        "mount -t tmpfs none /dev && mkdir -p /dev/kvm /dev/net/tun && touch /dev/vhost-net",
    ],
    ids=["plain", "own-proc", "no-proc-no-sys", "odd-proc", "odd-dev"],
)
def test_inside_other_namespaces_it_still_answers(script: str) -> None:
    checks, _ = answer_of(doctor(*unshared(script)))
    assert checks.keys() >= KEYS
    assert not [key for key in checks if key.startswith("group-")]
