"""A container builder: made and started for a node, asked, used, and removed with it. BuildKit's image is made here, of its programs."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines.base import base_image
from tests.engines.docker import Docker, program
from tests.engines.newest import add_plugins, folders

from quarterdeck.build.nodes.builders import builders
from quarterdeck.build.nodes.lifecycle import bootstrap, check_new, remove
from quarterdeck.build.nodes.model import EngineName, Kind, Node, Runs
from quarterdeck.build.nodes.probe.run import probe
from quarterdeck.build.nodes.store import NodeStore
from quarterdeck.build.platform import Platform
from quarterdeck.core.arch import host_arch
from quarterdeck.core.process import run
from quarterdeck.errors import TargetError, UsageError

pytestmark = [pytest.mark.integration, pytest.mark.engines, pytest.mark.timeout(300)]
SECONDS = 100.0
IMAGE = "localhost/buildkit:test"
_FILE = """FROM {base}
COPY buildkitd buildctl /usr/bin/
ENTRYPOINT ["buildkitd"]
"""


@pytest.fixture
def engine(built_engines: None, docker: Docker, monkeypatch, tmp_path) -> Iterator[Docker]:
    """Debian's Engine with the newest buildx, and an image of the newest BuildKit; in a namespace, whose root may do all."""
    base = base_image(host_arch().name, packages=("runc",))
    docker.load(base.archive)
    where = ":".join(map(str, folders()))
    context = tmp_path / "image"
    context.mkdir()
    for name in ("buildkitd", "buildctl"):
        shutil.copy(program(name, where), context)
    (context / "Dockerfile").write_text(_FILE.format(base=base.name))
    docker("build", "--quiet", "--tag", IMAGE, context)
    config = tmp_path / "client"
    add_plugins(config)
    monkeypatch.setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
    monkeypatch.setenv("DOCKER_CONFIG", str(config))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{docker.socket}")
    yield docker
    docker("rm", "--force", "--volumes", "buildx_buildkit_fast0", check=False)
    docker("rmi", "--force", IMAGE, check=False)


async def test_a_container_builder_lives_as_long_as_its_node(engine: Docker, tmp_path: Path):
    store = NodeStore(tmp_path / "builds/nodes.json")
    node = Node(name="quick", kind=Kind.CONTAINER, endpoint="docker-container://fast", options={"image": IMAGE, "network": "host"})
    await check_new(node)
    down = await probe(node, deadline=SECONDS)
    assert not down.healthy
    assert "qd nodes bootstrap" in down.hint
    made = await bootstrap(node, deadline=SECONDS)
    store.add(node)
    assert made.platforms[Platform.of_host()] is Runs.NATIVE
    assert made.engines[0].name is EngineName.BUILDX
    assert made.memory > 1 << 28
    assert "buildx_buildkit_fast0" in engine("ps", "--format={{.Names}}").text
    with pytest.raises(UsageError, match="not ours"):
        await check_new(Node(name="other", kind=Kind.CONTAINER, endpoint="docker-container://fast"))
    engine("stop", "--time=1", "buildx_buildkit_fast0")
    assert not (await probe(node, deadline=SECONDS)).healthy
    assert (await bootstrap(node, deadline=SECONDS)).healthy
    _build(tmp_path)
    await remove(store, "quick")
    assert "buildx_buildkit_fast0" not in engine("ps", "--all", "--format={{.Names}}").text
    assert not (await probe(node, deadline=SECONDS)).healthy


def _build(folder: Path) -> None:
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    output = f"--output=type=oci,dest={folder}/image.tar"
    run(["docker", "buildx", "build", "--builder=fast", "--quiet", output, f"--file={folder}/Dockerfile", folder], timeout=SECONDS)
    assert (folder / "image.tar").stat().st_size > 0


async def test_a_builder_that_does_not_start_leaves_nothing(engine: Docker, tmp_path: Path):
    node = Node(name="bad", kind=Kind.CONTAINER, endpoint="docker-container://bad", options={"image": "localhost/absent:1"})
    with pytest.raises(TargetError) as caught:
        await bootstrap(node, deadline=SECONDS)
    assert caught.value.key == "buildx-refused"
    assert "connection refused" in caught.value.reason
    assert "bad" not in [builder.name for builder in builders()]
