from pathlib import Path

import pytest

from quarterdeck.build.check.engine import ENGINES
from quarterdeck.build.check.smoke import smoke
from quarterdeck.build.oci.blobs import MemoryBlobs
from quarterdeck.build.oci.layout import ImageSource
from quarterdeck.build.oci.model import Descriptor
from quarterdeck.errors import UsageError

TAG = "localhost/quarterdeck-smoke:abc"


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_forgets_what_it_loaded(name):
    engine = ENGINES[name]
    assert any(str(Path("/x.tar")) in word for word in engine.load(Path("/x.tar"), TAG)[0])
    assert [name, "rmi"] == engine.clean(TAG)[-1][:2]
    assert engine.clean(TAG)[-1][-1] == TAG


def test_a_command_replaces_the_entry_point():
    words = ENGINES["docker"].run(TAG, "linux/arm64", ["sh", "-c", "true"])
    assert words[-4:] == ["--entrypoint=sh", TAG, "-c", "true"]
    assert words[words.index("--platform") + 1] == "linux/arm64"
    assert "--pull=never" in ENGINES["podman"].run(TAG, "linux/arm64", ["true"])


def test_no_command_and_no_engine_are_refused():
    nothing = ImageSource(MemoryBlobs({}), Descriptor("x", "sha256:" + "0" * 64, 0))
    with pytest.raises(UsageError):
        smoke(nothing, [], ())
