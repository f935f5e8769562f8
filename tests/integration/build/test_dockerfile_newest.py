"""The corpus of Dockerfiles given to the newest BuildKit: the same are accepted, with the same stages, or refused at the same lines."""

import json
import re
from pathlib import Path

import pytest
from tests.engines.newest import Buildkit

from quarterdeck.build.dockerfile.errors import DockerfileError
from quarterdeck.build.dockerfile.model import Dockerfile
from quarterdeck.build.dockerfile.parser import parse

pytestmark = pytest.mark.engines

CORPUS = Path(__file__).parents[2] / "data" / "dockerfiles"
FILES = [pytest.param(path, id=f"{path.parent.name}/{path.name.removesuffix('.Dockerfile')}") for path in sorted(CORPUS.glob("*/*"))]


def read(content: bytes) -> Dockerfile | DockerfileError:
    try:
        return parse(content)
    except DockerfileError as error:
        return error


def stages_of(dockerfile: Dockerfile) -> list[tuple[str, str, str]]:
    """Return name, platform and base of each stage as the sub-request ``targets`` of BuildKit lists them."""
    found = [instruction for instruction in dockerfile.instructions if instruction.keyword == "FROM"]
    return [
        (stage.arguments[2].lower() if len(stage.arguments) > 2 else "", stage.flag("platform") or "", stage.arguments[0])
        for stage in found
    ]


@pytest.mark.parametrize("file", FILES)
def test_the_newest_buildkit_and_we_agree(buildkitd: Buildkit, file: Path, tmp_path: Path) -> None:
    # BuildKit's own frontend has to read the file: one that a directive names would have to be fetched.
    content = re.sub(rb"(?im)^#[ \t]*syntax[ \t]*=.*\n", b"", file.read_bytes())
    (tmp_path / "Dockerfile").write_bytes(content)
    done = buildkitd("build", "--progress=plain", "--call=targets,format=json", tmp_path, check=False)
    words = (done.stderr or b"").decode()
    dockerfile = read(content)
    if isinstance(dockerfile, DockerfileError):
        # A file without FROM is refused when something is built from it; asked for its stages, BuildKit says that it has none.
        assert done.returncode or not json.loads(done.stdout)["targets"], dockerfile
        line = re.search(r"parse error on line (\d+)|Dockerfile:(\d+)\n", words)
        assert line is None or int(line[1] or line[2]) == dockerfile.line, words
        return
    assert done.returncode == 0, words
    listed = json.loads(done.stdout)["targets"]
    assert [(stage.get("name", ""), stage.get("platform", ""), stage["base"]) for stage in listed] == stages_of(dockerfile)
