"""``qd run`` of what is not a plain file here: a name of the catalogue, a URL, an archive."""

import asyncio
import json
import lzma
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.boot.cli_lab import QD
from tests.boot.lifecycle_lab import Lab, lab
from tests.integration.media.catalogue.site import Site, certificate, gnu, serving, signer
from tests.tiny_guest import READY, tiny_image

from quarterdeck.core.process import Completed, run_async

pytestmark = pytest.mark.boot

PLACE = "https://images.example/tiny/"
ENTRY = """\
name: tiny
title: Tiny
kind: cloud
source: [https://images.example/tiny/]
memory: 160M
disk: 1G
login: {{user: tiny}}
firmware: bios
keys:
  - {{fingerprint: {fingerprint}, owner: Publisher, urls: ["https://keys.example/publisher.asc"]}}
images:
  - arches: {{x86_64: amd64}}
    find:
      - sums: https://images.example/tiny/SHA256SUMS
        signature: https://images.example/tiny/SHA256SUMS.gpg
        match: "tiny-{{release:version}}-{{arch}}.raw.xz"
    url: https://images.example/tiny/{{file}}
"""


@pytest.fixture(name="lab")
def _lab() -> Iterator[Lab]:
    with lab() as made:
        yield made


@pytest.fixture(scope="module")
def packed() -> bytes:
    return lzma.compress(tiny_image().read_bytes(), preset=0)


class Shell:
    """``qd`` before a site that plays a publisher."""

    def __init__(self, folder: Path, base: str) -> None:
        self.folder = folder
        self._env = {"SSL_CERT_FILE": str(folder / "ca.pem"), "QUARTERDECK_MIRROR": base, "XDG_CONFIG_HOME": str(folder)}

    async def __call__(self, *words: str) -> Completed:
        return await run_async([*QD, *words], check=False, env=self._env, timeout=120, cwd=self.folder)

    async def boot(self, *words: str) -> Completed:
        fixed = ["--accel", "tcg", "--arch", "x86_64", "--cpus", "1", "--viewer", "off", "--detach", "--progress", "plain"]
        return await self("run", *words, *fixed)

    async def until_ready(self, name: str) -> None:
        """Wait until the guest says on its serial console that it runs."""
        for _ in range(120):
            if READY in (await self("logs", name)).text:
                return
            await asyncio.sleep(0.5)
        raise AssertionError("it never came")


# Named before the lab in each test: gpg's agent would inherit the lab's home, and count as one of its processes until it is gone.
@pytest.fixture
async def publisher(tmp_path: Path, packed: bytes) -> AsyncIterator[tuple[Shell, Site]]:
    with signer() as key:
        site = Site(key)
        site.files[f"{PLACE}tiny-2.10-amd64.raw.xz"] = packed
        site.files[f"{PLACE}SHA256SUMS"] = gnu({"tiny-2.9-amd64.raw.xz": b"", "tiny-2.10-amd64.raw.xz": packed}).encode()
        site.signed(f"{PLACE}SHA256SUMS", ".gpg")
        (tmp_path / "quarterdeck" / "catalogue").mkdir(parents=True)
        (tmp_path / "quarterdeck" / "catalogue" / "tiny.yaml").write_text(ENTRY.format(fingerprint=key.fingerprint))
        certificate(tmp_path)
        async with serving(site, tmp_path) as base:
            yield Shell(tmp_path, base), site


async def test_a_name_boots_and_the_next_machine_stands_on_the_same_image(publisher: tuple[Shell, Site], lab: Lab) -> None:
    shell, site = publisher
    (shell.folder / "tiny").mkdir()  # a folder that is called like an entry is not meant
    planned = await shell("explain", "tiny", "--arch", "x86_64", "--accel", "tcg", "--json")
    assert planned.returncode == 0, planned.stderr.decode()
    assert "to-be-fetched" in planned.text
    for name in ("one", "two"):
        done = await shell.boot("tiny", "--name", name)
        assert done.returncode == 0, done.stderr.decode()
        await shell.until_ready(name)
        assert (await shell("stop", "--force", name)).returncode == 0
    assert site.asked.count(f"{PLACE}tiny-2.10-amd64.raw.xz") == 1
    assets = [json.loads((lab.store.layout(name).root / "assets.json").read_text()) for name in ("one", "two")]
    assert assets[0] == assets[1]
    assert assets[0]["provisioning"] == "cloud-init"
    assert (assets[0]["login"], assets[0]["least_disk"], assets[0]["bios"]) == ("tiny", 1 << 30, True)


async def test_what_nothing_proves_or_a_checksum_contradicts_does_not_boot(publisher: tuple[Shell, Site], lab: Lab) -> None:
    shell, site = publisher
    url = f"{site.base}/images.example/tiny/tiny-2.10-amd64.raw.xz"
    refused = await shell.boot(url)
    assert refused.returncode == 4
    assert "neither a checksum nor a signature of it is known" in refused.stderr.decode()
    wrong = await shell.boot(url, "--checksum", "sha256:" + "0" * 64)
    assert wrong.returncode == 4
    assert "0" * 64 in wrong.stderr.decode()
    unknown = await shell.boot("tiny:9.9")
    assert unknown.returncode == 2
    assert "2.10" in unknown.stderr.decode()
    site.files[f"{PLACE}SHA256SUMS"] += b"\n"
    forged = await shell.boot("tiny")
    assert forged.returncode == 4, forged.stderr.decode()
    assert "Traceback" not in forged.stderr.decode()
    assert lab.store.names() == []


async def test_an_archive_with_several_images_boots_the_one_that_is_named(publisher: tuple[Shell, Site], lab: Lab) -> None:
    shell, _ = publisher
    archive = shell.folder / "export.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.write(tiny_image(), "disks/tiny.raw")
        file.writestr("disks/data.qcow2", b"QFI\xfb\x00\x00\x00\x03" + bytes(65536))
    before = archive.read_bytes()
    several = await shell.boot("export.zip")
    assert several.returncode == 4
    assert "disks/tiny.raw" in several.stderr.decode()
    done = await shell.boot("./export.zip", "--member", "disks/tiny.raw")
    assert done.returncode == 0, done.stderr.decode()
    await shell.until_ready("export")
    assert (await shell("rm", "--force", "--yes", "export")).returncode == 0
    assert archive.read_bytes() == before
