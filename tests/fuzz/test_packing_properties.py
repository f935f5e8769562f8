"""Whatever an archive holds, unpacking ends in an image or in an error with words."""

import bz2
import contextlib
import gzip
import lzma
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.packed import disk, find_image, make_tar, make_vdi, make_vhd, make_zip, sparse_vmdk, stream_vmdk

from quarterdeck.errors import QuarterdeckError
from quarterdeck.media.packing.contents import HEAD_SIZE, recognise_content
from quarterdeck.media.packing.limits import Limits
from quarterdeck.media.packing.zip import NotStreamableError

SMALL = disk(256 << 10)
LIMITS = Limits(size=64 << 20, memory=64 << 20, slack=8 << 20, ratio=200, dense_ratio=200)
SEEDS = {
    "vmdk": stream_vmdk(SMALL),
    "sparse vmdk": sparse_vmdk(SMALL),
    "vdi": make_vdi(SMALL),
    "vhd": make_vhd(SMALL),
    "tar": make_tar({"a.txt": b"text\n", "x/disk.raw": SMALL}),
    "zip": make_zip({"a.txt": b"text\n", "x/disk.raw": SMALL}),
    "piped zip": make_zip({"a.txt": b"text\n", "x/disk.raw": SMALL}, seekable=False),
    "gzip": gzip.compress(SMALL),
    "xz": lzma.compress(SMALL),
    "bzip2": bz2.compress(SMALL),
    "nested": gzip.compress(make_tar({"vm.zip": make_zip({"disk.vmdk": stream_vmdk(SMALL)})})),
}
# Headers and tables are where damage matters most.
PLACES = st.one_of(st.integers(0, 600), st.integers(0, 12_000), st.integers(0, 1 << 20))
EDITS = st.lists(st.tuples(PLACES, st.binary(min_size=1, max_size=8)), min_size=1, max_size=4)


@given(st.binary(max_size=2000), st.sampled_from([0, 64, 257, 510, 512, 0x438, 32769]))
def test_anything_is_recognised_as_something(garbage: bytes, offset: int) -> None:
    recognise_content(garbage)
    recognise_content((bytes(offset) + garbage)[:HEAD_SIZE])


@pytest.mark.parametrize("kind", SEEDS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(edits=EDITS, cut=st.one_of(st.none(), st.integers(0, 1 << 20)))
def test_damage_ends_in_an_image_or_in_words(kind: str, edits: list[tuple[int, bytes]], cut: int | None) -> None:
    content = bytearray(SEEDS[kind])
    for place, data in edits:
        start = place % len(content)
        content[start : start + len(data)] = data
    if cut is not None:
        del content[cut % len(content) :]
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(QuarterdeckError, NotStreamableError):
        assert find_image(bytes(content), Path(folder), limits=LIMITS).path.exists()
