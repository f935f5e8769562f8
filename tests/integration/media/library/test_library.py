"""Images from a server of our own into a library, and what keeps them apart from what nobody proved."""

import asyncio
import gzip
import hashlib
import json
import lzma
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.media.fetch.publisher import Publisher, Served, content

from quarterdeck.core.process import run, run_async, spawn
from quarterdeck.core.report import Event, Message
from quarterdeck.errors import MediaError
from quarterdeck.media.fetch.download import Proof
from quarterdeck.media.fetch.http import Http
from quarterdeck.media.fetch.model import Checksum, Wanted
from quarterdeck.media.formats import ImageFormat
from quarterdeck.media.library.library import Library, Options
from quarterdeck.media.library.prune import Kind, plan_prune, prune

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[4]
UNVERIFIED = Options(unverified=True)


def raw_disk(seed: int = 0) -> bytes:
    """A disk with one partition in its table, mostly empty."""
    disk = bytearray(16 << 20)
    disk[446:462] = bytes([0x80, 0, 0, 0, 0x83, 0, 0, 0, 8, 0, 0, 0, 0, 64, 0, 0])
    disk[510:512] = b"\x55\xaa"
    disk[1 << 20 : 3 << 20] = content(2 << 20, seed)
    return bytes(disk)


RAW = raw_disk()


@pytest.fixture(scope="module")
def qcow2(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("qcow2")
    (folder / "disk.raw").write_bytes(RAW)
    run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", folder / "disk.raw", folder / "disk.qcow2"])
    return (folder / "disk.qcow2").read_bytes()


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(images=tmp_path / "images", downloads=tmp_path / "downloads")


def proved(url: str, body: bytes) -> Wanted:
    return Wanted((url,), checksum=Checksum("sha256", hashlib.sha256(body).hexdigest()), origin="a list of ours")


def on_disk(path: Path) -> int:
    return path.stat().st_blocks * 512


def parts(library: Library) -> list[Path]:
    return [path for path in library.downloads.iterdir() if path.suffix != ".lock"]


async def test_a_packed_image_is_unpacked_sparse_proved_and_found_again_without_a_server(
    lab: Publisher, http: Http, library: Library
) -> None:
    body = lzma.compress(RAW, preset=0)
    wanted = proved(lab.add("/disk.raw.xz", Served(body)), body)
    image = await library.obtain_url(wanted, http=http)
    assert image.format is ImageFormat.RAW
    assert image.disk.read_bytes() == RAW
    assert on_disk(image.disk) < 4 << 20
    assert image.disk.stat().st_mode & 0o777 == 0o644
    assert (image.manifest.proof, image.manifest.detail, image.manifest.origin) == (
        Proof.CHECKSUM,
        str(wanted.checksum),
        "a list of ours",
    )
    assert not parts(library)
    lab.files.clear()
    assert await library.obtain_url(wanted, http=http) == image == library.find_url(wanted)
    assert library.entries() == [image]
    json.dumps(image.to_json())


async def test_an_image_that_is_not_packed_is_moved_not_copied(lab: Publisher, http: Http, library: Library, qcow2: bytes) -> None:
    image = await library.obtain_url(proved(lab.add("/disk", Served(qcow2)), qcow2), http=http)
    assert image.format is ImageFormat.QCOW2
    assert image.disk.read_bytes() == qcow2
    assert image.disk.stat().st_nlink == 1
    assert not parts(library)


async def test_what_nothing_proves_is_refused_and_taken_only_on_demand(lab: Publisher, http: Http, library: Library) -> None:
    bare = Wanted((lab.add("/disk.raw", Served(RAW)),))
    with pytest.raises(MediaError) as caught:
        await library.obtain_url(bare, http=http)
    assert caught.value.key == "download-unverified"
    assert "--unverified" in caught.value.hint
    assert not lab.asked
    image = await library.obtain_url(bare, http=http, options=UNVERIFIED)
    assert image.manifest.proof is Proof.NOTHING
    with pytest.raises(MediaError):
        await library.obtain_url(bare, http=http)
    again = await library.obtain_url(proved(bare.urls[0], RAW), http=http)
    assert again.folder == image.folder
    assert again.manifest.proof is Proof.CHECKSUM, "the checksum names what was taken on trust"
    assert len(lab.asked["/disk.raw"]) <= 8


async def test_a_url_whose_file_changes_is_fetched_again_only_on_demand(lab: Publisher, http: Http, library: Library) -> None:
    bare = Wanted((lab.add("/latest", Served(RAW)),))
    first = await library.obtain_url(bare, http=http, options=UNVERIFIED)
    new = raw_disk(seed=1)
    lab.add("/latest", Served(new, etag='"2"'))
    assert await library.obtain_url(bare, http=http, options=UNVERIFIED) == first
    second = await library.obtain_url(bare, http=http, options=replace(UNVERIFIED, refresh=True))
    assert second.disk.read_bytes() == new
    assert first.disk.read_bytes() == RAW, "machines may stand on it"
    assert await library.obtain_url(bare, http=http, options=UNVERIFIED) == second


async def test_a_file_that_changes_in_the_middle_is_fetched_again_as_a_whole(lab: Publisher, http: Http, library: Library) -> None:
    new = gzip.compress(raw_disk(seed=1), 0)
    served = Served(gzip.compress(RAW, 0), cuts=[1 << 20] * 2, delay=0.01)
    bare = Wanted((lab.add("/disk.gz", served),))
    events: list[Event] = []

    def change(event: Event) -> None:
        events.append(event)
        if served.cuts == []:
            served.body, served.etag, served.delay = new, '"2"', 0

    image = await library.obtain_url(bare, http=http, options=UNVERIFIED, report=change)
    assert image.disk.read_bytes() == raw_disk(seed=1)
    assert any(isinstance(event, Message) and "fetching all of it again" in event.text for event in events)


async def test_a_mirror_with_another_file_is_left_for_the_next(lab: Publisher, http: Http, library: Library) -> None:
    body = gzip.compress(RAW, 1)
    wrong = bytes([*body[:-4], *bytes(4)])
    wanted = proved(lab.add("/good", Served(body)), body)
    wanted = replace(wanted, urls=(lab.add("/wrong", Served(wrong, etag='"w"')), *wanted.urls))
    image = await library.obtain_url(wanted, http=http)
    assert image.disk.read_bytes() == RAW


@pytest.mark.parametrize("flip", [False, True], ids=["cut-off", "bit-flip"])
async def test_damage_is_called_a_wrong_checksum_where_there_is_one(lab: Publisher, http: Http, library: Library, flip: bool) -> None:
    body = gzip.compress(RAW, 1)
    damaged = body[:300_000] + bytes([body[300_000] ^ 4]) + body[300_001:] if flip else body[:-100_000]
    url = lab.add("/disk.gz", Served(damaged))
    with pytest.raises(MediaError) as caught:
        await library.obtain_url(proved(url, body), http=http)
    assert caught.value.key == "checksum-wrong"
    with pytest.raises(MediaError) as caught:
        await library.obtain_url(Wanted((url,)), http=http, options=UNVERIFIED)
    assert caught.value.key in ("archive-damaged", "archive-truncated")
    assert library.entries() == []
    assert not parts(library), "the next run does not meet the same damage"


async def test_text_is_no_image_and_stops_the_download(lab: Publisher, http: Http, library: Library) -> None:
    url = lab.add("/README", Served(b"hello\n" * 100_000))
    with pytest.raises(MediaError) as caught:
        await library.obtain_url(Wanted((url,)), http=http, options=UNVERIFIED)
    assert caught.value.message
    assert library.entries() == []


async def test_two_processes_at_once_download_once(lab: Publisher, library: Library, tmp_path: Path) -> None:
    body = gzip.compress(RAW, 1)
    url = lab.add("/disk.gz", Served(body, delay=0.3))
    argv = [sys.executable, "-m", "tests.integration.media.library.importer", url, hashlib.sha256(body).hexdigest(), str(tmp_path)]
    outputs = [done.text for done in await asyncio.gather(*(run_async(argv, cwd=ROOT, timeout=60) for _ in range(2)))]
    assert lab.sent["/disk.gz"] == len(body)
    assert len({output.splitlines()[-1] for output in outputs}) == 1
    assert sum("waiting for another qd" in output for output in outputs) == 1
    assert library.entries()[0].disk.read_bytes() == RAW


async def test_packed_files_of_this_host_are_unpacked_once_and_never_touched(library: Library, tmp_path: Path, qcow2: bytes) -> None:
    packed, plain = tmp_path / "export.bin", tmp_path / "plain.img"
    packed.write_bytes(gzip.compress(RAW, 1))
    plain.write_bytes(qcow2)
    before = packed.stat().st_mtime_ns, packed.read_bytes()
    image = await library.obtain_file(packed)
    assert image is not None
    assert image.disk.read_bytes() == RAW
    (tmp_path / "copy.gz").write_bytes(packed.read_bytes())
    assert await library.obtain_file(tmp_path / "copy.gz") == image == await library.obtain_file(packed)
    assert (packed.stat().st_mtime_ns, packed.read_bytes()) == before
    assert await library.obtain_file(plain) is None, "it is an image already"
    assert await library.obtain_file(plain, checksum=Checksum("sha256", hashlib.sha256(qcow2).hexdigest())) is None
    with pytest.raises(MediaError) as caught:
        await library.obtain_file(plain, checksum=Checksum("md5", "0" * 32))
    assert caught.value.key == "checksum-wrong"


async def test_prune_removes_what_no_machine_stands_on(lab: Publisher, http: Http, library: Library, tmp_path: Path) -> None:
    images, downloads = tmp_path / "images", tmp_path / "downloads"
    kept, gone = [
        await library.obtain_url(Wanted((lab.add(f"/{seed}", Served(raw_disk(seed))),)), http=http, options=UNVERIFIED) for seed in (1, 2)
    ]
    (images / "library" / ".abc.building-x").mkdir()
    (downloads / "x.part").write_bytes(bytes(4096))
    used = [kept.disk]
    assert plan_prune(used, images=images, downloads=downloads) == (), "everything is fresh"
    plan = plan_prune(used, everything=True, images=images, downloads=downloads)
    assert {(item.path.name, item.kind) for item in plan} == {
        (gone.folder.name, Kind.IMAGE),
        (".abc.building-x", Kind.LEFTOVER),
        ("x.part", Kind.DOWNLOAD),
    }
    assert prune(plan) == sum(item.size for item in plan) >= 2 << 20
    assert library.entries() == [kept]
    assert plan_prune(used, everything=True, images=images, downloads=downloads) == ()
    lab.asked.clear()
    await library.obtain_url(Wanted((f"{lab.base}/2",)), http=http, options=UNVERIFIED)
    assert lab.asked, "it is fetched again"


async def test_a_killed_import_leaves_nothing_half_made_and_the_next_one_goes_on(lab: Publisher, library: Library, tmp_path: Path) -> None:
    body = gzip.compress(RAW, 1)
    served = Served(body, delay=0.1)
    url = lab.add("/disk.gz", served)
    argv = [sys.executable, "-m", "tests.integration.media.library.importer", url, hashlib.sha256(body).hexdigest(), str(tmp_path)]
    for round_number in range(3):
        with (tmp_path / "log").open("ab") as log:
            child = spawn(argv, log=log.fileno(), cwd=ROOT)
        started = len(lab.asked.get("/disk.gz", []))
        for _ in range(200):
            if len(lab.asked.get("/disk.gz", [])) > started or child.returncode is not None:
                break
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3 * round_number)
        child.send(signal.SIGKILL)
        await child.wait()
        assert all(entry.disk.read_bytes() == RAW for entry in library.entries())
    served.delay = 0
    done = await run_async(argv, cwd=ROOT, timeout=60)
    (entry,) = library.entries()
    assert (str(entry.disk), entry.disk.read_bytes()) == (done.text.splitlines()[-1], RAW)
    left = [path.name for path in (tmp_path / "images" / "library").iterdir() if ".building-" in path.name]
    assert (left, parts(library)) == ([], [])
