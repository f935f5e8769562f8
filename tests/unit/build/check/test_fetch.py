import pytest

from quarterdeck.build.check.fetch import Place, Transport
from quarterdeck.errors import UsageError


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("debian:12", Place(Transport.REGISTRY, "docker.io/library/debian:12")),
        ("docker://ghcr.io/o/app", Place(Transport.REGISTRY, "ghcr.io/o/app")),
        ("docker:app:1", Place(Transport.DOCKER, "app:1")),
        ("docker-daemon:app:1", Place(Transport.DOCKER, "app:1")),
        ("podman:localhost/app", Place(Transport.PODMAN, "localhost/app")),
        ("containers-storage:app", Place(Transport.PODMAN, "app")),
        ("docker:0123456789ab", Place(Transport.DOCKER, "0123456789ab")),
        ("docker:sha256:" + "a" * 64, Place(Transport.DOCKER, "sha256:" + "a" * 64)),
    ],
)
def test_names_say_where_an_image_is(text, place):
    assert Place.parse(text) == place


def test_files_are_taken_with_and_without_a_transport(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "image.tar").touch()
    (tmp_path / "odd:name").touch()
    assert Place.parse("image.tar") == Place.parse("oci-archive:image.tar") == Place(Transport.FILES, "image.tar")
    assert Place.parse("oci:image.tar:app:1") == Place(Transport.FILES, "image.tar", "app:1")
    assert Place.parse("docker-archive:odd:name") == Place(Transport.FILES, "odd:name")


@pytest.mark.parametrize(
    "text", ["", "./none", "/none", "oci:none", "oci:", "docker:", "podman:--all", "docker:-o", "docker://", "Not", "a\0b"]
)
def test_what_is_nowhere_is_refused(text):
    with pytest.raises(UsageError):
        Place.parse(text)
