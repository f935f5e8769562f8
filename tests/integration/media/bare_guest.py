"""A guest started by a plain QEMU command line, written by hand, so that images are tested without the rest of Quarterdeck."""

import base64
import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quarterdeck.media.store import StoredImage

UEFI = {
    "x86_64": ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    "aarch64": ("/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"),
}
MACHINES = {
    "x86_64": ["qemu-system-x86_64", "-machine", "q35", "-cpu", "max", "-device", "virtio-vga"],
    "aarch64": ["qemu-system-aarch64", "-machine", "virt", "-cpu", "max,pauth-impdef=on", "-device", "virtio-gpu-pci"],
}


class BareGuest:
    """A running guest; times are seconds since QEMU was started."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.folder = folder
        self.process = process
        self.started = time.monotonic()

    def wait_for_agent(self, timeout: float = 400) -> float:
        """Wait until the guest agent answers a ping; return when that was."""
        self._wait(lambda: "return" in self.ask("guest-ping", timeout=2), timeout)
        return time.monotonic() - self.started

    def wait_for_serial(self, words: str, timeout: float = 400) -> str:
        """Wait until the serial console has shown ``words``; return all that it showed."""
        self._wait(lambda: words in self.serial(), timeout)
        return self.serial()

    def serial(self) -> str:
        """Return what the serial console has shown."""
        return (self.folder / "serial.log").read_text(errors="replace")

    def shell(self, line: str) -> str:
        """Run a line in the guest's shell as root and return its output."""
        started = self.ask("guest-exec", path="/bin/sh", arg=["-c", line], **{"capture-output": True})
        while True:
            status = self.ask("guest-exec-status", pid=started["return"]["pid"])["return"]
            if status["exited"]:
                return base64.b64decode(status.get("out-data", "")).decode()
            time.sleep(0.2)

    def ask(self, command: str, *, timeout: float = 60, **arguments: Any) -> dict[str, Any]:
        """Send one command to the guest agent; an empty answer means that it is silent."""
        with socket.socket(socket.AF_UNIX) as channel, contextlib.suppress(OSError, ValueError):
            channel.settimeout(timeout)
            channel.connect(str(self.folder / "agent.sock"))
            # Pings from before the agent was up are answered late; the number tells where our answers begin.
            number = time.monotonic_ns() & 0xFFFFFFFF
            lines = channel.makefile("rwb")
            self._send(lines, "guest-sync", id=number)
            while json.loads(lines.readline()).get("return") != number:
                pass
            self._send(lines, command, **arguments)
            parsed: dict[str, Any] = json.loads(lines.readline())
            return parsed
        return {}

    def _send(self, lines: Any, command: str, **arguments: Any) -> None:
        lines.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        lines.flush()

    def _wait(self, condition: Any, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            assert self.process.poll() is None, (self.folder / "qemu.log").read_text()
            assert time.monotonic() < deadline, self.serial()[-3000:]
            time.sleep(0.1)


@contextlib.contextmanager
def boot(folder: Path, arch: str, *, disk: Path, seed: Path, image: StoredImage | None = None) -> Iterator[BareGuest]:
    """Boot ``disk`` under UEFI, or by the kernel beside ``image`` when it is given; the guest is killed at the end."""
    argv = [*MACHINES[arch], *_common(folder, disk, seed), *(_uefi(folder, arch) if image is None else _kernel(image, arch))]
    with (folder / "qemu.log").open("wb") as log:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield BareGuest(folder, process)
    finally:
        process.kill()
        process.wait()


def _common(folder: Path, disk: Path, seed: Path) -> list[str]:
    return [
        *("-accel", "tcg", "-smp", "1", "-m", "1024", "-nodefaults", "-display", "none"),
        *("-serial", f"file:{folder}/serial.log"),
        *("-drive", f"if=none,id=disk,format=qcow2,cache=unsafe,file={disk}", "-device", "virtio-blk-pci,drive=disk"),
        *("-drive", f"if=none,id=seed,format=raw,readonly=on,file={seed}", "-device", "virtio-scsi-pci", "-device", "scsi-cd,drive=seed"),
        *("-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net", "-device", "virtio-rng-pci"),
        *("-chardev", f"socket,id=agent,path={folder}/agent.sock,server=on,wait=off", "-device", "virtio-serial-pci"),
        *("-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"),
    ]


def _uefi(folder: Path, arch: str) -> list[str]:
    code, template = UEFI[arch]
    variables = shutil.copy(template, folder / "variables.fd")
    return [
        *("-drive", f"if=pflash,format=raw,readonly=on,file={code}"),
        *("-drive", f"if=pflash,format=raw,file={variables}"),
    ]


def _kernel(image: StoredImage, arch: str) -> list[str]:
    manifest = image.manifest
    console = "ttyS0" if arch == "x86_64" else "ttyAMA0"
    return [
        *("-kernel", str(image.folder / manifest.kernel), "-initrd", str(image.folder / manifest.initrd)),
        *("-append", f"{manifest.cmdline} console=tty0 console={console}"),
    ]
