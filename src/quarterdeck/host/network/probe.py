"""Fills NetworkFacts for the network namespace that we are in."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.core.process import Identity, run_async
from quarterdeck.errors import QuarterdeckError
from quarterdeck.host.container import container
from quarterdeck.host.facts import UNASKED, NetworkFacts, Verdict
from quarterdeck.host.network import rights, routes
from quarterdeck.host.network.passt import prove_passt
from quarterdeck.host.tools import find_tool

_TIMEOUT = 5.0
_SAMPLE = b"""\
table inet quarterdeck_probe {
    chain probe {
        type nat hook prerouting priority dstnat
        fib daddr type local accept
    }
}
"""


async def network_facts(identity: Identity | None, *, passt: bool = True, root: Path = Path("/")) -> NetworkFacts:
    """Return what this namespace offers to QEMU run as ``identity`` (None: as we are); nothing that is tried stays.

    ``passt`` says whether to prove it, which may start it.
    """
    manager, shared = container(root), rights.is_shared(root)
    device = routes.uplink(root)
    tap = rights.tap(root, manager, None if shared else rights.try_tap)
    if tap.works and manager and not shared:
        tap = await _with_rules(tap)
    return NetworkFacts(
        container=manager,
        shared=shared,
        tap=tap,
        macvtap=rights.macvtap(root, manager),
        passt=await prove_passt(find_tool("passt"), identity) if passt else UNASKED,
        forwarding4=rights.forwarding4(root, manager, shared=shared),
        forwarding6=rights.forwarding6(root, manager, shared=shared),
        uplink=device,
        mtu=routes.mtu(device) if device else 0,
        routes=routes.routes4(root),
        ipv6=routes.has_ipv6(root),
        lowest_port=rights.lowest_port(root, other_user=identity is not None),
        vhost=rights.vhost(root),
    )


async def _with_rules(tap: Verdict) -> Verdict:
    """Return ``tap`` when the kernel takes nftables' rules for address translation too; it checks them and makes none."""
    nft = find_tool("nft")
    if nft is None:
        return tap  # the resolver says that it is not installed
    try:
        done = await run_async([nft, "--check", "--file", "-"], input=_SAMPLE, timeout=_TIMEOUT, check=False)
    except QuarterdeckError as error:
        return Verdict(False, error.message, error.hint)
    if done.returncode == 0:
        return tap
    lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
    return Verdict(False, f"the kernel takes no rules of nftables: {lines[0][:200]}")
