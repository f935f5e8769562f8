import pytest

from quarterdeck.media.catalogue.extract import coreos, document, listing, streams, sums
from quarterdeck.media.catalogue.extract.document import NotADocument

SHA = "ab" * 32


def test_names_are_found_in_links_paths_and_texts() -> None:
    text = """<a href="./16.0/?C=M">x</a> <a href='/iso/v3.1/'>y</a> &lt;b&gt; https://h/p/disk%2D2.iso
    <Key>nixos-25.05</Key> FLATCAR_VERSION=4459.2.2"""
    found = set(listing.tokens(text))
    assert {"16.0/", "v3.1/", "/iso/v3.1/", "disk-2.iso", "nixos-25.05", "FLATCAR_VERSION=4459.2.2"} <= found


def test_the_first_template_that_finds_anything_counts() -> None:
    assert listing.find("a-2.iso b-9.iso", ["b-{release:number}.iso", "a-{release:number}.iso"], {}) == [
        {"file": "b-9.iso", "release": "9"}
    ]
    assert listing.find("a-2.iso", ["b-{release:number}.iso", "a-{release:number}.iso"], {}) == [{"file": "a-2.iso", "release": "2"}]


@pytest.mark.parametrize(
    "text",
    [
        f"{SHA}  x.iso\n",
        f"{SHA} *x.iso\r\n",
        f"{SHA.upper()}  ./sub/x.iso",
        f"SHA256 (x.iso) = {SHA}",
        f"SHA256(x.iso)= {SHA}",
        f"# SHA256 HASH\n{SHA}  x.iso\n",
        f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n# x.iso: 5 bytes\nSHA256 (x.iso) = {SHA}\n",
        f"{SHA}\n",
        f"{'1' * 32}  x.iso\n{SHA}  x.iso\n",
        f"{SHA}  renamed.iso\n",
    ],
)
def test_checksums_are_read_however_they_are_listed(text: str) -> None:
    checksum = sums.choose(sums.parse(text), "x.iso")
    assert checksum is not None
    assert str(checksum) == f"sha256:{SHA}"


@pytest.mark.parametrize(
    "text", ["", f"{SHA}  a.iso\n{SHA}  b.iso\n", f"{SHA[:-1]}  x.iso", f"SHA512 (x.iso) = {SHA}", "# SHA512 HASH\n" + SHA]
)
def test_what_is_no_checksum_of_the_file_is_none(text: str) -> None:
    assert sums.choose(sums.parse(text), "x.iso") is None


def test_blake2_is_told_from_sha512_by_the_heading() -> None:
    text = f"# BLAKE2B HASH\n{'1' * 128}  x\n# SHA512 HASH\n{'2' * 128}  x\n"
    assert [str(entry.checksum)[:4] for entry in sums.parse(text)] == ["b2:1", "sha5"]


def test_fields_of_documents_are_found_by_path() -> None:
    data = document.parse('{"v": 3, "list": [{"n": "a-1", "ok": true}, {"n": "b"}, {"n": "a-2", "ok": false}]}', "json")
    found = document.find(data, "list/*", where={"n": "a-{release:number}", "/v": "3"}, take={"ok": "ok"}, values={})
    assert found == [{"release": "1", "ok": "true"}, {"release": "2", "ok": "false"}]
    assert document.find(data, "none/*", where={}, take={}, values={}) == []


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "NaN-", "9" * 5000])
def test_text_that_is_no_document_is_an_error(text: str) -> None:
    with pytest.raises(NotADocument):
        document.parse(text, "json")


@pytest.mark.parametrize("data", [None, [], 5, {"products": 3}, {"products": {"a": None, "b": {"versions": {"1": {"items": {"x": 2}}}}}}])
def test_an_index_of_another_shape_holds_nothing(data: object) -> None:
    assert streams.find(data, "disk1.img", where={}, values={}) == []
    assert coreos.find(data, "x86_64", artifact="qemu", form="qcow2.xz") == []


def test_the_folder_of_an_index_is_what_its_paths_are_below() -> None:
    assert streams.base("https://x/releases/streams/v1/a.json") == "https://x/releases"
    assert streams.base("https://x/a/b.json") == "https://x/a"
