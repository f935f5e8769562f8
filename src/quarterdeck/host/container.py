"""Whether we are inside a container, and whose."""

from __future__ import annotations

import re
from pathlib import Path

from quarterdeck.host.files import exists, read_text

_CGROUP_NAMES = (
    ("kubepods", "kubernetes"),
    ("libpod", "podman"),
    ("docker", "docker"),
    ("containerd", "containerd"),
    ("lxc", "lxc"),
)
_WORD = re.compile(r"[A-Za-z0-9._-]{1,40}", re.ASCII)


def container(root: Path = Path("/")) -> str:
    """Return the container manager's name (``docker``, ``podman``, ``kubernetes``, ``lxc``...), or empty outside of a container.

    Sources: systemd's container interface (``/run/host/container-manager``, ``$container`` of process 1), ``/.dockerenv`` of Docker,
    ``/run/.containerenv`` of podman, the service account folder of Kubernetes, names of cgroups.
    """
    if exists(root, "/run/secrets/kubernetes.io/serviceaccount") or exists(root, "/var/run/secrets/kubernetes.io/serviceaccount"):
        return "kubernetes"
    if exists(root, "/run/.containerenv"):
        return "podman"
    if exists(root, "/.dockerenv"):
        return "docker"
    return _announced(root) or _from_cgroup(root)


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
