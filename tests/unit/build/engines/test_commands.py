import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.build.engines.samples import request

from quarterdeck.build.engines.buildah import BuildahEngine
from quarterdeck.build.engines.buildx import BuildxEngine
from quarterdeck.build.engines.cache import cache_type, field, fields
from quarterdeck.build.engines.docker import DockerEngine
from quarterdeck.build.engines.engine import Endpoint
from quarterdeck.build.engines.request import BuildRequest
from quarterdeck.build.engines.session import Session, archive_digest, check_destination
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.errors import UsageError

FULL: dict[str, object] = {
    "target": "final",
    "build_args": {"A": "b c", "FROM_ENVIRONMENT": None},
    "secrets": ("id=a,src=b",),
    "ssh": ("default",),
    "labels": {"l": "v"},
    "add_hosts": ("h:1.2.3.4",),
    "cache_from": ("type=registry,ref=r:5000/cache:arm64",),
    "pull": True,
    "network": "host",
    "extra": ("--squash",),
}
SHARED = [
    "--platform=linux/arm64", "--build-arg=A=b c", "--build-arg=FROM_ENVIRONMENT", "--label=l=v", "--secret=id=a,src=b", "--ssh=default",
    "--add-host=h:1.2.3.4", "--target=final", "--network=host", "--squash",
]  # fmt: skip


def session(folder: Path, asked: BuildRequest, name: EngineName = EngineName.BUILDAH) -> Session:
    return Session(name, "1", Endpoint(), asked, lambda event: None, folder, {})


def buildx(version: str = "0.38.2", **more: object) -> BuildxEngine:
    where: dict[str, object] = {"endpoint": Endpoint(builder="farm"), "program": ("docker", "buildx"), "docker": ("docker",)}
    values = {**where, "version": version, "buildkit": "0.34.2", "driver": "remote", **more}
    return BuildxEngine(**values)  # type: ignore[arg-type]  # tests give what the field wants


def test_buildah_gets_every_flag_in_its_own_words(tmp_path: Path) -> None:
    asked = request(**FULL, annotations={"a": "b"}, build_contexts={"c": "d"}, cache_to=("r/cache",))
    words = BuildahEngine(Endpoint(), "buildah", "1.28.2")._command(session(tmp_path, asked))
    assert set(SHARED) <= set(words)
    assert {
        "--cache-from=r:5000/cache",
        "--cache-to=r/cache",
        "--pull=always",
        "--layers",
        "--annotation=a=b",
        "--build-context=c=d",
    } <= set(words)
    assert words[-2:] == ["--", "."]


@pytest.mark.parametrize(
    ("network", "isolation", "user", "given"),
    [
        ("none", "chroot", 0, ["--isolation=oci"]),
        ("none", "chroot", 1000, ["--isolation=rootless"]),
        ("none", "rootless", 1000, []),
        ("host", "chroot", 0, []),
    ],
)
def test_a_build_without_network_is_no_chroot(
    network: str, isolation: str, user: int, given: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUILDAH_ISOLATION", isolation)
    monkeypatch.setattr("os.geteuid", lambda: user)
    words = BuildahEngine(Endpoint(), "buildah", "1.28.2")._command(session(tmp_path, request(network=network)))
    assert [word for word in words if word.startswith("--isolation")] == given


def test_no_cache_makes_layers_all_the_same(tmp_path: Path) -> None:
    words = BuildahEngine(Endpoint(), "buildah", "1.28.2")._command(session(tmp_path, request(no_cache=True)))
    assert {"--no-cache", "--layers", "--force-rm"} <= set(words)


def test_podman_is_reached_where_the_endpoint_says(tmp_path: Path) -> None:
    engine = BuildahEngine(Endpoint(podman=("--url=ssh://x",)), "podman", "5.4.2", EngineName.PODMAN)
    assert engine._command(session(tmp_path, request()))[:3] == ["podman", "--url=ssh://x", "build"]
    assert engine._export(session(tmp_path, request()), "sha256:1")[:3] == ["podman", "--url=ssh://x", "save"]


def test_docker_gets_what_its_old_client_knows(tmp_path: Path) -> None:
    asked = request(**FULL, cache_to=("type=inline",))
    words = DockerEngine(Endpoint(docker=("--context=c",)), "docker", "20.10.24")._command(session(tmp_path, asked))
    assert words[:3] == ["docker", "--context=c", "build"]
    assert set(SHARED) <= set(words)
    assert {"--cache-from=r:5000/cache:arm64", "--build-arg=BUILDKIT_INLINE_CACHE=1", "--pull"} <= set(words)


def test_buildx_gets_everything_as_it_was_given(tmp_path: Path) -> None:
    asked = request(
        **FULL, annotations={"a": "b"}, build_contexts={"c": "d"}, cache_to=("type=local,dest=x",), provenance="mode=max", sbom="true"
    )
    words = buildx()._command(session(tmp_path, asked), ["--load"])
    assert set(SHARED) <= set(words)
    assert {
        "--builder=farm",
        "--progress=rawjson",
        "--provenance=mode=max",
        "--sbom=true",
        "--cache-to=type=local,dest=x",
        "--load",
    } <= set(words)


def test_an_old_buildx_has_no_rawjson(tmp_path: Path) -> None:
    assert "--progress=plain" in buildx("0.12.1")._command(session(tmp_path, request()), [])


def test_a_text_becomes_a_file_with_the_same_bytes(tmp_path: Path) -> None:
    here = session(tmp_path, request(dockerfile_text="FROM x\r\n\udcff"))
    assert here.dockerfile() == [f"--file={tmp_path}/Dockerfile"]
    assert (tmp_path / "Dockerfile").read_bytes() == b"FROM x\r\n\xff"


def test_a_path_stays_a_path_and_none_is_the_engines_own(tmp_path: Path) -> None:
    assert session(tmp_path, request(dockerfile=Path("a/b"))).dockerfile() == ["--file=a/b"]
    assert session(tmp_path, request()).dockerfile() == []


def test_two_dockerfiles_are_refused() -> None:
    with pytest.raises(UsageError):
        request(dockerfile=Path("x"), dockerfile_text="y")


@pytest.mark.parametrize("path", ["/tmp/a:b.tar", "/tmp/a,b.tar", "/nowhere/at/all.tar"])
def test_destinations_that_engines_misread_are_refused(path: str) -> None:
    with pytest.raises(UsageError):
        check_destination(request(destination=Path(path)))


@pytest.mark.parametrize(("text", "image"), [("sha256:ab\n", "sha256:ab"), ("ab", "sha256:ab"), ("", "")])
def test_the_id_that_an_engine_wrote_is_a_digest(text: str, image: str, tmp_path: Path) -> None:
    here = session(tmp_path, request())
    assert here.image_id() == ""
    here.id_file.write_text(text, encoding="ascii")
    assert here.image_id() == image


@pytest.mark.parametrize(
    ("index", "digest"), [(b'{"manifests": [{"digest": "sha256:1"}]}', "sha256:1"), (b"[]", ""), (b'{"manifests": [1]}', ""), (None, "")]
)
def test_the_digest_of_an_archive_is_its_indexs(index: bytes | None, digest: str, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as tar:
        for name, content in [("oci-layout", b"{}"), *([("index.json", index)] if index is not None else [])]:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    assert archive_digest(archive) == digest


@pytest.mark.parametrize(
    ("value", "kind"),
    [("repo/x:tag", "registry"), ("type=inline", "inline"), ("type=local,dest=x", "local"), ("ref=x", "registry"), ("", "registry")],
)
def test_kinds_of_caches(value: str, kind: str) -> None:
    assert cache_type(value) == kind


@given(st.text(st.characters(blacklist_characters="\r\n\0", codec="utf-8"), min_size=1))
def test_a_field_is_read_as_it_was_written(text: str) -> None:
    assert fields(",".join(["type=oci", field("dest", text)]))["dest"] == text
