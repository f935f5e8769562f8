import asyncio
import os
import socket
import stat

import pytest

from quarterdeck.console import listen
from quarterdeck.console.server import ConsoleServer
from quarterdeck.console.viewer import Viewer
from quarterdeck.errors import HostError, UsageError

pytestmark = pytest.mark.integration


def console(backend, tmp_path, viewer=None, name="api.sock"):
    return ConsoleServer(backend, socket_path=tmp_path / name, secrets_path=tmp_path / "secrets.json", viewer=viewer, static=tmp_path)


async def test_the_socket_is_the_owners_alone_and_goes_away(backend, tmp_path):
    before = os.umask(0)
    os.umask(before)
    served = console(backend, tmp_path)
    await served.start()
    mode = (tmp_path / "api.sock").stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    assert os.umask(before) == before
    await served.stop()
    await served.stop()
    assert not (tmp_path / "api.sock").exists()


async def test_without_a_viewer_there_are_no_links(backend, tmp_path):
    served = console(backend, tmp_path)
    await served.start()
    assert served.viewer_url is None
    with pytest.raises(UsageError, match="no viewer port"):
        served.new_link()
    await served.stop()


async def test_a_left_over_socket_is_replaced(backend, tmp_path):
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / "api.sock"))
    dead.close()
    served = console(backend, tmp_path)
    await served.start()
    await served.stop()


async def test_a_living_socket_and_a_file_are_not_replaced(backend, tmp_path):
    served = console(backend, tmp_path)
    await served.start()
    with pytest.raises(HostError) as taken:
        await console(backend, tmp_path).start()
    assert taken.value.key == "already-served"
    await served.stop()
    (tmp_path / "api.sock").write_text("mine")
    with pytest.raises(HostError) as taken:
        await console(backend, tmp_path).start()
    assert taken.value.key == "socket-taken"
    assert (tmp_path / "api.sock").read_text() == "mine"


async def test_a_path_that_is_too_long_is_our_error(backend, tmp_path):
    with pytest.raises(HostError) as error:
        await console(backend, tmp_path, name="x" * 120).start()
    assert error.value.key == "socket-path-too-long"


async def test_when_one_listener_fails_the_other_is_closed(backend, tmp_path):
    with pytest.raises(HostError):
        await console(backend, tmp_path, Viewer(port=(port := await free_port())), name="x" * 120).start()
    await asyncio.wait_for(console_on(backend, tmp_path, port), 10)


async def console_on(backend, tmp_path, port):
    served = console(backend, tmp_path, Viewer(port=port))
    await served.start()
    await served.stop()


async def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_busy_port_is_our_error(backend, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(HostError) as busy:
        await console(backend, tmp_path, Viewer(port=taken.getsockname()[1])).start()
    assert busy.value.key == "port-busy"
    assert not (tmp_path / "api.sock").exists()


async def test_the_next_free_port_is_taken(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = taken.getsockname()[1]
        free = await free_port()
        listener = await listen.bind_tcp("127.0.0.1", [busy, free])
        assert listener.getsockname()[1] == free
        listener.close()


def test_candidates():
    assert listen.candidates(0, 8010) == [8010, 0]
    assert listen.candidates(0, None) == [0]
    assert listen.candidates(None, None)[:2] == [8006, 8007]
    assert len(listen.candidates(None, None)) == 100
    assert listen.candidates(None, 8010)[:2] == [8010, 8006]
    assert listen.candidates(None, 8010).count(8010) == 1
    assert listen.candidates(None, 40000)[0] == 40000


@pytest.mark.parametrize("address", ["192.0.2.1", "no such name", "x" * 300, "a..b"])
async def test_an_address_that_is_none_of_ours(backend, tmp_path, address):
    with pytest.raises(UsageError) as error:
        await console(backend, tmp_path, Viewer(address=address, port=0)).start()
    assert error.value.key == "unknown-address"


@pytest.mark.parametrize(
    ("address", "url", "warned"),
    [
        ("127.0.0.1", "http://127.0.0.1:", False),
        ("localhost", "http://localhost:", False),
        ("::1", "http://[::1]:", False),
        ("0.0.0.0", "http://127.0.0.1:", True),
        ("::", "http://[::1]:", True),
    ],
)
async def test_addresses(backend, tmp_path, address, url, warned):
    if ":" in address and not has_ipv6():
        pytest.skip("this host has no IPv6 loopback address")
    served = console(backend, tmp_path, Viewer(address=address, port=0))
    await served.start()
    assert served.viewer_url is not None
    assert served.viewer_url.startswith(url)
    assert served.new_link().startswith(f"{served.viewer_url}login?token=")
    assert [record.data["level"] for record in backend.events._records] == ["warning"] * warned
    await served.stop()


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
