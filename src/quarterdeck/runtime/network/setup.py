"""Makes the networks of a machine before QEMU starts, and removes them after it ended."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress

from quarterdeck.core.process import run
from quarterdeck.errors import HostError, QuarterdeckError
from quarterdeck.host.tools import find_tool
from quarterdeck.machine.devices.network import fd_word, vhost_word
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.resolved import ResolvedMachine, ResolvedNetwork
from quarterdeck.runtime.network import devices, forwarding, journal, netlink, ports, rules

_NFT_SECONDS = 30.0


async def set_up(machine: ResolvedMachine) -> dict[str, int]:
    """Make devices, addresses and rules, and return the open devices by the words that stand for them in QEMU's arguments.

    The caller closes them once QEMU has them. On failure nothing is left.

    Raises:
        HostError: the kernel refuses something, or a port is taken; the hint says how to go on.
    """
    ports.check_free(machine.networks)
    cards = [card for card in machine.networks if card.link]
    if not cards:
        return {}
    await tear_down(machine.layout)
    made = _about_to_make(machine, cards)
    journal.write(machine.layout, made)
    try:
        with ExitStack() as undo:
            opened = dict(_open(cards, undo))
            _forwarding_on(made.switches)
            if made.table:
                await asyncio.to_thread(_apply, rules.ruleset(made.table, cards))
            undo.pop_all()
            return opened
    except BaseException:
        await tear_down(machine.layout)
        raise


async def tear_down(layout: MachineLayout) -> None:
    """Remove what was made for the machine of ``layout``; nothing happens when nothing was."""
    await asyncio.to_thread(tear_down_now, layout)


def tear_down_now(layout: MachineLayout) -> None:
    """Do the same outside of an event loop."""
    made = journal.read(layout)
    if made is None:
        return
    if made.namespace == journal.namespace():
        _remove(made)
    journal.clear(layout)


def _remove(made: journal.Made) -> None:
    if made.table and find_tool("nft") is not None:
        with suppress(QuarterdeckError):  # rights may have been lost meanwhile; what cannot be removed goes with the namespace
            _apply(rules.removal(made.table))
    for link in made.links:
        with suppress(OSError):
            netlink.remove(link)
    forwarding.switch_off(made.switches)


@contextmanager
def closing(opened: Mapping[str, int]) -> Iterator[None]:
    """Close the devices when the block ends."""
    try:
        yield
    finally:
        for handle in opened.values():
            os.close(handle)


def _about_to_make(machine: ResolvedMachine, cards: Sequence[ResolvedNetwork]) -> journal.Made:
    own = [card.own for card in cards if card.own is not None]
    return journal.Made(
        namespace=journal.namespace(),
        table=rules.table_name(machine.name) if own else "",
        links=tuple(card.link for card in cards if card.own is None),
        switches=forwarding.switched_off(ipv6=any(network.guest6 for network in own)) if own else (),
    )


def _open(cards: Iterable[ResolvedNetwork], undo: ExitStack) -> Iterator[tuple[str, int]]:
    for card in cards:
        handle = devices.open_device(card)
        undo.callback(os.close, handle)
        yield fd_word(card.id), handle
        if card.vhost:
            vhost = devices.open_vhost(card)
            undo.callback(os.close, vhost)
            yield vhost_word(card.id), vhost


def _forwarding_on(switches: Iterable[str]) -> None:
    """Switch forwarding on. Raises: HostError."""
    try:
        forwarding.switch_on(switches)
    except OSError as error:
        raise HostError(
            "network-failed",
            "packets of the guest cannot be passed on",
            reason=error.strerror or "",
            hint="start the container with --sysctl net.ipv4.ip_forward=1 --sysctl net.ipv6.conf.all.forwarding=1",
        ) from error


def _apply(text: str) -> None:
    """Carry out one transaction of nftables.

    Raises:
        HostError: nft is not installed, or the kernel refuses.
    """
    nft = find_tool("nft")
    if nft is None:
        raise HostError("program-missing", "nft is not installed", hint="apt install nftables")
    done = run([nft, "-f", "-"], input=text.encode(), timeout=_NFT_SECONDS, check=False)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise HostError(
            "network-failed",
            "the rules of the machine's network were refused",
            reason=lines[0] if lines else "",
            hint="'qd doctor' says what this host lacks; the mode 'user' needs no rules",
        )
