"""The newest BuildKit builds through buildx, inside a namespace and on the host."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from scripts.engines.table import engine
from tests.engines.base import BaseImage
from tests.engines.newest import BUILDER, Buildkit
from tests.engines.podman import Storage
from tests.engines.registry import Registry

pytestmark = [pytest.mark.engines, pytest.mark.timeout(900)]

RECIPE = "FROM debian\nRUN dpkg --print-architecture >/architecture\n"


def write_context(folder: Path, text: str) -> Path:
    (folder / "Dockerfile").write_text(text, encoding="utf-8")
    return folder


def read(archive: Path, name: str) -> dict[str, Any]:
    with tarfile.open(archive) as opened:
        member = opened.extractfile(name)
        assert member is not None
        content: dict[str, Any] = json.load(member)
        return content


def layers(archive: Path) -> int:
    top = read(archive, "index.json")["manifests"][0]
    manifest = read(archive, f"blobs/{top['digest'].replace(':', '/')}")
    return len(manifest["layers"])


def test_they_are_the_versions_that_were_asked_for(buildkitd: Buildkit) -> None:
    assert engine("buildx").version in buildkitd("version").text
    assert engine("buildkit").version in buildkitd("inspect", BUILDER).text


def test_it_builds_from_debian_into_an_oci_archive(buildkitd: Buildkit, debian_layout: Path, tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    context = write_context(tmp_path, RECIPE)
    options = (f"--build-context=debian=oci-layout://{debian_layout}:13", "--provenance=false")
    buildkitd("build", *options, f"--output=type=oci,dest={archive}", context)
    assert layers(archive) == 2


def test_what_the_host_builds_goes_to_the_registry(
    host_buildkitd: Buildkit, host_podman: Storage, loopback_registry: Registry, debian: BaseImage, tmp_path: Path
) -> None:
    base, name = loopback_registry.name("base:13"), loopback_registry.name("built:1")
    host_podman.load(debian.archive)
    host_podman.buildah("push", "--quiet", debian.name, f"docker://{base}")
    context = write_context(tmp_path, RECIPE.replace("debian", base))
    host_buildkitd("build", f"--output=type=image,name={name},push=true", context)
    assert json.loads(host_buildkitd("imagetools", "inspect", "--raw", name).stdout)["schemaVersion"] == 2
    assert host_podman.buildah("pull", "--quiet", f"docker://{name}").text.strip()
