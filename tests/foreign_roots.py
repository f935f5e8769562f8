"""Roots of foreign Debian systems: packages unpacked and nothing run, kept as tar archives with the guests of :mod:`tests.guests`."""

from __future__ import annotations

import asyncio
import tarfile
from pathlib import Path

from tests.guests import shared_home

from quarterdeck.core import process
from quarterdeck.core.arch import find_arch
from quarterdeck.core.fs import locked
from quarterdeck.errors import MediaError
from quarterdeck.media.debian.mirror import find_mirror

PACKAGES = "dpkg,sudo,dash,coreutils,libpam-modules,base-files,base-passwd"
# Mirrors that are being renewed have index files that do not fit; then the suite to come does, however old it is here.
SUITES = ("trixie", "forky")


def unpacked_root(arch: str, *, name: str = "unpacked", packages: str = PACKAGES) -> Path:
    """Return the archive of a root for ``arch`` with these packages and what they need: dpkg, sudo, a shell and coreutils.

    Raises:
        MediaError: the mirror has no usable one.
    """
    debian = find_arch(arch).debian
    archive = shared_home() / "roots" / f"{name}-{debian}-1.tar"
    archive.parent.mkdir(exist_ok=True)
    with locked(archive.with_suffix(".lock")):
        problems = [] if archive.exists() else [problem for suite in SUITES if (problem := _unpack(debian, suite, archive, packages))]
    if not archive.exists():
        raise MediaError("no-root", f"the Debian mirror has no usable {debian}", reason="; ".join(problems))
    return archive


def _unpack(debian: str, suite: str, archive: Path, packages: str) -> str:
    """Make the tar if it is not there; return why it cannot be made."""
    if archive.exists():
        return ""
    part = archive.with_suffix(".part.tar")
    options = ["--mode=root", "--variant=extract", f"--architectures={debian}", f"--include={packages}"]
    apt = ['--aptopt=Acquire::Check-Valid-Until "false";', '--aptopt=APT::Install-Recommends "false";']
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    mirror = asyncio.run(find_mirror())
    apt += [f"--aptopt={option}" for option in mirror.options]
    source = f"deb [signed-by={keyring}] {mirror.main} {suite} main"
    done = process.run(["mmdebstrap", *options, *apt, suite, part, source], check=False, timeout=300)
    if done.returncode:
        return f"{suite}: " + next(line for line in done.stderr.decode().splitlines() if line.startswith("E: "))
    part.rename(archive)
    return ""


def busybox(arch: str) -> bytes:
    """Return busybox for ``arch``: a static program that is a whole system."""
    with tarfile.open(unpacked_root(arch, name="busybox", packages="busybox-static")) as root:
        found = next(member for member in root if member.isfile() and Path(member.name).name == "busybox")
        content = root.extractfile(found)
        assert content is not None
        return content.read()
