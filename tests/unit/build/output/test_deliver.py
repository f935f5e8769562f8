from concurrent.futures import Future

import pytest
from tests.unit.build.oci.images import AMD64, LINUX_AMD64, Shelf, layer

from quarterdeck.build.output.deliver import Product, deliver
from quarterdeck.build.output.destination import Destination, Kind
from quarterdeck.build.platform import Platform
from quarterdeck.errors import QuarterdeckError

FILES = [Kind.OCI_ARCHIVE, Kind.DOCKER_ARCHIVE, Kind.OCI_FOLDER]


@pytest.fixture
def product():
    shelf = Shelf()
    return Product(shelf.source(shelf.image(LINUX_AMD64, [layer(("bin/a", AMD64))])), (Platform.parse("linux/amd64"),))


@pytest.mark.parametrize("kind", FILES)
async def test_an_image_that_fails_its_proof_is_nowhere(kind, product, tmp_path):
    proof: Future = Future()
    proof.set_exception(QuarterdeckError("image-wrong", "it is not what it says"))
    with pytest.raises(QuarterdeckError, match="not what it says"):
        await deliver(product, (Destination(kind, tmp_path / "image"),), proof=proof)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", FILES)
async def test_an_image_that_was_proved_or_is_not_to_be_is_written(kind, product, tmp_path):
    proof: Future = Future()
    proof.set_result(None)
    for name, given in (("proved", proof), ("taken", None)):
        (delivery,) = await deliver(product, (Destination(kind, tmp_path / name),), proof=given)
        assert delivery.text == f"written to {tmp_path / name} ({kind.value})"
        assert (tmp_path / name).exists()
