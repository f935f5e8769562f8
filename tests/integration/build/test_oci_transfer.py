"""Images through the real programs: buildah, skopeo, a registry, Docker and podman."""

import json

import pytest
from tests.engines.docker import Docker
from tests.engines.podman import Storage
from tests.engines.registry import Registry
from tests.unit.build.oci.images import AMD64, ARM64, LINUX_AMD64, LINUX_ARM64, Shelf, layer

from quarterdeck.build.check.check import CheckOptions, check_source
from quarterdeck.build.check.fetch import Place, RegistryBases, fetch
from quarterdeck.build.oci import media_types, transfer
from quarterdeck.build.oci.layout import ImageSource, closure
from quarterdeck.build.oci.merge import merge, single
from quarterdeck.build.oci.open_image import open_image
from quarterdeck.build.oci.reference import Reference
from quarterdeck.build.oci.transfer import Access, load_docker, load_podman, pull, push
from quarterdeck.build.oci.write_archive import write_archive
from quarterdeck.build.platform import Platform
from quarterdeck.core.process import run
from quarterdeck.errors import TargetError

pytestmark = pytest.mark.integration

A, B = Platform.parse("linux/amd64"), Platform.parse("linux/arm64")


def merged(*, attested: bool = False, packed: bool = True):
    shelf = Shelf()
    amd = shelf.image(LINUX_AMD64, [layer(("etc/common", b"x"), packed=packed), layer(("bin/a", AMD64), packed=packed)])
    arm = shelf.image(LINUX_ARM64, [layer(("etc/common", b"x"), packed=packed), layer(("bin/a", ARM64), packed=packed)])
    entries = [amd, arm] + ([shelf.attestation(amd.digest)] if attested else [])
    source = shelf.index(*entries)
    return merge({A: source, B: source}, names=["localhost/app:1"])


def digests(source: ImageSource) -> list[str]:
    return [one.digest for one in closure(source)]


@pytest.mark.parametrize("attested", [False, True])
async def test_an_index_goes_to_a_registry_and_comes_back_unchanged(
    host_podman: Storage, loopback_registry: Registry, tmp_path, attested
) -> None:
    access = Access(env=host_podman.env)
    reference = Reference.parse(loopback_registry.name(f"index-{attested}:1".lower()))
    source = merged(attested=attested).source()
    digest = await push(source, reference, access=access)
    assert digest == source.root.digest
    await pull(reference.with_digest(digest), tmp_path / "image", access=access)
    with open_image(tmp_path / "image") as layout:
        assert digests(layout.source()) == digests(source)
        report = check_source(layout.source(), CheckOptions((A, B), base=RegistryBases(access)))
    assert report.findings == ()


async def test_skopeo_packs_what_was_not_packed_when_digests_may_change(
    host_podman: Storage, loopback_registry: Registry, tmp_path
) -> None:
    access = Access(env=host_podman.env)
    reference = Reference.parse(loopback_registry.name("unpacked:1"))
    source = merged(packed=False).source()
    digest = await push(source, reference, access=access, preserve=False)
    assert digest != source.root.digest
    await pull(reference, tmp_path / "image", access=access)
    with open_image(tmp_path / "image") as layout:
        assert layout.source().root.digest == digest
        assert check_source(layout.source(), CheckOptions((A, B))).findings == ()


async def test_a_registry_that_does_not_have_it_says_so(host_podman: Storage, loopback_registry: Registry, tmp_path) -> None:
    reference = Reference.parse(loopback_registry.name("none:1"))
    with pytest.raises(TargetError) as caught:
        await pull(reference, tmp_path / "image", access=Access(env=host_podman.env))
    assert caught.value.reason


async def test_registries_tell_the_platforms_of_base_images(host_podman: Storage, loopback_registry: Registry) -> None:
    access = Access(env=host_podman.env)
    name = loopback_registry.name("base:1")
    source = merged().source()
    digest = await push(source, Reference.parse(name), access=access)
    bases = RegistryBases(access)
    assert bases(name, digest) == frozenset({A, B})
    assert bases(name, next(source.manifests()).digest) == frozenset({A})
    assert bases(name, "sha256:" + "0" * 64) is None


def test_skopeo_reads_the_archive_that_we_write(host_podman: Storage, tmp_path) -> None:
    archive = tmp_path / "image.tar"
    layout = merged()
    write_archive(layout, archive)
    raw = run(["skopeo", "inspect", "--raw", f"oci-archive:{archive}"], env=host_podman.env).stdout
    assert [one["platform"]["architecture"] for one in json.loads(raw)["manifests"]] == ["amd64", "arm64"]
    run(["skopeo", "copy", "--all", f"oci-archive:{archive}:1", f"oci:{tmp_path}/copy:x"], env=host_podman.env)
    with open_image(tmp_path / "copy") as again:
        assert digests(again.source("x")) == digests(layout.source())


@pytest.mark.parametrize("transport", ["oci-archive", "docker-archive"])
def test_archives_of_buildah_are_read(host_podman: Storage, tmp_path, transport) -> None:
    name = host_podman.buildah("from", "--arch=arm64", "scratch").text.strip()
    (tmp_path / "prog").write_bytes(ARM64)
    host_podman.buildah("copy", name, tmp_path / "prog", "/bin/prog")
    host_podman.buildah("commit", "--quiet", name, f"localhost/{transport}:1")
    host_podman.buildah("push", "--quiet", f"localhost/{transport}:1", f"{transport}:{tmp_path}/image.tar:localhost/{transport}:1")
    host_podman.buildah("rm", name)
    with open_image(tmp_path / "image.tar") as layout:
        report = check_source(layout.source(), CheckOptions((B,), strict=True))
    assert report.findings == ()
    assert report.images[0].programs == 1


async def test_podman_takes_an_image_and_gives_it_back(host_podman: Storage, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = single(merged().source(), B)
    await load_podman(source, "localhost/loaded:0", env=host_podman.env)
    monkeypatch.delattr(transfer, "write_docker_archive")  # what it has is not given to it again
    await load_podman(source, "localhost/loaded:1", env=host_podman.env)
    fetched = await fetch(Place.parse("podman:localhost/loaded:1"), tmp_path, access=Access(env=host_podman.env))
    with open_image(fetched.path) as layout:
        report = check_source(layout.source(fetched.name), CheckOptions((B,)))
    assert (report.findings, report.images[0].programs) == ((), 1)


async def test_podman_takes_the_image_of_this_platform_out_of_an_index(host_podman: Storage) -> None:
    await load_podman(merged().source(), "localhost/loaded-index:1", env=host_podman.env)
    assert host_podman.podman("image", "exists", "localhost/loaded-index:1").returncode == 0


async def test_a_manifest_list_of_podman_is_fetched_whole(host_podman: Storage, tmp_path) -> None:
    source = merged().source()
    for platform in (A, B):
        await load_podman(single(source, platform), f"localhost/part:{platform.architecture}", env=host_podman.env)
    host_podman.podman("manifest", "create", "localhost/list:1")
    for platform in (A, B):
        host_podman.podman("manifest", "add", "localhost/list:1", f"containers-storage:localhost/part:{platform.architecture}")
    fetched = await fetch(Place.parse("podman:localhost/list:1"), tmp_path, access=Access(env=host_podman.env))
    host_podman.podman("manifest", "rm", "localhost/list:1")  # with it podman 4.3 fails to inspect any image
    with open_image(fetched.path) as layout:
        assert check_source(layout.source(), CheckOptions((A, B))).findings == ()


async def test_docker_takes_a_foreign_image_and_gives_it_back(host_docker: Docker, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = single(merged().source(), B)
    env = dict(host_docker.env)
    await load_docker(source, ["localhost/loaded:1"], env=env)
    monkeypatch.delattr(transfer, "write_docker_archive")  # what it has is not given to it again
    await load_docker(source, ["localhost/loaded:2"], env=env)
    assert host_docker("image", "inspect", "--format={{.Architecture}}", "localhost/loaded:2").text.strip() == "arm64"
    fetched = await fetch(Place.parse("docker:localhost/loaded:1"), tmp_path, access=Access(env=env))
    with open_image(fetched.path) as layout:
        report = check_source(layout.source(), CheckOptions((B,)))
    assert (report.findings, report.images[0].programs) == ((), 1)


async def test_what_an_engine_does_not_have_is_said(host_podman: Storage, tmp_path) -> None:
    with pytest.raises(TargetError):
        await fetch(Place.parse("podman:localhost/none:1"), tmp_path, access=Access(env=host_podman.env))


async def test_lists_in_docker_s_schema_2_are_read_and_merged(host_podman: Storage, loopback_registry: Registry, tmp_path) -> None:
    access = Access(env=host_podman.env)
    name = loopback_registry.name("schema2:1")
    await push(merged().source(), Reference.parse(loopback_registry.name("oci:1")), access=access)
    words = ["skopeo", "copy", "--all", "--format=v2s2", "--src-tls-verify=false", "--dest-tls-verify=false"]
    run([*words, f"docker://{loopback_registry.name('oci:1')}", f"docker://{name}"], env=host_podman.env)
    await pull(Reference.parse(name), tmp_path / "image", access=access)
    with open_image(tmp_path / "image") as layout:
        source = layout.source()
        assert source.root.media_type == media_types.DOCKER_INDEX
        assert check_source(source, CheckOptions((A, B))).findings == ()
        again = merge({A: source, B: source})
        assert [one.digest for one in again.source().manifests()] == [one.digest for one in source.manifests()]
        digest = await push(again.source(), Reference.parse(loopback_registry.name("mixed:1")), access=access)
    assert digest == again.source().root.digest
