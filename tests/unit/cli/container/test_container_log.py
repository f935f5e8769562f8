"""What the container's log says of the machine's events."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from quarterdeck.cli.container import log
from quarterdeck.runtime.events import EventLog

LOGIN = {"user": "debian", "password": "secret"}


class Server:
    """Hands out a link each time."""

    def __init__(self, url: str | None) -> None:
        self.viewer_url = url

    def new_link(self) -> str:
        return f"{self.viewer_url}login?token=once"


async def told(
    capsys: pytest.CaptureFixture[str], *events: tuple[str, dict[str, Any]], url: str | None = "http://127.0.0.1:8006/", login: Any = None
) -> str:
    kept = EventLog()
    for kind, data in events:
        kept.publish(kind, data)
    kept.close()
    supervisor = SimpleNamespace(
        events=kept, name="box", spec=SimpleNamespace(viewer=SimpleNamespace(port=8006)), describe=lambda private: {"login": login}
    )
    await log.follow(cast(Any, supervisor), cast(Any, Server(url)))
    return capsys.readouterr().err


def state(name: str) -> tuple[str, dict[str, Any]]:
    return "state", {"state": name, "reason": ""}


CONSOLE = ("step", {"step": "console", "status": "done", "detail": ""})


async def test_the_link_is_told_once_the_console_is_there(capsys):
    assert (await told(capsys, CONSOLE)).count("http://127.0.0.1:8006/login?token=once") == 1
    assert "token" not in await told(capsys, ("step", {"step": "console", "status": "running", "detail": ""}))
    assert "token" not in await told(capsys, CONSOLE, url=None)


async def test_changes_of_state_are_told_once(capsys):
    said = await told(capsys, state("running"), state("running"), state("paused"), state("running"), state("stopped"))
    assert [line for line in said.splitlines() if line.startswith("box ")] == [
        "box runs.",
        "box is paused.",
        "box runs.",
        "box is stopped.",
    ]


@pytest.mark.parametrize(
    ("login", "words"),
    [(LOGIN, ", login: debian / secret."), ({"user": "core", "password": ""}, ", login: core (by SSH key)."), (None, "is ready.")],
)
async def test_the_login_is_told_when_the_guest_is_ready(capsys, login, words):
    assert words in await told(capsys, state("ready"), login=login)
    assert "login:" not in await told(capsys, state("running"), login=login)
