"""SSH by the OpenSSH client.

Nothing is ever asked (``BatchMode``), and a host key is only accepted when it is known, or when the user said that this once an unknown
one may be written down (``accept-new``: a *changed* key is refused all the same). Commands of one build share one connection
(``ControlMaster``), whose socket lies in a folder that only this user may enter. Source: ssh(1), ssh_config(5) of OpenSSH 9.2.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.core.process import Completed, ProcessError, run_async
from quarterdeck.errors import HostError, QuarterdeckError, TargetError

_FAILED = 255
"""The exit status of ssh itself; any other one is the command's."""
SSH_FAILED = "ssh-failed"
"""The key of the error when nobody there answers as an SSH server does."""
_BASE_MAX = 32
"""Bytes of the folder: a Unix socket's path has 107, of which the name takes 9 and 40, and ssh's temporary suffix 17."""
_KEEP_SECONDS = 60
_ALIVE_SECONDS, _ALIVE_COUNT = 15, 3
_ALONE = {"ControlMaster": "no", "ControlPath": "none"}
_MARK_HOST_KEY = "Host key verification failed"
_MARK_DENIED = "Permission denied"
_MARK_NOT_KEPT = "Failed to add the host to the list of known hosts"


@dataclass(frozen=True)
class SshAddress:
    """Where to log in, and as whom; empty words are left to the user's ssh_config.

    ``known_hosts`` is a file of host keys of our own beside the user's, in which the host stands as ``alias``.
    """

    host: str
    user: str = ""
    port: int | None = None
    identity: Path | None = None
    known_hosts: Path | None = None
    alias: str = ""

    def __str__(self) -> str:
        port = f":{self.port}" if self.port else ""
        return f"{self.user}@{self.host}{port}" if self.user else f"{self.host}{port}"


def remote_words(command: Sequence[str]) -> str:
    """Return a command as the one line that ssh hands to the login shell of the other side; the only place that quotes for it."""
    return shlex.join(command)


def ssh_argv(address: SshAddress, command: Sequence[str], *, accept_host_key: bool = False, connect_seconds: float = 10) -> list[str]:
    """Return the argument list that runs ``command`` there."""
    return [
        "ssh",
        *ssh_options(address, accept_host_key=accept_host_key, connect_seconds=connect_seconds),
        "--",
        address.host,
        remote_words(command),
    ]


def private_ssh_argv(address: SshAddress, command: Sequence[str], *, forward: str) -> list[str]:
    """Return the argument list that runs ``command`` over a connection of its own, which ``forward`` (LOCAL:REMOTE) lives with."""
    options = ssh_options(address, shared=False)
    return ["ssh", *options, "-o", "ExitOnForwardFailure=yes", "-L", forward, "--", address.host, remote_words(command)]


def ssh_options(address: SshAddress, *, accept_host_key: bool = False, connect_seconds: float = 10, shared: bool = True) -> list[str]:
    """Return all that stands between ``ssh`` and the host."""
    settings = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "accept-new" if accept_host_key else "yes",
        "ConnectTimeout": str(max(1, round(connect_seconds))),
        "ServerAliveInterval": str(_ALIVE_SECONDS),
        "ServerAliveCountMax": str(_ALIVE_COUNT),
        **(_sharing(address) if shared else _ALONE),
    }
    if address.known_hosts:
        settings["UserKnownHostsFile"] = _quoted(address.known_hosts)
    if address.alias:
        settings["HostKeyAlias"] = address.alias
    if address.identity:
        settings["IdentitiesOnly"] = "yes"
    words = ["-T", *(word for key, value in settings.items() for word in ("-o", f"{key}={value}"))]
    words += ["-p", str(address.port)] if address.port else []
    words += ["-l", address.user] if address.user else []
    return [*words, *(["-i", str(address.identity)] if address.identity else [])]


def _quoted(path: Path) -> str:
    """Return a path as a value of ssh_config(5), where spaces separate files, and % and $ begin something."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def _sharing(address: SshAddress) -> dict[str, str]:
    folder = control_folder()
    if folder is None:
        return _ALONE
    # %C is made of host, port and user; another key or another list of host keys must not share its connection.
    rest = f"{address.identity} {address.known_hosts} {address.alias}"
    name = hashlib.sha256(rest.encode()).hexdigest()[:8]
    return {"ControlMaster": "auto", "ControlPath": f"{folder}/{name}-%C", "ControlPersist": str(_KEEP_SECONDS)}


def control_folder() -> Path | None:
    """Return the folder of connections, made if needed; None where there is none that is short and ours alone."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    places = [Path(runtime) / "qd-ssh"] if runtime else []
    places.append(Path(tempfile.gettempdir()) / f"qd-ssh-{os.geteuid()}")
    return next((place for place in places if len(os.fsencode(place)) <= _BASE_MAX and _is_private(place)), None)


def _is_private(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


async def ssh_run(
    address: SshAddress,
    command: Sequence[str],
    *,
    input: bytes | None = None,
    timeout: float | None = None,
    accept_host_key: bool = False,
    check: bool = True,
) -> Completed:
    """Run a command there to its end.

    Raises:
        TargetError: nobody can log in there.
        HostError: the host key was accepted and cannot be written down.
        DeadlineError: it took longer than ``timeout`` seconds.
        ProcessError: the command failed and ``check`` is true.
    """
    if accept_host_key and address.known_hosts:
        # ssh makes no folder but ~/.ssh. What is wrong with this one it tells itself.
        with contextlib.suppress(OSError):
            address.known_hosts.parent.mkdir(parents=True, exist_ok=True)
    argv = ssh_argv(address, command, accept_host_key=accept_host_key, connect_seconds=timeout or 10)
    done = await run_async(argv, input=input, timeout=timeout, check=False)
    if done.returncode == _FAILED:
        raise login_failure(address, done.stderr.decode(errors="replace"))
    if accept_host_key:
        _see_it_kept(address, done.stderr.decode(errors="replace"))
    if check and done.returncode:
        raise ProcessError(done)
    return done


def _see_it_kept(address: SshAddress, words: str) -> None:
    """OpenSSH goes on when it cannot write a host key down, sshconnect.c; whoever logs in next would be refused."""
    line = next((line.strip() for line in words.splitlines() if _MARK_NOT_KEPT in line), "")
    if line:
        hint = "let the file be written to, and its folder be entered"
        raise HostError("host-key-not-kept", f"the host key of {address} cannot be written down", reason=line, hint=hint)


async def close(address: SshAddress) -> None:
    """End the shared connection, if there is one."""
    argv = ["ssh", *ssh_options(address), "-O", "exit", "--", address.host]
    await run_async(argv, timeout=10, check=False)


async def known_keys(address: SshAddress) -> list[str]:
    """Return the fingerprints of the host keys that are known of a host; none where only the user's ssh_config tells its real name."""
    words = ["ssh-keygen", "-l", "-F", _known_as(address), *(["-f", str(address.known_hosts)] if address.known_hosts else [])]
    done = await run_async(words, timeout=10, check=False)
    return [line for line in done.text.splitlines() if line.strip() and not line.startswith("#")]


def login_failure(address: SshAddress, words: str) -> QuarterdeckError:
    """Return what ssh's own words mean, and what to do."""
    lines = [line.strip() for line in words.splitlines() if line.strip() and not line.startswith(("@", "Warning: Permanently added"))]
    reason = lines[-1] if lines else "ssh said nothing"
    if _MARK_HOST_KEY in words:
        return _host_key(address, words)
    if _MARK_DENIED in words:
        hint = f"let your key in there: ssh-copy-id {_port_words(address)}{shlex.quote(_login(address))}"
        return TargetError("ssh-denied", f"{address} refuses to let you in", reason=reason, hint=hint)
    return TargetError(SSH_FAILED, f"{address} cannot be reached by SSH", reason=reason, hint="is it up, and does sshd listen there?")


def _host_key(address: SshAddress, words: str) -> TargetError:
    if "IDENTIFICATION HAS CHANGED" in words:
        hint = "if you know why it changed, take the old key out: ssh-keygen -R " + shlex.quote(_known_as(address))
        return TargetError("ssh-host-key-changed", f"{address} shows another host key than before", reason=_file_of(words), hint=hint)
    hint = (
        "see that it is the host's own, then give --accept-host-key once to 'qd nodes add', "
        "or for a node that is there already: qd nodes bootstrap NAME --accept-host-key"
    )
    return TargetError("ssh-host-key-unknown", f"the host key of {address} is not known here", reason=_offered(words), hint=hint)


def _file_of(words: str) -> str:
    return next((line.strip() for line in words.splitlines() if line.startswith("Offending")), "somebody may sit between you and it")


def _offered(words: str) -> str:
    return next((line.strip() for line in words.splitlines() if "host key is known for" in line), "")


def _known_as(address: SshAddress) -> str:
    if address.alias:
        return address.alias
    return f"[{address.host}]:{address.port}" if address.port and address.port != 22 else address.host


def _login(address: SshAddress) -> str:
    return f"{address.user}@{address.host}" if address.user else address.host


def _port_words(address: SshAddress) -> str:
    return f"-p {address.port} " if address.port else ""
