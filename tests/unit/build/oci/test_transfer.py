from pathlib import Path

import pytest

from quarterdeck.build.oci import transfer
from quarterdeck.build.oci.reference import Reference
from quarterdeck.build.oci.transfer import Access, inspect_argv, pull_argv, push_argv
from quarterdeck.errors import HostError

FOLDER, DIGEST = Path("/work/image"), Path("/work/digest")


@pytest.fixture(autouse=True)
def programs(monkeypatch):
    monkeypatch.setattr(transfer, "find", lambda name: f"/usr/bin/{name}")


def push_words(name, **more):
    return push_argv(FOLDER, Reference.parse(name), digest_file=DIGEST, **more)


def test_pushes_keep_all_images_and_their_digests():
    words = push_words("ghcr.io/o/app:1")
    assert words[:3] == ["/usr/bin/skopeo", "copy", "--all"]
    assert words[-2:] == ["oci:/work/image", "docker://ghcr.io/o/app:1"]
    assert "--preserve-digests" in words
    assert "--preserve-digests" not in push_words("ghcr.io/o/app:1", preserve=False)
    assert not [word for word in words if "tls" in word or "auth" in word]


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1:5000", "127.8.9.1", "[::1]:5000", "[::1]"])
def test_registries_of_this_host_need_no_certificate(host):
    assert "--dest-tls-verify=false" in push_words(f"{host}/app")
    assert "--dest-tls-verify=true" in push_words(f"{host}/app", access=Access(tls_verify=True))


@pytest.mark.parametrize("host", ["ghcr.io", "10.0.0.1:5000", "localhost.example.com", "[2001:db8::1]:443"])
def test_other_registries_do(host):
    assert not [word for word in push_words(f"{host}/app") if "tls" in word]


def test_credentials_and_certificates_are_told_to_every_command():
    access = Access(Path("/auth.json"), tls_verify=False)
    reference = Reference.parse("r.example/app@sha256:" + "a" * 64)
    assert {"--authfile=/auth.json", "--dest-tls-verify=false"} <= set(push_words("r.example/app", access=access))
    assert {"--authfile=/auth.json", "--src-tls-verify=false"} <= set(pull_argv(reference, FOLDER, access=access))
    assert {"--authfile=/auth.json", "--tls-verify=false", "--raw"} <= set(inspect_argv(reference, "--raw", access=access))
    assert pull_argv(reference, FOLDER)[-2:] == [f"docker://{reference}", "dir:/work/image"]


def test_without_skopeo_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setattr(transfer, "find", lambda name: None)
    with pytest.raises(HostError, match="skopeo"):
        push_words("app")
