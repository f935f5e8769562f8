"""A host behind SSH on the loopback address, with keys of its own; the user's own SSH files are neither read nor written."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.engines.daemon import daemon, is_root

from quarterdeck.build.nodes.ssh import SshAddress
from quarterdeck.core.process import find, run

_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AcceptEnv none
{environment}
"""


@dataclass(frozen=True)
class SshHost:
    """A running sshd: ``folder`` has its keys and the client's."""

    folder: Path
    port: int

    @property
    def address(self) -> SshAddress:
        """How to log in, with a list of host keys that is empty at first."""
        return SshAddress("127.0.0.1", user="root", port=self.port, identity=self.folder / "user", known_hosts=self.known_hosts)

    @property
    def known_hosts(self) -> Path:
        """The host keys that the client knows."""
        return self.folder / "known_hosts"

    @property
    def endpoint(self) -> str:
        """The same as an endpoint."""
        return f"ssh://root@127.0.0.1:{self.port}"

    def new_host_key(self) -> None:
        """Give the host another key; sshd reads it for each connection."""
        make_key(self.folder / "host")


def make_key(path: Path) -> None:
    """Make an SSH key without a passphrase, also in the place of another one."""
    path.unlink(missing_ok=True)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path])


@contextmanager
def ssh_host(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[SshHost]:
    """Run sshd until the block ends; ``environment`` is what commands there get."""
    program = find("sshd")
    if program is None or not is_root():
        pytest.skip("sshd needs openssh-server and root")
    # Its folder for unprivileged children, which init scripts make.
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    folder.mkdir(exist_ok=True)
    make_key(folder / "user")
    make_key(folder / "host")
    host = SshHost(folder, free_port())
    words = " ".join(f'{key}="{value}"' for key, value in (environment or {}).items())
    text = _CONFIG.format(port=host.port, folder=folder, environment=f"SetEnv {words}" if words else "")
    (folder / "sshd_config").write_text(text)
    with daemon([program, "-D", "-e", "-f", folder / "sshd_config"], log=folder / "sshd.log", ready=lambda _: answers(host.port)):
        yield host


def lead_ssh_to(host: SshHost, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put an ssh first in PATH that uses the host's files instead of the user's."""
    folder.mkdir()
    script = folder / "ssh"
    program = shutil.which("ssh")
    script.write_text(f'#!/bin/sh\nexec {program} -F none -o UserKnownHostsFile={host.known_hosts} -i {host.folder}/user "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether somebody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
