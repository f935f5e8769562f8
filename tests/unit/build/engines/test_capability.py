import pytest

from quarterdeck.build.engines.capability import (
    Capability,
    buildah_capabilities,
    buildah_of_podman,
    buildkit_of_docker,
    buildx_capabilities,
    builtin_frontend,
    docker_capabilities,
    frontend_capabilities,
)
from quarterdeck.build.engines.version import parse_version

C = Capability


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("buildah version 1.28.2 (image-spec 1.1.0-rc2, runtime-spec 1.0.2-dev)", (1, 28)),
        ("20.10.24+dfsg1", (20, 10)),
        ("v0.34.2", (0, 34)),
        ("unknown", (0, 0)),
    ],
)
def test_versions_are_read_from_what_programs_say(text: str, version: tuple[int, int]) -> None:
    assert parse_version(text) == version


def test_buildah_of_debian_12_lacks_what_came_later() -> None:
    have = buildah_capabilities((1, 28))
    assert {C.MOUNT, C.SECRETS, C.BUILD_CONTEXT, C.ANNOTATIONS} <= have
    assert not have & {C.HEREDOC, C.COPY_LINK, C.RUN_NETWORK, C.ADD_CHECKSUM, C.ATTESTATIONS, C.FRONTEND}


def test_buildah_of_debian_13_has_more() -> None:
    assert {C.HEREDOC, C.RUN_NETWORK, C.ADD_CHECKSUM, C.COPY_LINK} <= buildah_capabilities((1, 39))


def test_docker_20_10_knows_the_language_of_its_buildkit() -> None:
    have = docker_capabilities((20, 10))
    assert {C.MOUNT, C.COPY_CHMOD, C.SECRETS, C.FRONTEND} <= have
    assert not have & {C.HEREDOC, C.COPY_LINK, C.ANNOTATIONS, C.BUILD_CONTEXT, C.CACHE_TO}


def test_buildx_with_the_newest_buildkit_has_all_but_devices() -> None:
    assert set(C) - buildx_capabilities((0, 38), (0, 34)) == {C.RUN_DEVICE}


def test_the_docker_driver_exports_less() -> None:
    lost = buildx_capabilities((0, 38), (0, 24)) - buildx_capabilities((0, 38), (0, 24), docker_driver=True)
    assert lost == {C.CACHE_TYPES, C.CACHE_TO, C.ATTESTATIONS, C.ANNOTATIONS}


def test_an_old_buildkit_makes_no_attestations() -> None:
    assert not buildx_capabilities((0, 38), (0, 10)) & {C.ATTESTATIONS, C.ANNOTATIONS}


def test_versions_inside_others() -> None:
    assert buildah_of_podman((4, 3)) == (1, 28)
    assert buildah_of_podman((5, 4)) == (1, 39)
    assert buildah_of_podman((3, 0)) == (0, 0)
    assert buildkit_of_docker((20, 10)) == (0, 8)
    assert builtin_frontend((0, 8)) == (1, 2)
    assert builtin_frontend((0, 11)) == (1, 5)


def test_labs_have_some_things_earlier() -> None:
    assert C.COPY_PARENTS not in frontend_capabilities((1, 7))
    assert C.COPY_PARENTS in frontend_capabilities((1, 7), labs=True)
