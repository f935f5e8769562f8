"""Where the files of one machine lie: path arithmetic only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SOCKET_PATH_MAX = 107
"""Longest path of a Unix socket in bytes, unix(7): sun_path is 108 with its NUL."""


@dataclass(frozen=True)
class MachineLayout:
    """The files of the machine whose folder is ``root``."""

    root: Path

    @property
    def spec(self) -> Path:
        """The stored MachineSpec, JSON."""
        return self.root / "spec.json"

    @property
    def state(self) -> Path:
        """The last known state, JSON, replaced atomically."""
        return self.root / "state.json"

    @property
    def secrets(self) -> Path:
        """Generated password and console sessions, JSON, mode 0600."""
        return self.root / "secrets.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor as long as it lives."""
        return self.root / "lock"

    @property
    def supervisor_log(self) -> Path:
        """What the supervisor printed."""
        return self.root / "supervisor.log"

    @property
    def api_socket(self) -> Path:
        """The supervisor's HTTP API."""
        return self.root / "api.sock"

    @property
    def images(self) -> Path:
        """Base images, shared by all machines: HOME/images, where this folder is HOME/machines/NAME."""
        return self.root.parent.parent / "images"

    @property
    def layers(self) -> Path:
        """Disks that linked clones share, read-only: HOME/layers. Only their owner may enter; QEMU gets them opened."""
        return self.root.parent.parent / "layers"

    @property
    def storage_journal(self) -> Path:
        """What a storage operation is about to do, JSON; gone when none is under way."""
        return self.root / "storage.json"

    @property
    def network_journal(self) -> Path:
        """What was made in the kernel for the machine's networks, JSON; gone when nothing of it is left."""
        return self.root / "network.json"

    @property
    def snapshots(self) -> Path:
        """One folder for each snapshot: what belongs to it besides the disks."""
        return self.root / "snapshots"

    @property
    def vm(self) -> Path:
        """All that QEMU and its helpers may write; owned by the user that QEMU runs as."""
        return self.root / "vm"

    @property
    def qemu_log(self) -> Path:
        """QEMU's standard output and error."""
        return self.vm / "qemu.log"

    @property
    def serial_log(self) -> Path:
        """All that the guest wrote to its serial console."""
        return self.vm / "serial.log"

    @property
    def seed(self) -> Path:
        """The NoCloud seed ISO."""
        return self.vm / "seed.iso"

    @property
    def ignition(self) -> Path:
        """The Ignition config."""
        return self.vm / "ignition.json"

    @property
    def firmware_variables(self) -> Path:
        """This machine's copy of the UEFI variables."""
        return self.vm / "uefi-vars.fd"

    @property
    def spice(self) -> Path:
        """Copies of SPICE's certificates, as QEMU's ``x509-dir`` wants them."""
        return self.vm / "spice"

    @property
    def tpm(self) -> Path:
        """State folder of swtpm."""
        return self.vm / "tpm"

    @property
    def tpm_file(self) -> Path:
        """State of a TPM that began as a file of another program."""
        return self.tpm / "state"

    def disk(self, index: int, suffix: str) -> Path:
        """Disk number ``index`` of this machine."""
        return self.vm / f"disk{index}.{suffix}"

    def socket(self, role: str) -> Path:
        """A Unix socket: ``qmp``, ``vnc``, ``serial``, ``agent``, ``spice``, ``tpm``, ``net0``, ``share0``..."""
        return self.vm / f"{role}.sock"
