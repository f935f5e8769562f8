import bz2
import gzip
import lzma
import sys
import zlib
from collections.abc import Callable

import pytest
from tests.packed import disk, find_image, make_tar

from quarterdeck.errors import MediaError
from quarterdeck.media.packing.limits import Limits

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DISK = disk()
HALF = len(DISK) // 2
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "zstd": lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
    "bzip2": bz2.compress,
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
}
SEVERAL = ["gzip", "xz", "zstd", "bzip2"]


def test_a_bare_disk_is_stored_as_it_is(tmp_path):
    assert find_image(DISK, tmp_path).path.read_bytes() == DISK


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("step", [1 << 20, 997])
def test_a_stream_is_unpacked_however_it_arrives(tmp_path, packer, step):
    assert find_image(PACKERS[packer](DISK), tmp_path, step=step).path.read_bytes() == DISK


@pytest.mark.parametrize("packer", SEVERAL)
def test_streams_behind_each_other_are_one_file(tmp_path, packer):
    pack = PACKERS[packer]
    content = pack(DISK[:HALF]) + pack(DISK[HALF:]) + pack(b"") + bytes(1024)
    assert find_image(content, tmp_path).path.read_bytes() == DISK


def test_a_skippable_frame_may_come_first(tmp_path):
    frame = b"\x50\x2a\x4d\x18" + (8).to_bytes(4, "little") + bytes(8)
    assert find_image(frame + zstd.compress(DISK), tmp_path).path.read_bytes() == DISK


@pytest.mark.parametrize("packer", PACKERS)
def test_garbage_behind_the_end_is_refused(tmp_path, packer):
    with pytest.raises(MediaError) as caught:
        find_image(PACKERS[packer](DISK) + b"garbage" * 20_000, tmp_path)
    assert caught.value.key == "archive-damaged"


def test_a_signature_behind_a_gzip_stream_is_ignored_as_gzip_does(tmp_path):
    assert find_image(gzip.compress(DISK) + b"signature" * 50, tmp_path).path.read_bytes() == DISK


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("part", [0.3, 0.9, 0.999])
def test_a_stream_that_is_cut_off_is_refused(tmp_path, packer, part):
    content = PACKERS[packer](DISK)
    with pytest.raises(MediaError) as caught:
        find_image(content[: int(len(content) * part)], tmp_path)
    assert caught.value.key == "archive-truncated"


@pytest.mark.parametrize("packer", SEVERAL)
def test_a_flipped_bit_is_noticed(tmp_path, packer):
    content = PACKERS[packer](DISK)
    for place in (len(content) // 2, len(content) - 6):
        flipped = bytearray(content)
        flipped[place] ^= 4
        folder = tmp_path / str(place)
        folder.mkdir()
        with pytest.raises(MediaError):
            find_image(bytes(flipped), folder)


@pytest.mark.parametrize("packer", ["xz", "zstd", "lzma"])
def test_a_decoder_that_wants_too_much_memory_is_refused(tmp_path, packer):
    packs: dict[str, Callable[[bytes], bytes]] = {
        "xz": lambda data: lzma.compress(data, preset=6),
        "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE, preset=6),
        "zstd": lambda data: _streamed(data, window_log=24),
    }
    with pytest.raises(MediaError) as caught:
        find_image(packs[packer](DISK), tmp_path, limits=Limits(memory=1 << 20))
    assert caught.value.key == "archive-unsafe"
    assert "memory" in caught.value.reason


def _streamed(data: bytes, *, window_log: int) -> bytes:
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: window_log})
    return packer.compress(data) + packer.flush()


def test_bombs_are_refused_by_what_came_out_of_what_went_in(tmp_path):
    zeros = gzip.compress(bytes(4 << 20))
    with pytest.raises(MediaError) as caught:
        find_image(zeros, tmp_path, limits=Limits(slack=1 << 20, ratio=100))
    assert caught.value.key == "archive-unsafe"
    dense = gzip.compress(b"\x01" * (4 << 20))
    (tmp_path / "dense").mkdir()
    with pytest.raises(MediaError) as caught:
        find_image(dense, tmp_path / "dense", limits=Limits(slack=1 << 20, dense_ratio=100))
    assert "bomb" in caught.value.reason


def test_an_image_may_not_grow_beyond_the_limit(tmp_path):
    with pytest.raises(MediaError) as caught:
        find_image(gzip.compress(bytes(4 << 20)), tmp_path, limits=Limits(size=3 << 20))
    assert caught.value.key == "image-too-large"


def test_packings_may_lie_inside_each_other_but_not_for_ever(tmp_path):
    content = DISK
    for pack in (gzip.compress, lambda data: make_tar({"a": data}), lzma.compress):
        content = pack(content)
    assert find_image(content, tmp_path).path.read_bytes() == DISK
    for _ in range(7):
        content = gzip.compress(content)
    (tmp_path / "deep").mkdir()
    with pytest.raises(MediaError) as caught:
        find_image(content, tmp_path / "deep")
    assert "inside each other" in caught.value.reason


def test_zeros_take_no_space(tmp_path):
    big = bytes(1 << 20) + DISK + bytes(30 << 20)
    stored = find_image(gzip.compress(big), tmp_path).path.stat()
    assert stored.st_size == len(big)
    assert stored.st_blocks * 512 < 1 << 20


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "image-empty"),
        (gzip.compress(b"", mtime=0), "image-empty"),
        (b"<html>not found</html>\n" * 100, "image-not-a-disk"),
        (b"\x7fELF" + bytes(2 << 20), "image-not-a-disk"),
        (b"\x01\x02" + bytes(5000), "image-not-a-disk"),
    ],
)
def test_what_is_no_image_is_refused_in_words(tmp_path, content, key):
    with pytest.raises(MediaError) as caught:
        find_image(content, tmp_path)
    assert caught.value.key == key
    assert list(tmp_path.iterdir()) == []


def sized_xz(data: bytes, block: int, *, lie: int = 0) -> bytes:
    """What ``xz -T --block-size`` writes: blocks with their sizes in front, and one index; ``lie`` is added to the size of the last."""
    check = b"\x00\x04"
    out = b"\xfd7zXZ\x00" + check + zlib.crc32(check).to_bytes(4, "little")
    records = b""
    starts = range(0, len(data), block)
    for start in starts:
        piece = data[start : start + block]
        # The raw stream of a file of its own, without its header and index.
        alone = lzma.compress(piece, check=lzma.CHECK_CRC64)
        old = (alone[12] + 1) * 4
        index = (int.from_bytes(alone[-8:-4], "little") + 1) * 4
        body = alone[12 + old : -12 - index]
        packed = len(body) - 8 - _padding(alone, index, old)
        size = len(piece) + (lie if start == starts[-1] else 0)
        header = b"\xc0" + vint(packed) + vint(size) + alone[14:17]
        header = bytes([(len(header) + 8) // 4]) + header
        header += bytes(-len(header) % 4)
        header = bytes([len(header) // 4]) + header[1:]
        header += zlib.crc32(header).to_bytes(4, "little")
        out += header + body
        records += vint(len(header) + packed + 8) + vint(size)
    index_bytes = b"\x00" + vint(len(starts)) + records
    index_bytes += bytes(-len(index_bytes) % 4)
    index_bytes += zlib.crc32(index_bytes).to_bytes(4, "little")
    footer = (len(index_bytes) // 4 - 1).to_bytes(4, "little") + check
    return out + index_bytes + zlib.crc32(footer).to_bytes(4, "little") + footer + b"YZ"


def _padding(alone: bytes, index: int, header: int) -> int:
    """The index of the single block tells its size without padding."""
    place = len(alone) - 12 - index + 2
    unpadded = shift = 0
    while True:
        unpadded |= (alone[place] & 127) << shift
        if alone[place] < 128:
            return -unpadded % 4
        place, shift = place + 1, shift + 7


def vint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


@pytest.mark.parametrize("memory", [1 << 29, 9 << 20])
@pytest.mark.parametrize("step", [1 << 20, 997])
def test_blocks_of_xz_are_unpacked_side_by_side_or_piece_by_piece(tmp_path, memory, step):
    content = sized_xz(DISK * 3, 1_500_000)
    assert lzma.decompress(content) == DISK * 3
    assert find_image(content + content, tmp_path, limits=Limits(memory=memory), step=step).path.read_bytes() == DISK * 6


@pytest.mark.parametrize("memory", [1 << 29, 9 << 20])
def test_damaged_blocks_of_xz_are_refused(tmp_path, memory):
    content = sized_xz(DISK, 1 << 20)
    flips = {
        place: content[:place] + bytes([content[place] ^ 8]) + content[place + 1 :]
        for place in (9, 14, 30, 3000, len(content) - 30, len(content) - 9)
    }
    bad = [*flips.values(), content[:-20], content[:3000], sized_xz(DISK, 1 << 20, lie=1), sized_xz(DISK, 1 << 20, lie=-1)]
    for number, data in enumerate(bad):
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(MediaError):
            find_image(data, folder, limits=Limits(memory=memory))
