import contextlib
import os
import pwd
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.guests import stored_debian
from tests.host_binfmt import host_binfmt
from tests.integration.media.bare_guest import boot

from quarterdeck.core.arch import host_arch
from quarterdeck.host.binfmt_misc import FOLDER as BINFMT
from quarterdeck.media import disk
from quarterdeck.media.seed import write_seed
from quarterdeck.media.store import StoredImage
from quarterdeck.provision.cloud_init import FirstBoot, FirstBootFile

# A build takes a minute and a boot half of one on an idle host of two cores; a busy one takes several times as long.
pytestmark = [pytest.mark.boot, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[3]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZvb2Jhcmhhc2hmb29iYXJoYXNoZm9vYmFyaGFzaGZv me@example"
FIRST_BOOT = FirstBoot(
    hostname="box",
    user="debian",
    instance_id="i-1",
    password='pass: "wörd"',
    ssh_keys=(KEY,),
    files=(FirstBootFile(path="/etc/motd", content="no\n"),),
    commands=("echo COMMANDS ARE DONE > /dev/console", ("touch", "/root/a b")),
)


@pytest.fixture(scope="module")
def debian() -> StoredImage:
    return stored_debian("x86_64")


@pytest.fixture(scope="module")
def foreign() -> StoredImage:
    """Debian for aarch64; the emulator is registered only while it is made, and binfmt_misc is left as it was found."""
    if host_arch().name == "aarch64":
        pytest.skip("aarch64 is not foreign here")
    if os.geteuid() != 0:
        pytest.skip("only root can register an emulator")
    rule = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")
    if not rule.exists():
        pytest.skip("qemu-user-static is not installed")
    with contextlib.ExitStack() as undo:
        if not (BINFMT / "status").exists():
            run("mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT)
            undo.callback(run, "umount", BINFMT)
        entry = BINFMT / "qemu-aarch64"
        if not entry.exists():
            undo.enter_context(host_binfmt())
            (BINFMT / "register").write_text(rule.read_text().strip())
            undo.callback(entry.write_text, "-1")
        return stored_debian("aarch64")


async def machine(folder: Path, image: StoredImage) -> tuple[Path, Path]:
    overlay, seed = folder / "disk.qcow2", folder / "seed.iso"
    await disk.create_overlay(overlay, image.disk, "qcow2", size=20 << 30)
    write_seed(seed, FIRST_BOOT)
    return overlay, seed


async def test_the_image_boots_under_uefi_and_obeys_its_seed(tmp_path, debian):
    overlay, seed = await machine(tmp_path, debian)
    with boot(tmp_path, "x86_64", disk=overlay, seed=seed) as guest:
        print(f"agent answers after {guest.wait_for_agent():.1f} s (UEFI)")
        guest.wait_for_serial("COMMANDS ARE DONE")
        guest.wait_for_serial("box login:")
        assert "(sudo)" in guest.shell("id debian")
        assert guest.shell("passwd --status debian").split()[1] == "P"
        assert guest.shell("sudo -u debian sudo -n id -u") == "0\n"
        assert KEY in guest.shell("cat /home/debian/.ssh/authorized_keys")
        assert guest.shell("cat /etc/motd; ls /root; hostname") == "no\na b\nbox\n"
        assert int(guest.shell("df --output=size -B1G / | tail -1")) >= 19
        assert guest.shell("systemctl --failed --no-legend") == ""
        assert "done" in guest.shell("cloud-init status --wait")
        assert re.fullmatch(r"[0-9a-f]{32}\n", guest.shell("cat /etc/machine-id"))
        assert "ed25519" in guest.shell("ls /etc/ssh/ssh_host_*")
        assert guest.shell("getent hosts box")
        # A later kernel must find its place: the boot partition is known, and so is the entry's name.
        assert guest.shell("bootctl is-installed").strip() == "yes"
        assert re.fullmatch(r"debian-\S+\.conf\n", guest.shell("ls /boot/efi/loader/entries"))


async def test_the_image_boots_by_its_kernel_alone(tmp_path, debian):
    overlay, seed = await machine(tmp_path, debian)
    with boot(tmp_path, "x86_64", disk=overlay, seed=seed, image=debian) as guest:
        print(f"agent answers after {guest.wait_for_agent():.1f} s (kernel)")
        guest.wait_for_serial("box login:")


async def test_a_foreign_architecture_is_made_with_native_twins_and_boots(tmp_path, foreign):
    raw = tmp_path / "disk.raw"
    run("qemu-img", "convert", "-O", "raw", foreign.disk, raw)
    assert "twins" not in read(raw, "/var/lib/dpkg/diversions") + debugfs(raw, "ls -p /usr/lib")
    assert "quarterdeck" not in read(raw, "/var/lib/dpkg/diversions") + debugfs(raw, "ls -p /usr/bin")
    assert "x86_64-linux-gnu" not in debugfs(raw, "ls -p /usr/lib")
    raw.unlink()
    overlay, seed = await machine(tmp_path, foreign)
    with boot(tmp_path, "aarch64", disk=overlay, seed=seed) as guest:
        print(f"agent answers after {guest.wait_for_agent():.1f} s (aarch64, UEFI)")
        guest.wait_for_serial("COMMANDS ARE DONE")
        guest.wait_for_serial("box login:")
        assert guest.shell("uname -m; /usr/bin/perl -e 'print 6 * 7'; dpkg --audit") == "aarch64\n42"


def test_the_shared_image_holds_no_identity_and_no_secret(tmp_path, debian):
    raw = tmp_path / "disk.raw"
    run("qemu-img", "convert", "-O", "raw", debian.disk, raw)
    assert read(raw, "/etc/machine-id") == ""
    assert "ssh_host" not in debugfs(raw, "ls -p /etc/ssh")
    passwords = [line.split(":")[1] for line in read(raw, "/etc/shadow").splitlines()]
    assert set(passwords) <= {"*", "!", "!*"}
    assert "debian:" not in read(raw, "/etc/passwd")


def test_an_ordinary_user_makes_the_same_image_in_a_user_namespace(tmp_path, ordinary_user):
    home = Path(ordinary_user.home)
    script = "import asyncio\nfrom quarterdeck.core.arch import host_arch\nfrom quarterdeck.core.report import silent\n"
    script += "from quarterdeck.media.debian.bootstrap import debian_image\n"
    script += "print(asyncio.run(debian_image(None, host_arch(), report=silent)).disk)\n"
    done = ordinary_user.run(["/usr/bin/python3", "-c", script])
    assert done.returncode == 0, done.stderr
    image = Path(done.stdout.strip())
    assert image.is_relative_to(home)
    raw = tmp_path / "disk.raw"
    run("qemu-img", "convert", "-O", "raw", image, raw)
    assert re.search(r"User:\s+0\s+Group:\s+0\s", debugfs(raw, "stat /etc/passwd"))
    assert re.search(r"User:\s+0\s+Group:\s+42\s", debugfs(raw, "stat /etc/shadow"))
    assert not list(Path("/var/tmp").glob(f"quarterdeck-{ordinary_user.uid}-*"))


def run(*words: str | Path) -> None:
    subprocess.run(words, check=True)


def debugfs(raw: Path, request: str) -> str:
    table = subprocess.run(["sfdisk", "--json", raw], check=True, capture_output=True, text=True).stdout
    start = max(int(number) for number in re.findall(r'"start": (\d+)', table)) * 512
    return subprocess.run(["debugfs", "-R", request, f"{raw}?offset={start}"], check=True, capture_output=True, text=True).stdout


def read(raw: Path, path: str) -> str:
    return debugfs(raw, f"cat {path}")


class OrdinaryUser:
    """A user of this host with subordinate ids, who runs the code of this checkout with Debian's Python."""

    def __init__(self, name: str, home: str) -> None:
        self.name = name
        self.home = home
        entry = pwd.getpwnam(name)
        self.uid, self.gid = entry.pw_uid, entry.pw_gid

    def run(self, argv: list[str]) -> subprocess.CompletedProcess[str]:
        packages = sysconfig.get_path("purelib")
        words = {
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": self.home,
            "PYTHONPATH": f"{ROOT / 'src'}:{packages}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return subprocess.run(argv, user=self.name, group=self.gid, extra_groups=[], env=words, cwd="/", capture_output=True, text=True)


@pytest.fixture
def ordinary_user() -> Iterator[OrdinaryUser]:
    if os.geteuid() != 0:
        pytest.skip("only root can make a user for the test")
    if shutil.which("newuidmap") is None:
        pytest.skip("uidmap is not installed")
    if not os.stat(ROOT).st_mode & 1 or sys.version_info[:2] != (3, 11):
        pytest.skip("the checkout is closed to other users, or its Python is not /usr/bin/python3's")
    name = f"qdtest{os.getpid()}"
    subprocess.run(["useradd", "--create-home", "--add-subids-for-system", "--system", "--user-group", name], check=True)
    try:
        yield OrdinaryUser(name, f"/home/{name}")
    finally:
        subprocess.run(["userdel", "--remove", name], check=True, capture_output=True)
