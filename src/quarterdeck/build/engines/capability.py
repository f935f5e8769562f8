"""What a Dockerfile or a flag may need of an engine, and which version of which engine has it.

Sources: release notes of the Dockerfile frontend 1.2 to 1.21, of buildx 0.8 to 0.38 and of Docker Engine 20.10 to 29; manual pages of
buildah 1.28, 1.39 and 1.44. What Debian 12's buildah 1.28 and Docker 20.10 accept was tried.
"""

from __future__ import annotations

from enum import StrEnum

from quarterdeck.build.engines.version import Version


class Capability(StrEnum):
    """One thing that some engines cannot do; the value names it for people."""

    HEREDOC = "here-documents"
    MOUNT = "RUN --mount"
    SECRET_ENV = "RUN --mount=type=secret,env="  # noqa: S105
    RUN_NETWORK = "RUN --network"
    RUN_SECURITY = "RUN --security"
    RUN_DEVICE = "RUN --device"
    COPY_LINK = "COPY --link"
    COPY_PARENTS = "COPY --parents"
    COPY_EXCLUDE = "COPY --exclude"
    COPY_CHMOD = "COPY --chmod"
    ADD_CHECKSUM = "ADD --checksum"
    ADD_GIT = "ADD of a Git repository"
    ADD_UNPACK = "ADD --unpack"
    SUBSTITUTION = "${name#pattern} and its kin"
    FRONTEND = "# syntax="

    SECRETS = "--secret"
    SSH = "--ssh"
    BUILD_CONTEXT = "--build-context"
    ANNOTATIONS = "--annotation"
    ATTESTATIONS = "--provenance and --sbom"
    CACHE_FROM = "--cache-from"
    CACHE_TO = "--cache-to"
    CACHE_INLINE = "--cache-to type=inline"
    CACHE_TYPES = "--cache-from and --cache-to of other types than registry"


C = Capability
_LABS = (1, 7)

LANGUAGE = frozenset(
    {
        C.HEREDOC, C.MOUNT, C.SECRET_ENV, C.RUN_NETWORK, C.RUN_SECURITY, C.RUN_DEVICE, C.COPY_LINK, C.COPY_PARENTS, C.COPY_EXCLUDE,
        C.COPY_CHMOD, C.ADD_CHECKSUM, C.ADD_GIT, C.ADD_UNPACK, C.SUBSTITUTION,
    }
)  # fmt: skip
"""What a frontend of BuildKit decides, not BuildKit itself."""

_FRONTEND: dict[Capability, Version] = {
    C.MOUNT: (1, 2),
    C.COPY_CHMOD: (1, 2),
    C.RUN_NETWORK: (1, 3),
    C.HEREDOC: (1, 4),
    C.COPY_LINK: (1, 4),
    C.ADD_CHECKSUM: (1, 6),
    C.ADD_GIT: (1, 6),
    C.SUBSTITUTION: (1, 7),
    C.SECRET_ENV: (1, 10),
    C.ADD_UNPACK: (1, 17),
    C.COPY_EXCLUDE: (1, 19),
    C.COPY_PARENTS: (1, 20),
    C.RUN_SECURITY: (1, 20),
}
# What the -labs images of the frontend have before the others.
_ONLY_LABS: dict[Capability, Version] = {C.COPY_PARENTS: _LABS, C.COPY_EXCLUDE: _LABS, C.RUN_SECURITY: (1, 2), C.RUN_DEVICE: (1, 14)}

_BUILDX: dict[Capability, Version] = {
    C.SECRETS: (0, 3),
    C.SSH: (0, 3),
    C.FRONTEND: (0, 3),
    C.CACHE_FROM: (0, 3),
    C.CACHE_TO: (0, 3),
    C.CACHE_INLINE: (0, 3),
    C.CACHE_TYPES: (0, 3),
    C.BUILD_CONTEXT: (0, 8),
    C.ATTESTATIONS: (0, 10),
    C.ANNOTATIONS: (0, 12),
}
_BUILDAH: dict[Capability, Version] = {
    C.MOUNT: (1, 24),
    C.COPY_CHMOD: (1, 27),
    C.SECRETS: (1, 23),
    C.SSH: (1, 23),
    C.BUILD_CONTEXT: (1, 27),
    C.ANNOTATIONS: (1, 0),
    C.CACHE_FROM: (1, 28),
    C.CACHE_TO: (1, 28),
    C.HEREDOC: (1, 33),
    C.ADD_CHECKSUM: (1, 36),
    C.RUN_NETWORK: (1, 36),
    C.ADD_GIT: (1, 37),
    C.COPY_EXCLUDE: (1, 38),
    C.COPY_LINK: (1, 39),
    C.SECRET_ENV: (1, 39),
    C.COPY_PARENTS: (1, 40),
}
# The buildah inside podman: go.mod of the two.
_BUILDAH_OF_PODMAN: tuple[tuple[Version, Version], ...] = (
    ((5, 7), (1, 42)),
    ((5, 6), (1, 41)),
    ((5, 5), (1, 40)),
    ((5, 4), (1, 39)),
    ((5, 3), (1, 38)),
    ((5, 2), (1, 37)),
    ((5, 1), (1, 36)),
    ((5, 0), (1, 35)),
    ((4, 9), (1, 33)),
    ((4, 8), (1, 33)),
    ((4, 7), (1, 32)),
    ((4, 6), (1, 31)),
    ((4, 5), (1, 30)),
    ((4, 4), (1, 29)),
    ((4, 3), (1, 28)),
    ((4, 2), (1, 27)),
)
# vendor.mod of each Docker Engine.
_BUILDKIT_OF_DOCKER: tuple[tuple[Version, Version], ...] = (
    ((29, 0), (0, 25)),
    ((28, 4), (0, 24)),
    ((28, 3), (0, 23)),
    ((28, 2), (0, 22)),
    ((28, 1), (0, 21)),
    ((28, 0), (0, 20)),
    ((27, 4), (0, 17)),
    ((27, 3), (0, 16)),
    ((27, 0), (0, 14)),
    ((26, 0), (0, 13)),
    ((25, 0), (0, 12)),
    ((24, 0), (0, 11)),
    ((23, 0), (0, 10)),
    ((20, 10), (0, 8)),
)


def frontend_capabilities(version: Version, *, labs: bool = False) -> frozenset[Capability]:
    """Return what the Dockerfile frontend of this version understands; ``labs`` for the images of that channel."""
    known = _since(_FRONTEND, version)
    return known | _since(_ONLY_LABS, version) if labs else known


def buildx_capabilities(buildx: Version, buildkit: Version, *, docker_driver: bool = False) -> frozenset[Capability]:
    """Return what buildx and the BuildKit behind it can; ``docker_driver`` without the containerd image store exports less.

    Source: ``Features`` in driver/docker/driver.go of buildx.
    """
    missing = {C.CACHE_TYPES, C.ATTESTATIONS, C.ANNOTATIONS, C.CACHE_TO} if docker_driver else set()
    if buildkit < (0, 11):
        missing |= {C.ATTESTATIONS, C.ANNOTATIONS}
    return frontend_capabilities(builtin_frontend(buildkit)) | (_since(_BUILDX, buildx) - missing)


def docker_capabilities(engine: Version) -> frozenset[Capability]:
    """Return what a Docker Engine's own BuildKit can when its client has no buildx."""
    return frontend_capabilities(builtin_frontend(buildkit_of_docker(engine))) | {
        C.SECRETS,
        C.SSH,
        C.FRONTEND,
        C.CACHE_FROM,
        C.CACHE_INLINE,
    }


def buildah_capabilities(version: Version) -> frozenset[Capability]:
    """Return what buildah of this version can."""
    return _since(_BUILDAH, version)


def buildah_of_podman(version: Version) -> Version:
    """Return the version of buildah that is inside a podman."""
    return _newest_below(_BUILDAH_OF_PODMAN, version)


def buildkit_of_docker(version: Version) -> Version:
    """Return the version of BuildKit that is inside a Docker Engine."""
    return _newest_below(_BUILDKIT_OF_DOCKER, version)


def builtin_frontend(buildkit: Version) -> Version:
    """Return the version of the Dockerfile frontend inside BuildKit: 0.8 has 1.2, 0.11 has 1.5, and so on."""
    return (1, max(0, buildkit[1] - 6)) if buildkit[0] == 0 else (1, 99)


def _since(table: dict[Capability, Version], version: Version) -> frozenset[Capability]:
    return frozenset(capability for capability, first in table.items() if version >= first)


def _newest_below(table: tuple[tuple[Version, Version], ...], version: Version) -> Version:
    return next((inner for outer, inner in table if version >= outer), (0, 0))
