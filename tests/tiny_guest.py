"""A guest that boots in seconds under emulation: Debian's cloud kernel, busybox, and a disk that SeaBIOS starts.

The guest proves what it does on its serial console. It prints READY, then obeys one command a line:
``echo WORDS``, ``poweroff``, ``reboot``, ``panic``, ``ignore-power``, ``agent-off``, ``fill MEBIBYTES``, ``size``, ``where``,
``sh LINE``, whose answer ends with ``> ended``, and ``count``: from then on it writes growing numbers, each to a place of its own on vdb
and then to the same place on vdc.
Each answer is a line that begins with ``> ``. Lines typed on the screen come back as ``> keyboard: LINE``.
It speaks enough of the guest agent's protocol to be found ready and to be shut down.

Packages are downloaded with apt-get, never installed; everything is cached by version.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import lzma
import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

READY = "tiny guest is ready"
SCREEN_TEXT = "QUARTERDECK TINY GUEST"

_PACKAGES = ("syslinux", "syslinux-common", "busybox-static")
_MODULES = (
    "virtio_pci", "virtio_blk", "virtio_net", "virtio_console", "pvpanic-pci", "pvpanic-mmio", "button", "evdev",
    "af_packet", "virtio_balloon", "9p", "9pnet_virtio", "virtiofs",
)  # fmt: skip
_SOURCE = Path(__file__).read_text()
"""Read together with the code: the file may be edited while tests run, and the key must be that of what is built."""
_START = 1 << 20
_SIZE = 48 << 20

_SYSLINUX = """\
DEFAULT tiny
LABEL tiny
  LINUX vmlinuz
  INITRD initrd
  APPEND console=tty0 console=ttyS0,115200 quiet loglevel=4 panic=0 rdinit=/init mitigations=off no_timer_check
"""

_INIT = r"""#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
for module in $(cat /modules/order); do insmod "/modules/$module"; done
hostname tiny
ip link set lo up
say() { printf '> %s\n' "$*" > /dev/ttyS0; }

watch_power() {
    for file in /sys/class/input/event*/device/name; do
        grep -q 'Power Button' "$file" || continue
        event=${file%/device/name}
        dd if="/dev/input/${event##*/}" of=/dev/null bs=24 count=1 2>/dev/null
        say "power button"
        [ -e /ignore-power ] || poweroff -f
    done
}

answer() {
    case "$1" in
    *guest-sync-delimited*) id=${1##*\"id\":}; id=${id%%\}*}; printf '\377{"return": %s}\n' "$id" ;;
    *guest-ping*) echo '{"return": {}}' ;;
    *guest-get-host-name*) echo '{"return": {"host-name": "tiny"}}' ;;
    *guest-get-osinfo*) printf '{"return": {"pretty-name": "Tiny guest", "id": "tiny", "kernel-release": "%s"}}\n' "$(uname -r)" ;;
    *guest-get-time*) printf '{"return": %s000000000}\n' "$(date +%s)" ;;
    *guest-set-time*) time=${1##*\"time\":}; time=$(echo ${time%%\}*}); date -s "@${time%?????????}" > /dev/null; echo '{"return": {}}' ;;
    *guest-fsfreeze-freeze*) touch /frozen; while [ -e /writing ]; do sleep 0.02; done; say "frozen"; echo '{"return": 1}' ;;
    *guest-fsfreeze-thaw*) rm -f /frozen; say "thawed"; echo '{"return": 1}' ;;
    *guest-shutdown*) say "agent shutdown"; [ -e /ignore-power ] || { sleep 0.2; poweroff -f; } ;;
    *) echo '{"error": {"class": "CommandNotFound", "desc": "the tiny guest does not know this"}}' ;;
    esac
}

agent() {
    for name in /sys/class/virtio-ports/*/name; do
        [ "$(cat "$name")" = org.qemu.guest_agent.0 ] || continue
        port=${name%/name}
        exec 3<>"/dev/${port##*/}"
        while [ ! -e /agent-off ]; do
            while read -r line <&3; do
                [ -e /agent-off ] && return
                answer "$line" >&3
            done
            sleep 0.1
        done
    done
}

fill() {
    if dd if=/dev/urandom of=/dev/vdb bs=1M count="$1" conv=fsync 2>/tmp/fill; then say "filled $1"; else say "fill failed"; fi
}

# Whatever moment a copy of both disks is of: the last number of vdb is that of vdc or one more, and the 15 before it are there.
count() {
    n=0
    while :; do
        while [ -e /frozen ]; do sleep 0.05; done
        n=$((n + 1))
        touch /writing
        for disk in vdb vdc; do
            printf '%-512s' "$n" | dd of=/dev/$disk bs=512 seek=$((n % 16 * 256)) conv=notrunc,fsync 2>/dev/null
        done
        rm -f /writing
        echo $n > /n.new; mv /n.new /n
    done
}

keyboard() { while read -r line; do say "keyboard: $line"; done < /dev/tty0; }

command() {
    case "$1" in
    echo) shift; say "$*" ;;
    poweroff) say "bye"; poweroff -f ;;
    reboot) reboot -f ;;
    panic) echo c > /proc/sysrq-trigger ;;
    ignore-power) touch /ignore-power; say "ignoring" ;;
    agent-off) touch /agent-off; say "agent off" ;;
    fill) fill "$2" & ;;
    count) echo 0 > /n; count & say "counting" ;;
    where) say "at $(cat /n)" ;;
    size) say "vdb has $(cat /sys/block/vdb/size)" ;;
    sh) shift; sh -c "$*" 2>&1 | while read -r word; do say "$word"; done; say "ended" ;;
    "") ;;
    *) say "unknown: $*" ;;
    esac
}

mkdir -p /tmp
while :; do watch_power || sleep 1; [ -e /sys/class/input ] || break; done &
agent &
keyboard &
stty -F /dev/ttyS0 -echo
printf '\033[2J\033[H%s\n' "@SCREEN@" > /dev/tty0
printf '%s\n' "@READY@" > /dev/ttyS0
while :; do
    while read -r line; do command ${line%$'\r'}; done < /dev/ttyS0
    sleep 0.1
done
"""

_LEASED = """\
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface"
ip route add default via "$router"
for server in $dns; do echo "nameserver $server"; done > /etc/resolv.conf
[ -z "$mtu" ] || ip link set "$interface" mtu "$mtu"
"""
"""What udhcpc calls: ``sh udhcpc -q -n -s /bin/leased`` gives eth0 its address."""


def tiny_image() -> Path:
    """Return the disk image of the tiny guest, made at the first call and cached."""
    cache = _cache()
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / "lock"):
        packages = (*_PACKAGES, _kernel_package())
        target = cache / f"tiny-{_key(packages)}.raw"
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                os.replace(_build(Path(folder), packages), target)
        return target


def _cache() -> Path:
    override = os.environ.get("QUARTERDECK_TEST_CACHE")
    return Path(override) if override else Path.home() / ".cache" / "quarterdeck-tests"


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(*words: str | Path, cwd: Path | None = None) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True, cwd=cwd).stdout


def _kernel_package() -> str:
    depends = _run("apt-cache", "depends", "linux-image-cloud-amd64")
    return str(re.findall(r"Depends: (linux-image-\S+)", depends)[0])


def _key(packages: tuple[str, ...]) -> str:
    versions = _run("apt-cache", "show", "--no-all-versions", *packages)
    wanted = re.findall(r"^(?:Package|Version): .*$", versions, re.MULTILINE)
    return hashlib.sha256("\n".join([*wanted, _SOURCE]).encode()).hexdigest()[:16]


def _build(folder: Path, packages: tuple[str, ...]) -> Path:
    root = folder / "root"
    _run("apt-get", "download", "-q", *packages, cwd=folder)
    for package in folder.glob("*.deb"):
        _run("dpkg-deb", "-x", package, root)
    initrd = folder / "initrd"
    initrd.write_bytes(_initramfs(root))
    (folder / "syslinux.cfg").write_text(_SYSLINUX)
    shutil.copy(next((root / "boot").glob("vmlinuz-*")), folder / "vmlinuz")
    return _disk(folder, root)


def _disk(folder: Path, root: Path) -> Path:
    """Make an MBR disk with one FAT partition that syslinux starts."""
    disk = folder / "disk.raw"
    with disk.open("wb") as file:
        file.truncate(_SIZE)
    sectors, hidden = (_SIZE - _START) // 512, _START // 512
    where = f"{disk}@@{_START}"
    _run("mformat", "-i", where, "-T", str(sectors), "-h", "64", "-s", "32", "-H", str(hidden), "-v", "TINY", "::")
    _run("mcopy", "-i", where, folder / "vmlinuz", folder / "initrd", folder / "syslinux.cfg", "::")
    _run(next(root.glob("usr/bin/syslinux")), "--offset", str(_START), "--install", disk)
    code = next(root.rglob("mbr.bin")).read_bytes()
    entry = bytes([0x80, 0, 2, 0, 0x0E, 0xFF, 0xFF, 0xFF]) + hidden.to_bytes(4, "little") + sectors.to_bytes(4, "little")
    with disk.open("r+b") as file:
        file.write(code[:440].ljust(446, b"\0") + entry.ljust(64, b"\0") + b"\x55\xaa")
    return disk


def _initramfs(root: Path) -> bytes:
    archive = _Cpio()
    for name in ("bin", "dev", "etc", "proc", "sys", "modules", "tmp"):
        archive.add(name, stat.S_IFDIR | 0o755)
    archive.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    archive.add("bin/busybox", stat.S_IFREG | 0o755, next(root.rglob("bin/busybox")).read_bytes())
    archive.add("bin/leased", stat.S_IFREG | 0o755, _LEASED.encode())
    archive.add("init", stat.S_IFREG | 0o755, _INIT.replace("@READY@", READY).replace("@SCREEN@", SCREEN_TEXT).encode())
    modules = _modules(root)
    archive.add("modules/order", stat.S_IFREG | 0o644, "\n".join(modules).encode())
    for name, content in modules.items():
        archive.add(f"modules/{name}", stat.S_IFREG | 0o644, content)
    return archive.finish()


def _modules(root: Path) -> dict[str, bytes]:
    """Return the wanted kernel modules and what they depend on, in the order in which they must be loaded."""
    files = {path.name.partition(".ko")[0].replace("-", "_"): path for path in root.rglob("*.ko*")}
    ordered: dict[str, bytes] = {}

    def add(name: str) -> None:
        key = name.replace("-", "_")
        if f"{key}.ko" in ordered or key not in files:
            return  # built into the kernel
        content = files[key].read_bytes()
        content = lzma.decompress(content) if files[key].suffix == ".xz" else content
        found = re.search(rb"\0depends=([^\0]*)\0", content)
        for needed in filter(None, (found.group(1) if found else b"").decode().split(",")):
            add(needed)
        ordered[f"{key}.ko"] = content

    for module in _MODULES:
        add(module)
    return ordered


class _Cpio:
    """Writes the newc format, Linux Documentation/driver-api/early-userspace/buffer-format.rst."""

    def __init__(self) -> None:
        self._out = io.BytesIO()
        self._number = 0

    def add(self, name: str, mode: int, content: bytes = b"", *, device: tuple[int, int] = (0, 0)) -> None:
        self._number += 1
        fields = (self._number, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name) + 1, 0)
        self._out.write(b"070701" + "".join(f"{field:08x}" for field in fields).encode() + name.encode() + b"\0")
        self._pad()
        self._out.write(content)
        self._pad()

    def finish(self) -> bytes:
        self.add("TRAILER!!!", 0)
        return self._out.getvalue()

    def _pad(self) -> None:
        self._out.write(b"\0" * (-self._out.tell() % 4))
