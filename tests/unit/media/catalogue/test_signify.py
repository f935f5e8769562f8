import base64

import pytest

from quarterdeck.errors import MediaError
from quarterdeck.media.catalogue import signify
from quarterdeck.media.catalogue.load import CatalogueError, load_entries
from quarterdeck.media.catalogue.model import SignifyKey
from quarterdeck.media.catalogue.openpgp import NotSignedError

# Made by signify-openbsd 31 of Debian: signify -G, then -S with -e and without.
KEY = SignifyKey(signify="RWQqulw9OHiJ6VlP7XYOdxF/7oqueN13dbeaCH+voN3PS8TPrVFS6PVP", owner="us")
OTHER = SignifyKey(signify="RWS3/nvFmk4SWSmt/5QIk9yB4+uoAGoiYvFhVlDQBG3rWENeeIys0LWB", owner="others")
SIGNATURE = (
    b"untrusted comment: verify with t.pub\n"
    b"RWQqulw9OHiJ6aacxZ8v3hJiJE3hAc5OzlD6D5tbF2QzS34YU6Z80olMooNwqLvLbsGkaFJEE+ETTTE4QL0FxnrmTo0AnkD/FQQ=\n"
)
TEXT = b"SHA256 (install78.iso) = 0000000000000000000000000000000000000000000000000000000000000007\n"


def test_embedded_and_detached_signatures_of_the_tool_are_good():
    assert signify.signed_text(SIGNATURE + TEXT, None, keys=[OTHER, KEY]) == (TEXT, KEY)
    assert signify.signed_text(TEXT, SIGNATURE, keys=[KEY]) == (TEXT, KEY)
    assert signify.inside(SIGNATURE + TEXT) == TEXT


@pytest.mark.parametrize("text", [TEXT.replace(b"7\n", b"8\n"), TEXT + b"\n", b""])
def test_another_text_is_refused(text):
    with pytest.raises(NotSignedError) as caught:
        signify.signed_text(SIGNATURE + text, None, keys=[KEY])
    assert caught.value.changed


def test_another_key_of_the_same_number_is_refused():
    number = base64.b64decode(KEY.signify)[:10]
    forged = SignifyKey(signify=base64.b64encode(number + base64.b64decode(OTHER.signify)[10:]).decode(), owner="them")
    with pytest.raises(NotSignedError):
        signify.signed_text(SIGNATURE + TEXT, None, keys=[forged])


def test_an_unknown_key_is_named_as_the_signature_names_it():
    with pytest.raises(MediaError) as caught:
        signify.signed_text(SIGNATURE.replace(b"t.pub", b"t.pub\x1b[2J") + TEXT, None, keys=[OTHER])
    assert (caught.value.key, "'verify with t.pub?[2J'" in caught.value.message) == ("key-missing", True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        TEXT,
        b"untrusted comment: x\n",
        b"untrusted comment: x\nnot base64\n",
        SIGNATURE.replace(b"RWQ", b"RXQ"),
        SIGNATURE.replace(b"FQQ=", b""),
        SIGNATURE.replace(b"verify", b"v" * 2000),
    ],
)
def test_what_is_no_signature_is_refused(content):
    with pytest.raises(NotSignedError):
        signify.signed_text(content, None, keys=[KEY])


ENTRY = """
name: mine
title: Mine
kind: iso
source: ["https://example.org/"]
keys: [{signify: %s, owner: us}]
images:
  - arches: {x86_64: amd64}
    url: https://example.org/x.iso
    %s
"""


def test_entries_may_bring_keys_of_signify_for_lists_of_checksums():
    entry = load_entries(ENTRY % (KEY.signify, "checksum: {sums: 'https://example.org/SHA256.sig', signature: inline}"), "x")[0]
    assert (entry.keys[0].id, entry.openpgp_keys) == (KEY.signify, ())


@pytest.mark.parametrize(
    ("key", "rest", "problem"),
    [
        (
            KEY.signify[:-4],
            "checksum: {sums: 'https://example.org/SHA256.sig', signature: inline}",
            "keys[0].signify: must be the second line",
        ),
        (KEY.signify, "signature: '{url}.sig'", "images[0].signature: must be an OpenPGP signature"),
    ],
)
def test_keys_of_signify_that_cannot_be_used_are_said(key, rest, problem):
    with pytest.raises(CatalogueError) as caught:
        load_entries(ENTRY % (key, rest), "x")
    assert problem in caught.value.reason
