"""Images go to registries, with the credentials that people have, and come back from there."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engines.fixtures import folder_for
from tests.engines.registry import PASSWORD, USER, Registry, registry
from tests.integration.build.end_to_end.lab import BOTH, DEBIAN_PATH, Lab

from quarterdeck.core.process import run

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

SMALL = "FROM scratch\nCOPY Dockerfile /\n"
HELPER = """#!/bin/sh
read -r server
test "$1" = get || exit 1
printf '{"ServerURL": "%%s", "Username": "%s", "Secret": "%s"}' "$server"
""" % (USER, PASSWORD)  # noqa: UP031 - the script is full of braces


@pytest.fixture(scope="module")
def closed_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that wants a login."""
    with registry(folder_for(tmp_path_factory, "closed-registry"), login=True) as running:
        yield running


def auths(server: str) -> dict[str, object]:
    return {"auths": {server: {"auth": base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}}}


def auth_file(folder: Path, server: str) -> dict[str, str]:
    """``podman login`` writes such a file."""
    (folder / "auth.json").write_text(json.dumps(auths(server)))
    return {"REGISTRY_AUTH_FILE": str(folder / "auth.json")}


def docker_login(folder: Path, server: str) -> dict[str, str]:
    """``docker login`` writes such a file."""
    (folder / ".docker").mkdir()
    (folder / ".docker/config.json").write_text(json.dumps(auths(server)))
    return {"HOME": str(folder), "REGISTRY_AUTH_FILE": ""}


def helper(folder: Path, server: str) -> dict[str, str]:
    """Clouds want a program to be asked."""
    (folder / ".docker").mkdir()
    (folder / ".docker/config.json").write_text(json.dumps({"credHelpers": {server: "lab"}}))
    (folder / "docker-credential-lab").write_text(HELPER)
    (folder / "docker-credential-lab").chmod(0o755)
    return {"HOME": str(folder), "REGISTRY_AUTH_FILE": "", "PATH": f"{folder}:{DEBIAN_PATH}"}


@pytest.mark.parametrize("credentials", [auth_file, docker_login, helper])
def test_a_registry_that_wants_a_login_takes_the_usual_credentials(
    buildah: Lab, closed_registry: Registry, tmp_path: Path, credentials: Callable[[Path, str], dict[str, str]]
) -> None:
    buildah.dockerfile(SMALL)
    env = credentials(tmp_path, f"127.0.0.1:{closed_registry.port}")
    name = closed_registry.name(f"{credentials.__name__}:1")
    done = buildah.build(f"--platform={BOTH}", "-t", name, "--push", env=env)
    assert done.returncode == 0, done.stderr.decode()
    assert buildah.qd("image", "check", name, f"--platform={BOTH}", env=env).returncode == 0
    assert buildah.qd("image", "check", name, env={"HOME": str(buildah.folder)}).returncode == 6
    buildah.dockerfile(f"FROM {name}\nLABEL based=here\n")
    based = buildah.build("--pull", "-o", "based.tar", env=env)
    assert based.returncode == 0, based.stderr.decode()


def test_an_image_that_a_registry_refuses_is_kept_and_the_error_says_how_to_push_it(
    buildah: Lab, closed_registry: Registry, tmp_path: Path
) -> None:
    buildah.dockerfile(SMALL)
    name = closed_registry.name("refused:1")
    error = buildah.fails(f"--platform={BOTH}", "-t", name, "--push")
    assert (error["exit_code"], error["key"]) == (6, "registry-denied")
    assert "docker login" in error["hint"]
    again = error["hint"].rpartition("push it by: ")[2].split()
    assert [path.name for path in buildah.folder.glob("*.tar")] == [again[3].removeprefix("oci-archive:")]
    env = {**buildah.env, **auth_file(tmp_path, f"127.0.0.1:{closed_registry.port}")}
    run([*again, "--dest-tls-verify=false"], cwd=buildah.folder, env=env)
    assert buildah.qd("image", "check", name, f"--platform={BOTH}", env=env).returncode == 0
