"""Downloads from a server that misbehaves."""

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.integration.media.fetch.publisher import Publisher, Served, content

from quarterdeck.core.report import Event, Step
from quarterdeck.errors import HostError, MediaError
from quarterdeck.media.fetch import room
from quarterdeck.media.fetch.download import Proof, Verified, open_download
from quarterdeck.media.fetch.failure import FetchError
from quarterdeck.media.fetch.http import Http
from quarterdeck.media.fetch.model import Checksum, Wanted

pytestmark = pytest.mark.integration

BODY = content(9 << 20)
DATE = "Tue, 01 Sep 2026 00:00:00 GMT"


def wanted(url: str, body: bytes = BODY, algorithm: str = "sha256", **more: Any) -> Wanted:
    return Wanted((url,), checksum=Checksum(algorithm, hashlib.new(algorithm, body).hexdigest()), **more)


async def fetch(what: Wanted, folder: Path, http: Http, target: Path | None = None) -> Verified:
    async with open_download(what, folder=folder, http=http) as download:
        verified = await download.finish()
        if target is not None:
            download.take(target)
    return verified


def left_in(folder: Path) -> list[str]:
    return [path.suffix for path in folder.iterdir()]


@pytest.mark.parametrize(
    "manners",
    [
        {},
        {"ranges": False},
        {"ranges": False, "length": False, "etag": ""},
        {"cuts": [3 << 20, 1 << 20, 5, 300_000]},
        {"ranges": False, "cuts": [5 << 20, 6 << 20]},
        {"most": 1},
        {"statuses": [503, 200, 500, 429]},
    ],
    ids=["ranges", "no-ranges", "no-length", "broken", "broken-no-ranges", "one-connection", "busy"],
)
async def test_the_file_arrives_whole_whatever_the_server_does(lab: Publisher, http: Http, tmp_path: Path, manners: dict[str, Any]) -> None:
    url = lab.add("/x.img", Served(BODY, **manners))
    verified = await fetch(wanted(url, algorithm="sha512"), tmp_path / "parts", http, tmp_path / "x.img")
    assert (tmp_path / "x.img").read_bytes() == BODY
    assert (verified.size, verified.sha256, verified.proof) == (len(BODY), hashlib.sha256(BODY).hexdigest(), Proof.CHECKSUM)
    assert left_in(tmp_path / "parts") == [".lock"]


async def test_several_connections_are_used_and_the_source_is_read_meanwhile(lab: Publisher, http: Http, tmp_path: Path) -> None:
    url = lab.add("/x.img", Served(BODY, delay=0.02))
    async with open_download(wanted(url), folder=tmp_path, http=http) as download:
        first = await asyncio.to_thread(download.source.read, 1 << 20)
        assert download.missing > 0
        rest = await asyncio.to_thread(lambda: b"".join(iter(lambda: download.source.read(1 << 20), b"")))
        await download.finish()
        assert download.source.whole().read_bytes() == BODY == first + rest
    assert 1 < lab.most_active <= 4


async def test_what_an_earlier_run_left_is_not_fetched_again(lab: Publisher, http: Http, tmp_path: Path) -> None:
    served = Served(BODY, delay=0.02)
    what = wanted(lab.add("/x.img", served))
    async with open_download(what, folder=tmp_path, http=http) as download:
        await asyncio.to_thread(download.source.read, 1)
        await asyncio.to_thread(lambda: [download.source.read(1 << 20) for _ in range(4)])
    served.delay = 0
    before, lab.sent = lab.sent["/x.img"], {}
    events: list[Event] = []
    async with open_download(what, folder=tmp_path, http=http, report=events.append) as download:
        assert download.resumed
        await download.finish()
        assert download.source.whole().read_bytes() == BODY
    assert lab.sent["/x.img"] < len(BODY)
    assert lab.sent["/x.img"] + before < len(BODY) + (8 << 20)
    assert any(isinstance(event, Step) and "going on after" in event.detail for event in events)
    lab.asked.clear()
    await fetch(what, tmp_path, http)
    assert not lab.asked, "a complete file needs no server"


@pytest.mark.parametrize("manners", [{"etag": '"1"'}, {"etag": "", "modified": DATE}], ids=["etag", "date"])
async def test_a_file_that_changed_since_is_not_mixed_with_the_old_one(
    lab: Publisher, http: Http, tmp_path: Path, manners: dict[str, Any]
) -> None:
    url = lab.add("/x.img", Served(BODY, delay=0.02, **manners))
    async with open_download(Wanted((url,)), folder=tmp_path, http=http) as download:
        await asyncio.to_thread(download.source.read, 1)
    new = content(9 << 20, seed=1)
    later = {"etag": '"2"'} if manners["etag"] else {"etag": "", "modified": DATE.replace("01", "02")}
    lab.add("/x.img", Served(new, etag=later["etag"], modified=later.get("modified", "")))
    with pytest.raises(FetchError) as caught:
        await fetch(Wanted((url,)), tmp_path, http)
    assert caught.value.key == "download-changed"
    await fetch(Wanted((url,)), tmp_path, http, tmp_path / "x.img")
    assert (tmp_path / "x.img").read_bytes() == new


async def test_without_tag_date_and_proof_nothing_goes_on(lab: Publisher, http: Http, tmp_path: Path) -> None:
    url = lab.add("/x.img", Served(BODY, delay=0.02, etag=""))
    async with open_download(Wanted((url,)), folder=tmp_path, http=http) as download:
        await asyncio.to_thread(download.source.read, 1)
    async with open_download(Wanted((url,)), folder=tmp_path, http=http) as download:
        assert not download.resumed


async def test_a_wrong_checksum_names_both_and_leaves_nothing(lab: Publisher, http: Http, tmp_path: Path) -> None:
    flipped = BODY[:5000] + bytes([BODY[5000] ^ 1]) + BODY[5001:]
    what = wanted(lab.add("/x.img", Served(flipped)))
    with pytest.raises(MediaError) as caught:
        await fetch(what, tmp_path, http)
    assert caught.value.key == "checksum-wrong"
    assert hashlib.sha256(BODY).hexdigest() in caught.value.reason
    assert hashlib.sha256(flipped).hexdigest() in caught.value.reason
    assert left_in(tmp_path) == [".lock"]


@pytest.mark.parametrize(
    ("served", "key"),
    [
        (Served(BODY, statuses=[404]), "http-404"),
        (Served(BODY, statuses=[403]), "http-403"),
        (Served(BODY, statuses=[503] * 9), "http-503"),
        (Served(b"<html>log in</html>", kind="text/html"), "download-is-page"),
        (Served(b"\n<!DOCTYPE HTML><p>log in"), "download-is-page"),
        (Served(b""), "download-empty"),
        (Served(BODY, statuses=[302], headers={"Location": "file:///etc/passwd"}), "redirect-refused"),
        (Served(BODY, statuses=[302] * 20, headers={"Location": "/x.img"}), "redirect-loop"),
        (Served(BODY[:-1]), "size-wrong"),
        (Served(BODY, ranges=False, length=False, endless=True), "download-too-large"),
        (Served(BODY[:-1], ranges=False, length=False), "connection-broken"),
        (Served(BODY, cuts=[0] * 90), "connection-broken"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_failures_have_names(lab: Publisher, http: Http, tmp_path: Path, served: Served, key: str) -> None:
    copy = replace(served, cuts=[*served.cuts], statuses=[*served.statuses])
    what = replace(wanted(lab.add("/x.img", copy)), size=None if key == "download-is-page" else len(BODY))
    async with open_download(what, folder=tmp_path, http=http) as download:
        with pytest.raises(MediaError) as caught:
            await download.finish()
        assert caught.value.key == key
        assert caught.value.hint
        with pytest.raises(MediaError):
            await asyncio.to_thread(lambda: list(iter(lambda: download.source.read(1 << 20), b"")))


async def test_hosts_that_are_not_there_are_named(http: Http, tmp_path: Path) -> None:
    for url, key in (("http://nothing.invalid/x", "host-unknown"), ("http://127.0.0.1:1/x", "host-unreachable")):
        with pytest.raises(FetchError) as caught:
            await fetch(wanted(url), tmp_path, http)
        assert caught.value.key == key
        assert "127.0.0.1" in caught.value.message or "nothing.invalid" in caught.value.message


async def test_the_next_mirror_is_taken_when_one_fails(lab: Publisher, http: Http, tmp_path: Path) -> None:
    good = lab.add("/x.img", Served(BODY, etag='"mirror"'))
    broken = lab.add("/half.img", Served(BODY, cuts=[6 << 20, *([0] * 50)]))
    what = replace(wanted(good), urls=(f"{lab.base}/gone.img", broken, good))
    await fetch(what, tmp_path / "parts", http, tmp_path / "x.img")
    assert (tmp_path / "x.img").read_bytes() == BODY


async def test_a_disk_that_is_too_small_is_known_before(
    lab: Publisher, http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "free_space", lambda _: room.RESERVE + len(BODY) - 1)
    url = lab.add("/x.img", Served(BODY))
    with pytest.raises(HostError) as caught:
        await fetch(wanted(url), tmp_path, http)
    assert caught.value.key == "disk-full"
    assert lab.sent["/x.img"] < len(BODY)


async def test_two_runs_of_the_same_file_come_one_after_the_other(lab: Publisher, http: Http, tmp_path: Path) -> None:
    what = wanted(lab.add("/x.img", Served(BODY, delay=0.01)))
    await asyncio.gather(fetch(what, tmp_path, http), fetch(what, tmp_path, http))
    assert lab.sent["/x.img"] == len(BODY)


async def test_proxies_of_the_environment_are_used(lab: Publisher, http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", lab.base)
    lab.add("/x.img", Served(BODY))
    await fetch(wanted("http://images.invalid/x.img"), tmp_path / "parts", http, tmp_path / "x.img")
    assert (tmp_path / "x.img").read_bytes() == BODY
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with pytest.raises(FetchError) as caught:
        await fetch(wanted("http://images.invalid/y.img", b""), tmp_path / "parts", http)
    assert caught.value.key == "proxy-unreachable"
