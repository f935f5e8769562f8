"""What scripts/build_image.py and its parts decide without an engine."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from scripts import debian_root, image_engines, image_parts

from quarterdeck.core.arch import find_arch, host_arch
from quarterdeck.core.process import Completed
from quarterdeck.errors import HostError, QuarterdeckError
from quarterdeck.media.debian.mirror import Mirror
from quarterdeck.media.debian.privilege import Privilege

ROOT = debian_root.Root("trixie", find_arch("armhf"), ("sudo", "file"), "localhost/debian:1")
MIRROR = Mirror(
    "http://mirror.example/debian", "http://mirror.example/debian-security", ('Acquire::http::Proxy "http://proxy.example:3128";',)
)


def tar_of(files: dict[str, bytes]) -> bytes:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return output.getvalue()


def members(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as content:
        return {member.name: stream.read() for member in content if (stream := content.extractfile(member)) is not None}


def test_the_archive_of_a_root_is_an_image_of_its_architecture(tmp_path: Path) -> None:
    layer = tmp_path / "layer.tar"
    layer.write_bytes(tar_of({"etc/hostname": b"guest\n"}))
    debian_root.write_archive(ROOT, layer, tmp_path / "image.tar")
    files = members(tmp_path / "image.tar")
    (manifest,) = json.loads(files["manifest.json"])
    config = json.loads(files[manifest["Config"]])
    assert manifest["RepoTags"] == ["localhost/debian:1"]
    assert (config["os"], config["architecture"], config["variant"]) == ("linux", "arm", "v7")
    assert config["rootfs"]["diff_ids"] == [f"sha256:{manifest['Layers'][0].partition('/')[0]}"]
    assert files[manifest["Layers"][0]] == layer.read_bytes()


def test_a_root_comes_from_the_mirror_of_the_host_in_its_own_way() -> None:
    words = debian_root.command(ROOT, MIRROR, Privilege((), "unshare"))
    assert "--mode=unshare" in words
    assert "--architectures=armhf" in words
    assert "--include=sudo,file" in words
    assert '--aptopt=Acquire::http::Proxy "http://proxy.example:3128";' in words
    assert [line.split("] ")[1] for line in debian_root.sources("trixie", MIRROR)] == [
        "http://mirror.example/debian trixie main",
        "http://mirror.example/debian-security trixie-security main",
    ]


def test_an_architecture_without_debian_makes_no_root(tmp_path: Path) -> None:
    with pytest.raises(QuarterdeckError, match="no Debian image for mips"):
        debian_root.make(debian_root.Root("trixie", find_arch("mips"), (), "x"), tmp_path / "image.tar")


def test_parts_are_counted_unpacked(tmp_path: Path) -> None:
    layers = {"a/layer.tar": tar_of({"one": b"x" * 2048, "two": b""}), "b/layer.tar": tar_of({"three": b"x" * 1024})}
    manifest = [{"Layers": list(layers)}]
    image = tmp_path / "image.tar"
    image.write_bytes(tar_of({**layers, "manifest.json": json.dumps(manifest).encode()}))
    parts = image_parts.read_parts(image, ("first", "second"))
    assert parts == [image_parts.Part("first", 2, 2048), image_parts.Part("second", 1, 1024)]
    assert image_parts.table(parts).splitlines()[-1].split() == ["in", "all", "3", "files", "3", "KiB"]
    with pytest.raises(ValueError, match="shorter"):
        image_parts.read_parts(image, ("first", "second", "third"))


class Host:
    """A host whose engines answer as told; what would be shown is kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.working: set[str] = set()
        self.version = "20.10.24"
        self.built: list[tuple[list[str], dict[str, str]]] = []
        monkeypatch.setattr(image_engines, "find", lambda name: f"/usr/bin/{name}")
        monkeypatch.setattr(image_engines, "run", self._run)
        monkeypatch.setattr(image_engines, "_show", lambda argv, env=None: self.built.append(([str(word) for word in argv], env or {})))

    def _run(self, argv: list[Any], **_: Any) -> Completed:
        works = argv[0] in self.working and argv[1] != "buildx"
        return Completed(tuple(map(str, argv)), 0 if works else 1, self.version.encode(), b"")


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(monkeypatch)


def test_the_first_engine_that_works_is_taken(host: Host) -> None:
    host.working = {"podman", "buildah"}
    assert image_engines.find_engine().name == "podman"
    assert image_engines.find_engine("buildah").name == "buildah"


def test_without_an_engine_each_reason_is_given(host: Host) -> None:
    with pytest.raises(HostError) as caught:
        image_engines.find_engine()
    assert caught.value.reason == "no Docker Engine answers; podman does not work here; buildah does not work here"


@pytest.mark.parametrize("name", image_engines.NAMES)
def test_every_engine_is_told_what_it_builds_on_and_for(host: Host, name: str) -> None:
    host.working = {name}
    image_engines.find_engine(name).build(Path("/context"), "tag", arguments={"BASE": "base"}, platform="linux/s390x")
    ((words, _),) = host.built
    assert words[:2] == [name, "build"]
    assert words[-1] == "/context"
    assert {"--platform=linux/s390x", "--build-arg=BASE=base", "--tag=tag"} <= set(words)
    assert any(word.startswith("--build-arg=BUILDPLATFORM=linux/") for word in words)


def test_docker_without_buildkit_builds_for_itself_alone(host: Host) -> None:
    host.working, host.version = {"docker"}, "26.1.5"
    docker = image_engines.find_engine()
    docker.build(Path("/context"), "tag", arguments={}, platform=host_arch().oci)
    ((words, env),) = host.built
    assert env == {"DOCKER_BUILDKIT": "0"}
    assert any(word.startswith("--build-arg=TARGETARCH=") for word in words)
    with pytest.raises(HostError, match="its own architecture alone"):
        docker.build(Path("/context"), "tag", arguments={}, platform="linux/mips")
