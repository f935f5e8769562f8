"""Whatever is damaged in an image, the check ends with findings or says that the image is none."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.build.oci.images import AMD64, ARM64, LINUX_AMD64, LINUX_ARM64, Shelf, hard_link, layer

from quarterdeck.build.check.check import CheckOptions, check_source
from quarterdeck.build.oci import media_types
from quarterdeck.build.oci.errors import BadImageError
from quarterdeck.build.oci.layout import ImageSource
from quarterdeck.build.oci.model import Descriptor
from quarterdeck.build.oci.write import describe

LAYERS = [layer(("bin/", b""), ("bin/a", AMD64), ("l", "bin"), hard_link("h", "bin/a")), layer(("bin/.wh.a", b""), packed=True)]


def image() -> tuple[Shelf, ImageSource]:
    shelf = Shelf()
    amd = shelf.image(LINUX_AMD64, LAYERS)
    arm = shelf.image(LINUX_ARM64, [layer(("bin/a", ARM64))])
    return shelf, shelf.index(amd, shelf.attestation(amd.digest), arm)


def outcome(source):
    try:
        report = check_source(source, CheckOptions(strict=True))
    except BadImageError as error:
        return [error.reason]
    return [finding.text for finding in report.findings]


def test_an_undamaged_one_has_no_findings():
    assert outcome(image()[1]) == []


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_blob_that_changed_is_always_noticed(data):
    shelf, source = image()
    # What an attestation is made of is nobody's business here, nor is its empty configuration.
    used = {source.root.digest}
    for one in source.manifests():
        if one.attests is None:
            manifest = source.manifest(one)
            used |= {one.digest, manifest.config.digest, *(part.digest for part in manifest.layers)}
    victim = data.draw(st.sampled_from(sorted(used)))
    content = bytearray(shelf.blobs[victim])
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    shelf.blobs[victim] = bytes(content)
    found = outcome(source)
    assert found
    assert all(text.isprintable() for text in found)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_layer_that_is_damaged_and_signed_again_does_no_harm(data):
    shelf = Shelf()
    content = bytearray(data.draw(st.sampled_from(LAYERS)))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    plain = bytes(content)
    packed = plain[:2] == b"\x1f\x8b"
    found = shelf.add(plain, media_types.OCI_LAYER_GZIP if packed else media_types.OCI_LAYER)
    config = shelf.add(
        b'{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":["%s"]}}' % found.digest.encode(), media_types.OCI_CONFIG
    )
    text = '{"schemaVersion":2,"config":%s,"layers":[%s]}'
    parts = [f'{{"mediaType":"{one.media_type}","digest":"{one.digest}","size":{one.size}}}' for one in (config, found)]
    manifest = (text % tuple(parts)).encode()
    root = describe(manifest, media_types.OCI_MANIFEST)
    shelf.blobs[root.digest] = manifest
    assert all(line.isprintable() for line in outcome(shelf.source(Descriptor(root.media_type, root.digest, root.size))))
