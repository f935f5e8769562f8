import contextlib
from pathlib import Path

import pytest
from tests.unit.build.oci.images import AMD64, LINUX_AMD64, LINUX_ARM64, Shelf, layer

from quarterdeck.build.check import layers as reading
from quarterdeck.build.engines.request import ArchiveFormat, BuildResult
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.build.oci.layout import Layout
from quarterdeck.build.oci.merge import named_roots
from quarterdeck.build.oci.write_archive import write_archive
from quarterdeck.build.platform import Platform
from quarterdeck.build.run.crew import Built
from quarterdeck.build.run.finish import Wishes, join, look_ahead, prove
from quarterdeck.errors import QuarterdeckError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("QUARTERDECK_HOME", str(tmp_path / "home"))


def built(path: Path, image) -> Built:
    platform = Platform.parse(f"linux/{image.architecture}")
    shelf = Shelf()
    source = shelf.source(shelf.image(image, [layer(("bin/a", AMD64), (f"bin/{image.architecture}", b""), packed=True)]))
    write_archive(Layout(source.blobs, named_roots(source.root)), path)
    result = BuildResult(
        platform=platform, path=path, format=ArchiveFormat.OCI, image_id="", digest="", steps=(), seconds=0.1,
        engine=EngineName.BUILDAH, version="1",
    )  # fmt: skip
    return Built(platform, "local", None, result)


def test_layers_that_were_read_ahead_are_not_unpacked_again_and_still_judged(tmp_path, monkeypatch):
    images = [built(tmp_path / f"{one.architecture}.tar", one) for one in (LINUX_AMD64, LINUX_ARM64)]
    for one in images:
        look_ahead(one)
    monkeypatch.delattr(reading, "unpacked")
    with contextlib.ExitStack() as stack, pytest.raises(QuarterdeckError, match="is not what it says") as caught:
        prove(join(images, Wishes(), stack=stack))
    assert caught.value.reason.startswith("linux/arm64 bin/a: ")


def test_looking_ahead_leaves_it_to_the_proof_to_say_what_is_wrong(tmp_path):
    image = built(tmp_path / "image.tar", LINUX_AMD64)
    image.result.path.write_bytes(b"no archive")
    look_ahead(image)
    image.result.path.unlink()
    look_ahead(image)
