#!/usr/bin/env python3
"""Make a small Debian root as an image archive that docker, podman and buildah load: a base where no registry answers.

Run it as ``.venv/bin/python scripts/debian_root.py ARCH ARCHIVE``. The packages come from the host's Debian mirror.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
import json
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.core.arch import Arch, find_arch
from quarterdeck.core.process import run
from quarterdeck.errors import QuarterdeckError, UsageError
from quarterdeck.media.debian import suites
from quarterdeck.media.debian.emulator import check_emulator
from quarterdeck.media.debian.guest_files import KEYRING
from quarterdeck.media.debian.mirror import Mirror, find_mirror
from quarterdeck.media.debian.privilege import Privilege, find_privilege

_SECONDS = 1800.0
_EPOCH = "1970-01-01T00:00:00Z"
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# As Debian's own slim images: whoever wants documents does not look for them in a base image.
_LEFT_OUT = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/doc/*")
_KEPT = "/usr/share/doc/*/copyright"
_CLEAN = 'cd "$1" && rm -rf var/lib/apt/lists/* var/cache/apt/*.bin var/log/*.log var/log/apt var/cache/debconf/*-old var/lib/dpkg/*-old'


@dataclass(frozen=True)
class Root:
    """What is to be made: Debian suite by codename, architecture, packages beside the essential ones and apt, image name."""

    suite: str
    arch: Arch
    packages: tuple[str, ...]
    name: str


def command(root: Root, mirror: Mirror, privilege: Privilege) -> list[str]:
    """Return mmdebstrap's argument list but for the target and the sources, which follow it."""
    return [
        "mmdebstrap",
        f"--mode={privilege.mode}",
        "--variant=apt",
        "--format=tar",
        f"--architectures={root.arch.debian}",
        *([f"--include={','.join(root.packages)}"] if root.packages else []),
        '--aptopt=APT::Install-Recommends "false";',
        '--aptopt=Acquire::Languages "none";',
        *(f"--aptopt={option}" for option in mirror.options),
        "--dpkgopt=force-unsafe-io",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT),
        f"--dpkgopt=path-include={_KEPT}",
        f"--customize-hook={_CLEAN}",
        root.suite,
    ]


def sources(suite: str, mirror: Mirror) -> list[str]:
    """Return one-line sources, sources.list(5)."""
    lines = [f"deb [signed-by={KEYRING}] {mirror.main} {suite} main"]
    if mirror.security and suite != "sid":
        lines.append(f"deb [signed-by={KEYRING}] {mirror.security} {suite}-security main")
    return lines


def image_config(root: Root, layer: str) -> dict[str, Any]:
    """Return the image's configuration; format: config.md of the OCI image specification 1.0. ``layer`` is the digest of its tar."""
    system, architecture, *variant = root.arch.oci.split("/")
    return {
        "created": _EPOCH,
        "architecture": architecture,
        "os": system,
        **({"variant": variant[0]} if variant else {}),
        "config": {"Env": [_PATH], "Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}"]},
        "history": [{"created": _EPOCH, "created_by": f"mmdebstrap {root.suite}"}],
    }


def write_archive(root: Root, layer: Path, target: Path) -> None:
    """Write the tar ``layer`` as an archive of one image, as ``docker save`` of Docker 1.10 and later does."""
    with layer.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    config = json.dumps(image_config(root, digest)).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": config_name, "RepoTags": [root.name], "Layers": [f"{digest}/layer.tar"]}]
    with tarfile.open(target, "w") as archive:
        _add(archive, config_name, config)
        archive.add(layer, f"{digest}/layer.tar")
        _add(archive, "manifest.json", json.dumps(manifest).encode())


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    member.mode = 0o644
    archive.addfile(member, io.BytesIO(content))


def make(root: Root, target: Path) -> None:
    """Make the archive; it appears whole or not at all.

    Raises:
        QuarterdeckError: a tool, an emulator or the mirror is missing, or mmdebstrap failed.
    """
    if not root.arch.debian or not root.arch.oci:
        raise UsageError("no-debian", f"there is no Debian image for {root.arch.name}")
    check_emulator(root.arch)
    mirror, privilege = asyncio.run(_surroundings())
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
        Path(folder).chmod(0o755)
        layer, archive = Path(folder, "layer.tar"), Path(folder, "image.tar")
        # Through standard output: as an ordinary user mmdebstrap is somebody else, who may not write into our folders.
        done = run([*command(root, mirror, privilege), "-", *sources(root.suite, mirror)], timeout=_SECONDS)
        layer.write_bytes(done.stdout)
        write_archive(root, layer, archive)
        archive.replace(target)


async def _surroundings() -> tuple[Mirror, Privilege]:
    return await find_mirror(), await find_privilege()


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arch", help="architecture, by any of its names")
    parser.add_argument("archive", type=Path, help="where to write the archive")
    parser.add_argument("--suite", default="stable", help="Debian suite; default: %(default)s")
    parser.add_argument("--include", default="", help="further packages, separated by commas")
    parser.add_argument("--name", default="", help="name of the image; default: localhost/debian:SUITE-slim")
    words = parser.parse_args()
    try:
        suite = suites.find_suite(words.suite)
        name = words.name or f"localhost/debian:{suite}-slim"
        make(Root(suite, find_arch(words.arch), tuple(filter(None, words.include.split(","))), name), words.archive)
    except QuarterdeckError as error:
        print("\n".join(filter(None, (error.message, error.reason, error.hint))), file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
