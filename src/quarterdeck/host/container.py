"""Whether we are inside a container, and whose."""

from __future__ import annotations

import os
import re
from pathlib import Path

from quarterdeck.host.files import below, exists, read_text

_CGROUP_NAMES = (
    ("kubepods", "kubernetes"),
    ("libpod", "podman"),
    ("docker", "docker"),
    ("containerd", "containerd"),
    ("lxc", "lxc"),
)
_MARKERS = (("/run/.containerenv", "podman"), ("/.dockerenv", "docker"))
_FIRST_NAMESPACES = {"pid": "pid:[4026531836]", "uts": "uts:[4026531838]", "ipc": "ipc:[4026531839]"}
_WORD = re.compile(r"[A-Za-z0-9._-]{1,40}", re.ASCII)


def container(root: Path = Path("/")) -> str:
    """Return the container manager's name (``docker``, ``podman``, ``kubernetes``, ``lxc``...), or empty outside of a container.

    Sources: systemd's container interface (``/run/host/container-manager``, ``$container`` of process 1), ``/.dockerenv`` of Docker,
    ``/run/.containerenv`` of podman, the service account folder of Kubernetes, names of cgroups.
    """
    if exists(root, "/run/secrets/kubernetes.io/serviceaccount") or exists(root, "/var/run/secrets/kubernetes.io/serviceaccount"):
        return "kubernetes"
    for marker, name in _MARKERS:
        if exists(root, marker) and not _on_the_host(root):
            return name
    return _announced(root) or _from_cgroup(root)


def _on_the_host(root: Path) -> bool:
    """Whether all our namespaces are the kernel's first ones: then a marker file only tells where a disk image was copied from.

    Source: the fixed numbers of the kernel's include/linux/proc_ns.h.
    """
    return all(_link(root, f"/proc/self/ns/{kind}") == first for kind, first in _FIRST_NAMESPACES.items())


def _link(root: Path, path: str) -> str:
    try:
        return os.readlink(below(root, path))
    except OSError:
        return ""


def _announced(root: Path) -> str:
    told = read_text(root, "/run/host/container-manager") or read_text(root, "/run/systemd/container")
    if not told:
        # NUL separates the variables; read_text made them spaces.
        for word in read_text(root, "/proc/1/environ").split(" "):
            name, _, value = word.partition("=")
            told = value if name == "container" else told
    match = _WORD.fullmatch(told.strip())
    return match[0] if match else ""


def _from_cgroup(root: Path) -> str:
    for line in read_text(root, "/proc/1/cgroup").splitlines():
        place = line.split(":", 2)[-1]
        for part, name in _CGROUP_NAMES:
            if any(folder.startswith(part) for folder in place.split("/")):
                return name
    return ""
