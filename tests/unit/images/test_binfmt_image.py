"""The files of the image quarterdeck/binfmt: what they promise to Kubernetes and to those who build it."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from quarterdeck.core.arch import ARCHES, find_arch

FOLDER = Path(__file__).parents[3] / "images/binfmt"
IMAGE = "quarterdeck/binfmt:latest"
Document = dict[str, Any]


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    return list(YAML(typ="safe").load_all(FOLDER / "daemonset.yaml"))


@pytest.fixture(scope="module")
def pod(documents: list[Document]) -> Document:
    spec: Document = documents[1]["spec"]["template"]["spec"]
    return spec


def test_the_manifest_is_a_namespace_and_a_daemon_set_in_it(documents: list[Document]) -> None:
    namespace, daemon_set = documents
    assert (namespace["apiVersion"], namespace["kind"]) == ("v1", "Namespace")
    assert (daemon_set["apiVersion"], daemon_set["kind"]) == ("apps/v1", "DaemonSet")
    assert daemon_set["metadata"]["namespace"] == namespace["metadata"]["name"]
    labels = daemon_set["spec"]["template"]["metadata"]["labels"]
    assert daemon_set["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_it_runs_on_every_linux_node(pod: Document) -> None:
    assert pod["tolerations"] == [{"operator": "Exists"}]
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux"}


def test_only_what_registers_is_privileged(pod: Document) -> None:
    (install,), (prove,) = pod["initContainers"], pod["containers"]
    assert install["args"] == ["--install", "all"]
    assert install["securityContext"]["privileged"] is True
    context = prove["securityContext"]
    assert "privileged" not in context
    assert context["capabilities"]["drop"] == ["ALL"]
    assert "SYS_ADMIN" not in context["capabilities"]["add"]
    assert context["allowPrivilegeEscalation"] is False
    assert context["readOnlyRootFilesystem"] is True


def test_it_registers_in_the_instance_of_the_host(pod: Document) -> None:
    assert pod["hostPID"] is True
    assert pod["hostUsers"] is True
    assert not any("hostPath" in volume for volume in pod["volumes"])


def test_all_containers_are_of_the_image_and_their_volumes_exist(pod: Document) -> None:
    volumes = {volume["name"] for volume in pod["volumes"]}
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["image"] == IMAGE
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
        assert container["resources"]["limits"]["memory"]


def test_it_proves_platforms_that_there_are(pod: Document) -> None:
    program, family, command, *platforms = pod["containers"][0]["readinessProbe"]["exec"]["command"]
    assert (program, family, command) == ("/usr/bin/qd", "binfmt", "prove")
    assert [find_arch(platform).oci for platform in platforms] == platforms


def test_the_image_has_an_emulator_of_every_architecture_that_images_exist_for() -> None:
    found = re.search(r'^ARG EMULATORS="(.*)"$', (FOLDER / "Containerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    assert found[1].split() == sorted(arch.user for arch in ARCHES if arch.oci and arch.user)
