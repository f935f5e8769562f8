import dataclasses
import gzip
import json
import tarfile

import pytest
from tests.unit.build.oci.images import AMD64, ARM64, LINUX_AMD64, LINUX_ARM64, Shelf, hard_link, layer

from quarterdeck.build.check import image as images
from quarterdeck.build.check import layers as layer_reader
from quarterdeck.build.check.check import BASE_DIGEST, BASE_NAME, CheckOptions, check_source
from quarterdeck.build.check.finding import Key, Severity
from quarterdeck.build.oci import media_types
from quarterdeck.build.oci.model import Descriptor, ImagePlatform
from quarterdeck.build.platform import Platform

A, B = Platform.parse("linux/amd64"), Platform.parse("linux/arm64")


def keys(report, *, notes=True):
    return [one.key for one in report.findings if notes or one.severity is not Severity.NOTE]


def check_layers(*layers, options=None, platform=LINUX_AMD64, **more):
    shelf = Shelf()
    return check_source(shelf.index(shelf.image(platform, list(layers), **more)), options or CheckOptions())


def test_an_image_that_is_right_has_no_findings():
    shelf = Shelf()
    source = shelf.index(
        shelf.image(LINUX_AMD64, [layer(("bin/a", AMD64), packed=True)]), shelf.image(LINUX_ARM64, [layer(("bin/a", ARM64))])
    )
    report = check_source(source, CheckOptions((A, B), strict=True))
    assert report.ok
    assert report.findings == ()
    assert [(one.platform, one.programs, one.files, one.layers) for one in report.images] == [(A, 1, 1, 1), (B, 1, 1, 1)]
    assert report.to_json()["ok"] is True


def test_a_wrong_program_is_named_with_its_layer_and_its_step():
    report = check_layers(layer(("bin/a", AMD64)), layer(("bin/b", ARM64), packed=True))
    (found,) = report.findings
    assert (found.key, found.path, found.layer.number, found.layer.created_by) == (Key.ELF_WRONG_ARCHITECTURE, "bin/b", 2, "COPY step 1")
    assert "aarch64" in found.text
    assert not report.ok
    assert json.loads(json.dumps(found.to_json()))["layer"]["number"] == 2


@pytest.mark.parametrize(
    "above",
    [
        layer(("bin/.wh.b", b"")),
        layer((".wh.bin", b"")),
        layer(("bin/.wh..wh..opq", b"")),
        layer(("bin/b", AMD64)),
        layer(("bin/b", b"#!/bin/sh")),
        layer(("bin/b", "other")),
        layer(("bin/b/", b"")),
        layer(("./bin", b"")),
    ],
)
def test_what_does_not_remain_does_not_count(above):
    assert check_layers(layer(("bin/b", ARM64)), above).ok


def test_what_remains_counts_wherever_it_comes_from():
    report = check_layers(layer(("a", ARM64), hard_link("b", "a")), layer(hard_link("c", "a"), (".wh.a", b"")))
    assert [(one.path, one.layer.number) for one in report.findings] == [("b", 1), ("c", 2)]


def test_only_the_beginning_of_a_file_is_looked_at():
    assert keys(check_layers(layer(("big", ARM64 + bytes(5_000_000)), packed=True))) == [Key.ELF_WRONG_ARCHITECTURE]
    assert keys(check_layers(layer(("short", b"\x7fELF")))) == [Key.ELF_DAMAGED]


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", ".."])
def test_a_name_that_leads_out_is_a_finding_and_nothing_else(name):
    report = check_layers(layer((name, ARM64), ("ok", AMD64)))
    assert keys(report) == [Key.LAYER_ESCAPE]
    assert report.images[0].programs == 1


def test_a_hard_link_that_leads_out_is_a_finding():
    assert keys(check_layers(layer(hard_link("x", "../../etc/passwd")))) == [Key.LAYER_ESCAPE]


def test_links_that_lead_out_stay_inside():
    report = check_layers(layer(("x", "/../../usr"), ("x/prog", ARM64)))
    assert [one.path for one in report.findings] == ["usr/prog"]


def test_names_are_fit_for_a_terminal():
    (found,) = check_layers(layer(("bin/\x1b[2J", ARM64))).findings
    assert found.path == "bin/\\x1b[2J"


def test_many_findings_of_a_kind_are_counted(monkeypatch):
    monkeypatch.setattr(images, "MOST_OF_A_KIND", 3)
    report = check_layers(layer(*((f"{number}", ARM64) for number in range(5))))
    assert keys(report) == [Key.ELF_WRONG_ARCHITECTURE] * 3 + [Key.MORE_FINDINGS]
    assert report.findings[-1].text.startswith("2 more")


def test_a_layer_that_grows_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(layer_reader, "LARGEST_LAYER", 1 << 20)
    report = check_layers(gzip.compress(layer(("zeros", bytes(8 << 20)))))
    assert keys(report) == [Key.LAYER_DAMAGED]
    assert "when it is unpacked" in report.findings[0].text


@pytest.mark.parametrize(
    "content",
    [b"no tar at all, but long enough to be one" * 20, gzip.compress(layer(("a", b"x")))[:-9], gzip.compress(b"x" * 2000)],
    ids=["no tar", "cut gzip", "no tar in gzip"],
)
def test_a_damaged_layer_is_a_finding(content):
    shelf = Shelf()
    source = shelf.index(shelf.image(LINUX_AMD64, [layer(("a", AMD64))]))
    image = next(source.manifests())
    damaged = shelf.add(content, media_types.OCI_LAYER)
    manifest = json.loads(shelf.blobs[image.digest])
    manifest["layers"] = [{"mediaType": damaged.media_type, "digest": damaged.digest, "size": damaged.size}]
    again = shelf.add(json.dumps(manifest).encode(), media_types.OCI_MANIFEST)
    report = check_source(shelf.index(dataclasses.replace(again, platform=LINUX_AMD64)))
    assert keys(report) == [Key.LAYER_DAMAGED]


def test_blobs_that_are_missing_or_others_are_findings():
    shelf = Shelf()
    plain = layer(("a", AMD64))
    source = shelf.index(shelf.image(LINUX_AMD64, [plain]))
    digest = source.manifest(next(source.manifests())).layers[0].digest
    shelf.blobs[digest] = layer(("a", b"y" + AMD64[1:]))
    assert keys(check_source(source)) == [Key.LAYER_DAMAGED]
    del shelf.blobs[digest]
    assert keys(check_source(source)) == [Key.LAYER_DAMAGED]
    del shelf.blobs[next(source.manifests()).digest]
    assert keys(check_source(source)) == [Key.IMAGE_DAMAGED]


def test_a_layer_that_unpacks_to_something_else_is_a_finding():
    other = {"rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]}}
    assert keys(check_layers(layer(("a", AMD64)), config=other)) == [Key.LAYER_DAMAGED]
    assert keys(check_layers(layer(("a", AMD64)), config={"rootfs": {}})) == [Key.LAYER_COUNT]


@pytest.mark.parametrize(
    ("listed", "config", "key"),
    [
        (LINUX_AMD64, {"architecture": "arm64"}, Key.CONFIG_PLATFORM),
        (LINUX_AMD64, {"os": "windows"}, Key.CONFIG_PLATFORM),
        (LINUX_AMD64, {"architecture": ""}, Key.CONFIG_PLATFORM),
        (ImagePlatform("linux", "arm", "v7"), {"variant": "v6"}, Key.CONFIG_PLATFORM),
        (ImagePlatform("linux", "arm", "v6"), {"variant": None}, Key.CONFIG_VARIANT),
    ],
)
def test_index_and_configuration_have_to_agree(listed, config, key):
    report = check_layers(platform=listed, config=config)
    assert key in keys(report)
    assert report.ok == (key is Key.CONFIG_VARIANT)


def test_spellings_of_one_platform_agree():
    assert keys(check_layers(platform=ImagePlatform("linux", "arm64", "v8"), config={"variant": None})) == []


def test_an_empty_index_and_missing_platforms_are_errors():
    shelf = Shelf()
    report = check_source(shelf.index(), CheckOptions((A,)))
    assert keys(report) == [Key.INDEX_EMPTY, Key.PLATFORM_MISSING]
    report = check_source(shelf.index(shelf.image(LINUX_ARM64, [])), CheckOptions((A, B)))
    assert [(one.key, one.platform) for one in report.findings] == [(Key.PLATFORM_MISSING, A)]


def test_a_platform_that_is_there_twice_is_an_error_unless_it_is_the_same_image():
    shelf = Shelf()
    one, other = shelf.image(LINUX_ARM64, []), shelf.image(ImagePlatform("linux", "arm64", "v8"), [layer(("x", b""))])
    assert [(f.key, f.severity) for f in check_source(shelf.index(one, other)).findings] == [(Key.PLATFORM_DUPLICATE, Severity.ERROR)]
    assert [(f.key, f.severity) for f in check_source(shelf.index(one, one)).findings] == [(Key.PLATFORM_DUPLICATE, Severity.WARNING)]


def test_attestations_are_counted_and_orphans_named():
    shelf = Shelf()
    image = shelf.image(LINUX_AMD64, [])
    report = check_source(shelf.index(image, shelf.attestation(image.digest)))
    assert (keys(report), report.attestations) == ([], 1)
    assert keys(check_source(shelf.index(image, shelf.attestation("sha256:" + "1" * 64)))) == [Key.ATTESTATION_ORPHAN]
    unmarked = dataclasses.replace(shelf.attestation(image.digest), annotations={})
    assert Key.PLATFORM_UNKNOWN in keys(check_source(shelf.index(image, unmarked)))


def test_an_image_that_the_index_gives_no_platform_is_an_error():
    shelf = Shelf()
    image = dataclasses.replace(shelf.image(LINUX_AMD64, []), platform=None)
    assert keys(check_source(shelf.index(image))) == [Key.PLATFORM_UNKNOWN]
    assert keys(check_source(shelf.source(image), CheckOptions((A,)))) == []


def test_a_base_image_of_another_platform_is_an_error():
    shelf = Shelf()
    base = shelf.image(LINUX_ARM64, [])
    image = shelf.image(LINUX_AMD64, [], annotations={BASE_DIGEST: base.digest, BASE_NAME: "debian:12"})
    (found,) = check_source(shelf.index(image)).findings
    assert found.key is Key.BASE_PLATFORM
    assert "debian:12" in found.text
    both = shelf.index(base, shelf.image(LINUX_AMD64, [])).root
    fine = shelf.image(LINUX_AMD64, [], annotations={BASE_DIGEST: both.digest})
    assert check_source(shelf.index(fine)).findings == ()


def test_a_base_image_elsewhere_is_asked_for_only_when_told():
    shelf = Shelf()
    digest = "sha256:" + "2" * 64
    source = shelf.index(shelf.image(LINUX_AMD64, [], annotations={BASE_DIGEST: digest, BASE_NAME: "x"}))
    assert check_source(source).findings == ()
    asked = []

    def lookup(name, wanted):
        asked.append((name, wanted))

    assert keys(check_source(source, CheckOptions(base=lookup))) == [Key.BASE_UNKNOWN]
    assert asked == [("x", digest)]
    assert keys(check_source(source, CheckOptions(base=lambda *_: frozenset({B})))) == [Key.BASE_PLATFORM]


def test_what_cannot_be_looked_at_is_said():
    report = check_layers(platform=ImagePlatform("windows", "amd64"))
    assert (keys(report), report.ok) == ([Key.PLATFORM_NOT_AUDITED], True)
    shelf = Shelf()
    secret = shelf.add(b"secret", f"{media_types.OCI_LAYER_GZIP}+encrypted")
    image = shelf.image(LINUX_AMD64, [layer()])
    manifest = json.loads(shelf.blobs[image.digest])
    manifest["layers"] = [{"mediaType": secret.media_type, "digest": secret.digest, "size": secret.size}]
    again = shelf.add(json.dumps(manifest).encode(), media_types.OCI_MANIFEST)
    report = check_source(shelf.index(Descriptor(again.media_type, again.digest, again.size, platform=LINUX_AMD64)))
    assert keys(report) == [Key.LAYER_UNREAD]


def test_devices_and_pipes_take_the_place_of_programs():
    node = tarfile.TarInfo("bin/b")
    node.type = tarfile.CHRTYPE
    assert check_layers(layer(("bin/b", ARM64)), layer(node)).ok
