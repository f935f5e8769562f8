"""The corpus of Dockerfiles given to parsers that others wrote: the BuildKit inside Docker Engine, and buildah's.

Asked for a stage that is not there, a builder says so once it has read and accepted the file, and fetches and runs nothing.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.engines.docker import Docker, program
from tests.engines.podman import Storage

from quarterdeck.build.dockerfile.errors import DockerfileError
from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.core.process import run

pytestmark = pytest.mark.integration

CORPUS = Path(__file__).parents[2] / "data" / "dockerfiles"
FILES = [pytest.param(path, id=f"{path.parent.name}/{path.name.removesuffix('.Dockerfile')}") for path in sorted(CORPUS.glob("*/*"))]
NO_STAGE = "no-such-stage"
# What an engine says that does not know what was added to the language after it: here-documents, flags, fields, operators.
OLDER = re.compile(
    r"unknown flag: (--)?(link|checksum|exclude|start-interval|unpack|parents|keep-git-dir|device|network|security)\b"
    r"|unknown instruction: (LINE|SET|X|ECHO)\b|unexpected key 'env'|missing ':' in substitution",
    re.IGNORECASE,
)
# What BuildKit refuses only later than at the place asked here, when it is old.
LATER = {"only-arg", "mount-from-variable"}
# buildah's parser reads lines, ENV and JSON; flags and arguments it judges when it comes to them.
BUILDAH_REFUSES = {"directive-twice", "env-mixed", "env-without-value", "escape-wrong", "json-number", "empty"}
# buildah 1.28 ends with a Go traceback here.
BUILDAH_DIES = {"arg-nothing"}


@dataclass(frozen=True)
class Verdict:
    """What a builder says: whether it accepts, at which line it does not (None: not said), and its words."""

    accepted: bool
    line: int | None
    words: str


def fault_of(file: Path) -> DockerfileError | None:
    try:
        parse(file.read_bytes())
    except DockerfileError as error:
        return error
    return None


def buildkit_verdict(engine: Docker, file: Path, folder: Path) -> Verdict:
    # Its own frontend has to read the file: one that a directive names would have to be fetched.
    content = re.sub(rb"(?im)^#[ \t]*syntax[ \t]*=.*\n", b"", file.read_bytes())
    (folder / "Dockerfile").write_bytes(content)
    argv = [program("docker"), "build", "--progress=plain", f"--target={NO_STAGE}", str(folder)]
    done = run(argv, env={**engine.env, "DOCKER_BUILDKIT": "1"}, check=False)
    words = (done.stderr or b"").decode()
    assert done.returncode
    line = re.search(r"parse error (?:on )?line (\d+)", words)
    removed = file.read_bytes().count(b"\n") - content.count(b"\n")
    return Verdict(bool(re.search(rf'stage "?{NO_STAGE}"? could not be found', words)), int(line[1]) + removed if line else None, words)


@pytest.mark.parametrize("file", FILES)
def test_buildkit_and_we_agree(docker: Docker, file: Path, tmp_path: Path) -> None:
    verdict = buildkit_verdict(docker, file, tmp_path)
    error = fault_of(file)
    if error:
        if file.name.removesuffix(".Dockerfile") in LATER and verdict.accepted:
            pytest.skip("this engine's BuildKit refuses it later, the newest at once")
        assert not verdict.accepted
        if verdict.line is not None and not OLDER.search(verdict.words):
            assert verdict.line == error.line
        return
    if older := OLDER.search(verdict.words):
        pytest.skip(f"this engine's BuildKit is older than what the file uses: {older[0]}")
    assert verdict.accepted, verdict.words


@pytest.mark.parametrize("file", FILES)
def test_buildah_and_we_agree_about_lines(podman: Storage, file: Path, tmp_path: Path) -> None:
    name = file.name.removesuffix(".Dockerfile")
    done = podman.buildah("bud", f"--target={NO_STAGE}", "-f", file, tmp_path, check=False)
    words = (done.stderr or b"").decode()
    if name in BUILDAH_DIES and "goroutine" in words:
        pytest.skip("this buildah ends with a Go traceback where it should refuse")
    if name in BUILDAH_REFUSES:
        assert f'"{NO_STAGE}" was not found' not in words
    elif file.parent.name == "accepted":
        assert f'"{NO_STAGE}" was not found' in words, words
