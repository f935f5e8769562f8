import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.build.oci.images import hard_link, layer

from quarterdeck.build.oci.errors import BadImageError
from quarterdeck.build.oci.tar import Kind, members


def listed(content, head=4):
    return list(members(io.BytesIO(content), head=head))


def refusal(content):
    try:
        listed(content)
    except BadImageError as error:
        return error.reason
    return ""


def test_members_are_what_they_are_with_the_beginning_of_files():
    content = layer(("d/", b""), ("d/f", b"hello"), ("l", "d/f"), hard_link("h", "d/f"))
    assert [(one.name, one.kind, one.target, one.size, one.head) for one in listed(content)] == [
        ("d/", Kind.FOLDER, "", 0, b""),
        ("d/f", Kind.FILE, "", 5, b"hell"),
        ("l", Kind.SYMLINK, "d/f", 0, b""),
        ("h", Kind.HARD_LINK, "d/f", 0, b""),
    ]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@settings(max_examples=40, deadline=None)
@given(
    names=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=60), min_size=1, max_size=4),
    size=st.integers(0, 2000),
)
def test_the_standard_library_finds_the_same(form, names, size):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name in names:
            member = tarfile.TarInfo("/".join([name] * 2))
            member.size = size
            try:
                archive.addfile(member, io.BytesIO(b"x" * size))
            except (ValueError, UnicodeError):
                return  # too long for this format
    content = buffer.getvalue()
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        expected = [(one.name, one.size, one.offset_data) for one in archive]
    assert [(one.name, one.size, one.offset) for one in listed(content)] == expected


def test_names_of_any_length_that_a_path_can_have_are_read():
    name = "/".join(["x" * 200] * 20)
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, name
            archive.addfile(member)
        (found,) = listed(buffer.getvalue())
        assert (found.name, found.target) == (name, name)


def header(size: int, kind: bytes = b"0") -> bytes:
    member = tarfile.TarInfo("x")
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"x" * 512, "number"),
        (header(0)[:300], "cut short"),
        (header(1000) + b"x" * 512, "cut short"),
        (header(1 << 40, b"x"), "extension"),
        (header(1 << 40, b"L"), "extension"),
        (header(2**70), "too large"),
        (header(10, b"x") + b"99 path=x\n".ljust(512, b"\0"), "damaged"),
        (header(10, b"x") + b"zz path=x\n".ljust(512, b"\0"), "size"),
        (bytes([header(0)[0] ^ 1]) + header(0)[1:], "checksum"),
    ],
)
def test_a_damaged_or_greedy_archive_is_refused(content, word):
    with pytest.raises(BadImageError) as caught:
        listed(content)
    assert word in caught.value.reason


def test_the_head_of_a_sparse_file_is_its_beginning():
    map_text = b"1\n0\n4\n".ljust(512, b"\0")
    member = tarfile.TarInfo("GNUSparseFile.0/prog")
    member.size = 512 + 4
    member.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "prog", "GNU.sparse.realsize": "9999"}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member, io.BytesIO(map_text + b"\x7fELF"))
        archive.addfile(tarfile.TarInfo("next"))
    found = listed(buffer.getvalue())
    assert [(one.name, one.head) for one in found] == [("prog", b"\x7fELF"), ("next", b"")]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_archive_is_read_or_refused(data):
    content = bytearray(layer(("d/", b""), ("d/" + "n" * 150, b"hello" * 200), ("l", "t" * 150), hard_link("h", "d/f")))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert refusal(bytes(content)).isprintable()
