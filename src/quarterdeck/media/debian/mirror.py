"""Where packages come from: the host's own Debian mirror where it has one."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.core.process import find, run_async
from quarterdeck.errors import HostError, MediaError, QuarterdeckError, UsageError

DEFAULT_MIRROR = "http://deb.debian.org/debian"
DEFAULT_SECURITY = "http://deb.debian.org/debian-security"
OVERRIDE = "QUARTERDECK_DEBIAN_MIRROR"
_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&'()*+,;=%\[\]-]+")
_FETCH_SECONDS = 60
_APT_HELPER = "/usr/lib/apt"
_KEPT_OPTIONS = ("Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::Check-Valid-Until", "Acquire::Check-Date", "Acquire::Retries")
"""What the host's administrator decided about reaching mirrors; apt.conf(5)."""


@dataclass(frozen=True)
class Mirror:
    """A Debian mirror: URLs of the archive and of the security archive (empty: none), and apt options as ``Name "value";`` lines."""

    main: str
    security: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Release:
    """What a suite's Release file says; not verified, so good for messages only: mmdebstrap verifies what is installed."""

    codename: str
    architectures: frozenset[str]


async def find_mirror() -> Mirror:
    """Return the mirror to use: ``$QUARTERDECK_DEBIAN_MIRROR``, else the host's own in its apt configuration, else deb.debian.org.

    Raises:
        UsageError: the variable holds no URL.
    """
    options = await _host_options()
    override = os.environ.get(OVERRIDE, "").rstrip("/")
    if override:
        if not _URL.fullmatch(override):
            raise UsageError("invalid-mirror", f"{OVERRIDE} is not a URL: '{override}'", hint=f"such as {DEFAULT_MIRROR}")
        return Mirror(override, _security_of(override), options)
    main = await _host_mirror()
    return Mirror(main, _security_of(main), options) if main else Mirror(DEFAULT_MIRROR, DEFAULT_SECURITY, options)


async def fetch_release(url: str, suite: str) -> Release | None:
    """Return what the archive at ``url`` says of ``suite``; None when it has no such suite.

    apt's own helper fetches it, so that proxies and certificates are those of the packages.

    Raises:
        MediaError: the mirror cannot be reached.
        HostError: apt is not installed.
    """
    helper = find("apt-helper", _APT_HELPER)
    if helper is None:
        raise HostError(
            "apt-missing", "apt is not installed", hint="Debian guests are made with apt and mmdebstrap: apt install mmdebstrap"
        )
    with tempfile.TemporaryDirectory(prefix="quarterdeck-") as folder:
        target = Path(folder, "Release")
        source = f"{url}/dists/{suite}/Release"
        # The helper drops its privileges to a user that could not write into our folder.
        done = await run_async(
            [helper, "-o", "APT::Sandbox::User=root", "download-file", source, target], timeout=_FETCH_SECONDS, check=False
        )
        if done.returncode == 0:
            return parse_release(await asyncio.to_thread(target.read_text, errors="replace"))
    output = (done.stderr + done.stdout).decode(errors="replace")
    if "404" in output:
        return None
    raise MediaError(
        "mirror-unreachable",
        f"the Debian mirror {url} cannot be reached",
        reason=_last_error(output),
        hint=f"check the network, or set {OVERRIDE} to another mirror",
    )


def parse_release(text: str) -> Release:
    """Return the fields of a Release file that matter; format: https://wiki.debian.org/DebianRepository/Format."""
    fields = dict(re.findall(r"^([A-Za-z-]+): *(.*?) *$", text, re.MULTILINE))
    return Release(fields.get("Codename", ""), frozenset(fields.get("Architectures", "").split()))


def parse_index_targets(text: str) -> str:
    """Return the first Debian archive among lines of ``URI|Origin|Label``, or an empty text.

    Origin is known only where apt has fetched its lists; else the usual path of the archive must do.
    """
    for line in text.splitlines():
        uri, origin, label = [*line.split("|"), "", ""][:3]
        uri = uri.rstrip("/")
        debian = (origin, label) == ("Debian", "Debian") or (not origin and uri.endswith("/debian"))
        if debian and _URL.fullmatch(uri):
            return uri
    return ""


def parse_options(text: str) -> tuple[str, ...]:
    """Return the lines of ``apt-config dump`` that the guest's installation should follow too."""
    wanted = re.compile(rf'(?:{"|".join(_KEPT_OPTIONS)})(?:::[^ ]+)? "[^"]+";')
    return tuple(line.strip() for line in text.splitlines() if wanted.fullmatch(line.strip()))


def _security_of(main: str) -> str:
    """Mirrors carry the security archive next to the main one, if they carry it."""
    return f"{main}-security" if main.endswith("/debian") else ""


async def _host_mirror() -> str:
    return parse_index_targets(await _output(["apt-get", "indextargets", "--format", "$(REPO_URI)|$(ORIGIN)|$(LABEL)"]))


async def _host_options() -> tuple[str, ...]:
    return parse_options(await _output(["apt-config", "dump"]))


async def _output(argv: list[str]) -> str:
    """A host without apt, or with a broken configuration of it, has no wishes."""
    try:
        done = await run_async(argv, timeout=30, check=False)
    except QuarterdeckError:
        return ""
    return done.text if done.returncode == 0 else ""


def _last_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("E:", "Err:"))]
    return (errors or lines or [""])[-1].removeprefix("E: ")
