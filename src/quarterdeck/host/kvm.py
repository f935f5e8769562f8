"""Proves that KVM runs guests here, or says why not.

That ``/dev/kvm`` opens proves nothing. Hosts exist where every ioctl succeeds, QEMU starts, firmware even runs, and
a Linux guest hangs for ever: KVM in software inside a virtual machine whose processor has no vmx or svm. So the
processor's flags are looked at first, then the device, then QEMU itself is started paused under KVM.
"""

from __future__ import annotations

import errno
import grp
import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.core import clock, process
from quarterdeck.core.arch import Arch, host_arch, runs_natively
from quarterdeck.core.process import Identity
from quarterdeck.errors import QuarterdeckError
from quarterdeck.host import cache
from quarterdeck.host.container import container
from quarterdeck.host.facts import KvmFacts
from quarterdeck.host.files import below, exists, read_text
from quarterdeck.host.qemu import fingerprint

_DEVICE = "/dev/kvm"
_TIMEOUT = 5.0
_REFUSAL_SECONDS = 300.0
_SOFTWARE_MODULE = "kvm_pvm"
_MODULES = ("kvm_intel", "kvm_amd", "kvm_hv", "kvm_pr", "kvm_pvm", "kvm")
_QUESTIONS = ("qmp_capabilities", "query-kvm", "query-status", "quit")
_FLAG_LINE = re.compile(r"^(?:flags|features|Features)\s*:\s*(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Opener:
    """Who would open /dev/kvm: a user and all groups."""

    uid: int
    groups: frozenset[int]


def opener(identity: Identity | None) -> Opener:
    """Return who opens /dev/kvm when QEMU runs as ``identity`` (None: as we do)."""
    if identity is None:
        return Opener(os.geteuid(), frozenset({os.getegid(), *os.getgroups()}))
    return Opener(identity.uid, frozenset({identity.gid, *identity.groups}))


async def prove_kvm(arch: Arch, qemu: str, identity: Identity | None) -> KvmFacts:
    """Return whether QEMU at path ``qemu``, run as ``identity`` (None: as we are), runs guests of ``arch`` under KVM."""
    obstacle = kvm_obstacle(arch, identity)
    if obstacle is not None:
        return obstacle
    question = _question(arch, qemu, identity)
    known = _from_cache(cache.recall("kvm", question)) if question else None
    if known is not None:
        return known
    facts, lasting = await _ask_qemu(arch, qemu, identity)
    if question and lasting:
        answer = {"proved": facts.proved, "reason": facts.reason, "hint": facts.hint, "time": clock.now()}
        cache.remember("kvm", question, answer)
    return facts


def kvm_obstacle(arch: Arch, identity: Identity | None, *, root: Path = Path("/")) -> KvmFacts | None:
    """Return what can be seen without starting anything that rules KVM out for guests of ``arch``; None when nothing is seen."""
    host = host_arch()
    if not runs_natively(arch, host):
        return KvmFacts(False, f"KVM runs no {arch.name} guests on {host.name} processors")
    return _processor_obstacle(arch, root) or _device_obstacle(opener(identity), root)


def cpu_flags(root: Path = Path("/")) -> frozenset[str]:
    """Return the first processor's flags.

    Source: the kernel's arch/*/kernel/; the line is called ``flags`` on x86, ``features`` on s390x, ``Features`` on ARM and LoongArch.
    """
    match = _FLAG_LINE.search(read_text(root, "/proc/cpuinfo"))
    return frozenset(match[1].split()) if match else frozenset()


def virtualisation_flag(arch: Arch, root: Path = Path("/")) -> str | None:
    """Return the processor flag that shows hardware virtualisation, ``""`` when ``arch`` defines none, None when it is absent."""
    if not arch.kvm_flags:
        return ""
    flags = cpu_flags(root)
    return next((flag for flag in arch.kvm_flags if flag in flags), None)


def kvm_module(root: Path = Path("/")) -> str:
    """Return the kernel module, loaded or built in, that provides KVM; empty when none is seen."""
    return next((module for module in _MODULES if exists(root, f"/sys/module/{module}")), "")


def _processor_obstacle(arch: Arch, root: Path) -> KvmFacts | None:
    if not read_text(root, "/proc/cpuinfo") or virtualisation_flag(host_arch(), root) is not None:
        return None
    flags = " or ".join(host_arch().kvm_flags)
    advice = "enable virtualisation in the firmware setup, or nested virtualisation on the host above when this is a virtual machine"
    if kvm_module(root) == _SOFTWARE_MODULE:
        reason = f"the processor shows no {flags}, and {_SOFTWARE_MODULE} imitates KVM in software, under which ordinary guests hang"
        return KvmFacts(False, reason, advice)
    return KvmFacts(False, f"the processor shows no {flags}: no hardware virtualisation", advice)


def _device_obstacle(who: Opener, root: Path) -> KvmFacts | None:
    try:
        status = os.stat(below(root, _DEVICE))
    except FileNotFoundError:
        return _device_missing(root)
    except OSError as error:
        return KvmFacts(False, f"{_DEVICE} cannot be looked at: {error.strerror}")
    if not stat.S_ISCHR(status.st_mode):
        return KvmFacts(False, f"{_DEVICE} is not a device", f"remove {_DEVICE} and load the kvm module again")
    return None if _may_open(who, status) else _forbidden(who, status, root)


def _device_missing(root: Path) -> KvmFacts:
    manager = container(root)
    if manager == "kubernetes":
        return KvmFacts(
            False, f"there is no {_DEVICE} in this pod", "give the pod a KVM device plugin's resource, such as devices.kubevirt.io/kvm"
        )
    if manager:
        return KvmFacts(False, f"there is no {_DEVICE} in this {manager} container", f"start the container with --device {_DEVICE}")
    module = {"vmx": "kvm_intel", "svm": "kvm_amd"}.get(virtualisation_flag(host_arch(), root) or "", "kvm")
    return KvmFacts(False, f"there is no {_DEVICE}: the kernel module is not loaded", f"modprobe {module}")


def _may_open(who: Opener, status: os.stat_result) -> bool:
    """Whether mode and owner let ``who`` read and write. Root passes by its capabilities; path_resolution(7)."""
    if who.uid == 0:
        return True
    if who.uid == status.st_uid:
        wanted = stat.S_IRUSR | stat.S_IWUSR
    elif status.st_gid in who.groups:
        wanted = stat.S_IRGRP | stat.S_IWGRP
    else:
        wanted = stat.S_IROTH | stat.S_IWOTH
    return status.st_mode & wanted == wanted or _acl_allows(who)


def _acl_allows(who: Opener) -> bool:
    """Whether we ourselves may open it by an access list, as logind's ``uaccess`` gives to the user at the screen."""
    return who.uid == os.geteuid() and os.access(_DEVICE, os.R_OK | os.W_OK)


def _forbidden(who: Opener, status: os.stat_result, root: Path) -> KvmFacts:
    mode = stat.S_IMODE(status.st_mode)
    group = _group_name(status.st_gid)
    owner = f"mode {mode:04o}, user {status.st_uid}, group {group}"
    subject = "you" if who.uid == os.geteuid() else f"QEMU's user {who.uid}"
    reason = f"{subject} may not open {_DEVICE} ({owner})"
    group_may = mode & 0o060 == 0o060 and status.st_gid != 0
    if group_may and subject == "you" and not container(root):
        return KvmFacts(False, reason, f"usermod -aG {group} $USER, then log in again")
    if container(root):
        return KvmFacts(
            False, reason, f"start the container with --group-add {status.st_gid}" if group_may else f"on the host: chmod 0666 {_DEVICE}"
        )
    return KvmFacts(False, reason, f"chgrp kvm {_DEVICE} && chmod 0660 {_DEVICE}")


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except (KeyError, OSError):
        return str(gid)


def proof_argv(arch: Arch, qemu: str) -> list[str]:
    """Return the command that starts an empty machine paused under KVM and answers QMP on its standard input and output."""
    return [
        qemu,
        "-nodefaults",
        "-no-user-config",
        *("-display", "none"),
        *("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"),
        *("-machine", f"{arch.machine},accel=kvm"),
        *("-cpu", "host"),
        *("-m", "64M"),
        "-S",
        *("-qmp", "stdio"),
    ]


async def _ask_qemu(arch: Arch, qemu: str, identity: Identity | None) -> tuple[KvmFacts, bool]:
    """Start QEMU paused under KVM; return the verdict and whether it may be kept (a slow host may be quicker next time)."""
    questions = "".join(json.dumps({"execute": question}) for question in _QUESTIONS)
    try:
        done = await process.run_async(
            proof_argv(arch, qemu), input=questions.encode(), timeout=_TIMEOUT, check=False, cwd="/", identity=identity
        )
    except QuarterdeckError as error:
        return KvmFacts(False, f"QEMU did not answer under KVM: {error.message}"), False
    except OSError as error:
        return KvmFacts(False, f"QEMU could not be started as user {opener(identity).uid}: {os.strerror(error.errno or errno.EIO)}"), False
    return verdict(done), True


def verdict(done: process.Completed) -> KvmFacts:
    """Return what QEMU's QMP answers (one JSON object a line) say. Source: QEMU's qapi/machine.json and run-state.json."""
    answers = _returns(done.text)
    enabled = any(answer.get("enabled") is True and answer.get("present") is True for answer in answers)
    paused = any(answer.get("status") == "prelaunch" for answer in answers)
    if done.returncode == 0 and enabled and paused:
        return KvmFacts(True, "QEMU started a paused machine under KVM")
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    why = lines[-1].strip()[:200] if lines else f"QEMU {process.describe_status(done.returncode)}"
    return KvmFacts(False, f"QEMU does not start under KVM: {why}")


def _returns(text: str) -> list[dict[str, Any]]:
    answers = []
    for line in text.splitlines():
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            continue
        answer = message.get("return") if isinstance(message, dict) else None
        if isinstance(answer, dict):
            answers.append(answer)
    return answers


def _question(arch: Arch, qemu: str, identity: Identity | None) -> str:
    """Return all that the proof depends on; empty when the kernel does not say which boot this is, so that nothing is kept."""
    try:
        boot, device = clock.boot_id(), os.stat(_DEVICE)
    except OSError:
        return ""
    who = opener(identity)
    node = f"{device.st_mode:o}:{device.st_uid}:{device.st_gid}:{device.st_rdev}"
    return f"{boot} {arch.name} {fingerprint(qemu)} {who.uid} {sorted(who.groups)} {node}"


def _from_cache(answer: dict[str, Any] | None) -> KvmFacts | None:
    """Return the kept verdict; a refusal is asked again after five minutes, since an administrator may have mended it."""
    if answer is None:
        return None
    proved, reason, hint, time = (answer.get(name) for name in ("proved", "reason", "hint", "time"))
    if not (isinstance(proved, bool) and isinstance(reason, str) and isinstance(hint, str) and isinstance(time, int | float)):
        return None
    fresh = 0 <= clock.now() - time < _REFUSAL_SECONDS
    return KvmFacts(proved, reason, hint) if proved or fresh else None
