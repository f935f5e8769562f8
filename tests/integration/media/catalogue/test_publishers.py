"""Every entry against its publisher's layout, and what happens when a layout is broken."""

import base64
import re
from pathlib import Path

import pytest
from tests.integration.media.catalogue.layouts import Found
from tests.integration.media.catalogue.ours import catalogue_for
from tests.integration.media.catalogue.site import KEY_URL, Signer, Site, gnu, sha, signer

from quarterdeck.core.arch import find_arch
from quarterdeck.errors import MediaError, QuarterdeckError, UsageError
from quarterdeck.media.catalogue.check import check_entries
from quarterdeck.media.catalogue.load import load_entries
from quarterdeck.media.catalogue.model import Kind
from quarterdeck.media.catalogue.pages import Pages
from quarterdeck.media.catalogue.resolve import ResolvedEntry, Trust, resolve_entry
from quarterdeck.media.fetch.signature import check_signature

pytestmark = pytest.mark.integration


async def resolve(
    name: str, signer: Signer, pages: Pages, *, arch: str = "x86_64", release: str | None = None, unverified: bool = False
) -> ResolvedEntry:
    entry = catalogue_for(signer).find(name)
    return await resolve_entry(entry, arch=find_arch(arch), pages=pages, release=release, unverified=unverified)


async def test_every_entry_leads_to_the_newest_file_and_what_proves_it(
    pages: Pages, mirror: str, site: Site, expected: Found, publisher_key: Signer
) -> None:
    found = await check_entries(list(catalogue_for(publisher_key)), pages)
    assert [(one.entry.name, one.arch, str(one.error), one.error.reason) for one in found if one.error] == []
    files = {(one.entry.name, one.arch): one.resolved for one in found if one.resolved}
    assert {key: (file.release, pages.original(file.url)) for key, file in files.items()} == expected
    for file in files.values():
        url = pages.original(file.url)
        content = site.files[site.redirects.get(url, url)]
        assert file.url.startswith(mirror)
        assert file.wanted.size in (None, len(content))
        assert file.wanted.checksum is None or file.wanted.checksum.value == sha(content, file.wanted.checksum.algorithm)
        assert file.wanted.verifiable


async def test_what_signs_a_file_is_handed_on_with_its_key(pages: Pages, site: Site, publisher_key: Signer, tmp_path: Path) -> None:
    signed = []
    for entry in catalogue_for(publisher_key):
        for image in entry.images:
            if image.signature is None:
                continue
            file = await resolve(entry.name, publisher_key, pages, arch=next(iter(image.arches)))
            assert file.wanted.signature is not None
            assert file.wanted.signature.key == publisher_key.fingerprint
            assert file.trust is Trust.SIGNATURE
            signed.append((entry.name, file))
    assert {"alpine", "arch", "cachy", "flatcar", "manjaro", "slack", "tails"} == {name for name, _ in signed}
    file = signed[0][1]
    assert file.wanted.signature is not None
    iso = tmp_path / "file.iso"
    iso.write_bytes(site.files[pages.original(file.url)])
    signature = publisher_key.detached(iso.read_bytes())
    await check_signature(iso, signature, key=file.wanted.signature.key, material=file.wanted.signature.material)


@pytest.mark.parametrize(
    ("name", "release", "url"),
    [
        ("ubuntu", "24.04", "https://releases.ubuntu.com/24.04/ubuntu-24.04.3-desktop-amd64.iso"),
        (
            "ubuntu-cloud",
            "24.04",
            "https://cloud-images.ubuntu.com/releases/server/releases/24.04/release-20260108.1/ubuntu-24.04-server-cloudimg-amd64.img",
        ),
        (
            "fedora-cloud",
            "42",
            "https://download.fedoraproject.org/pub/fedora/linux/releases/42/Cloud/x86_64/images/Fedora-Cloud-Base-Generic-42-1.6.x86_64.qcow2",
        ),
        ("debian-cloud", "trixie", "https://cloud.debian.org/images/cloud/trixie/latest/debian-13-generic-amd64.qcow2"),
        ("lmde", "6", "https://mirrors.kernel.org/linuxmint/debian/lmde-6-cinnamon-64bit.iso"),
    ],
)
async def test_an_older_release_is_found_when_it_is_asked_for(
    pages: Pages, publisher_key: Signer, name: str, release: str, url: str
) -> None:
    assert pages.original((await resolve(name, publisher_key, pages, release=release)).url) == url


@pytest.mark.parametrize(
    ("name", "release", "hint"),
    [
        ("mint", "99", "22.3, 22.1, 22, 21.3"),
        ("fedora", "7", "43, 42"),
        ("debian-cloud", "potato", "13, 12"),
        ("coreos", "1.2.3", "43.20260105.3.0"),
        ("ubuntu-cloud", "25.04", "25.10, 24.04"),
    ],
)
async def test_a_release_that_is_not_there_names_those_that_are(
    pages: Pages, publisher_key: Signer, name: str, release: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        await resolve(name, publisher_key, pages, release=release)
    assert caught.value.key == "unknown-release"
    assert hint in caught.value.hint


BROKEN = {
    "page gone": ("mint", "https://mirrors.kernel.org/linuxmint/stable/", None, "cannot be had"),
    "page without names": (
        "mint",
        "https://mirrors.kernel.org/linuxmint/stable/",
        "<html>We moved!</html>",
        "nothing there fits '{release:version}/'",
    ),
    "no JSON": ("coreos", "https://builds.coreos.fedoraproject.org/streams/stable.json", "<html>", "not JSON"),
    "endless JSON": ("fedora", "https://fedoraproject.org/releases.json", "[" * 100_000, "not JSON"),
    "no YAML": ("alpine", "https://dl-cdn.alpinelinux.org/alpine/latest-stable/releases/x86_64/latest-releases.yaml", "a: [", "not YAML"),
    "other architecture": (
        "coreos",
        "https://builds.coreos.fedoraproject.org/streams/stable.json",
        "{}",
        "nothing there fits architecture x86_64",
    ),
    "unsigned list": (
        "gentoo",
        "https://distfiles.gentoo.org/releases/amd64/autobuilds/latest-iso.txt",
        "20260111T165211Z/x",
        "signature is not good",
    ),
    "changed list": (
        "kali",
        "https://cdimage.kali.org/current/SHA256SUMS",
        "0" * 64 + "  kali-linux-2030.1-live-amd64.iso\n",
        "was changed after it was signed",
    ),
    "list of another key": (
        "openbsd",
        "https://cdn.openbsd.org/pub/OpenBSD/7.8/amd64/SHA256.sig",
        f"untrusted comment: verify with openbsd-99-base.pub\n{base64.b64encode(b'Ed' + bytes(72)).decode()}\nSHA256 (install78.iso) = x\n",
        "'verify with openbsd-99-base.pub', which is none of the keys",
    ),
    "list without signify": ("openbsd", "https://cdn.openbsd.org/pub/OpenBSD/7.8/amd64/SHA256.sig", "x", "signature is not good"),
    "no signature": ("lmde", "https://mirrors.kernel.org/linuxmint/debian/sha256sum.txt.gpg", None, "cannot be had"),
    "no checksum": (
        "debian-cloud",
        "https://cloud.debian.org/images/cloud/trixie/latest/SHA512SUMS",
        "",
        "there is no checksum of debian-13-generic-amd64.qcow2",
    ),
    "no key": ("arch", KEY_URL, None, "the key of Publisher cannot be had"),
    "another key": (
        "arch",
        KEY_URL,
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n",
        "the key of Publisher cannot be had",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_a_broken_layout_names_entry_rule_and_page(pages: Pages, site: Site, publisher_key: Signer, case: str) -> None:
    name, url, text, problem = BROKEN[case]
    site.files.pop(url)
    if text is not None:
        site.page(url, text)
    with pytest.raises(MediaError) as caught:
        await resolve(name, publisher_key, pages)
    assert caught.value.message.startswith(f"{name}: ")
    assert problem in caught.value.message
    assert re.fullmatch(r"rule '\w+' at https://\S+", caught.value.reason)


async def test_a_list_that_was_changed_after_signify_is_refused(pages: Pages, site: Site, publisher_key: Signer) -> None:
    page = "https://cdn.openbsd.org/pub/OpenBSD/7.8/amd64/SHA256.sig"
    site.files[page] = site.files[page].replace(b"install78.iso", b"install79.iso")
    with pytest.raises(MediaError, match="was changed after it was signed"):
        await resolve("openbsd", publisher_key, pages)


async def test_an_url_that_is_not_encrypted_is_refused(pages: Pages, site: Site, publisher_key: Signer) -> None:
    page = "https://api.github.com/repos/IceWhaleTech/ZimaOS/releases/latest"
    site.page(page, site.files[page].decode().replace("https://github.com", "http://github.com"))
    with pytest.raises(MediaError, match="not encrypted"):
        await resolve("zima", publisher_key, pages)


async def test_a_list_signed_by_somebody_else_is_refused(pages: Pages, site: Site, publisher_key: Signer) -> None:
    url = "https://mirrors.kernel.org/linuxmint/debian/sha256sum.txt"
    with signer() as stranger:
        site.files[f"{url}.gpg"] = stranger.detached(site.files[url])
        with pytest.raises(MediaError, match="made with another key"):
            await resolve("lmde", publisher_key, pages)


async def test_the_key_server_helps_where_the_publishers_page_is_gone(pages: Pages, site: Site, publisher_key: Signer) -> None:
    del site.files[KEY_URL]
    site.files[f"https://keyserver.ubuntu.com/pks/lookup?op=get&options=mr&search=0x{publisher_key.fingerprint}"] = publisher_key.public
    assert (await resolve("kali", publisher_key, pages)).trust is Trust.SIGNATURE


REDIRECTED = """
name: mine
title: Mine
kind: iso
source: ["https://example.org/"]
images:
  - arches: {x86_64: core}
    find:
      - redirect: https://short.example/{arch}
        match: "https://mirror.example/{path:any}/mine-{release:version}-{arch}.iso"
    checksum: {sums: "{url}.sha256"}
"""


async def test_a_short_url_leads_to_the_newest_file(pages: Pages, site: Site) -> None:
    (entry,) = load_entries(REDIRECTED, "mine.yaml")
    url = "https://mirror.example/iso/mine-18-core.iso"
    site.page(f"{url}.sha256", gnu({"mine-18-core.iso": site.image(url)}))
    site.redirects["https://short.example/core"] = url
    file = await resolve_entry(entry, arch=find_arch("x86_64"), pages=pages)
    assert (file.release, pages.original(file.url), file.title) == ("18", url, "Mine 18")
    site.redirects["https://short.example/core"] = site.page("https://mirror.example/iso/moved.html", "moved")
    with pytest.raises(MediaError, match="nothing there fits"):
        await resolve_entry(entry, arch=find_arch("x86_64"), pages=pages)


async def test_unverified_goes_on_without_signatures(pages: Pages, site: Site, publisher_key: Signer) -> None:
    del site.files[KEY_URL]
    file = await resolve("kali", publisher_key, pages, unverified=True)
    assert (file.trust, file.wanted.origin) == (
        Trust.CHECKSUM,
        "https://cdimage.kali.org/current/SHA256SUMS, whose signature was not checked",
    )
    assert (await resolve("gentoo", publisher_key, pages, unverified=True)).wanted.checksum is not None
    assert (await resolve("slack", publisher_key, pages, unverified=True)).trust is Trust.NONE


@pytest.mark.parametrize(
    ("name", "arch", "kind", "message"),
    [
        ("mint", "aarch64", None, "not published for aarch64"),
        ("mint", "x86_64", Kind.CLOUD, "has no image of kind cloud"),
        ("windows", "x86_64", None, "cannot be fetched"),
        ("macos", "x86_64", None, "cannot be fetched"),
        ("debian", "x86_64", None, "is made here from packages"),
    ],
)
async def test_what_there_is_not_is_said_without_asking_anybody(
    pages: Pages, site: Site, publisher_key: Signer, name: str, arch: str, kind: Kind | None, message: str
) -> None:
    with pytest.raises(QuarterdeckError) as caught:
        await resolve_entry(catalogue_for(publisher_key).find(name), arch=find_arch(arch), pages=pages, kind=kind)
    assert message in caught.value.message
    assert caught.value.hint
    assert site.asked == []
