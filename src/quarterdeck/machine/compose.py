"""ResolvedMachine to the QEMU command. Pure: the same machine always gives the same command."""

from __future__ import annotations

from quarterdeck.machine.devices import board, channels, disks, display, ignition, network, shares, small, tpm, usb
from quarterdeck.machine.devices.part import Files, Part, joined
from quarterdeck.machine.options import plain
from quarterdeck.machine.resolved import QemuCommand, ResolvedMachine


def compose(resolved: ResolvedMachine, *, descriptors: bool = True) -> QemuCommand:
    """Return the command that runs ``resolved``.

    QEMU starts paused (``-S``) and waits on its QMP socket. The launcher starts the sidecars first; for each descriptor it
    opens the file and adds ``-add-fd fd=N,set=NUMBER``. Words that stand for descriptors of network devices it replaces by their numbers.

    Args:
        resolved: the machine.
        descriptors: false gives the form for people, with the path of every file in place of ``/dev/fdset/N``, and the
            name of every network device in place of its descriptor.

    Raises:
        UsageError: a value cannot be an argument (NUL, bytes that are not UTF-8), or a bus has too few places.
    """
    files = Files(resolved.layout, hand_over=descriptors and resolved.identity is not None, descriptors=descriptors)
    whole = joined(_parts(resolved, files, descriptors=descriptors))
    further = tuple(plain(word) for word in resolved.qemu_args)
    return QemuCommand((resolved.qemu, *whole.argv, *further), whole.sidecars, files.descriptors, whole.sockets)


def _parts(machine: ResolvedMachine, files: Files, *, descriptors: bool) -> tuple[Part, ...]:
    return (
        board.identity(machine),
        board.processor(machine),
        board.firmware(machine),
        board.kernel(machine),
        channels.monitor(machine),
        channels.serial(machine),
        display.display(machine),
        usb.controller(machine),
        usb.inputs(machine),
        channels.agents(machine),
        small.random_numbers(machine),
        small.balloon(machine),
        board.panic(machine),
        disks.storage(machine, files),
        ignition.ignition(machine),
        network.networks(machine, descriptors=descriptors),
        shares.shares(machine),
        tpm.tpm(machine),
    )
