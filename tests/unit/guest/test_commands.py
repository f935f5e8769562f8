"""What the agent says becomes typed values; what makes no sense becomes nothing or an error, never a crash."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarterdeck.errors import DeadlineError, QemuError
from quarterdeck.guest import commands, facts
from quarterdeck.guest.commands import Filesystem, Interface, OsInfo, User
from quarterdeck.guest.qga import AgentError, GuestAgent

ANSWERS = {
    "guest-info": {
        "version": "7.2",
        "supported_commands": [{"name": "guest-ping", "enabled": True}, {"name": "guest-exec", "enabled": False}],
    },
    "guest-get-osinfo": {"pretty-name": "Debian GNU/Linux 12", "id": "debian", "kernel-release": "6.1.0"},
    "guest-get-host-name": {"host-name": "box"},
    "guest-network-get-interfaces": [
        {
            "name": "eth0",
            "hardware-address": "52:54:00:00:00:01",
            "ip-addresses": [{"ip-address": "10.0.2.15", "prefix": 24}, {"ip-address": "fe80::1"}],
            "statistics": {"rx-bytes": 10, "tx-bytes": 20},
        }
    ],
    "guest-get-users": [{"user": "debian", "login-time": 12.5}],
    "guest-get-fsinfo": [{"mountpoint": "/", "type": "ext4", "used-bytes": 1, "total-bytes": 2}],
    "guest-get-time": 1_000_000_000_000_000_000,
    "guest-get-timezone": {"offset": -5400},
}  # fmt: skip


class Scripted(GuestAgent):
    """An agent that says what it was told to, or fails as it was told to."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers

    async def execute(self, command, arguments=None, *, timeout=5.0) -> Any:
        answer = self.answers.get(command, AgentError(command, "CommandNotFound", "not known"))
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_answers_become_values():
    agent = Scripted(ANSWERS)
    assert (await commands.info(agent)).commands == {"guest-ping"}
    assert await commands.os_info(agent) == OsInfo("Debian GNU/Linux 12", "debian", "6.1.0")
    assert await commands.host_name(agent) == "box"
    assert await commands.interfaces(agent) == (Interface("eth0", "52:54:00:00:00:01", ("10.0.2.15/24", "fe80::1"), 10, 20),)
    assert await commands.users(agent) == (User("debian", 12.5),)
    assert await commands.filesystems(agent) == (Filesystem("/", "ext4", 1, 2),)
    assert await commands.clock_time(agent) == 1e9
    assert await commands.timezone(agent) == "-01:30"


async def test_facts_are_the_answer_of_the_api():
    shown = (await facts.collect(Scripted(ANSWERS))).to_json()
    assert shown["available"] is True
    assert shown["interfaces"] == [{"name": "eth0", "mac": "52:54:00:00:00:01", "addresses": ["10.0.2.15/24", "fe80::1"]}]
    assert shown["filesystems"] == [{"mountpoint": "/", "type": "ext4", "used": 1, "total": 2}]
    assert isinstance(shown["time_offset"], float)


async def test_agent_that_knows_nothing_gives_empty_facts():
    shown = (await facts.collect(Scripted({}))).to_json()
    assert shown["available"] is True
    assert shown["hostname"] == ""
    assert shown["interfaces"] == []
    assert shown["time_offset"] is None


async def test_agent_that_falls_silent_is_not_taken_for_one_without_commands():
    with pytest.raises(DeadlineError):
        await facts.collect(Scripted({"guest-get-host-name": DeadlineError("agent-timeout", "late")}))


async def test_control_characters_of_the_guest_do_not_reach_terminals():
    assert await commands.host_name(Scripted({"guest-get-host-name": {"host-name": "a\x1b[2Jb\n"}})) == "a[2Jb"


field_names = st.sampled_from(["name", "user", "mountpoint", "offset", "host-name", "statistics", "login-time"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(field_names | st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(answer=json_values)
async def test_any_answer_gives_a_value_or_our_error(answer):
    agent = Scripted(dict.fromkeys(ANSWERS, answer))
    for command in (commands.info, commands.os_info, commands.host_name, commands.interfaces, commands.users, commands.filesystems):
        with suppress(QemuError):
            await command(agent)
    await facts.collect(agent)
