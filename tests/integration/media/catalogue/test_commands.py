"""The commands of ``qd catalogue`` against a server that plays all publishers."""

import json
import sys
from pathlib import Path

import pytest
from tests.integration.media.catalogue.ours import with_key
from tests.integration.media.catalogue.site import Signer, Site, sha

from quarterdeck.cli.catalogue.view import plain
from quarterdeck.core.process import Completed, run, run_async
from quarterdeck.media.catalogue.catalogue import packaged

pytestmark = pytest.mark.integration

CLOUD = "https://dl-cdn.alpinelinux.org/alpine/latest-stable/releases/cloud/nocloud_alpine-3.22.1-x86_64-uefi-cloudinit-r0.qcow2"
LATEST = "https://dl-cdn.alpinelinux.org/alpine/latest-stable/releases/x86_64/"


@pytest.fixture
def own(tmp_path: Path, publisher_key: Signer) -> Path:
    """A folder with all entries as ``show --json`` prints them, with the tests' key."""
    folder = tmp_path / "catalogue"
    folder.mkdir()
    for entry in packaged().entries:
        (folder / f"{entry.name}.yaml").write_text(json.dumps(plain(with_key(entry, publisher_key))))
    return folder


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


class Shell:
    def __init__(self, mirror: str, own: Path, tls: Path, home: Path) -> None:
        self._options = ["--mirror", mirror, "--catalogue", str(own)]
        self._env = {"SSL_CERT_FILE": str(tls / "ca.pem"), "QUARTERDECK_HOME": str(home), "XDG_CONFIG_HOME": str(home)}

    async def __call__(self, *words: str, ask: bool = True) -> Completed:
        command = [sys.executable, "-m", "quarterdeck", "catalogue", *words, *(self._options if ask else [])]
        return await run_async(command, check=False, env=self._env, timeout=60)


@pytest.fixture
def shell(mirror: str, own: Path, tls: Path, tmp_path: Path) -> Shell:
    return Shell(mirror, own, tls, tmp_path / "home")


async def test_check_says_which_entries_broke_and_where(shell: Shell, site: Site, own: Path) -> None:
    names = ["mint", "kali", "fedora-cloud", "coreos", "debian"]
    done = await shell("check", *names, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    assert {row["name"] for row in json.loads(done.stdout)} == set(names) - {"debian"}
    del site.files["https://mirrors.kernel.org/linuxmint/stable/22.3/linuxmint-22.3-cinnamon-64bit.iso"]
    site.page("https://cdimage.kali.org/current/SHA256SUMS", "moved")
    ours = (own / "kali.yaml").read_text().replace('"kali"', '"ours"').replace("kali-linux", "our-kali").replace("kalilinux", "ourkali")
    site.page("https://entries.example/ours.yaml", ours)
    done = await shell("check", *names, "ours", "--arch", "amd64", "--catalogue", f"{site.base}/entries.example/ours.yaml")
    assert done.returncode == 1
    assert "2 of 5 lead to a file, 3 broke" in done.stderr.decode()
    assert "rule 'sums' at https://cdimage.kali.org/current/SHA256SUMS" in done.stderr.decode()


async def test_an_image_is_fetched_once_and_pruned_when_nothing_stands_on_it(shell: Shell, site: Site, tmp_path: Path) -> None:
    image = tmp_path / "image.qcow2"
    run(["qemu-img", "create", "-q", "-f", "qcow2", image, "1M"])
    site.files[CLOUD] = image.read_bytes()
    site.page(f"{CLOUD}.sha512", f"{sha(image.read_bytes(), 'sha512')}  image\n")
    for _ in range(2):
        done = await shell("fetch", "alpine-cloud", "--arch", "x86_64", "--json", "--progress", "plain")
        assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert (found["release"], found["proof"], found["image"]["proof"]) == ("3.22.1", "checksum", "checksum")
    fetched = Path(found["image"]["path"])
    assert content(fetched) == image.read_bytes()
    assert site.asked.count(CLOUD) == 1
    done = await shell("prune", "--all", "--yes", ask=False)
    assert (done.returncode, content(fetched)) == (0, None)


async def test_a_signed_image_is_fetched_and_a_changed_one_refused(shell: Shell, site: Site, publisher_key: Signer, tmp_path: Path) -> None:
    image = tmp_path / "image.qcow2"
    run(["qemu-img", "create", "-q", "-f", "qcow2", image, "1M"])
    url = "https://mirrors.slackware.com/slackware/slackware-iso/slackware64-15.0-iso/slackware64-15.0-install-dvd.iso"
    site.files[url] = image.read_bytes()
    site.files[f"{url}.asc"] = publisher_key.detached(image.read_bytes(), armor=True)
    done = await shell("fetch", "slack:15.0", "--arch", "x86_64", "--json")
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["image"]["detail"] == publisher_key.fingerprint
    site.files[url] = image.read_bytes() + bytes(512)
    await shell("prune", "--all", "--yes", ask=False)
    done = await shell("fetch", "slack", "--arch", "x86_64", "--json")
    assert done.returncode == 4
    assert json.loads(done.stderr.splitlines()[-1])["key"] == "signature-wrong"


async def test_urls_are_fetched_when_something_proves_them_and_files_are_unpacked(shell: Shell, site: Site, tmp_path: Path) -> None:
    image, other = tmp_path / "a disk.qcow2", tmp_path / "other.qcow2"
    run(["qemu-img", "create", "-q", "-f", "qcow2", image, "1M"])
    run(["qemu-img", "create", "-q", "-f", "qcow2", other, "2M"])
    archive = tmp_path / "both.tar"
    run(["tar", "-C", tmp_path, "-cf", archive, image.name, other.name])
    site.files["https://images.example/both.tar"] = archive.read_bytes()
    url = f"{site.base}/images.example/both.tar"
    done = await shell("fetch", url, "--json")
    assert (done.returncode, json.loads(done.stderr.splitlines()[-1])["key"]) == (4, "download-unverified")
    done = await shell("fetch", url, "--checksum", f"sha256:{sha(archive.read_bytes(), 'sha256')}", "--member", "other.qcow2")
    assert done.returncode == 0, done.stderr.decode()
    assert content(Path(done.stdout.decode().strip())) == other.read_bytes()
    assert "proved by its checksum sha256:" in done.stderr.decode()
    done = await shell("fetch", url, "--unverified", "--member", image.name, "--json")
    assert (json.loads(done.stdout)["proof"], content(Path(json.loads(done.stdout)["path"]))) == ("nothing", image.read_bytes())

    done = await shell("fetch", archive.as_uri(), "--member", image.name, "--json", ask=False)
    found = json.loads(done.stdout)
    assert (content(Path(found["path"])), found["image"]["members"]) == (image.read_bytes(), [image.name, other.name])
    done = await shell("fetch", image.as_uri(), "--json", ask=False)
    assert json.loads(done.stdout)["path"] == str(image)
    done = await shell("fetch", str(image), "--checksum", f"sha256:{'0' * 64}", "--json", ask=False)
    assert json.loads(done.stderr.splitlines()[-1])["key"] == "checksum-wrong"


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("https://127.0.0.1:1/x.img", "--release", "3"), "nothing-to-choose"),
        (("./x.img", "--arch", "arm64"), "nothing-to-choose"),
        (("file://server/x.img",), "file-url"),
        (("./missing.img",), "image-missing"),
        (("no-such-system",), "unknown-os"),
    ],
)
async def test_what_cannot_be_fetched_is_said_before_anybody_is_asked(shell: Shell, words: tuple[str, ...], key: str) -> None:
    done = await shell("fetch", *words, "--json", ask=False)
    assert (done.stdout, json.loads(done.stderr.splitlines()[-1])["key"]) == (b"", key)


async def test_what_stands_between_us_and_a_publisher_is_not_called_the_publishers_fault(shell: Shell) -> None:
    done = await shell("fetch", "alpine", "--arch", "x86_64", "--mirror", "http://127.0.0.1:1", "--json", ask=False)
    error = json.loads(done.stderr.splitlines()[-1])
    assert (done.returncode, error["key"]) == (4, "host-unreachable")
    assert "check the network" in error["hint"]
