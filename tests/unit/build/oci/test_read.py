import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarterdeck.build.oci import media_types
from quarterdeck.build.oci.errors import BadImageError
from quarterdeck.build.oci.model import Descriptor, ImagePlatform, Index, Manifest
from quarterdeck.build.oci.read import LARGEST_INDEX, media_type_of, read_config, read_index, read_manifest
from quarterdeck.build.oci.strict_json import LARGEST_DOCUMENT
from quarterdeck.build.oci.write import index_bytes, manifest_bytes

DIGEST = "sha256:" + "a" * 64
ENTRY = Descriptor(
    media_types.OCI_MANIFEST,
    DIGEST,
    7,
    platform=ImagePlatform("linux", "arm", "v7", "10.0", ("a", "b")),
    annotations={"x": "line\nline", "ü": ""},
    artifact_type="application/x",
    urls=("https://example.com",),
)
INDEX = Index(media_types.OCI_INDEX, (ENTRY, ENTRY), annotations={"b": "1", "a": "2"}, artifact_type="t/t", subject=ENTRY)
MANIFEST = Manifest(
    media_types.OCI_MANIFEST, Descriptor(media_types.OCI_CONFIG, DIGEST, 2), (ENTRY,), annotations={"k": "v"}, subject=ENTRY
)
CONFIG = {
    "os": "linux",
    "architecture": "arm64",
    "rootfs": {"type": "layers", "diff_ids": [DIGEST]},
    "history": [{"created_by": "ENV x\ty\n", "empty_layer": True}, {"created_by": "COPY"}],
}


def refusal(reader, content):
    try:
        reader(content)
    except BadImageError as error:
        return error.reason
    return ""


def test_an_index_comes_back_as_it_was_written():
    assert read_index(index_bytes(INDEX)) == INDEX


def test_a_manifest_comes_back_as_it_was_written():
    assert read_manifest(manifest_bytes(MANIFEST)) == MANIFEST


def test_an_index_has_one_form_whatever_the_order_of_its_annotations():
    other = Index(media_types.OCI_INDEX, (ENTRY, ENTRY), annotations={"a": "2", "b": "1"}, artifact_type="t/t", subject=ENTRY)
    assert index_bytes(other) == index_bytes(INDEX)


def test_a_configuration_tells_which_step_made_a_layer():
    config = read_config(json.dumps(CONFIG).encode())
    assert (config.made_by(0), config.made_by(1)) == ("COPY", "")


@pytest.mark.parametrize(
    "kind", ["application/vnd.docker.distribution.manifest.v1+json", "application/vnd.docker.distribution.manifest.v1+prettyjws"]
)
def test_schema_1_is_refused_by_its_name(kind):
    for content in ({"schemaVersion": 1, "fsLayers": []}, {"schemaVersion": 2, "mediaType": kind}):
        with pytest.raises(BadImageError) as caught:
            media_type_of(json.dumps(content).encode())
        assert caught.value.key == "docker-schema-1"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"a":1,"a":2}',
        b"[" * 100_000,
        b'{"x":NaN}',
        b'{"annotations":{"x":"\\ud800"}}',
        b" " * (LARGEST_DOCUMENT + 1),
        b'{"schemaVersion":3}',
        b'{"manifests":{}}',
        b'{"manifests":[1]}',
        b'{"manifests":[],"layers":[]}',
        json.dumps({"manifests": [{}] * (LARGEST_INDEX + 1)}).encode(),
        b'{"manifests":[{"mediaType":"x","digest":"sha256:short","size":1}]}',
        json.dumps({"manifests": [{"mediaType": "x", "digest": DIGEST, "size": -1}]}).encode(),
        json.dumps({"manifests": [{"mediaType": "x", "digest": DIGEST, "size": True}]}).encode(),
        json.dumps({"manifests": [{"mediaType": "x", "digest": DIGEST, "size": 2**63}]}).encode(),
        json.dumps({"manifests": [{"mediaType": "x\x1b[2J", "digest": DIGEST, "size": 1}]}).encode(),
        json.dumps({"manifests": [{"mediaType": "x", "digest": DIGEST.upper(), "size": 1}]}).encode(),
        json.dumps({"manifests": [], "annotations": {"a": 1}}).encode(),
        b'{"size":' + b"9" * 5000 + b"}",
    ],
)
def test_a_bad_index_is_refused_in_words(content):
    with pytest.raises(BadImageError) as caught:
        read_index(content)
    assert caught.value.reason.isprintable()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_document_is_read_or_refused(data):
    reader, content = data.draw(
        st.sampled_from(
            [(read_index, index_bytes(INDEX)), (read_manifest, manifest_bytes(MANIFEST)), (read_config, json.dumps(CONFIG).encode())]
        )
    )
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        piece = data.draw(st.sampled_from([b"", b"{", b"[", b'"', b"null", b"-1", b"1e999", b"\xff", b"\\u0000", b"true", b"{}"]))
        damaged[place : place + data.draw(st.integers(0, 12))] = piece
    assert refusal(reader, bytes(damaged)).isprintable()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["manifests", "layers", "config", "digest", "size", "mediaType", "platform", "rootfs", "diff_ids", "os"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_any_json_is_read_or_refused(value):
    content = json.dumps(value).encode()
    for reader in (read_index, read_manifest, read_config, media_type_of):
        assert refusal(reader, content).isprintable()
