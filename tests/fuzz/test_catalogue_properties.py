"""Extractors take pages of any content, and say nothing that is not there."""

import contextlib
import json
import re

from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.errors import UsageError
from quarterdeck.media.catalogue import openpgp, template
from quarterdeck.media.catalogue.extract import coreos, document, listing, streams, sums
from quarterdeck.media.catalogue.extract.document import NotADocument
from quarterdeck.media.catalogue.load import load_entries
from quarterdeck.media.catalogue.version import version_key

PATTERNS = ["{a:any}{b:build}x", "{a:build}-{b:build}/{c:number}", "v{release:version}/{a:date}", "{release:number}"]
KEYS = st.sampled_from(["products", "versions", "items", "path", "ftype", "a"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(st.text(alphabet=st.sampled_from("0.-aTZ/ <\"'x&;%"), max_size=3000))
def test_names_in_any_page_fit_their_template(text: str) -> None:
    for pattern in PATTERNS:
        for found in listing.find(text, [pattern], {}):
            assert found["file"] in set(listing.tokens(text))
            filled = template.fill(re.sub(r":[a-z]+", "", pattern), found)
            assert filled == found["file"]


@given(st.text(max_size=400) | st.text(alphabet=st.sampled_from("0af (SHA256)=*\n#H"), max_size=400))
def test_checksums_of_any_page_are_checksums(text: str) -> None:
    for entry in sums.parse(text):
        assert entry.checksum.value in text.lower()


@given(VALUES)
def test_documents_of_any_shape_are_searched(data: object) -> None:
    again = document.parse(json.dumps(data), "json")
    document.find(again, "*/a/*", where={"path": "{x:any}"}, take={"y": "/a/0"}, values={})
    streams.find(again, "disk", where={"a": "{x:any}"}, values={})
    coreos.find(again, "a", artifact="items", form="path")


@given(st.text(max_size=200))
def test_any_text_is_a_document_or_none(text: str) -> None:
    for form in ("json", "yaml"):
        with contextlib.suppress(NotADocument):
            document.parse(text, form)
    with contextlib.suppress(UsageError):
        load_entries(text, "x.yaml")


@given(st.binary(max_size=300))
def test_any_bytes_are_looked_at_for_keys(content: bytes) -> None:
    assert openpgp.keyring(content, "0" * 40) is None


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_versions_have_an_order(one: str, other: str) -> None:
    assert (version_key(one) < version_key(other)) + (version_key(one) > version_key(other)) + (version_key(one) == version_key(other)) == 1
