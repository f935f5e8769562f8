"""Images to and from registries and engines, by the programs that know how: skopeo, docker and podman.

Credentials are found where skopeo looks: REGISTRY_AUTH_FILE, containers' auth.json, Docker's config.json and its helpers
(containers-auth.json(5)). Options: skopeo-copy(1) of skopeo 1.9 and later.
"""

from __future__ import annotations

import ipaddress
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.build.oci import media_types, skopeo
from quarterdeck.build.oci.digest import check_digest
from quarterdeck.build.oci.layout import ImageSource, Layout
from quarterdeck.build.oci.merge import named_roots
from quarterdeck.build.oci.reference import Reference
from quarterdeck.build.oci.store import write_layout
from quarterdeck.build.oci.write_archive import write_archive, write_docker_archive
from quarterdeck.core.process import ProcessError, find, run_async
from quarterdeck.core.report import Level, Message, Reporter, silent
from quarterdeck.errors import HostError, TargetError

_RETRIES = 3


@dataclass(frozen=True)
class Access:
    """How a registry is reached. ``auth_file`` None: where skopeo looks. ``tls_verify`` None: verified, but for this host itself.

    ``env`` is laid over the environment of skopeo and the engines.
    """

    auth_file: Path | None = None
    tls_verify: bool | None = None
    env: Mapping[str, str] | None = None


DEFAULT_ACCESS = Access()


def push_argv(
    folder: Path, reference: Reference, *, access: Access = DEFAULT_ACCESS, digest_file: Path, preserve: bool = True
) -> list[str]:
    """Return the words that push the one image or index of a layout folder; ``preserve`` keeps its digests, and so its compression."""
    kept = ["--preserve-digests"] if preserve else []
    options = [f"--retry-times={_RETRIES}", f"--digestfile={digest_file}", *kept, *_access(access, "dest", reference)]
    return [skopeo_program(), "copy", "--all", *options, f"oci:{folder}", f"docker://{reference.for_transport}"]


def pull_argv(reference: Reference, folder: Path, *, access: Access = DEFAULT_ACCESS) -> list[str]:
    """Return the words that pull an image or all of an index into a folder of the transport ``dir:``, which changes no byte."""
    options = [f"--retry-times={_RETRIES}", *_access(access, "src", reference)]
    return [skopeo_program(), "copy", "--all", *options, f"docker://{reference.for_transport}", f"dir:{folder}"]


def inspect_argv(reference: Reference, what: str, *, access: Access = DEFAULT_ACCESS) -> list[str]:
    """Return the words that print a manifest (``what`` is ``--raw``) or a configuration (``--config``); skopeo-inspect(1)."""
    options = [f"--authfile={access.auth_file}"] if access.auth_file else []
    verify = False if access.tls_verify is None and _is_loopback(reference.domain) else access.tls_verify
    options += [] if verify is None else [f"--tls-verify={str(verify).lower()}"]
    return [skopeo_program(), "inspect", what, *options, f"docker://{reference.for_transport}"]


async def push(
    source: ImageSource, reference: Reference, *, access: Access = DEFAULT_ACCESS, preserve: bool = True, report: Reporter = silent
) -> str:
    """Push an image or an index with all its images, and return the digest that the registry has it by.

    Raises:
        HostError: skopeo is not installed.
        TargetError: the registry refused it.
        BadImageError: a part of it is missing or damaged.
    """
    with tempfile.TemporaryDirectory(prefix="quarterdeck-push-") as work:
        folder, digest_file = Path(work, "image"), Path(work, "digest")
        write_layout(Layout(source.blobs, named_roots(source.root)), folder)
        argv = push_argv(folder, reference, access=access, digest_file=digest_file, preserve=preserve)
        await _skopeo_copies(argv, reference, f"{reference} cannot be pushed", access=access, report=report)
        return _digest_in(digest_file)


async def pull(reference: Reference, folder: Path, *, access: Access = DEFAULT_ACCESS, report: Reporter = silent) -> None:
    """Pull an image, or all images of an index, into ``folder``; :func:`open_image` reads it.

    Raises:
        HostError: skopeo is not installed.
        TargetError: the registry does not have it or refused.
    """
    argv = pull_argv(reference, folder, access=access)
    await _skopeo_copies(argv, reference, f"{reference} cannot be pulled", access=access, report=report)


async def load_docker(source: ImageSource, names: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
    """Load the image of one platform into the Docker Engine that the client is set to; one that it has only gets the names.

    Raises:
        HostError: docker is not installed.
        TargetError: the engine refused it.
        BadImageError: the source is an index, or damaged.
    """
    docker = _program("docker")
    full = [str(Reference.parse(name).with_default_tag()) for name in names]
    # The image store of containerd knows images by another digest: it does not find this one, and loads it.
    if await _only_named([docker], ["image", "inspect", "--format={{.Id}}"], source, full, env=env):
        return
    with tempfile.TemporaryDirectory(prefix="quarterdeck-load-") as work:
        archive = Path(work, "image.tar")
        write_docker_archive(source, archive, names=full)
        argv = [docker, "load", "--quiet", "--input", str(archive)]
        await load_archive(argv, "Docker", env=env)


async def load_podman(source: ImageSource, name: str, *, env: Mapping[str, str] | None = None) -> None:
    """Load an image into the storage of podman and buildah, empty ``name`` for none; of an index the image of this host's platform.

    An image that was built there is there already, and only gets the name.

    Raises: as :func:`load_docker`, for podman.
    """
    podman = _program("podman")
    names = [str(Reference.parse(name).with_default_tag())] if name else []
    if await _only_named([podman], ["image", "exists"], source, names, env=env):
        return
    with tempfile.TemporaryDirectory(prefix="quarterdeck-load-") as work:
        archive = Path(work, "image.tar")
        if source.root.media_type in media_types.INDEXES:
            write_archive(Layout(source.blobs, named_roots(source.root, names)), archive)
        else:
            write_docker_archive(source, archive, names=names)
        argv = [podman, "load", "--quiet", "--input", str(archive)]
        await load_archive(argv, "podman", env=env)


async def _only_named(
    engine: list[str], ask: list[str], source: ImageSource, names: Sequence[str], *, env: Mapping[str, str] | None
) -> bool:
    """Name an image that the engine has already, and return whether it has: engines know images by the digest of the configuration.

    ``ask`` are the words that fail where an image is not there. The configuration names every layer by the digest of what is in it.
    """
    if not source.root.is_manifest:
        return False
    image = source.manifest().config.digest
    if (await run_async([*engine, *ask, image], env=env, check=False)).returncode:
        return False
    named = [await run_async([*engine, "tag", image, name], env=env, check=False) for name in names]
    return all(done.returncode == 0 for done in named)


def _digest_in(file: Path) -> str:
    return check_digest(file.read_text(encoding="ascii").strip())


def _access(access: Access, side: str, reference: Reference) -> list[str]:
    options = [f"--authfile={access.auth_file}"] if access.auth_file else []
    if access.tls_verify is not None:
        options.append(f"--{side}-tls-verify={str(access.tls_verify).lower()}")
    elif _is_loopback(reference.domain):
        options.append(f"--{side}-tls-verify=false")  # as Docker does
    return options


def _is_loopback(domain: str) -> bool:
    host = domain.rpartition(":")[0] if not domain.endswith("]") and ":" in domain else domain
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def skopeo_program() -> str:
    """Return the path of skopeo, which all that is about registries needs.

    Raises:
        HostError: it is not installed.
    """
    return _program("skopeo")


def _program(name: str) -> str:
    found = find(name)
    if found is None:
        raise HostError("program-missing", f"{name} is not installed", hint=f"install the package {name}")
    return found


async def _skopeo_copies(argv: Sequence[str], reference: Reference, what: str, *, access: Access, report: Reporter) -> None:
    def show(line: str) -> None:
        level, message = skopeo.message_of(line)
        if level != "fatal":  # that is the error
            report(Message(Level.INFO, message))

    try:
        await run_async(argv, on_line=show, env=access.env)
    except ProcessError as error:
        raise skopeo.failure(error.completed.stderr.decode(errors="replace").splitlines(), reference, what) from None


async def load_archive(argv: Sequence[str], engine: str, *, env: Mapping[str, str] | None = None) -> None:
    """Run an engine's command that loads an archive.

    Raises:
        TargetError: the engine refused it.
    """
    try:
        await run_async(argv, env=env)
    except ProcessError as error:
        hint = f"{error.hint}; or write a file: --output type=oci,dest=FILE"
        raise TargetError("image-not-transferred", f"{engine} did not take the image", reason=error.reason, hint=hint) from None
