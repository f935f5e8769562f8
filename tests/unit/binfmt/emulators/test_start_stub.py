"""The stub as a whole runs in tests/integration; here are its shape and its branches' reach."""

import pytest

from quarterdeck.binfmt.emulators.start_stub import HOSTS, start_stub


@pytest.mark.parametrize("host", sorted(HOSTS))
def test_it_begins_with_its_strings_and_is_entered_behind_them(host: str) -> None:
    content, start = start_stub(host, b"-cpu", model=b"max", labels={"here": 0x5000, "entry": 0x1000})
    assert content.startswith(b"-cpu\0max\0")
    assert start % 8 == 0
    assert content[:start].endswith(b"QEMU_CPU")


def test_it_ends_in_a_jump_to_the_program() -> None:
    here, entry = 0x5000, 0x1234
    content, _ = start_stub("x86_64", b"-cpu", model=b"max", labels={"here": here, "entry": entry})
    assert content[-5] == 0xE9
    assert here + len(content) + int.from_bytes(content[-4:], "little", signed=True) == entry
    content, _ = start_stub("aarch64", b"-cpu", model=b"max", labels={"here": here, "entry": entry})
    branch = int.from_bytes(content[-4:], "little")
    assert branch >> 26 == 0b000101
    distance = (branch & 0x3FFFFFF) - (1 << 26 if branch >> 25 & 1 else 0)
    assert here + len(content) - 4 + distance * 4 == entry


@pytest.mark.parametrize("host", sorted(HOSTS))
def test_it_is_the_same_wherever_it_is_put(host: str) -> None:
    one = start_stub(host, b"-cpu", model=b"max", labels={"here": 0x5000, "entry": 0x1000})
    other = start_stub(host, b"-cpu", model=b"max", labels={"here": 0x905000, "entry": 0x901000})
    assert one == other


def test_a_branch_that_does_not_reach_is_a_mistake_of_ours() -> None:
    with pytest.raises(AssertionError):
        start_stub("aarch64", b"-cpu", model=b"max", labels={"here": 1 << 30, "entry": 0})
