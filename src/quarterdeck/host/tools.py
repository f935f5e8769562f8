"""Finds the helper programs that machines and images need."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.core import process

_QEMU_FOLDERS = ("/usr/libexec", "/usr/lib/qemu")
"""Debian 13 has a link from the second, where the virtiofsd in C was, to the one in Rust in the first: its own name tells which it is."""


@dataclass(frozen=True)
class Tool:
    """A helper: its program's name, the Debian package that has it, what it is for, and whether a plain ``qd run`` needs it.

    ``package_debian12`` is the package's name in Debian 12, where it differs.
    """

    name: str
    package: str
    purpose: str
    needed: bool = False
    package_debian12: str = ""


TOOLS: tuple[Tool, ...] = (
    Tool("qemu-img", "qemu-utils", "disk images", needed=True),
    Tool("passt", "passt", "user networking with IPv6 and better speed"),
    Tool("swtpm", "swtpm", "TPM"),
    Tool("swtpm_setup", "swtpm-tools", "TPM with certificates"),
    Tool("virtiofsd", "virtiofsd", "shared folders", package_debian12="qemu-system-common"),
    Tool("qemu-bridge-helper", "qemu-system-common", "bridges as an ordinary user"),
    Tool("gpgv", "gpgv", "signatures of downloads"),
    Tool("bsdtar", "libarchive-tools", "images in 7z and rar archives"),
    Tool("openssl", "openssl", "passwords of guests with Ignition"),
    Tool("mmdebstrap", "mmdebstrap", "Debian guests"),
    Tool("mke2fs", "e2fsprogs", "Debian guests"),
    Tool("sfdisk", "fdisk", "Debian guests"),
    Tool("mformat", "mtools", "Debian guests"),
    Tool("mcopy", "mtools", "Debian guests"),
    Tool("ssh-keygen", "openssh-client", "SSH keys"),
    Tool("ip", "iproute2", "tap devices"),
    Tool("nft", "nftables", "networks of our own"),
    Tool("dnsmasq", "dnsmasq-base", "networks of our own"),
)


def find_tool(name: str) -> str | None:
    """Return the absolute path of helper ``name``, looked for in PATH and where QEMU's helpers are installed, or None."""
    return process.find(name, *_QEMU_FOLDERS)


def find_tools() -> tuple[tuple[str, str], ...]:
    """Return name and absolute path of every helper that is installed."""
    found = ((tool.name, find_tool(tool.name)) for tool in TOOLS)
    return tuple((name, path) for name, path in found if path is not None)
