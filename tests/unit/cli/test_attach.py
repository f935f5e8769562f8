"""What the foreground says about events, without a supervisor."""

import json
import signal
from typing import Any

import pytest

from quarterdeck.cli import attach, outcome
from quarterdeck.cli.attach import Attachment
from quarterdeck.cli.inbox import End, Inbox, Interrupt, Quiet
from quarterdeck.cli.outcome import how_it_ended
from quarterdeck.cli.output import Progress
from quarterdeck.errors import HostError, QemuError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime import statefile
from quarterdeck.runtime.events import Record
from quarterdeck.runtime.state import State
from quarterdeck.runtime.statefile import StoredState


class Supervisor:
    """Answers as a supervisor does."""

    def __init__(self, **machine):
        self.machine = {"viewer": "http://127.0.0.1:8006/", "login": None, "state": "running", **machine}
        self.asked = []

    def request(self, method, path, body=None):
        if method == "POST":
            self.asked.append(path)
        return {"url": "http://127.0.0.1:8006/login?token=T"} if path == "/links" else self.machine


@pytest.fixture
def layout(tmp_path):
    made = MachineLayout(tmp_path / "tiny")
    made.root.mkdir()
    statefile.write(made.state, StoredState(state=State.STOPPED, reason="stopped as asked"))
    return made


def state(name):
    return Record(1, "state", {"state": name, "reason": ""})


def step(name, status="done", detail=""):
    return Record(1, "step", {"step": name, "status": status, "detail": detail})


def follow(layout, items, *, supervisor=None, mode=Progress.PLAIN, detach=False):
    class Scripted(Inbox):
        def follow(self, client):
            """Events come from the script."""

        def receive(self, timeout=None):
            item = items.pop(0)
            assert timeout is not None or not isinstance(item, Quiet)
            return item

    made = Attachment(layout, Scripted(), mode)
    client: Any = supervisor or Supervisor()
    return made.until_up(client) if detach else made.until_end(client)


def test_final_line_has_link_and_login(layout, capsys):
    client = Supervisor(login={"user": "debian", "password": "secret"}, state="ready")
    events = [step("console"), state("running"), state("ready"), state("stopping"), state("stopped"), End()]
    assert follow(layout, events, supervisor=client) == 0
    out, err = capsys.readouterr()
    assert out == "tiny is ready: http://127.0.0.1:8006/login?token=T   login: debian / secret\n"
    assert "Watch it at http://127.0.0.1:8006/login?token=T" in err
    assert err.splitlines()[-2:] == ["tiny is shutting down.", "tiny ended: stopped as asked."]


def test_guest_whose_agent_stays_silent_is_shown_after_a_while(layout, capsys):
    client = Supervisor(login={"user": "debian", "password": ""})
    follow(layout, [state("running"), Quiet(), End()], supervisor=client)
    assert capsys.readouterr().out.endswith("login: debian (by SSH key)\n")


def test_detached_run_ends_when_the_guest_runs(layout, capsys):
    follow(layout, [state("starting"), state("running")], supervisor=Supervisor(viewer=None), detach=True)
    assert capsys.readouterr().out == "tiny is running\n"


def test_detached_run_that_was_stopped_before_it_ran_is_an_error(layout):
    with pytest.raises(QemuError, match="tiny ended: stopped as asked"):
        follow(layout, [state("preparing"), state("stopped"), End()], detach=True)


def test_quiet_lines_tell_what_becomes_of_a_running_machine(layout, capsys):
    names = [
        "running",
        "ready",
        "paused",
        "running",
        "ready",
        "running",
        "ready",
        "io-error",
        "running",
        "panicked",
        "preparing",
        "stopped",
    ]
    follow(layout, [*map(state, names), End()])
    told = [line.removeprefix("tiny ").partition(".")[0] for line in capsys.readouterr().err.splitlines()]
    assert told == [
        "is ready",
        "is paused",
        "runs again",
        "is ready",
        "is paused because a disk failed",
        "runs again",
        "is halted: the guest's kernel panicked",
        "starts again",
        "ended: stopped as asked",
    ]


def test_supervisor_that_stays_is_explained(layout, capsys):
    follow(layout, [state("running"), state("stopped"), Quiet(), state("preparing"), state("stopped"), End()])
    assert "tiny was stopped from its console. The console stays" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("signals", "asked", "code"),
    [
        ([signal.SIGINT], ["/machine/stop"], 130),
        ([signal.SIGTERM], ["/machine/stop"], 143),
        ([signal.SIGTERM, signal.SIGINT, signal.SIGINT], ["/machine/stop", "/machine/kill", "/machine/kill"], 143),
    ],
)
def test_first_signal_stops_and_others_kill(layout, signals, asked, code):
    client = Supervisor()
    assert follow(layout, [*map(Interrupt, signals), End()], supervisor=client) == code
    assert client.asked == asked


def test_json_progress_tells_everything_as_json(layout, capsys):
    follow(layout, [step("host"), state("running"), state("paused"), Record(2, "metrics", {}), End()], mode=Progress.JSON)
    out, err = capsys.readouterr()
    assert json.loads(out)["url"] == "http://127.0.0.1:8006/login?token=T"
    assert [json.loads(line)["type"] for line in err.splitlines()] == ["step", "state", "state"]


def test_failure_is_raised_with_what_the_supervisor_left(layout):
    error = HostError("kvm-missing", "no KVM", reason="no device", hint="qd doctor").to_json()
    statefile.write(layout.state, StoredState(state=State.CRASHED, error=error))
    with pytest.raises(HostError, match="no KVM") as caught:
        follow(layout, [state("preparing"), Record(1, "message", {"level": "error", "text": "no KVM"}), state("crashed"), End()])
    assert caught.value.hint == "qd doctor"


def test_crash_without_words_names_the_log(layout):
    statefile.write(layout.state, StoredState(state=State.CRASHED, reason="the host went down"))
    with pytest.raises(QemuError) as caught:
        how_it_ended(layout)
    assert (caught.value.key, caught.value.reason) == ("machine-crashed", "the host went down")


def test_machine_that_was_removed_meanwhile_ended(tmp_path):
    assert outcome.how_it_ended(MachineLayout(tmp_path / "gone")) == "gone was removed"


def test_hangup_leaves_the_terminal_before_it_says_anything(layout, monkeypatch):
    left = []
    monkeypatch.setattr(attach, "_leave_terminal", lambda: left.append(True))
    assert follow(layout, [Interrupt(signal.SIGHUP), End()]) == 129
    assert left == [True]
