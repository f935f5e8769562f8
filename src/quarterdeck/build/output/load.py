"""Loads an image into the engine of this host.

Docker's containerd image store takes an index with all its platforms; its older store and podman's take one platform under a name, so
there this host's platform gets the name and each other one the same with ``-ARCH`` at the end of its tag.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from quarterdeck.build.nodes.docker import DockerClient, docker_info
from quarterdeck.build.oci.layout import ImageSource, Layout
from quarterdeck.build.oci.merge import named_roots, single
from quarterdeck.build.oci.reference import Reference
from quarterdeck.build.oci.transfer import load_archive, load_docker, load_podman
from quarterdeck.build.oci.write_archive import write_archive
from quarterdeck.build.output.destination import Destination, Kind
from quarterdeck.build.platform import Platform
from quarterdeck.core import process
from quarterdeck.errors import HostError, QuarterdeckError

_SECONDS = 10.0
_CONTAINERD = "io.containerd.snapshotter"
"""What ``docker info`` calls the driver type of the containerd image store."""


async def engine_here() -> str:
    """Return what can keep an image on this host: ``docker``, ``podman``, or nothing."""
    if process.find("docker") is not None:
        try:
            await docker_info(DockerClient(), timeout=_SECONDS)
        except QuarterdeckError:
            pass
        else:
            return "docker"
    return "podman" if process.find("podman") is not None else ""


async def usual_place(names: Sequence[str]) -> Destination:
    """Return where an image goes that nobody said a place for: into the engine of this host, else into a file here."""
    if await engine_here():
        return Destination(Kind.ENGINE)
    name = Reference.parse(names[0]).path.rpartition("/")[2] if names else "image"
    return Destination(Kind.OCI_ARCHIVE, Path(f"{name}.oci.tar"))


async def keeper() -> str:
    """Return what keeps an image on this host.

    Raises:
        HostError: nothing does.
    """
    engine = await engine_here()
    if not engine:
        raise HostError("no-engine", "no engine is here that could keep the image", hint="write it to a file: --output type=oci,dest=FILE")
    return engine


async def load(source: ImageSource, platforms: Sequence[Platform], names: Sequence[str]) -> list[str]:
    """Load an image and return what it is called now, one line for each name.

    Raises:
        HostError: there is no engine here.
        TargetError: the engine refused it.
    """
    engine = await keeper()
    if engine == "docker" and len(platforms) > 1 and await _takes_indexes():
        await _load_index(source, names)
        return [f"loaded {name} into docker, for {', '.join(map(str, platforms))}" for name in names or (source.root.digest,)]
    called = names_by_platform(platforms, names)
    for platform in platforms:
        one = single(source, platform)
        if engine == "docker":
            await load_docker(one, called[platform])
        else:
            for name in called[platform] or ("",):
                await load_podman(one, name)
    return [
        f"loaded {name} into {engine}, for {platform}"
        for platform in platforms
        for name in called[platform] or (source.manifest(single(source, platform).root).config.digest,)
    ]


def names_by_platform(platforms: Sequence[Platform], names: Sequence[str]) -> dict[Platform, list[str]]:
    """Return what the image of each platform is called in a store that knows one platform for each name."""
    host = Platform.of_host()
    first = host if host in platforms else platforms[0]
    return {platform: [_called(name, platform, plain=platform == first) for name in names] for platform in platforms}


def _called(name: str, platform: Platform, *, plain: bool) -> str:
    reference = Reference.parse(name).with_default_tag()
    if plain:
        return str(reference)
    return str(Reference(reference.domain, reference.path, f"{reference.tag}-{platform.tag.removeprefix('linux-')}"))


async def _takes_indexes() -> bool:
    argv = DockerClient().argv("info", "--format={{json .DriverStatus}}")
    return _CONTAINERD in (await process.run_async(argv, timeout=_SECONDS)).text


async def _load_index(source: ImageSource, names: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="quarterdeck-load-") as work:
        archive = Path(work, "image.tar")
        write_archive(Layout(source.blobs, named_roots(source.root, names)), archive)
        await load_archive(DockerClient().argv("load", "--quiet", "--input", str(archive)), "Docker")
