import gzip
import importlib.util
import sys
import zlib
from types import ModuleType

import pytest

from quarterdeck.media.packing import deflate
from quarterdeck.media.packing.writeback import begin_writing

_CONTENT = bytes(range(256)) * 4096


def _load(monkeypatch: pytest.MonkeyPatch, *, without: str) -> ModuleType:
    """A second copy of the module, made where the package ``without`` is not installed."""
    if without:
        monkeypatch.setitem(sys.modules, without, None)
    spec = importlib.util.spec_from_file_location("copy_of_deflate", deflate.__file__)
    assert spec is not None
    assert spec.loader is not None
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy


@pytest.fixture(params=["", "zlib_ng"], ids=["zlib-ng", "zlib"])
def library(request, monkeypatch):
    return _load(monkeypatch, without=request.param)


@pytest.mark.parametrize(
    ("wbits", "packed"), [(31, gzip.compress(_CONTENT)), (15, zlib.compress(_CONTENT)), (-15, zlib.compress(_CONTENT)[2:-4])]
)
def test_gives_no_more_at_once_than_was_asked_for_and_keeps_what_follows(library, wbits, packed):
    decoder = library.new_decoder(wbits)
    out, data = [], packed + b"next"
    while not decoder.eof:
        out.append(decoder.decompress(data, 1000))
        data = decoder.unconsumed_tail
    assert max(map(len, out)) <= 1000
    assert b"".join(out) == _CONTENT
    assert decoder.unused_data == b"next"


@pytest.mark.parametrize("place", [2, 5000, -6, -2])
def test_a_flipped_bit_is_an_error_that_is_known(library, place):
    packed = bytearray(gzip.compress(_CONTENT[:256] + bytes(50_000) + gzip.compress(_CONTENT, 1), 0))
    packed[place] ^= 64
    with pytest.raises(library.ERRORS):
        library.new_decoder(31).decompress(bytes(packed), 1 << 24)


def test_checksums_go_on_from_those_before(library):
    assert library.crc32(_CONTENT[9:], library.crc32(_CONTENT[:9])) == zlib.crc32(_CONTENT)


def test_writing_can_be_begun_at_any_time_and_changes_nothing(tmp_path):
    with (tmp_path / "file").open("wb+") as file:
        begin_writing(file.fileno())
        file.write(_CONTENT)
        file.flush()
        begin_writing(file.fileno())
        file.seek(0)
        assert file.read() == _CONTENT
    begin_writing(-1)
