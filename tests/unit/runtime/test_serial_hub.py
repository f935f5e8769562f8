import asyncio

from quarterdeck.runtime.serial_hub import SerialHub


async def _read(viewer) -> bytes:
    return b"".join([chunk async for chunk in viewer])


async def test_viewer_gets_the_past_first_and_then_what_comes():
    hub = SerialHub(b"past ")
    viewer = hub.attach()
    hub._spread(b"present")
    viewer.close()
    assert await _read(viewer) == b"past present"


async def test_viewer_may_leave_the_past_out():
    hub = SerialHub(b"past ")
    viewer = hub.attach(past=False)
    hub._spread(b"present")
    viewer.close()
    assert await _read(viewer) == b"present"


async def test_every_viewer_gets_everything():
    hub = SerialHub()
    viewers = [hub.attach(), hub.attach()]
    hub._spread(b"words")
    hub.close()
    assert [await _read(viewer) for viewer in viewers] == [b"words", b"words"]


async def test_past_is_bounded():
    hub = SerialHub()
    for _ in range(100):
        hub._spread(b"x" * 4096)
    viewer = hub.attach()
    viewer.close()
    assert len(await _read(viewer)) == 64 * 1024


async def test_slow_viewer_is_dropped_and_the_others_go_on():
    hub = SerialHub()
    slow, quick = hub.attach(), hub.attach()
    taken = bytearray()

    async def take() -> None:
        async for chunk in quick:
            taken.extend(chunk)

    task = asyncio.create_task(take())
    for _ in range(600):
        hub._spread(b"x" * 16384)
        await asyncio.sleep(0)
    hub.close()
    await task
    assert len(taken) == 600 * 16384
    assert len(await _read(slow)) < 600 * 16384


async def test_viewer_may_fall_behind_by_many_small_writes():
    hub = SerialHub()
    viewer = hub.attach()
    for _ in range(5000):
        hub._spread(b"x")
    viewer.close()
    assert await _read(viewer) == b"x" * 5000


async def test_closing_twice_and_sending_without_a_guest_do_nothing():
    viewer = SerialHub().attach()
    await viewer.send(b"x")
    viewer.close()
    viewer.close()
    await viewer.send(b"x")
    assert await _read(viewer) == b""
