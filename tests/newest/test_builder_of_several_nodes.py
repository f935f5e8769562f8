"""A builder that ``docker buildx create`` made of several nodes: each is a node, and builds what it is for."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines.fixtures import folder_for
from tests.engines.newest import Buildkit, buildkit

from quarterdeck.build.oci.open_image import open_image
from quarterdeck.build.platform import Platform
from quarterdeck.core.process import Completed, run

pytestmark = pytest.mark.engines

HOST = Platform.of_host()
OTHER = Platform.parse("linux/amd64" if HOST.architecture == "arm64" else "linux/arm64")


@pytest.fixture(scope="module")
def second(built_engines: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildkit]:
    with buildkit(folder_for(tmp_path_factory, "second-buildkit")) as running:
        yield running


@pytest.fixture
def team(host_buildkitd: Buildkit, second: Buildkit) -> Iterator[Buildkit]:
    """The builder ``team`` of two daemons, each for one platform; its client."""
    host_buildkitd("create", "--driver=remote", "--name=team", "--node=here", f"--platform={HOST}", host_buildkitd.address)
    host_buildkitd("create", "--append", "--name=team", "--node=there", f"--platform={OTHER}", second.address)
    yield host_buildkitd
    host_buildkitd("rm", "--force", "team", check=False)


def qd(team: Buildkit, folder: Path, *words: str) -> Completed:
    env = {**team.env, "QUARTERDECK_HOME": str(folder / "home"), "TMPDIR": str(folder)}
    return run([sys.executable, "-m", "quarterdeck", *words], env=env, cwd=folder, check=False, timeout=100)


def test_each_node_is_seen_used_and_builds_its_platform(team: Buildkit, second: Buildkit, tmp_path: Path) -> None:
    listed = {one["name"]: one for one in json.loads(qd(team, tmp_path, "nodes", "ls", "--json").stdout)}
    assert list(listed["team.here"]["platforms"]) == [str(HOST)]
    assert list(listed["team.there"]["platforms"]) == [str(OTHER)]
    used = qd(team, tmp_path, "nodes", "use", "team")
    assert used.text.split() == ["team.here", "team.there"], used.stderr.decode()
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n", encoding="utf-8")
    before = second.buildctl("du").text
    platforms = f"--platform={HOST},{OTHER}"
    done = qd(team, tmp_path, "build", platforms, "--provenance=false", "-o", "image.tar", "--metadata-file=meta.json")
    assert done.returncode == 0, done.stderr.decode()
    built = json.loads((tmp_path / "meta.json").read_bytes())["quarterdeck.platforms"]
    assert {platform: one["node"] for platform, one in built.items()} == {str(HOST): "team.here", str(OTHER): "team.there"}
    assert second.buildctl("du").text != before
    with open_image(tmp_path / "image.tar") as layout:
        assert len(list(layout.source().manifests())) == 2


@pytest.mark.parametrize(
    ("options", "attested"),
    [((), False), (("--provenance=false",), False), (("--provenance=true",), True), (("--provenance=mode=max",), True)],
)
def test_attestations_are_there_only_when_they_are_asked_for(
    team: Buildkit, tmp_path: Path, options: tuple[str, ...], attested: bool
) -> None:
    qd(team, tmp_path, "nodes", "use", "team")
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n", encoding="utf-8")
    done = qd(team, tmp_path, "build", f"--platform={HOST},{OTHER}", *options, "-o", "image.tar")
    assert done.returncode == 0, done.stderr.decode()
    with open_image(tmp_path / "image.tar") as layout:
        images = list(layout.source().manifests())
    assert len([one for one in images if one.attests is None]) == 2
    assert len([one for one in images if one.attests is not None]) == (2 if attested else 0)
