"""What ``qd explain`` shows: the machine, the reasons, and the command, as data."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from typing import Any

from quarterdeck.core.size import format_size
from quarterdeck.machine.resolved import Choice, QemuCommand, ResolvedMachine


@dataclass(frozen=True)
class Row:
    """One line of the table of the machine."""

    name: str
    value: str


@dataclass(frozen=True)
class Program:
    """A program that runs for the machine: its argument list, and the same as lines that can be pasted into a shell."""

    name: str
    argv: tuple[str, ...]
    shell: str


@dataclass(frozen=True)
class Explanation:
    """Everything that ``qd explain`` prints; ``programs`` are in the order of their start, QEMU last."""

    machine: tuple[Row, ...]
    choices: tuple[Choice, ...]
    programs: tuple[Program, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON of ``qd explain --json``."""
        return asdict(self)


def explain(resolved: ResolvedMachine, command: QemuCommand) -> Explanation:
    """Return ``resolved`` and ``command`` as tables for people; give the command composed with ``descriptors=False``."""
    helpers = tuple(Program(sidecar.name, sidecar.argv, shell_lines(sidecar.argv)) for sidecar in command.sidecars)
    qemu = Program("qemu", command.argv, shell_lines(command.argv))
    return Explanation(tuple(_rows(resolved)), resolved.choices, (*helpers, qemu))


def shell_lines(argv: tuple[str, ...]) -> str:
    """Return ``argv`` quoted for a shell, an option and its value on each line."""
    lines: list[str] = [shlex.quote(argv[0])]
    for word in argv[1:]:
        if word.startswith("-") or lines[-1].count(" ") > 0 or len(lines) == 1:
            lines.append(shlex.quote(word))
        else:
            lines[-1] += f" {shlex.quote(word)}"
    return " \\\n  ".join(lines)


def _rows(machine: ResolvedMachine) -> list[Row]:
    pairs = [
        ("name", machine.name),
        ("uuid", machine.uuid),
        ("architecture", machine.arch.name),
        ("machine type", machine.machine_type),
        ("accelerator", str(machine.accelerator)),
        ("CPU", f"{machine.cpus} x {machine.cpu_model}"),
        ("memory", format_size(machine.memory)),
        ("boots by", _boots_by(machine)),
        *((disk.id, f"{disk.path} ({disk.format}, {format_size(disk.size)}, {disk.bus}, cache {disk.cache})") for disk in machine.disks),
        *((drive.id, f"{drive.image.path if drive.image else 'empty'} ({drive.bus})") for drive in machine.cdroms),
        *((card.id, f"{card.mode} ({card.device}, {card.mac})") for card in machine.networks),
        ("screen", f"{machine.display.kind} {machine.display.device}".strip()),
        *((share.id, f"{share.path} as '{share.tag}' ({share.kind})") for share in machine.shares),
        ("devices", ", ".join(_devices(machine)) or "none"),
        ("folder", str(machine.layout.root)),
    ]
    return [Row(name, value) for name, value in pairs]


def _boots_by(machine: ResolvedMachine) -> str:
    if machine.kernel is not None:
        return f"kernel {machine.kernel.kernel}"
    return f"{machine.firmware.kind} {machine.firmware.code}" if machine.firmware else "QEMU's own firmware"


def _devices(machine: ResolvedMachine) -> list[str]:
    present = {
        "serial console": machine.serial,
        "guest agent": machine.agent,
        "TPM": machine.tpm,
        "random numbers": machine.rng,
        "balloon": machine.balloon,
        "panic notifier": bool(machine.panic_device),
    }
    return [name for name, there in present.items() if there] + [f"{len(machine.usb)} USB devices"] * bool(machine.usb)
