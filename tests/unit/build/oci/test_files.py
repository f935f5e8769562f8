"""Layouts and archives on disk: written, opened, damaged, hostile."""

import gzip
import io
import json
import os
import tarfile

import pytest
from tests.unit.build.oci.images import AMD64, ARM64, LINUX_AMD64, LINUX_ARM64, Shelf, layer

from quarterdeck.build.oci import media_types
from quarterdeck.build.oci.blobs import open_verified, read_document
from quarterdeck.build.oci.errors import BadImageError, BlobMissingError
from quarterdeck.build.oci.layout import Layout, closure
from quarterdeck.build.oci.merge import merge, named_roots, single
from quarterdeck.build.oci.open_image import open_image
from quarterdeck.build.oci.store import write_layout
from quarterdeck.build.oci.write_archive import write_archive, write_docker_archive
from quarterdeck.build.platform import Platform
from quarterdeck.errors import HostError

A, B = Platform.parse("linux/amd64"), Platform.parse("linux/arm64")


def two_platforms():
    shelf = Shelf()
    common = layer(("etc/x", b"x"), packed=True)
    amd = shelf.image(LINUX_AMD64, [common, layer(("bin/a", AMD64))])
    arm = shelf.image(LINUX_ARM64, [common, layer(("bin/a", ARM64))])
    return merge({A: shelf.source(amd), B: shelf.source(arm)}, names=["app:1"])


@pytest.fixture(params=["folder", "archive", "gzip"])
def written(request, tmp_path):
    layout = two_platforms()
    path = tmp_path / "image"
    if request.param == "folder":
        write_layout(layout, path)
        return path
    write_archive(layout, path)
    if request.param == "gzip":
        path.write_bytes(gzip.compress(path.read_bytes()))
    return path


def test_what_was_written_is_read_again(written):
    with open_image(written) as layout:
        source = layout.source("docker.io/library/app:1")
        assert [one.platform for one in source.manifests()] == [LINUX_AMD64, LINUX_ARM64]
        for descriptor in closure(source):
            with open_verified(source.blobs, descriptor) as reader:
                reader.drain()
        # index, and for each platform a manifest, a configuration and a layer; one layer is common
        assert len(list(closure(source))) == 1 + 2 * 3 + 1


def test_the_same_content_makes_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_archive(two_platforms(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    write_layout(two_platforms(), tmp_path / "c")
    with open_image(tmp_path / "c") as layout:
        write_archive(Layout(layout.blobs, layout.index), tmp_path / "d")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "d").read_bytes()


def test_an_image_is_found_by_name_tag_or_digest(written):
    with open_image(written) as layout:
        digest = layout.index.manifests[0].digest
        for name in (None, "docker.io/library/app:1", "1", digest):
            assert layout.source(name).root.digest == digest
        with pytest.raises(BadImageError, match="which image") as caught:
            layout.source("other")
        assert caught.value.key == "image-not-found"


def test_a_docker_archive_holds_one_image_that_both_kinds_of_readers_find(tmp_path):
    layout = two_platforms()
    image = single(layout.source(), B)
    write_docker_archive(image, tmp_path / "image.tar", names=["localhost/app:1"])
    with open_image(tmp_path / "image.tar") as found:
        assert found.source().manifest() == image.manifest()
    with tarfile.open(tmp_path / "image.tar") as archive:
        manifest = archive.extractfile("manifest.json")
        assert manifest is not None
        entry = json.load(manifest)[0]
        assert entry["RepoTags"] == ["localhost/app:1"]
        assert {entry["Config"], *entry["Layers"]} <= set(archive.getnames())
    with pytest.raises(BadImageError):
        write_docker_archive(layout.source(), tmp_path / "other.tar")
    assert os.listdir(tmp_path) == ["image.tar"]


def old_docker_archive(path, *, links=False, layers=None):
    """An archive as Docker 20.10 writes it."""
    shelf = Shelf()
    plain = layer(("bin/a", ARM64))
    image = shelf.source(shelf.image(LINUX_ARM64, [plain, plain]))
    config = read_document(image.blobs, image.manifest().config)
    with tarfile.open(path, "w") as archive:

        def put(name, content):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))

        put("c.json", config)
        put("1/layer.tar", plain)
        if links:
            member = tarfile.TarInfo("2/layer.tar")
            member.type, member.linkname = tarfile.SYMTYPE, links
            archive.addfile(member)
        else:
            put("2/layer.tar", plain)
        put(
            "manifest.json",
            json.dumps([{"Config": "c.json", "RepoTags": ["a:1"], "Layers": layers or ["1/layer.tar", "2/layer.tar"]}]).encode(),
        )
    return image


def test_an_archive_of_docker_save_is_read_with_links_between_layers(tmp_path):
    image = old_docker_archive(tmp_path / "x.tar", links="../1/layer.tar")
    with open_image(tmp_path / "x.tar") as layout:
        source = layout.source("a:1")
        assert [one.digest for one in source.manifest().layers] == [one.digest for one in image.manifest().layers]
        assert source.config(source.manifest()) == image.config(image.manifest())
        write_layout(layout, tmp_path / "again")


@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc/passwd", "../2/layer.tar", "../none"])
def test_links_that_lead_elsewhere_are_refused(tmp_path, target):
    old_docker_archive(tmp_path / "x.tar", links=target)
    with pytest.raises(BadImageError), open_image(tmp_path / "x.tar"):
        pass


@pytest.mark.parametrize("layers", [["1/layer.tar"], ["1/layer.tar", "none"], ["1/layer.tar", "../x"], "1"])
def test_layers_that_do_not_fit_are_refused(tmp_path, layers):
    old_docker_archive(tmp_path / "x.tar", layers=layers)
    with pytest.raises(BadImageError), open_image(tmp_path / "x.tar"):
        pass


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil"])
def test_an_archive_whose_names_lead_out_is_refused(tmp_path, name):
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    with pytest.raises(BadImageError) as caught, open_image(path):
        pass
    assert caught.value.key == "archive-escape"


@pytest.mark.parametrize("where", ["blob", "folder"])
def test_links_in_a_layout_folder_are_not_followed(tmp_path, where):
    layout = two_platforms()
    folder = tmp_path / "image"
    write_layout(layout, folder)
    blobs = folder / "blobs/sha256"
    if where == "folder":
        blobs.rename(tmp_path / "elsewhere")
        blobs.symlink_to(tmp_path / "elsewhere")
    else:
        blob = blobs / layout.source().root.digest.partition(":")[2]
        blob.rename(tmp_path / "elsewhere")
        blob.symlink_to(tmp_path / "elsewhere")
    with open_image(folder) as found, pytest.raises(BadImageError) as caught:
        found.source().index()
    assert caught.value.key == "bad-layout"


def test_pipes_and_folders_in_place_of_blobs_are_refused(tmp_path):
    layout = two_platforms()
    for make in (os.mkfifo, os.mkdir):
        folder = tmp_path / make.__name__
        write_layout(layout, folder)
        blob = folder / "blobs/sha256" / layout.source().root.digest.partition(":")[2]
        blob.unlink()
        make(blob)
        with open_image(folder) as found, pytest.raises(BadImageError):
            found.source().index()


@pytest.mark.parametrize("damage", [lambda content: content + b" ", lambda content: content[:-1], lambda content: b"X" + content[1:]])
def test_a_damaged_blob_is_noticed_and_never_written(tmp_path, damage):
    folder = tmp_path / "image"
    write_layout(two_platforms(), folder)
    with open_image(folder) as layout:
        victim = next(one for one in closure(layout.source()) if one.media_type == media_types.OCI_LAYER)
        path = folder / "blobs/sha256" / victim.digest.partition(":")[2]
        path.write_bytes(damage(path.read_bytes()))
        for write, target in ((write_layout, "copy"), (write_archive, "copy.tar")):
            with pytest.raises(BadImageError) as caught:
                write(layout, tmp_path / target)
            assert caught.value.key == "digest-mismatch"
    assert not (tmp_path / "copy.tar").exists()
    assert not (tmp_path / "copy/index.json").exists()
    assert not [name for _, _, files in os.walk(tmp_path / "copy") for name in files if name.startswith(".")]


def test_a_missing_blob_is_named(tmp_path):
    folder = tmp_path / "image"
    write_layout(two_platforms(), folder)
    with open_image(folder) as layout:
        victim = layout.source().manifest(next(layout.source().manifests())).config
        (folder / "blobs/sha256" / victim.digest.partition(":")[2]).unlink()
        with pytest.raises(BlobMissingError) as caught:
            write_archive(layout, tmp_path / "x.tar")
    assert caught.value.digest == victim.digest


def test_indexes_that_nest_for_ever_are_refused():
    shelf = Shelf()
    root = shelf.index(shelf.image(LINUX_AMD64, [])).root
    for _ in range(6):
        root = shelf.index(root).root
    with pytest.raises(BadImageError) as caught:
        list(shelf.source(root).manifests())
    assert caught.value.key == "index-too-deep"


@pytest.mark.parametrize("content", [b"", b"text", b"\x1f\x8b", b"\x1f\x8bxxxxxxxxxxxxxxxx", b"\x28\xb5\x2f\xfdxxxx"])
def test_what_is_no_image_is_refused(tmp_path, content):
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(BadImageError), open_image(path):
        pass


def test_places_without_an_image_are_named(tmp_path):
    with pytest.raises(BadImageError), open_image(tmp_path):
        pass
    with pytest.raises(HostError), open_image(tmp_path / "none"):
        pass
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadImageError), open_image(tmp_path / "pipe"):
        pass


def test_an_archive_without_a_name_has_one_root(tmp_path):
    layout = two_platforms()
    write_archive(Layout(layout.blobs, named_roots(layout.source().root)), tmp_path / "x.tar")
    with open_image(tmp_path / "x.tar") as found:
        assert found.source().root.annotations == {}
