"""The TPM: swtpm beside QEMU, and the device that the guest sees."""

from __future__ import annotations

from quarterdeck.machine.devices.board import board_of
from quarterdeck.machine.devices.part import Part, device
from quarterdeck.machine.options import comma_argument
from quarterdeck.machine.resolved import ResolvedMachine, Sidecar


def tpm(machine: ResolvedMachine) -> Part:
    """Return TPM and swtpm; swtpm ends when QEMU closes the connection. Source: swtpm(8), QEMU ``docs/specs/tpm``."""
    if not machine.tpm:
        return Part()
    path = str(machine.layout.socket("tpm"))
    words = (
        *("-chardev", comma_argument("socket", id="tpm", path=path)),
        *("-tpmdev", comma_argument("emulator", id="tpm0", chardev="tpm")),
        *device({"driver": board_of(machine).tpm, "id": "tpm0-device", "tpmdev": "tpm0"}),
    )
    return Part(words, (_swtpm(machine, path),))


def _state(machine: ResolvedMachine) -> str:
    """State that came as one file stays one: swtpm's two forms differ (swtpm(8), ``--tpmstate``)."""
    if machine.tpm_state:
        return f"backend-uri=file://{machine.layout.tpm_file}"
    return f"dir={machine.layout.tpm},mode=0600"


def _swtpm(machine: ResolvedMachine, path: str) -> Sidecar:
    argv = (
        dict(machine.tools)["swtpm"],
        "socket",
        "--tpm2",
        *("--tpmstate", _state(machine)),
        *("--ctrl", f"type=unixio,path={path},mode=0600"),
        "--terminate",
    )
    return Sidecar("swtpm", argv, path)
