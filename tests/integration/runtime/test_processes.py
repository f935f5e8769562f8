"""Helpers, supervisors and clients as real processes and sockets."""

import asyncio
import os
import signal
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer

import pytest

from quarterdeck.core.handle import ProcessHandle
from quarterdeck.core.process import spawn
from quarterdeck.errors import DeadlineError, HostError, QemuError, UsageError
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.resolved import Sidecar
from quarterdeck.runtime import sidecars, takeover
from quarterdeck.runtime.client import SupervisorClient
from quarterdeck.runtime.instance import end, stop_helpers
from quarterdeck.runtime.spawn import spawn_supervisor
from quarterdeck.runtime.statefile import StoredState

pytestmark = pytest.mark.integration

LISTEN = "import socket,sys,time; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); time.sleep(99)"


@pytest.fixture
def layout():
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="qd-") as folder:
        made = MachineLayout(Path(folder))
        made.vm.mkdir()
        yield made


def python(*words: str) -> list[str]:
    return [sys.executable, "-c", *words]


async def test_helper_is_ready_when_its_socket_is_there_and_stops(layout):
    sidecar = Sidecar("helper", tuple(python(LISTEN, str(layout.socket("x")))), str(layout.socket("x")))
    process = sidecars.start(layout, sidecar, None)
    await sidecars.wait_ready(layout, sidecar, process)
    assert process.alive()
    await stop_helpers([process])
    assert not process.alive()


async def test_helper_that_ends_is_an_error_with_its_words(layout):
    sidecar = Sidecar("helper", tuple(python("import sys; sys.exit('no such tap')")), str(layout.socket("x")))
    process = sidecars.start(layout, sidecar, None)
    with pytest.raises(QemuError) as caught:
        await sidecars.wait_ready(layout, sidecar, process)
    assert caught.value.reason == "no such tap"
    assert caught.value.message == "helper exited with status 1"


def test_missing_helper_is_a_host_error(layout):
    with pytest.raises(HostError):
        sidecars.start(layout, Sidecar("helper", ("/none/helper",), "/none.sock"), None)


async def test_process_that_ignores_requests_is_killed(layout):
    log = os.open("/dev/null", os.O_WRONLY)
    process = spawn(python("import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(99)"), log=log)
    os.close(log)
    await asyncio.sleep(0.3)
    process.send(signal.SIGTERM)
    await end(process, grace=0.2)
    assert process.returncode == -signal.SIGKILL


async def test_strays_are_found_by_program_folder_and_session(layout):
    qemu = layout.root / "qemu-system-false"
    qemu.symlink_to(sys.executable)
    log = os.open("/dev/null", os.O_WRONLY)
    ours = spawn([qemu, "-c", "import time; time.sleep(99)", f"{layout.vm}/qmp.sock"], log=log)
    other = spawn(python("import time; time.sleep(99)", f"{layout.vm}/serial.log"), log=log)
    os.close(log)
    found = [stray.pid for stray in takeover.strays(layout)]
    await takeover.clear(layout, StoredState())
    await ours.wait()
    assert found == [ours.pid]
    assert other.alive()
    await end(other, grace=0)


def supervisor(words: str) -> list[str]:
    return python(f"from quarterdeck.runtime.spawn import *; from quarterdeck.errors import UsageError; import time; {words}")


async def test_supervisor_that_comes_up_is_returned(layout):
    handle = spawn_supervisor(layout, supervisor("tell_ready(); print('hello'); time.sleep(0.1)"))
    await handle.wait()
    assert layout.supervisor_log.read_text() == "hello\n"


def test_error_of_the_supervisor_comes_through_the_pipe(layout):
    with pytest.raises(UsageError) as caught:
        spawn_supervisor(layout, supervisor("tell_failed(UsageError('busy', 'in use', hint='wait'))"))
    assert (caught.value.key, caught.value.message, caught.value.hint) == ("busy", "in use", "wait")


def test_supervisor_that_dies_silently_is_an_error_with_its_log(layout):
    with pytest.raises(QemuError) as caught:
        spawn_supervisor(layout, supervisor("raise SystemExit('out of luck')"))
    assert caught.value.reason == "out of luck"


def test_supervisor_that_says_nothing_is_killed_after_the_timeout(layout):
    with pytest.raises(DeadlineError):
        spawn_supervisor(layout, supervisor("time.sleep(99)"), timeout=0.5)


ANSWERS: dict[str, tuple[int, bytes]] = {}


class _Api(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, content = ANSWERS[self.path]
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.do_GET()

    def log_message(self, *words) -> None: ...

    def address_string(self) -> str:
        return "unix"


@pytest.fixture
def api(layout):
    server = UnixStreamServer(str(layout.api_socket), _Api)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield SupervisorClient(layout.api_socket, timeout=5)
    server.shutdown()
    server.server_close()
    thread.join()


def test_client_returns_answers_and_raises_errors(api):
    failure = b'{"error": {"key": "wrong-state", "message": "not now", "reason": "", "hint": "", "exit_code": 2}}'
    stream = b'id: 1\nevent: state\ndata: {"state": "ready"}\n\nid: 2\ndata: {}\n\n'
    answers = {
        "/api/v1/machine": (200, b'{"name": "x"}'),
        "/api/v1/machine/stop": (409, failure),
        "/api/v1/empty": (202, b""),
        "/api/v1/odd": (200, b"<html>"),
        "/api/v1/screenshot": (200, b"\x89PNG"),
        "/api/v1/events": (200, stream),
    }
    ANSWERS.update(answers)
    assert api.request("GET", "/machine") == {"name": "x"}
    assert api.request("POST", "/empty") is None
    assert api.fetch("GET", "/screenshot") == b"\x89PNG"
    assert [record.id for record in api.events()] == [1, 2]
    with pytest.raises(UsageError) as refused:
        api.request("POST", "/machine/stop", {"timeout": 3})
    with pytest.raises(QemuError) as odd:
        api.request("GET", "/odd")
    assert refused.value.key == "wrong-state"
    assert odd.value.key == "supervisor-error"


def test_client_without_a_supervisor_says_so(layout):
    with pytest.raises(QemuError) as caught:
        SupervisorClient(layout.api_socket).request("GET", "/machine")
    assert caught.value.key == "supervisor-gone"


def test_own_process_is_found():
    handle = ProcessHandle.find(os.getpid())
    assert handle is not None
    assert handle.alive()
