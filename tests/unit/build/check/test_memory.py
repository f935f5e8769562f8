import os
from dataclasses import replace

import pytest
from tests.unit.build.oci.images import AMD64, ARM64, LINUX_AMD64, Shelf, hard_link, layer

from quarterdeck.build.check import layers as reading
from quarterdeck.build.check import memory as remembering
from quarterdeck.build.check.change import Change, What
from quarterdeck.build.check.check import CheckOptions, check_source
from quarterdeck.build.check.finding import Key
from quarterdeck.build.check.memory import KnownLayer, LayerMemory

LAYERS = [
    layer(("bin/", b""), ("bin/a", AMD64), ("l", "bin"), hard_link("h", "bin/a"), ("../out", b""), ("na\udcffme", ARM64)),
    layer(("bin/.wh.a", b""), ("l/b", ARM64), ("text", b"text"), packed=True),
    layer(("d/.wh..wh..opq", b""), ("bin/b", b"\x7fELF"), ("na\udcffme", b"")),
]


@pytest.fixture
def memory(tmp_path):
    return LayerMemory(tmp_path / "layers")


@pytest.fixture
def no_unpacking(monkeypatch):
    def refuse(*_):
        raise AssertionError("a layer was unpacked again")

    return lambda: monkeypatch.setattr(reading, "unpacked", refuse)


def image(*layers):
    shelf = Shelf()
    return shelf.index(shelf.image(LINUX_AMD64, list(layers)))


def test_layers_that_were_read_before_give_the_same_findings_without_being_unpacked(memory, no_unpacking):
    source = image(*LAYERS)
    bare = check_source(source)
    assert check_source(source, CheckOptions(memory=memory)) == bare
    no_unpacking()
    assert check_source(source, CheckOptions(memory=memory)) == bare
    assert {found.key for found in bare.findings} >= {Key.LAYER_ESCAPE}


def test_layers_are_known_in_images_where_they_stand_elsewhere(memory, no_unpacking):
    check_source(image(*LAYERS), CheckOptions(memory=memory))
    turned = image(*LAYERS[::-1])
    bare = check_source(turned)
    no_unpacking()
    assert check_source(turned, CheckOptions(memory=memory)) == bare


def test_a_layer_that_is_known_is_still_proved_by_its_digest(memory):
    source = image(*LAYERS)
    check_source(source, CheckOptions(memory=memory))
    digest = source.manifest(next(source.manifests())).layers[0].digest
    blobs = {**source.blobs._blobs, digest: b"something else"}
    damaged = replace(source, blobs=type(source.blobs)(blobs))
    assert Key.LAYER_DAMAGED in [found.key for found in check_source(damaged, CheckOptions(memory=memory)).findings]


def test_layers_that_are_damaged_or_very_large_are_not_kept(memory, monkeypatch, tmp_path):
    check_source(image(b"no archive"), CheckOptions(memory=memory))
    monkeypatch.setattr(reading, "MOST_CHANGES", 1)
    check_source(image(LAYERS[0]), CheckOptions(memory=memory))
    assert not (tmp_path / "layers").exists()


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'[1,"sha256:0",[["?","a",""]]]', b'[1,"",[["d",7,""]]]', b"[" * 100_000])
def test_a_file_that_says_nothing_of_use_is_no_memory(memory, content, tmp_path):
    memory.keep("sha256:0", KnownLayer(0, "", ()))
    (file,) = (tmp_path / "layers").iterdir()
    file.write_bytes(content)
    assert memory.find("sha256:0") is None


def test_a_folder_that_cannot_be_made_costs_nothing_else(tmp_path):
    (tmp_path / "file").touch()
    memory = LayerMemory(tmp_path / "file" / "layers")
    memory.keep("sha256:0", KnownLayer(0, "", ()))
    assert memory.find("sha256:0") is None


def test_the_layers_that_were_not_asked_for_the_longest_go_first(memory, monkeypatch, tmp_path):
    monkeypatch.setattr(remembering, "MOST_LAYERS", 2)
    known = KnownLayer(1, "sha256:1", (Change(What.OTHER, "a"),))
    for number, digest in enumerate(("sha256:a", "sha256:b")):
        memory.keep(digest, known)
        os.utime(tmp_path / "layers" / f"{digest.replace(':', '-')}.json", (number, number))
    assert memory.find("sha256:a") == known
    memory.keep("sha256:c", known)
    assert [digest for digest in ("sha256:a", "sha256:b", "sha256:c") if memory.find(digest)] == ["sha256:a", "sha256:c"]
