"""Requests about disks: what reaches the machine, and what only the host itself may ask."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("path", "body", "status", "call"),
    [
        ("/snapshots", {}, 201, ("create_snapshot", None, False)),
        ("/snapshots", {"tag": "a", "memory": True}, 201, ("create_snapshot", "a", True)),
        ("/snapshots/restore", {"tag": "a"}, 200, ("restore_snapshot", "a")),
        ("/snapshots/remove", {"tag": "a"}, 204, ("remove_snapshot", "a")),
        ("/backup", {"folder": "/b", "full": True}, 201, ("back_up", Path("/b"), True)),
        ("/clone", {"name": "c", "ports": ["1:2"]}, 201, ("clone", "c", False, ["1:2"])),
        ("/copy", {"folder": "/b"}, 201, ("copy", Path("/b"), None)),
        ("/copy", {"folder": "/b", "disk": 1}, 201, ("copy", Path("/b"), 1)),
        ("/disks/grow", {"size": 5}, 200, ("grow", 5, 0)),
        ("/storage/cancel", {}, 204, ("cancel",)),
        ("/snapshots/restore", {}, 400, None),
        ("/snapshots", {"tag": 5}, 400, None),
        ("/backup", {"folder": "relative"}, 400, None),
        ("/copy", {"folder": "relative"}, 400, None),
        ("/copy", {"folder": "/b", "disk": -1}, 400, None),
        ("/clone", {"name": "c", "ports": [1]}, 400, None),
        ("/disks/grow", {"size": -1}, 400, None),
        ("/disks/grow", {"size": True}, 400, None),
    ],
)
async def test_requests_on_the_socket_reach_the_machine_when_they_make_sense(local, backend, path, body, status, call):
    async with local.post(f"/api/v1{path}", json=body) as answer:
        assert answer.status == status
    assert backend.calls == ([] if call is None else [call])


@pytest.mark.parametrize(("path", "body"), [("/backup", {"folder": "/b"}), ("/copy", {"folder": "/b"}), ("/clone", {"name": "c"})])
async def test_pages_choose_no_folders_and_make_no_machines(owner, backend, path, body):
    async with owner.post(f"/api/v1{path}", json=body) as answer:
        assert answer.status == 403
        assert (await answer.json())["error"]["key"] == "socket-only"
    assert backend.calls == []


async def test_only_the_owner_learns_where_a_disk_lies(owner, watcher):
    async with owner.get("/api/v1/disks") as answer:
        assert (await answer.json())["disks"][0]["path"] == "/d/disk0.qcow2"
    async with watcher.get("/api/v1/disks") as answer:
        disk = (await answer.json())["disks"][0]
        assert (disk["name"], disk["path"]) == ("disk0", None)


async def test_snapshots_may_be_seen_but_not_touched_by_those_who_only_watch(watcher, backend):
    async with watcher.get("/api/v1/snapshots") as answer:
        assert (await answer.json())["snapshots"][0]["tag"] == "a"
    async with watcher.post("/api/v1/snapshots/restore", json={"tag": "a"}) as answer:
        assert answer.status == 403
    assert backend.calls == [("snapshots",)]
