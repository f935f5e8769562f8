import dataclasses

import pytest
from tests.unit.build.oci.images import LINUX_AMD64, LINUX_ARM64, Shelf, layer

from quarterdeck.build.oci.errors import BadImageError
from quarterdeck.build.oci.layout import REF_NAME, closure
from quarterdeck.build.oci.merge import merge
from quarterdeck.build.oci.model import ImagePlatform
from quarterdeck.build.platform import Platform

A, B, V7 = (Platform.parse(text) for text in ("linux/amd64", "linux/arm64", "linux/arm/v7"))


def platforms(layout):
    return [(one.platform.os, one.platform.architecture, one.platform.variant) for one in layout.source().manifests()]


def test_platforms_come_in_the_order_given():
    shelf = Shelf()
    images = {A: shelf.source(shelf.image(LINUX_AMD64, [])), B: shelf.source(shelf.image(LINUX_ARM64, []))}
    assert platforms(merge(images)) == [("linux", "amd64", ""), ("linux", "arm64", "")]
    assert platforms(merge(dict(reversed(images.items())))) == [("linux", "arm64", ""), ("linux", "amd64", "")]


def test_the_platform_comes_from_the_image_and_its_variant_from_the_wish():
    shelf = Shelf()
    arm = shelf.image(ImagePlatform("linux", "arm"), [])
    v8 = shelf.image(ImagePlatform("linux", "arm64", "v8"), [])
    assert platforms(merge({V7: shelf.source(arm), B: shelf.source(v8)})) == [("linux", "arm", "v7"), ("linux", "arm64", "")]
    v6 = shelf.image(ImagePlatform("linux", "arm", "v6"), [])
    with pytest.raises(BadImageError):
        merge({V7: shelf.source(v6)})


def test_an_image_of_another_platform_is_refused():
    shelf = Shelf()
    with pytest.raises(BadImageError) as caught:
        merge({A: shelf.source(shelf.image(LINUX_ARM64, []))})
    assert caught.value.key == "platform-not-found"
    with pytest.raises(BadImageError):
        merge({})


def test_an_index_gives_the_image_of_its_platform_with_its_annotations():
    shelf = Shelf()
    amd, arm = shelf.image(LINUX_AMD64, [layer(("a", b""))]), shelf.image(LINUX_ARM64, [])
    marked = dataclasses.replace(arm, annotations={"mine": "1", REF_NAME: "old"})
    merged = merge({B: shelf.index(amd, marked)}, annotations={"of": "index"}, names=["a:1", "a:2", "a:1"])
    (found,) = merged.source().manifests()
    assert (found.digest, dict(found.annotations)) == (arm.digest, {"mine": "1"})
    assert dict(merged.source().index().annotations) == {"of": "index"}
    assert [root.annotations[REF_NAME] for root in merged.index.manifests] == ["1", "2"]


def test_attestations_come_with_their_image_or_not_at_all():
    shelf = Shelf()
    amd, arm = shelf.image(LINUX_AMD64, []), shelf.image(LINUX_ARM64, [])
    one = shelf.index(amd, shelf.attestation(amd.digest), arm, shelf.attestation(arm.digest))
    kept = merge({A: one})
    assert [entry.attests for entry in kept.source().manifests()] == [None, amd.digest]
    assert platforms(kept)[1] == ("unknown", "unknown", "")
    assert platforms(merge({A: one}, attestations=False)) == [("linux", "amd64", "")]
    # what an attestation is made of is there too
    assert any(entry.media_type == "application/vnd.in-toto+json" for entry in closure(kept.source()))


def test_merging_what_was_merged_changes_nothing():
    shelf = Shelf()
    amd, arm = shelf.image(LINUX_AMD64, []), shelf.image(LINUX_ARM64, [])
    source = shelf.index(amd, shelf.attestation(amd.digest), arm, shelf.attestation(arm.digest))
    first = merge({A: source, B: source})
    again = merge({A: first.source(), B: first.source()})
    assert again.source().root == first.source().root
