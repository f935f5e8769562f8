from pathlib import Path

import pytest

from quarterdeck.build.output.destination import Destination, Kind, check_outputs, parse_output
from quarterdeck.errors import UsageError


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("image.tar", Destination(Kind.OCI_ARCHIVE, Path("image.tar"))),
        ("type=oci,dest=image.tar", Destination(Kind.OCI_ARCHIVE, Path("image.tar"))),
        ("type=oci,dest=folder,tar=false", Destination(Kind.OCI_FOLDER, Path("folder"))),
        ("type=docker", Destination(Kind.ENGINE)),
        ("type=docker,dest=image.tar", Destination(Kind.DOCKER_ARCHIVE, Path("image.tar"))),
        ("type=registry", Destination(Kind.REGISTRY)),
        ("type=image,name=app:1,push=true", Destination(Kind.REGISTRY, names=("app:1",))),
        ("type=image", Destination(Kind.ENGINE)),
    ],
)
def test_an_output_names_a_place(text, place):
    assert parse_output(text) == place


@pytest.mark.parametrize(
    "text",
    ["type=local,dest=x", "type=oci", "type=oci,dest=-", "type=oci,dest=x,tar=perhaps", "type=tar,dest=x", "dest=x", "type=oci,to=x"],
)
def test_an_output_that_cannot_be_made_is_refused(text):
    with pytest.raises(UsageError):
        parse_output(text)


def test_a_push_needs_a_name_and_an_archive_of_docker_one_platform():
    with pytest.raises(UsageError):
        check_outputs([Destination(Kind.REGISTRY)], [], several=False)
    with pytest.raises(UsageError):
        check_outputs([Destination(Kind.DOCKER_ARCHIVE, Path("x"))], [], several=True)
    check_outputs([Destination(Kind.REGISTRY)], ["app"], several=True)
