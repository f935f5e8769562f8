from typing import Any, cast

import pytest

from quarterdeck.errors import HostError, QemuError
from quarterdeck.runtime.qmp import Qmp
from quarterdeck.runtime.storage import jobs


class Qemu:
    """Jobs as QEMU has them: what is asked for is done, and one that runs is done at the next look, unless it is slow."""

    def __init__(self, **statuses: str) -> None:
        self.jobs: dict[str, dict[str, Any]] = {
            name: {"id": name, "status": status, "current-progress": 0, "total-progress": 8} for name, status in statuses.items()
        }
        self.asked: list[str] = []
        self.held_after = 1

    async def execute(self, command, arguments=None, *, timeout=0.0):
        if command == "query-jobs":
            return self._look()
        name = arguments.get("id") or arguments["device"]
        self.asked.append(f"{command} {name}")
        job = self.jobs[name]
        expected = {"job-pause": "running", "job-resume": "paused", "block-job-set-speed": "paused", "job-finalize": "pending"}
        if command in expected and job["status"] != expected[command]:
            raise QemuError("qmp-refused", f"QEMU refused '{command}'")
        match command:
            case "job-pause":
                job["pausing"] = self.held_after
            case "job-resume":
                job["status"] = "running"
            case "job-finalize" | "job-cancel":
                job["status"] = "concluded"
            case "job-dismiss":
                del self.jobs[name]
        return {}

    def _look(self):
        found = [dict(job) for job in self.jobs.values()]
        for job in self.jobs.values():
            if job.get("pausing"):
                job["pausing"] -= 1
                job["status"] = "running" if job["pausing"] else "paused"
            elif job["status"] == "running":
                job["status"] = "pending"
        return found


async def test_jobs_are_held_when_none_of_them_does_anything():
    qemu = Qemu(a="running", b="pending", c="concluded")
    qemu.held_after = 3
    await jobs.hold(cast(Qmp, qemu), ["a", "b", "c"])
    assert {name: job["status"] for name, job in qemu.jobs.items()} == {"a": "paused", "b": "pending", "c": "concluded"}


async def test_held_jobs_go_on_at_full_speed_and_end_only_when_they_are_told_to():
    qemu = Qemu(a="paused", b="pending")
    await jobs.finish(cast(Qmp, qemu), ["a", "b"])
    assert qemu.jobs == {}
    assert [one for one in qemu.asked if one.endswith(" a")] == [
        "block-job-set-speed a", "job-resume a", "job-finalize a", "job-dismiss a",
    ]  # fmt: skip
    assert [one for one in qemu.asked if one.endswith(" b")] == ["job-finalize b", "job-dismiss b"]


async def test_a_job_that_failed_while_it_was_held_ends_the_others():
    qemu = Qemu(a="concluded", b="paused")
    qemu.jobs["a"]["error"] = "No space left on device"
    with pytest.raises(HostError) as caught:
        await jobs.finish(cast(Qmp, qemu), ["a", "b"])
    assert caught.value.key == "disk-full"
    assert qemu.jobs == {}
    assert "job-resume b" not in qemu.asked
